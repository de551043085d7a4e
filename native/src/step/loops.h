// Every legal composition as a loop, for whatever processor the including file is compiled for.
#ifndef PANOPTIM_STEP_LOOPS_H
#define PANOPTIM_STEP_LOOPS_H

#include <utility>

#include "rule/update.h"
#include "step/kernel.h"

// Unnamed, so that no two tiers can share a function: the linker would be free to keep the AVX-512 one for all.
namespace {

// Streams do not overlap, which the compiler would check before every loop; and a loop that it unrolled away is one
// that it does not vectorise.
#if defined(__clang__)
#define PANOPTIM_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#else
#define PANOPTIM_VECTOR_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#endif

// The operands of one tensor; of the states, those that the rule has.
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

// Where operands come from memory, processors may fetch them ahead too late. So one cache line of each stream is asked
// for, so many elements ahead of the line that is updated. What that brings depends on the hour and the machine's other
// tenants: AdamW over 32M parameters (Zen 4) has been seen to take 1.01 and 1.03 times as long without, 1.00 to 1.03
// times with 32 or 64, 1.01 to 1.05 times with 256 or 512; in cache none of these makes a difference, so there is no
// other loop: -Pbench -Dbench.args="ConstantsBenchmark -p changed=fetchAhead=0,fetchAhead=32". A rule without states
// has two operands only, which processors follow by themselves: plain SGD takes 1.01 times the time of a loop that only
// moves its bytes: -Pbench -Dbench.args="BandwidthBenchmark -p optimizer=SGD".
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
    // Beyond the end of a chunk the next one usually begins. A prefetch of an invalid address does nothing.
    for (; begin + cache_line <= length; begin += cache_line) {
      fetch(s, begin + Ahead, states);
      update_range<Rule>(c, s, begin, begin + cache_line, states);
    }
  }
  update_range<Rule>(c, s, begin, length, states);
}

template <int Index>
constexpr kernel loop_at() {
  if constexpr (why_illegal(composition_at(Index)) == nullptr) {
    return loop<rule<Index>>;
  } else {
    return nullptr;
  }
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

double sum_squares_loop(panoptim_int64 length, const float *gradient) {
  double sums[PANOPTIM_LANES] = {};
  panoptim_int64 i = 0;
  for (; i + PANOPTIM_LANES <= length; i += PANOPTIM_LANES) {
    for (int lane = 0; lane < PANOPTIM_LANES; lane++) {
      // A float's square fits into a double: there is one rounding, that of the sum.
      const double g = gradient[i + lane];
      sums[lane] += g * g;
    }
  }
  for (int lane = 0; i + lane < length; lane++) {
    const double g = gradient[i + lane];
    sums[lane] += g * g;
  }
  for (int half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; lane++) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

template <int... Index>
constexpr kernel_table every_loop(std::integer_sequence<int, Index...>) {
  return {{loop_at<Index>()...}, clip_loop, average_loop, {nullptr, bfloat16_loop, float16_loop}, sum_squares_loop};
}

}  // namespace

// A tier is this one line, compiled with the tier's flags.
#define PANOPTIM_TIER_KERNELS(name) \
  extern const kernel_table name = every_loop(std::make_integer_sequence<int, compositions>())

#endif
