// A loop for each legal composition, compiled for the instruction set of the including file.
#ifndef PANOPTIM_STEP_LOOPS_H
#define PANOPTIM_STEP_LOOPS_H

#include <utility>

#include "factored/loops.h"
#include "rule/update.h"
#include "step/kernel.h"
#include "step/vector_loop.h"
#include "vector/loops.h"

// Unnamed, so that tiers share no function: the linker could keep the AVX-512 version for all tiers.
namespace {

// The operands of one tensor; the array has the states of the rule.
struct operands {
  float *parameter;
  const float *gradient;
  float *state[PANOPTIM_STATES];
};

// The numbers of a rule's states, which the functions below expand at compile time.
template <class Rule>
using states_of_rule = std::make_integer_sequence<int, Rule::states>;

template <class Rule, int... State>
__attribute__((always_inline)) inline void update_range(const panoptim_coefficients &c, const operands &s,
                                                        panoptim_int64 begin, panoptim_int64 end,
                                                        std::integer_sequence<int, State...>) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = begin; i < end; i++) {
    float w = s.parameter[i];
    float x[PANOPTIM_STATES] = {s.state[State][i]...};
    Rule::update(c, w, s.gradient[i], x);
    s.parameter[i] = w;
    ((s.state[State][i] = x[State]), ...);
  }
}

// Processors may prefetch operands too late. So the loop prefetches one cache line of each operand, `fetch_ahead`
// elements before it is updated. The gain varies with the load of the machine. AdamW over 32M parameters (Zen 4) has
// taken 1.01 and 1.03 times as long without prefetches, 1.00 to 1.03 times with 32 or 64, and 1.01 to 1.05 times with
// 256 or 512. In cache there is no difference, so there is no second loop: -Pbench -Dbench.args="ConstantsBenchmark -p
// changed=fetchAhead=0,fetchAhead=32". A rule without states has two operands only, and processors prefetch them in
// time: plain SGD takes 1.01 times as long as a loop that only moves its bytes: -Pbench
// -Dbench.args="BandwidthBenchmark -p optimizer=SGD".
constexpr panoptim_int64 cache_line = 16;
constexpr panoptim_int64 fetch_ahead = 128;

template <int... State>
__attribute__((always_inline)) inline void fetch(const operands &s, panoptim_int64 at,
                                                 std::integer_sequence<int, State...>) {
  __builtin_prefetch(s.parameter + at);
  __builtin_prefetch(s.gradient + at);
  (__builtin_prefetch(s.state[State] + at), ...);
}

template <int... State>
__attribute__((always_inline)) inline operands operands_of(float *parameter, const float *gradient, float *const *state,
                                                           std::integer_sequence<int, State...>) {
  return {parameter, gradient, {state[State]...}};
}

template <class Rule, panoptim_int64 Ahead = fetch_ahead>
void loop(const panoptim_coefficients &coefficients, panoptim_int64 length, float *parameter, const float *gradient,
          float *const *state) {
  constexpr states_of_rule<Rule> states;
  const panoptim_coefficients c = coefficients;
  const operands s = operands_of(parameter, gradient, state, states);
  panoptim_int64 begin = 0;
  if constexpr (Ahead > 0 && Rule::states > 0) {
    // The end of a chunk is usually followed by the next one. A prefetch of an invalid address does nothing.
    for (; begin + cache_line <= length; begin += cache_line) {
      fetch(s, begin + Ahead, states);
      update_range<Rule>(c, s, begin, begin + cache_line, states);
    }
  }
  update_range<Rule>(c, s, begin, length, states);
}

void clip_loop(float scale, float bound, panoptim_int64 length, const float *gradient, float *clipped) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) {
    clipped[i] = kept_within(bound, scale * gradient[i]);
  }
}

void average_loop(float take, panoptim_int64 length, const float *parameter, float *average) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) {
    average[i] = moved_average(take, parameter[i], average[i]);
  }
}

void bfloat16_loop(panoptim_int64 length, const float *parameter, uint16_t *half_precision) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) half_precision[i] = bfloat16(parameter[i]);
}

void float16_loop(panoptim_int64 length, const float *parameter, uint16_t *half_precision) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) half_precision[i] = float16(parameter[i]);
}

void add_squares_loop(panoptim_int64 length, const float *numbers, double *all) {
  double sums[PANOPTIM_LANES];
  for (int lane = 0; lane < PANOPTIM_LANES; lane++) sums[lane] = all[lane];
  panoptim_int64 i = 0;
  for (; i + PANOPTIM_LANES <= length; i += PANOPTIM_LANES) {
    for (int lane = 0; lane < PANOPTIM_LANES; lane++) {
      // The square of a float is exact in double, so only the sum is rounded.
      const double x = numbers[i + lane];
      sums[lane] += x * x;
    }
  }
  for (int lane = 0; i + lane < length; lane++) {
    const double x = numbers[i + lane];
    sums[lane] += x * x;
  }
  for (int lane = 0; lane < PANOPTIM_LANES; lane++) all[lane] = sums[lane];
}

