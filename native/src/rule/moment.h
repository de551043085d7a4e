// The moments, each in one place. What is returned is what the direction is made of, or divided by.
#ifndef PANOPTIM_RULE_MOMENT_H
#define PANOPTIM_RULE_MOMENT_H

#include "panoptim.h"
#include "rule/arithmetic.h"

// state = decay * state + a * b, whatever the names of its coefficients make of it.
PANOPTIM_FORMULA float accumulate(float decay, float decay_rest, float state, float a, float b) {
  return canonical(fused_multiply_add(decay, state, fused_multiply_add(a, b, decay_rest * state)));
}

template <int Nesterov>
PANOPTIM_FORMULA float first_moment(const panoptim_coefficients &c, float input, float &first) {
  const float before = first;
  first = accumulate(c.first_decay, c.first_decay_rest, before, c.first_take, input);
  if constexpr (Nesterov == PANOPTIM_NESTEROV_NONE) return first;
  const float moment = Nesterov == PANOPTIM_NESTEROV_NEW ? first : before;
  return fused_multiply_add(c.nesterov_moment, moment, c.nesterov_input * input);
}

// `secondary` is the maximum so far, or the running gradient.
template <int SecondMoment>
PANOPTIM_FORMULA float root_of_second_moment(const panoptim_coefficients &c, float gradient, float &second,
                                             float &secondary) {
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_INFINITY) {
    const float decayed = fused_multiply_add(c.second_decay, second, c.second_decay_rest * second);
    second = canonical(maximum(decayed, absolute(gradient) + c.epsilon));
    return second;
  }
  second = accumulate(c.second_decay, c.second_decay_rest, second, c.second_take * gradient, gradient);
  float power = second;
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_MAXIMUM) power = secondary = canonical(maximum(secondary, second));
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_CENTERED) {
    secondary = accumulate(c.second_decay, c.second_decay_rest, secondary, c.second_take, gradient);
    // A variance is never below 0; what roundings put there would turn NaN under the root.
    power = maximum(fused_multiply_add(-secondary, secondary, second), 0);
  }
  const float root = square_root(power + c.epsilon_inside) + c.epsilon;
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_RECTIFIED) return c.divides != 0 ? root : 1;
  return root;
}

// Gives a direction the unit of the parameter: times the root of the squared directions so far.
PANOPTIM_FORMULA float in_units(const panoptim_coefficients &c, float direction, float &units) {
  const float corrected = square_root(units + c.epsilon_inside) * direction;
  units = accumulate(c.second_decay, c.second_decay_rest, units, c.second_take * corrected, corrected);
  return corrected;
}

#endif
