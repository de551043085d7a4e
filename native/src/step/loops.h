// Every legal composition as a loop, for whatever processor the including file is compiled for.
#ifndef PANOPTIM_STEP_LOOPS_H
#define PANOPTIM_STEP_LOOPS_H

#include <utility>

#include "rule/update.h"
#include "step/kernel.h"

// Unnamed, so that no two tiers can share a function: the linker would be free to keep the AVX-512 one for all.
namespace {

// The streams of one tensor; those that a rule lacks are NULL.
struct streams {
  float *__restrict__ parameter;
  const float *__restrict__ gradient;
  float *__restrict__ first;
  float *__restrict__ second;
  float *__restrict__ largest;
};

template <class Rule>
__attribute__((always_inline)) inline void update_range(const panoptim_coefficients &c, const streams &s,
                                                        panoptim_int64 begin, panoptim_int64 end) {
  float *__restrict__ const parameter = s.parameter;
  const float *__restrict__ const gradient = s.gradient;
  float *__restrict__ const first = s.first;
  float *__restrict__ const second = s.second;
  float *__restrict__ const largest = s.largest;
  for (panoptim_int64 i = begin; i < end; i++) {
    float w = parameter[i];
    float m = Rule::has_first ? first[i] : 0;
    float v = Rule::has_second ? second[i] : 0;
    float x = Rule::has_maximum ? largest[i] : 0;
    Rule::update(c, w, gradient[i], m, v, x);
    parameter[i] = w;
    if constexpr (Rule::has_first) first[i] = m;
    if constexpr (Rule::has_second) second[i] = v;
    if constexpr (Rule::has_maximum) largest[i] = x;
  }
}

// Where streams come from memory, processors fetch them ahead too late: a step of AdamW over 32M parameters took 1.03
// to 1.14 times as long as a loop that only moves its bytes, and with these fetches 0.98 to 1.02 times. In cache they
// cost a quarter of the time, and so do larger blocks what they gain.
constexpr panoptim_int64 fetch_block = 64;
constexpr panoptim_int64 fetch_ahead = 512;

template <class Rule>
__attribute__((always_inline)) inline void fetch(const streams &s, panoptim_int64 begin) {
  constexpr panoptim_int64 cache_line = 16;
  for (panoptim_int64 i = begin; i < begin + fetch_block; i += cache_line) {
    __builtin_prefetch(s.parameter + i);
    __builtin_prefetch(s.gradient + i);
    if constexpr (Rule::has_first) __builtin_prefetch(s.first + i);
    if constexpr (Rule::has_second) __builtin_prefetch(s.second + i);
    if constexpr (Rule::has_maximum) __builtin_prefetch(s.largest + i);
  }
}

template <class Rule>
void loop(const panoptim_coefficients &coefficients, panoptim_int64 length, float *parameter, const float *gradient,
          float *state0, float *state1, float *state2, bool from_memory) {
  const panoptim_coefficients c = coefficients;
  const streams s = {parameter, gradient, state0, Rule::has_first ? state1 : state0, Rule::has_first ? state2 : state1};
  if (!from_memory) {
    update_range<Rule>(c, s, 0, length);
    return;
  }
  panoptim_int64 begin = 0;
  // Beyond the end lies the next chunk, as a rule; and a fetch from where nothing lies is ignored.
  for (; begin + fetch_block <= length; begin += fetch_block) {
    fetch<Rule>(s, begin + fetch_ahead);
    update_range<Rule>(c, s, begin, begin + fetch_block);
  }
  update_range<Rule>(c, s, begin, length);
}

template <int Index>
constexpr kernel loop_at() {
  constexpr int decay = Index % decays;
  constexpr int look_ahead = Index / decays % look_aheads;
  constexpr int second_moment = Index / (decays * look_aheads) % second_moments;
  constexpr int first_moment = Index / (decays * look_aheads * second_moments);
  static_assert(composition_index(first_moment, second_moment, look_ahead, decay) == Index);
  using composed = rule<first_moment, second_moment, look_ahead, decay>;
  if constexpr (composed::legal) {
    return loop<composed>;
  } else {
    return nullptr;
  }
}

template <int... Index>
constexpr kernel_table every_loop(std::integer_sequence<int, Index...>) {
  return {{loop_at<Index>()...}};
}

}  // namespace

// A tier is this one line, compiled with the tier's flags.
#define PANOPTIM_TIER_KERNELS(name) \
  extern const kernel_table name = every_loop(std::make_integer_sequence<int, compositions>())

#endif