// Whether a measure reads a state.
template <class Rule, int Measure, int State>
constexpr bool reads_state() {
  if (Measure == PANOPTIM_MEASURE_GRADIENT) return State == Rule::template place<previous_state>;
  if (Measure == PANOPTIM_MEASURE_CHANGE || Rule::parts.update == PANOPTIM_UPDATE_CAUTIOUS) return true;
  return State == Rule::template place<second_state>;
}

// As `fetch`, of what a measure reads.
template <class Rule, int Measure, bool Parameters, int... State>
__attribute__((always_inline)) inline void fetch_measured(const operands &s, panoptim_int64 at,
                                                          std::integer_sequence<int, State...>) {
  // A gradient with L2 decay contains the parameter.
  if constexpr (Parameters || Rule::parts.decay == PANOPTIM_DECAY_L2) __builtin_prefetch(s.parameter + at);
  __builtin_prefetch(s.gradient + at);
  ((reads_state<Rule, Measure, State>() ? __builtin_prefetch(s.state[State] + at) : void()), ...);
}

template <class Rule, int Measure, int... State>
__attribute__((always_inline)) inline void measure_range(const panoptim_coefficients &c, const operands &s,
                                                         panoptim_int64 begin, panoptim_int64 end, float *numbers,
                                                         std::integer_sequence<int, State...>) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = begin; i < end; i++) {
    float x[PANOPTIM_STATES] = {s.state[State][i]...};
    numbers[i - begin] = Rule::template measured<Measure>(c, s.parameter[i], s.gradient[i], x);
  }
}

// The elements whose numbers are evaluated and then added: few, so that prefetched lines arrive meanwhile.
constexpr panoptim_int64 measured_together = 8 * cache_line;

template <class Rule, int Measure, bool Parameters>
void measure_loop(const panoptim_coefficients &coefficients, panoptim_int64 length, const float *parameter,
                  const float *gradient, float *const *state, double *sums, double *parameters) {
  constexpr states_of_rule<Rule> states;
  const panoptim_coefficients c = coefficients;
  const operands s = operands_of(const_cast<float *>(parameter), gradient, state, states);
  float numbers[measured_together];
  for (panoptim_int64 begin = 0; begin < length; begin += measured_together) {
    const panoptim_int64 count = length - begin < measured_together ? length - begin : measured_together;
    panoptim_int64 done = 0;
    PANOPTIM_ROLLED_LOOP
    for (; done + cache_line <= count; done += cache_line) {
      const panoptim_int64 at = begin + done;
      fetch_measured<Rule, Measure, Parameters>(s, at + fetch_ahead, states);
      measure_range<Rule, Measure>(c, s, at, at + cache_line, numbers + done, states);
    }
    measure_range<Rule, Measure>(c, s, begin + done, begin + count, numbers + done, states);
    add_squares_loop(count, numbers, sums);
    if constexpr (Parameters) add_squares_loop(count, parameter + begin, parameters);
  }
}

template <int Kernel>
constexpr kernel row_kernel_at() {
  constexpr int index = all_kernel_numbers.composition_of_kernel[Kernel];
  if constexpr (is_of_tables(composition_at(index))) {
    return loop<rule<index>, 0>;
  } else {
    return nullptr;
  }
}

template <int Measure, bool Parameters, int Kernel>
constexpr measure_kernel measure_at() {
  constexpr int index = all_kernel_numbers.composition_of_kernel[Kernel];
  constexpr bool together = Measure == PANOPTIM_MEASURE_CHANGE || index == 0;
  if constexpr (has_measure(composition_at(index), Measure) && (together || !Parameters)) {
    return measure_loop<rule<index>, Measure, Parameters>;
  } else {
    return nullptr;
  }
}

template <int Measure, int... Kernel>
constexpr measure_kernels measures_of() {
  return {{measure_at<Measure, false, Kernel>()...}, {measure_at<Measure, true, Kernel>()...}};
}

template <int... Kernel>
constexpr kernel_table every_loop(std::integer_sequence<int, Kernel...>) {
  return {{loop<rule<all_kernel_numbers.composition_of_kernel[Kernel]>>...},
          {row_kernel_at<Kernel>()...},
          {measures_of<PANOPTIM_MEASURE_PARAMETER, Kernel...>(), measures_of<PANOPTIM_MEASURE_GRADIENT, Kernel...>(),
           measures_of<PANOPTIM_MEASURE_CHANGE, Kernel...>(), measures_of<PANOPTIM_MEASURE_LAST, Kernel...>()},
          clip_loop,
          average_loop,
          {nullptr, bfloat16_loop, float16_loop},
          add_squares_loop,
          vector_loops,
          factored_loops};
}

}  // namespace

// The whole content of a tier's file, which is compiled with the tier's flags.
#define PANOPTIM_TIER_KERNELS(name) \
  extern const kernel_table name = every_loop(std::make_integer_sequence<int, kernel_count>())

#endif
