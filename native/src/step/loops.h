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

// The operands of one tensor; those that a rule lacks are NULL.
struct operands {
  float *parameter;
  const float *gradient;
  float *first;
  float *second;
  float *secondary;
  float *units;
};

template <class Rule>
__attribute__((always_inline)) inline void update_range(const panoptim_coefficients &c, const operands &s,
                                                        panoptim_int64 begin, panoptim_int64 end) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = begin; i < end; i++) {
    float w = s.parameter[i];
    states x{};
    if constexpr (Rule::has_first) x.first = s.first[i];
    if constexpr (Rule::has_second) x.second = s.second[i];
    if constexpr (Rule::has_secondary) x.secondary = s.secondary[i];
    if constexpr (Rule::has_units) x.units = s.units[i];
    Rule::update(c, w, s.gradient[i], x);
    s.parameter[i] = w;
    if constexpr (Rule::has_first) s.first[i] = x.first;
    if constexpr (Rule::has_second) s.second[i] = x.second;
    if constexpr (Rule::has_secondary) s.secondary[i] = x.secondary;
    if constexpr (Rule::has_units) s.units[i] = x.units;
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

template <class Rule>
__attribute__((always_inline)) inline void fetch(const operands &s, panoptim_int64 at) {
  __builtin_prefetch(s.parameter + at);
  __builtin_prefetch(s.gradient + at);
  if constexpr (Rule::has_first) __builtin_prefetch(s.first + at);
  if constexpr (Rule::has_second) __builtin_prefetch(s.second + at);
  if constexpr (Rule::has_secondary) __builtin_prefetch(s.secondary + at);
  if constexpr (Rule::has_units) __builtin_prefetch(s.units + at);
}

template <class Rule, panoptim_int64 Ahead = fetch_ahead>
void loop(const panoptim_coefficients &coefficients, panoptim_int64 length, float *parameter, const float *gradient,
          float *const *state) {
  const panoptim_coefficients c = coefficients;
  operands s{parameter, gradient, nullptr, nullptr, nullptr, nullptr};
  if constexpr (Rule::has_first) s.first = *state++;
  if constexpr (Rule::has_second) s.second = *state++;
  if constexpr (Rule::has_secondary) s.secondary = *state++;
  if constexpr (Rule::has_units) s.units = *state++;
  panoptim_int64 begin = 0;
  if constexpr (Ahead > 0 && (Rule::has_first || Rule::has_second)) {
    // Beyond the end lies the next chunk, as a rule; and a fetch from where nothing lies is ignored.
    for (; begin + cache_line <= length; begin += cache_line) {
      fetch<Rule>(s, begin + Ahead);
      update_range<Rule>(c, s, begin, begin + cache_line);
    }
  }
  update_range<Rule>(c, s, begin, length);
}

template <int Index>
constexpr kernel loop_at() {
  constexpr composition c = composition_at(Index);
  static_assert(index_of(c) == Index);
  if constexpr (why_illegal(c) == nullptr) {
    return loop<rule<c.first_moment, c.nesterov, c.second_moment, c.unit_correction, c.sign, c.decay>>;
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
