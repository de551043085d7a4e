#include "step/step.h"

#include <string.h>

#include "rule/sum_of_lanes.h"
#include "step/nontemporal.h"
#include "step/sharing.h"

namespace {

// Elements of a tile: a part of a chunk that stays in the first-level cache during the loops before and after the
// update. Tiles of 128 to 1024 elements take about the same time; 2048 and 4096 are 3% and 6% slower: -Pbench
// -Dbench.args="ConstantsBenchmark -p changed=tile=256,tile=4096".
constexpr panoptim_int64 tile = 1024;

struct chunk_operands {
  float *parameter;
  float *gradient;
  float *state[PANOPTIM_STATES];
  float *average;
  uint16_t *half_precision;
  char *published;

  chunk_operands(const panoptim_plan &plan, const panoptim_tensor &tensor, panoptim_int64 start)
      : parameter(tensor.parameter + start),
        gradient(tensor.gradient + start),
        average(tensor.average ? tensor.average + start : nullptr),
        half_precision(tensor.half_precision ? tensor.half_precision + start : nullptr),
        published(nullptr) {
    if (plan.publish != PANOPTIM_PUBLISH_NONE && tensor.published >= 0) {
      const size_t element = plan.publish == PANOPTIM_PUBLISH_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
      published = static_cast<char *>(plan.publication) + tensor.published + static_cast<size_t>(start) * element;
    }
    for (int i = 0; i < PANOPTIM_STATES; i++) state[i] = tensor.state[i] ? tensor.state[i] + start : nullptr;
  }
};

// Writes a tile in 16 bits.
void write_narrow(const kernel_table &kernels, int32_t half_precision, panoptim_int64 length, const float *from,
                  uint16_t *to) {
  uint16_t narrow[tile];
  kernels.half_precision[half_precision](length, from, narrow);
  store_nontemporal(narrow, to, length);
}

// Copies a tile to the publication, if the row has a copy there.
void publish_tile(const panoptim_plan &plan, const kernel_table &kernels, const chunk_operands &s,
                  panoptim_int64 length) {
  if (!s.published) return;
  const float *from = plan.publish_averages ? s.average : s.parameter;
  if (plan.publish == PANOPTIM_PUBLISH_FLOAT32) {
    store_nontemporal(from, reinterpret_cast<float *>(s.published), length);
  } else {
    const int32_t half_precision =
        plan.publish == PANOPTIM_PUBLISH_BFLOAT16 ? PANOPTIM_HALF_PRECISION_BFLOAT16 : PANOPTIM_HALF_PRECISION_FLOAT16;
    write_narrow(kernels, half_precision, length, from, reinterpret_cast<uint16_t *>(s.published));
  }
}

// Calls use(coefficients, gradient) with the gradient of a tile, clipped by value if the plan clips.
template <class Use>
void with_clipped(const panoptim_plan &plan, const kernel_table &kernels, const panoptim_coefficients &coefficients,
                  const chunk_operands &s, panoptim_int64 length, Use use) {
  if (!plan.clips) {
    use(coefficients, s.gradient);
    return;
  }
  float clipped[tile];
  kernels.clip(coefficients.gradient_scale, plan.clip, length, s.gradient, clipped);
  panoptim_coefficients scaled = coefficients;
  scaled.gradient_scale = coefficients.clipped_scale;
  use(scaled, clipped);
}

// The update of one tile, with the plan's options before and after it.
void update_tile(const panoptim_plan &plan, const kernel_table &kernels, kernel update,
                 const panoptim_coefficients &coefficients, const chunk_operands &s, panoptim_int64 length) {
  with_clipped(plan, kernels, coefficients, s, length, [&](const panoptim_coefficients &c, const float *gradient) {
    update(c, length, s.parameter, gradient, s.state);
  });
  if (plan.averages) kernels.average(coefficients.average_take, length, s.parameter, s.average);
  if (plan.half_precision != PANOPTIM_HALF_PRECISION_NONE)
    write_narrow(kernels, plan.half_precision, length, s.parameter, s.half_precision);
  publish_tile(plan, kernels, s, length);
  if (plan.zeroes) memset(s.gradient, 0, static_cast<size_t>(length) * sizeof *s.gradient);
}

struct step_work {
  const panoptim_plan &plan;
  const kernel_table &kernels;

