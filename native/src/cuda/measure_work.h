// The measures of a step's factors of tensors, in the order of the sums of squares.
#ifndef PANOPTIM_CUDA_MEASURE_WORK_H
#define PANOPTIM_CUDA_MEASURE_WORK_H

#include <utility>

#include "cuda/launch.h"
#include "cuda/tiles.h"
#include "panoptim.h"
#include "rule/sum_of_lanes.h"
#include "rule/update.h"

struct measure_arguments {
  const panoptim_tensor *tensors;
  const int32_t *chunk_rows;
  const panoptim_coefficients *coefficients;  // NULL: all of them are in `few`
  double *measures;                           // PANOPTIM_MEASURES for each chunk
  float clip;
  bool clips;
  int32_t measured;  // as in panoptim_plan
  panoptim_coefficients few[PANOPTIM_CUDA_FEW];
};

static_assert(sizeof(measure_arguments) <= 4096, "more than the arguments of a launch");

// Measures chunks, one block for each. In a phase, each thread evaluates one element of a part; at the same time, a
// thread for each sum adds the part before.
template <class Rule>
struct measure_work : measure_arguments {
  static constexpr int threads = 256;
  static constexpr int blocks = 3;
  static constexpr int part = threads;
  static constexpr int sums = PANOPTIM_MEASURES * PANOPTIM_LANES;

  struct shared {
    float numbers[2][PANOPTIM_MEASURES][part];
    double sums[PANOPTIM_MEASURES][PANOPTIM_LANES];
  };

  explicit measure_work(const measure_arguments &arguments) : measure_arguments(arguments) {
  }

  PANOPTIM_DEVICE int phases(panoptim_int64 chunk) const {
    return parts(chunk_at(tensors, chunk_rows, chunk).length) + 2;
  }

  PANOPTIM_DEVICE void operator()(int phase, panoptim_int64 chunk, int thread, shared &all) const {
    const range r = chunk_at(tensors, chunk_rows, chunk);
    if (phase > parts(r.length)) {
      if (thread < PANOPTIM_MEASURES) {
        measures[chunk * PANOPTIM_MEASURES + thread] = sum_of_lanes(all.sums[thread]);
      }
      return;
    }
    if (thread < sums) add_part(phase - 1, r.length, thread, all);
    const panoptim_int64 i = static_cast<panoptim_int64>(phase) * part + thread;
    if (i < r.length) evaluate(tensors[r.row], r.start + i, phase, thread, all, states_of_rule());
  }

 private:
  using states_of_rule = std::make_integer_sequence<int, Rule::states>;

  PANOPTIM_DEVICE static int parts(panoptim_int64 length) {
    return static_cast<int>((length + part - 1) / part);
  }

  template <int... State>
  PANOPTIM_DEVICE void evaluate(const panoptim_tensor &tensor, panoptim_int64 i, int phase, int thread, shared &all,
                                std::integer_sequence<int, State...>) const {
    panoptim_coefficients c = coefficients ? coefficients[tensor.coefficients] : few[tensor.coefficients];
    float g = global(tensor.gradient)[i];
    if (clips) {
      g = kept_within(clip, c.gradient_scale * g);
      c.gradient_scale = c.clipped_scale;
    }
    const float w = global(tensor.parameter)[i];
    float x[PANOPTIM_STATES] = {global(tensor.state[State])[i]...};
    number(all, phase, PANOPTIM_MEASURE_PARAMETER, thread) = measured & 1 << PANOPTIM_MEASURE_PARAMETER ? w : 0;
    evaluate_one<PANOPTIM_MEASURE_GRADIENT>(c, w, g, x, phase, thread, all);
    evaluate_one<PANOPTIM_MEASURE_CHANGE>(c, w, g, x, phase, thread, all);
    evaluate_one<PANOPTIM_MEASURE_LAST>(c, w, g, x, phase, thread, all);
  }

  // The number that a thread has evaluated in a phase.
  PANOPTIM_DEVICE static float &number(shared &all, int phase, int measure, int thread) {
    return all.numbers[phase % 2][measure][thread];
  }

  template <int Measure>
  PANOPTIM_DEVICE void evaluate_one(const panoptim_coefficients &c, float w, float g,
                                    const float (&states)[PANOPTIM_STATES], int phase, int thread, shared &all) const {
    float found = 0;
    if constexpr (Measure == PANOPTIM_MEASURE_GRADIENT || has_measure(Rule::parts, Measure)) {
      float x[PANOPTIM_STATES];
      for (int i = 0; i < PANOPTIM_STATES; i++) x[i] = states[i];
      if (measured & 1 << Measure) found = Rule::template measured<Measure>(c, w, g, x);
    }
    number(all, phase, Measure, thread) = found;
  }

  PANOPTIM_DEVICE static void add_part(int number, panoptim_int64 length, int thread, shared &all) {
    const int measure = thread / PANOPTIM_LANES;
    const int lane = thread % PANOPTIM_LANES;
    double &sum = all.sums[measure][lane];
    if (number < 0) {
      sum = 0;
      return;
    }
    const panoptim_int64 left = length - static_cast<panoptim_int64>(number) * part;
    const int count = static_cast<int>(left < part ? left : part);
    for (int i = lane; i < count; i += PANOPTIM_LANES) {
      // The square of a float is exact in double, so only the sum is rounded.
      const double x = all.numbers[number % 2][measure][i];
      sum += x * x;
    }
  }
};

#endif
