// Every legal composition as a loop, for whatever processor the including file is compiled for.
#ifndef PANOPTIM_STEP_LOOPS_H
#define PANOPTIM_STEP_LOOPS_H

#include <utility>

#include "rule/update.h"
#include "step/kernel.h"

// Unnamed, so that no two tiers can share a function: the linker would be free to keep the AVX-512 one for all.
namespace {

template <class Rule>
void loop(const panoptim_coefficients &coefficients, panoptim_int64 length, float *__restrict__ parameter,
          const float *__restrict__ gradient, float *__restrict__ state0, float *__restrict__ state1,
          float *__restrict__ state2) {
  const panoptim_coefficients c = coefficients;
  float *__restrict__ const first = state0;
  float *__restrict__ const second = Rule::has_first ? state1 : state0;
  float *__restrict__ const largest = Rule::has_first ? state2 : state1;
  for (panoptim_int64 i = 0; i < length; i++) {
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
