// The framework: gradient, moments, direction, update, for one element.
#ifndef PANOPTIM_RULE_UPDATE_H
#define PANOPTIM_RULE_UPDATE_H

#include "panoptim.h"
#include "rule/arithmetic.h"
#include "rule/moment.h"

template <int FirstMoment, int SecondMoment, int LookAhead, int Decay>
struct rule {
  static constexpr bool has_first = FirstMoment != PANOPTIM_FIRST_MOMENT_NONE;
  static constexpr bool has_second = SecondMoment != PANOPTIM_SECOND_MOMENT_NONE;
  static constexpr bool has_maximum = SecondMoment == PANOPTIM_SECOND_MOMENT_MAXIMUM;
  static constexpr bool legal = has_first || !LookAhead;

  PANOPTIM_FORMULA void update(const panoptim_coefficients &c, float &w, float g, float &first, float &second,
                               float &largest) {
    // 1. gradient
    float gradient = c.gradient_scale * g;
    if constexpr (Decay == PANOPTIM_DECAY_L2) gradient = fused_multiply_add(c.weight_decay, w, gradient);

    // 2. moments, 3. direction
    float direction = gradient;
    if constexpr (has_first) {
      first = canonical(accumulate(c.first_decay, c.first_decay_rest, first, c.first_take, gradient));
      direction = first;
    }
    if constexpr (LookAhead) {
      direction = fused_multiply_add(c.look_ahead_moment, first, c.look_ahead_gradient * gradient);
    }
    if constexpr (has_second) {
      second = canonical(accumulate(c.second_decay, c.second_decay_rest, second, c.second_take * gradient, gradient));
      float power = second;
      if constexpr (has_maximum) power = largest = canonical(maximum(largest, second));
      direction = direction / (square_root(power) + c.epsilon);
    }

    // 4. update: one rounding of the parameter, decay included
    if constexpr (Decay == PANOPTIM_DECAY_DECOUPLED) {
      w = canonical(w - fused_multiply_add(c.weight_decay, w, c.step_size * direction));
    } else {
      w = canonical(fused_multiply_add(-c.step_size, direction, w));
    }
  }
};

#endif