  void operator()(panoptim_int64 begin, panoptim_int64 end) const {
    const kernel update = kernels.at[kernel_of(composition_of(plan))];
    const bool nontemporal =
        plan.half_precision != PANOPTIM_HALF_PRECISION_NONE || plan.publish != PANOPTIM_PUBLISH_NONE;
    const bool in_tiles = plan.clips || plan.averages || plan.zeroes || nontemporal;
    for_each_chunk(plan, begin, end, [&](const panoptim_tensor &tensor, panoptim_int64 start, panoptim_int64 length) {
      const panoptim_coefficients &coefficients = plan.coefficients[tensor.coefficients];
      const panoptim_int64 most = in_tiles ? tile : length;
      for (panoptim_int64 done = 0; done < length; done += most) {
        const panoptim_int64 now = length - done < most ? length - done : most;
        const chunk_operands s(plan, tensor, start + done);
        if (in_tiles) {
          update_tile(plan, kernels, update, coefficients, s, now);
        } else {
          update(coefficients, now, s.parameter, s.gradient, s.state);
        }
      }
    });
    if (nontemporal) fence_nontemporal();
  }
};

// The sums of squares of a chunk.
class square_sums {
 public:
  // `length` numbers that follow those before, which were a multiple of PANOPTIM_LANES.
  void add(const kernel_table &kernels, panoptim_int64 length, const float *numbers) {
    kernels.add_squares(length, numbers, sums_);
  }

  // To which `PANOPTIM_LANES` numbers are added in turn.
  double *lanes() {
    return sums_;
  }

  // To be called once, at the end.
  double total() {
    return sum_of_lanes(sums_);
  }

 private:
  double sums_[PANOPTIM_LANES] = {};
};

struct sum_squares_work {
  const panoptim_plan &plan;
  const kernel_table &kernels;

  void operator()(panoptim_int64 begin, panoptim_int64 end) const {
    for_each_chunk(plan, begin, end, [&](const panoptim_tensor &tensor, panoptim_int64 start, panoptim_int64 length) {
      square_sums sums;
      sums.add(kernels, length, tensor.gradient + start);
      plan.square_sums[tensor.first_chunk + start / chunk] = sums.total();
    });
  }
};

struct measure_work {
  const panoptim_plan &plan;
  const kernel_table &kernels;

  void operator()(panoptim_int64 begin, panoptim_int64 end) const {
    static_assert(tile % PANOPTIM_LANES == 0, "tiles keep the order of the sums");
    for_each_chunk(plan, begin, end, [&](const panoptim_tensor &tensor, panoptim_int64 start, panoptim_int64 length) {
      const panoptim_coefficients &coefficients = plan.coefficients[tensor.coefficients];
      square_sums sums[PANOPTIM_MEASURES];
      for (panoptim_int64 done = 0; done < length; done += tile) {
        const panoptim_int64 now = length - done < tile ? length - done : tile;
        measure_tile(coefficients, chunk_operands(plan, tensor, start + done), now, sums);
      }
      double *measures = plan.measures + (tensor.first_chunk + start / chunk) * PANOPTIM_MEASURES;
      for (int i = 0; i < PANOPTIM_MEASURES; i++) measures[i] = sums[i].total();
    });
  }

  void measure_tile(const panoptim_coefficients &coefficients, const chunk_operands &s, panoptim_int64 length,
                    square_sums *sums) const {
    bool parameters = needs(PANOPTIM_MEASURE_PARAMETER);
    with_clipped(plan, kernels, coefficients, s, length, [&](const panoptim_coefficients &c, const float *gradient) {
      for (int i = PANOPTIM_MEASURE_GRADIENT; i < PANOPTIM_MEASURES; i++) {
        const int number = kernel_of(measured_composition(composition_of(plan), i));
        const measure_kernels &kernel = kernels.measure[i];
        if (!needs(i) || !kernel.alone[number]) continue;
        const bool together = parameters && kernel.with_parameters[number];
        const measure_kernel measure = together ? kernel.with_parameters[number] : kernel.alone[number];
        measure(c, length, s.parameter, gradient, s.state, sums[i].lanes(), sums[PANOPTIM_MEASURE_PARAMETER].lanes());
        parameters &= !together;
      }
    });
    if (parameters) sums[PANOPTIM_MEASURE_PARAMETER].add(kernels, length, s.parameter);
  }

  bool needs(int measure) const {
    return plan.measured & 1 << measure;
  }
};

// Calls take(work) with the work of the plan's call.
template <class Take>
void with_work(const panoptim_plan &plan, const kernel_table &kernels, Take take) {
  switch (plan.work) {
    case work_step: take(step_work{plan, kernels}); break;
    case work_sum_squares: take(sum_squares_work{plan, kernels}); break;
    default: take(measure_work{plan, kernels}); break;
  }
}

}  // namespace

void run(panoptim_plan &plan, const kernel_table &kernels, work work) {
  plan.work = work;
  with_work(plan, kernels, [&](auto work) { run_shared(plan, work); });
}

void help_call(panoptim_plan &plan, const kernel_table *(*kernels_of)(int32_t tier)) {
  join_work(plan, [&](auto take_shares) { with_work(plan, *kernels_of(plan.tier), take_shares); });
}

void begin_team_call(panoptim_plan &plan, work work) {
  plan.work = work;
  plan.taken = 0;
  plan.helped = 0;
}

void join_team_call(panoptim_plan &plan, const kernel_table &kernels, bool leads) {
  with_work(plan, kernels, [&](auto work) { take_part(plan, leads, work); });
}
