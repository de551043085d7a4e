// The framework: gradient, moments, direction and update of one element.
//
// The named optimizers are these compositions. Each name is a part of a constant in panoptim.h, such as
// PANOPTIM_SECOND_MOMENT_RUNNING. The coefficients make a running moment a sum or an average, with bias correction or
// without. Java's presets, package dev.panoptim.optim, choose both.
//
//   optimizer  first moment             Nesterov     second moment        units  sign  decay
//   SGD        none                     none         none                 no     no    L2
//     momentum OF_GRADIENT              none or NEW  none                 no     no    L2
//   Adagrad    none                     none         RUNNING, a sum       no     no    L2
//   RMSprop    none                     none         RUNNING or CENTERED  no     no    L2
//     momentum OF_DIRECTION             none         RUNNING or CENTERED  no     no    L2
//   Adadelta   none                     none         RUNNING              yes    no    L2
//   Adam       OF_GRADIENT              none         RUNNING              no     no    L2
//     AMSGrad  OF_GRADIENT              none         MAXIMUM              no     no    L2
//   AdamW      OF_GRADIENT              none         RUNNING or MAXIMUM   no     no    DECOUPLED
//   NAdam      OF_GRADIENT              NEW          RUNNING              no     no    L2 or DECOUPLED
//   RAdam      OF_GRADIENT              none         RECTIFIED            no     no    L2 or DECOUPLED
//   Adamax     OF_GRADIENT              none         INFINITY             no     no    L2
//   Lion       OF_GRADIENT              OLD          none                 no     yes   DECOUPLED
#ifndef PANOPTIM_RULE_UPDATE_H
#define PANOPTIM_RULE_UPDATE_H

#include "panoptim.h"
#include "rule/arithmetic.h"
#include "rule/composition.h"

// A gradient clamped to [-bound, bound]; NaN stays NaN.
PANOPTIM_FORMULA float kept_within(float bound, float gradient) {
  return gradient < -bound ? -bound : gradient > bound ? bound : gradient;
}

// The running average of a parameter after a step: average + take * (w - average).
PANOPTIM_FORMULA float moved_average(float take, float w, float average) {
  return canonical(fused_multiply_add(take, w - average, average));
}

// state = decay * state + a * b, where decay is the sum of two floats.
PANOPTIM_FORMULA float accumulate(float decay, float decay_rest, float state, float a, float b) {
  return canonical(fused_multiply_add(decay, state, fused_multiply_add(a, b, decay_rest * state)));
}

// Momentum: m = decay * m + take * input. Returns m, or Nesterov's mixture of m and the input.
//
// Averages: Adam, https://arxiv.org/abs/1412.6980. NEW with a schedule: NAdam,
// https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ. OLD: Lion, https://arxiv.org/abs/2302.06675.
template <int Nesterov>
PANOPTIM_FORMULA float first_moment(const panoptim_coefficients &c, float input, float &first) {
  const float before = first;
  first = accumulate(c.first_decay, c.first_decay_rest, before, c.first_take, input);
  if constexpr (Nesterov == PANOPTIM_NESTEROV_NONE) return first;
  const float moment = Nesterov == PANOPTIM_NESTEROV_NEW ? first : before;
  return fused_multiply_add(c.nesterov_moment, moment, c.nesterov_input * input);
}

// The divisor of the direction: v = decay * v + take * g * g, then root(v + epsilon_inside) + epsilon.
//
// Sum: Adagrad, https://jmlr.org/papers/v12/duchi11a.html. MAXIMUM: AMSGrad, https://arxiv.org/abs/1904.09237.
// CENTERED, the variance of the gradient: Graves, https://arxiv.org/abs/1308.0850. RECTIFIED: RAdam,
// https://arxiv.org/abs/1908.03265. INFINITY: Adamax, https://arxiv.org/abs/1412.6980.
//
// `secondary` is the largest v so far for MAXIMUM and the gradient's mean for CENTERED; else it is not used.
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
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_MAXIMUM)
    power = secondary = canonical(maximum(secondary, second));
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_CENTERED) {
    secondary = accumulate(c.second_decay, c.second_decay_rest, secondary, c.second_take, gradient);
    // A variance is never below 0. Rounding errors can make it negative, and its root NaN.
    power = maximum(fused_multiply_add(-secondary, secondary, second), 0);
  }
  const float root = square_root(power + c.epsilon_inside) + c.epsilon;
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_RECTIFIED) return c.divides != 0 ? root : 1;
  return root;
}

// Scales a direction to the unit of the parameter: times the root of the running squared direction. (Adadelta,
// https://arxiv.org/abs/1212.5701)
PANOPTIM_FORMULA float in_units(const panoptim_coefficients &c, float direction, float &units) {
  const float corrected = square_root(units + c.epsilon_inside) * direction;
  units = accumulate(c.second_decay, c.second_decay_rest, units, c.second_take * corrected, corrected);
  return corrected;
}

// One composition, by its number.
template <int Index>
struct rule {
  static constexpr composition parts = composition_at(Index);
  static constexpr int states = states_of(parts);

  // The index of a state in the array that `update` takes. For a state that the rule does not have, the index is not
  // used.
  template <state_kind Kind>
  static constexpr int place = place_of(parts, Kind);

  // Updates one element of a parameter and its states.
  PANOPTIM_FORMULA void update(const panoptim_coefficients &c, float &w, float g, float (&state)[PANOPTIM_STATES]) {
    // 1. gradient
    float gradient = c.gradient_scale * g;
    if constexpr (parts.decay == PANOPTIM_DECAY_L2) gradient = fused_multiply_add(c.weight_decay, w, gradient);

    // 2. moments, 3. direction
    float direction = gradient;
    if constexpr (parts.first_moment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT) {
      direction = first_moment<parts.nesterov>(c, direction, state[place<first_state>]);
    }
    if constexpr (parts.second_moment != PANOPTIM_SECOND_MOMENT_NONE) {
      direction /= root_of_second_moment<parts.second_moment>(c, gradient, state[place<second_state>],
                                                              state[place<secondary_state>]);
    }
    if constexpr (parts.unit_correction) direction = in_units(c, direction, state[place<units_state>]);
    if constexpr (parts.first_moment == PANOPTIM_FIRST_MOMENT_OF_DIRECTION) {
      direction = first_moment<parts.nesterov>(c, direction, state[place<first_state>]);
    }
    if constexpr (parts.sign) direction = sign_of(direction);

    // 4. update: one rounding of the parameter, decay included (decoupled: AdamW, https://arxiv.org/abs/1711.05101)
    if constexpr (parts.decay == PANOPTIM_DECAY_DECOUPLED) {
      w = canonical(w - fused_multiply_add(c.weight_decay, w, c.step_size * direction));
    } else {
      w = canonical(fused_multiply_add(-c.step_size, direction, w));
    }
  }
};

#endif
