// The framework: gradient, moments, direction, update, for one element.
#ifndef PANOPTIM_RULE_UPDATE_H
#define PANOPTIM_RULE_UPDATE_H

#include "panoptim.h"
#include "rule/arithmetic.h"
#include "rule/moment.h"

// A gradient, once scaled, from -bound to bound; NaN stays NaN.
PANOPTIM_FORMULA float kept_within(float bound, float gradient) {
  return gradient < -bound ? -bound : gradient > bound ? bound : gradient;
}

// The average once the parameter's share has been added.
PANOPTIM_FORMULA float moved_average(float take, float w, float average) {
  return canonical(fused_multiply_add(take, w - average, average));
}

// The states of one element; a rule reads and writes those that it has.
struct states {
  float first;
  float second;
  float secondary;  // the second moment's maximum, or its running gradient
  float units;
};

template <int FirstMoment, int Nesterov, int SecondMoment, int UnitCorrection, int Sign, int Decay>
struct rule {
  static constexpr bool has_first = FirstMoment != PANOPTIM_FIRST_MOMENT_NONE;
  static constexpr bool has_second = SecondMoment != PANOPTIM_SECOND_MOMENT_NONE;
  static constexpr bool has_secondary =
      SecondMoment == PANOPTIM_SECOND_MOMENT_MAXIMUM || SecondMoment == PANOPTIM_SECOND_MOMENT_CENTERED;
  static constexpr bool has_units = UnitCorrection != 0;

  PANOPTIM_FORMULA void update(const panoptim_coefficients &c, float &w, float g, states &s) {
    // 1. gradient
    float gradient = c.gradient_scale * g;
    if constexpr (Decay == PANOPTIM_DECAY_L2) gradient = fused_multiply_add(c.weight_decay, w, gradient);

    // 2. moments, 3. direction
    float direction = gradient;
    if constexpr (FirstMoment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT) {
      direction = first_moment<Nesterov>(c, direction, s.first);
    }
    if constexpr (has_second) direction /= root_of_second_moment<SecondMoment>(c, gradient, s.second, s.secondary);
    if constexpr (has_units) direction = in_units(c, direction, s.units);
    if constexpr (FirstMoment == PANOPTIM_FIRST_MOMENT_OF_DIRECTION) {
      direction = first_moment<Nesterov>(c, direction, s.first);
    }
    if constexpr (Sign) direction = sign_of(direction);

    // 4. update: one rounding of the parameter, decay included
    if constexpr (Decay == PANOPTIM_DECAY_DECOUPLED) {
      w = canonical(w - fused_multiply_add(c.weight_decay, w, c.step_size * direction));
    } else {
      w = canonical(fused_multiply_add(-c.step_size, direction, w));
    }
  }
};

#endif
