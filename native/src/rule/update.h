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
//   SGDW       OF_GRADIENT              none or NEW  none                 no     no    DECOUPLED
//   Signum     OF_GRADIENT              none         none                 no     yes   DECOUPLED
//   QHM        OF_GRADIENT              NEW          none                 no     no    L2 or DECOUPLED
//   QHAdam     OF_GRADIENT              NEW          MIXED                no     no    L2 or DECOUPLED
//   AdaBelief  OF_GRADIENT              none         BELIEF               no     no    L2 or DECOUPLED
//   Yogi       OF_GRADIENT              none         SIGNED               no     no    L2
//   LaProp     OF_DIRECTION             none         RUNNING              no     no    L2 or DECOUPLED
//   ADOPT      OF_DIRECTION             none         DELAYED              no     no    L2 or DECOUPLED
//   Sophia     OF_GRADIENT              none         CURVATURE            no     no    DECOUPLED
//
// With a history:
//
//   optimizer  first moment  second moment  decay      history
//   AdEMAMix   OF_GRADIENT   RUNNING        DECOUPLED  SLOW
//   Adan       OF_GRADIENT   RUNNING        DECOUPLED  DIFFERENCE
//   MARS       OF_GRADIENT   RUNNING        DECOUPLED  CORRECTED
//
// With an update other than DESCENT:
//
//   optimizer            second moment   decay      update
//   ASGD                 none            DECOUPLED  AVERAGED
//   Rprop                none            none       SIGN_STEPS
//   FTRL                 RUNNING, a sum  none       PROXIMAL
//   schedule-free SGD    none            DECOUPLED  SCHEDULE_FREE
//   schedule-free AdamW  RUNNING         DECOUPLED  SCHEDULE_FREE
//
// The update CAUTIOUS is an option of SGD, SGDW, Adam, AdamW and Lion.
#ifndef PANOPTIM_RULE_UPDATE_H
#define PANOPTIM_RULE_UPDATE_H

#include "panoptim.h"
#include "rule/arithmetic.h"
#include "rule/composition.h"

// Indexes into panoptim_coefficients.special. Each value of an axis that needs such coefficients has its own indexes,
// from 0 on. No composition has two of these values.
namespace special_numbers {
// PANOPTIM_SECOND_MOMENT_DELAYED: the largest absolute value of the direction.
enum { direction_bound };
// PANOPTIM_SECOND_MOMENT_CURVATURE: the factor of the second moment in the divisor.
enum { curvature_scale };
// PANOPTIM_SECOND_MOMENT_MIXED: the factors of the second moment and of the squared gradient.
enum { mixed_moment, mixed_input };
// PANOPTIM_HISTORY_SLOW and PANOPTIM_HISTORY_DIFFERENCE: decay, rest of the decay, and factor of the input, of the slow
// moment or of the moment of differences; the factor of that moment in the direction.
// PANOPTIM_HISTORY_DIFFERENCE alone: the factor of the difference in the gradient that is squared; the factor of each
// difference, which is 0 at the first step.
enum { slow_decay, slow_decay_rest, slow_take, slow_share, squared_difference, difference_scale };
// PANOPTIM_HISTORY_CORRECTED: the factor of the difference, which is 0 at the first step; the factor of the corrected
// gradient.
enum { correction, corrected_scale };
// PANOPTIM_UPDATE_AVERAGED: the factor of the parameter in its average.
enum { averaged_take };
// PANOPTIM_UPDATE_SIGN_STEPS: the two factors of a step size, and its bounds.
enum { shrink, grow, smallest_step, largest_step };
// PANOPTIM_UPDATE_PROXIMAL: 1 / learning rate, the L1 penalty, and the addend of the divisor.
enum { inverse_rate, l1, divisor_addend };
// PANOPTIM_UPDATE_SCHEDULE_FREE: the factor of z in the parameter; the factor of the direction in the parameter and in
// z; 0 at the first step, where z is the parameter, and else 1.
enum { z_share, parameter_step, z_step, has_z };
}  // namespace special_numbers

// A number clamped to [-bound, bound]; NaN stays NaN.
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
// https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ. NEW with other factors: QHM and QHAdam,
// https://arxiv.org/abs/1810.06801. OLD: Lion, https://arxiv.org/abs/2302.06675.
template <int Nesterov>
PANOPTIM_FORMULA float first_moment(const panoptim_coefficients &c, float input, float &first) {
  const float before = first;
  first = accumulate(c.first_decay, c.first_decay_rest, before, c.first_take, input);
  if constexpr (Nesterov == PANOPTIM_NESTEROV_NONE) return first;
  const float moment = Nesterov == PANOPTIM_NESTEROV_NEW ? first : before;
  return fused_multiply_add(c.nesterov_moment, moment, c.nesterov_input * input);
}

// The second moment after this step: decay * v + take * g * g, with two exceptions.
//
// BELIEF squares g - m, and adds epsilon_inside to v at each step: AdaBelief, https://arxiv.org/abs/2010.07468. SIGNED
// is v - take * sign(v - g * g) * g * g: Yogi,
// https://papers.nips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3-Abstract.html.
//
// `first` is the first moment m after this step.
template <int SecondMoment>
PANOPTIM_FORMULA float advanced_second_moment(const panoptim_coefficients &c, float gradient, float first,
                                              float second) {
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_BELIEF) {
    const float surprise = gradient - first;
    return canonical(accumulate(c.second_decay, c.second_decay_rest, second, c.second_take * surprise, surprise) +
                     c.epsilon_inside);
  }
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_SIGNED) {
    const float square = gradient * gradient;
    return canonical(fused_multiply_add(-c.second_take * sign_of(second - square), square, second));
  }
  return accumulate(c.second_decay, c.second_decay_rest, second, c.second_take * gradient, gradient);
}

// The divisor of the direction: root(v + epsilon_inside) + epsilon. Exceptions:
//   INFINITY   v
//   BELIEF     root(v) + epsilon, as v contains epsilon_inside
//   DELAYED    max(root(v), epsilon), with v from before this step
//   CURVATURE  curvature_scale * v + epsilon, with v from before this step
//
// Sum: Adagrad, https://jmlr.org/papers/v12/duchi11a.html. MAXIMUM: AMSGrad, https://arxiv.org/abs/1904.09237.
// CENTERED, the variance of the gradient: Graves, https://arxiv.org/abs/1308.0850. RECTIFIED: RAdam,
// https://arxiv.org/abs/1908.03265. INFINITY: Adamax, https://arxiv.org/abs/1412.6980. DELAYED: ADOPT,
// https://arxiv.org/abs/2411.02853. CURVATURE: Sophia, https://arxiv.org/abs/2305.14342. MIXED: QHAdam,
// https://arxiv.org/abs/1810.06801.
//
// `first` is the first moment after this step. `secondary` is the largest v so far for MAXIMUM and the gradient's mean
// for CENTERED; else it is not used.
template <int SecondMoment>
PANOPTIM_FORMULA float divisor(const panoptim_coefficients &c, float gradient, float first, float &second,
                               float &secondary) {
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_INFINITY) {
    const float decayed = fused_multiply_add(c.second_decay, second, c.second_decay_rest * second);
    second = canonical(maximum(decayed, absolute(gradient) + c.epsilon));
    return second;
  }
  const float before = second;
  second = advanced_second_moment<SecondMoment>(c, gradient, first, before);
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_DELAYED) return maximum(square_root(before), c.epsilon);
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_CURVATURE) {
    return fused_multiply_add(c.special[special_numbers::curvature_scale], before, c.epsilon);
  }
  float power = second;
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_MAXIMUM)
    power = secondary = canonical(maximum(secondary, second));
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_CENTERED) {
    secondary = accumulate(c.second_decay, c.second_decay_rest, secondary, c.second_take, gradient);
    // A variance is never below 0. Rounding errors can make it negative, and its root NaN.
    power = maximum(fused_multiply_add(-secondary, secondary, second), 0);
  }
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_MIXED) {
    power = fused_multiply_add(c.special[special_numbers::mixed_moment], second,
                               c.special[special_numbers::mixed_input] * gradient * gradient);
  }
  if constexpr (SecondMoment == PANOPTIM_SECOND_MOMENT_BELIEF) return square_root(power) + c.epsilon;
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

// The slow moment of AdEMAMix, https://arxiv.org/abs/2409.03137, or the moment of differences of Adan,
// https://arxiv.org/abs/2208.06677.
PANOPTIM_FORMULA float slow_moment(const panoptim_coefficients &c, float input, float &slow) {
  using namespace special_numbers;
  slow = accumulate(c.special[slow_decay], c.special[slow_decay_rest], slow, c.special[slow_take], input);
  return slow;
}

// The parameter after a step of `step_size` against the sign of the gradient. The step size grows if this gradient and
// the previous one have the same sign. If the signs differ, the step size shrinks, the parameter stays, and 0 replaces
// the gradient. A product of the two that underflows to 0 leaves the step size as it is. (Rprop: Riedmiller and Braun
// 1993, https://doi.org/10.1109/ICNN.1993.298623)
PANOPTIM_FORMULA float with_sign_step(const panoptim_coefficients &c, float w, float gradient, float &previous,
                                      float &step_size) {
  using namespace special_numbers;
  const float agreement = gradient * previous;
  const float factor = agreement > 0 ? c.special[grow] : agreement < 0 ? c.special[shrink] : 1.0f;
  const float size = factor * step_size;
  const float smallest = c.special[smallest_step];
  const float largest = c.special[largest_step];
  step_size = canonical(size < smallest ? smallest : size > largest ? largest : size);
  previous = canonical(agreement < 0 ? 0.0f : gradient);
  return canonical(fused_multiply_add(-sign_of(previous), step_size, w));
}

// The parameter that minimises the sum of all linearised losses so far, plus the penalties. `before` and `after` are
// the sums of squared gradients before and after this step. (FTRL-Proximal: McMahan and others 2013,
// https://research.google/pubs/pub41159/)
PANOPTIM_FORMULA float proximal(const panoptim_coefficients &c, float w, float gradient, float before, float after,
                                float &z) {
  using namespace special_numbers;
  const float root = square_root(after);
  const float sigma = (root - square_root(before)) * c.special[inverse_rate];
  z = canonical(z + fused_multiply_add(-sigma, w, gradient));
  return canonical((kept_within(c.special[l1], z) - z) /
                   fused_multiply_add(root, c.special[inverse_rate], c.special[divisor_addend]));
}

// The parameter after a step: a mixture of z, which descends, and the average of z. `direction` includes the weight
// decay. (Schedule-free: Defazio and others 2024, https://arxiv.org/abs/2405.15682)
PANOPTIM_FORMULA float schedule_free(const panoptim_coefficients &c, float w, float direction, float &z) {
  using namespace special_numbers;
  const float before = c.special[has_z] != 0 ? z : w;
  const float nearer = fused_multiply_add(c.special[z_share], before - w, w);
  z = canonical(fused_multiply_add(-c.special[z_step], direction, before));
  return canonical(fused_multiply_add(c.special[parameter_step], direction, nearer));
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
    if constexpr (parts.second_moment == PANOPTIM_SECOND_MOMENT_CURVATURE) {
      measure_curvature_or_descend(c, w, g, state);
    } else {
      float gradient = used_gradient(c, w, g);
      if constexpr (parts.update == PANOPTIM_UPDATE_SIGN_STEPS) {
        w = with_sign_step(c, w, gradient, state[place<previous_state>], state[place<step_sizes_state>]);
      } else if constexpr (parts.update == PANOPTIM_UPDATE_PROXIMAL) {
        const float before = state[place<second_state>];
        const float after = advanced_second_moment<parts.second_moment>(c, gradient, 0, before);
        state[place<second_state>] = after;
        w = proximal(c, w, gradient, before, after, state[place<z_state>]);
      } else {
        const float direction = direction_of(c, gradient, state);
        w = moved(c, w, direction, state);
      }
    }
  }

  // A number of an element whose square panoptim_measure sums, by PANOPTIM_MEASURE_..., but for the parameter. The
  // states are the caller's copies, and change.
  template <int Measure>
  PANOPTIM_FORMULA float measured(const panoptim_coefficients &c, float w, float g, float (&state)[PANOPTIM_STATES]) {
    using namespace special_numbers;
    if constexpr (Measure == PANOPTIM_MEASURE_GRADIENT) {
      const float scaled = c.gradient_scale * g;
      if constexpr (parts.history == PANOPTIM_HISTORY_CORRECTED) {
        return fused_multiply_add(c.special[correction], scaled - state[place<previous_state>], scaled);
      }
      return scaled;
    }
    const float gradient = used_gradient(c, w, g);
    const float direction = direction_of(c, gradient, state);
    if constexpr (Measure == PANOPTIM_MEASURE_CHANGE) {
      const float change = c.step_size * direction;
      if constexpr (parts.decay == PANOPTIM_DECAY_DECOUPLED) return fused_multiply_add(c.weight_decay, w, change);
      return change;
    }
    if constexpr (parts.update == PANOPTIM_UPDATE_CAUTIOUS) return kept_if(absolute(direction) > 0, 1);
    if constexpr (parts.second_moment == PANOPTIM_SECOND_MOMENT_RUNNING) {
      return gradient / square_root(maximum(state[place<second_state>], c.epsilon * c.epsilon));
    }
    return 0;
  }

 private:
  // 1. gradient
  PANOPTIM_FORMULA float used_gradient(const panoptim_coefficients &c, float w, float g) {
    const float gradient = c.gradient_scale * g;
    if constexpr (parts.decay == PANOPTIM_DECAY_L2) return fused_multiply_add(c.weight_decay, w, gradient);
    return gradient;
  }

  // 2. moments, 3. direction
  PANOPTIM_FORMULA float direction_of(const panoptim_coefficients &c, float gradient, float (&state)[PANOPTIM_STATES]) {
    using namespace special_numbers;
    float squared = gradient;
    float difference = 0;
    if constexpr (has_state(parts, previous_state)) {
      difference = gradient - state[place<previous_state>];
      state[place<previous_state>] = canonical(gradient);
    }
    if constexpr (parts.history == PANOPTIM_HISTORY_DIFFERENCE) {
      difference *= c.special[difference_scale];
      squared = fused_multiply_add(c.special[squared_difference], difference, gradient);
    }
    if constexpr (parts.history == PANOPTIM_HISTORY_CORRECTED) {
      // Variance reduction: MARS, https://arxiv.org/abs/2411.10438.
      squared = gradient = c.special[corrected_scale] * fused_multiply_add(c.special[correction], difference, gradient);
    }
    float direction = gradient;
    if constexpr (parts.first_moment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT) {
      direction = first_moment<parts.nesterov>(c, direction, state[place<first_state>]);
    }
    const float first = parts.first_moment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT ? state[place<first_state>] : 0;
    if constexpr (parts.history == PANOPTIM_HISTORY_SLOW) {
      direction =
          fused_multiply_add(c.special[slow_share], slow_moment(c, gradient, state[place<slow_state>]), direction);
    }
    if constexpr (parts.history == PANOPTIM_HISTORY_DIFFERENCE) {
      direction =
          fused_multiply_add(c.special[slow_share], slow_moment(c, difference, state[place<slow_state>]), direction);
    }
    if constexpr (parts.second_moment != PANOPTIM_SECOND_MOMENT_NONE) {
      direction /=
          divisor<parts.second_moment>(c, squared, first, state[place<second_state>], state[place<secondary_state>]);
    }
    if constexpr (parts.second_moment == PANOPTIM_SECOND_MOMENT_DELAYED) {
      direction = kept_within(c.special[direction_bound], direction);
    }
    if constexpr (parts.second_moment == PANOPTIM_SECOND_MOMENT_CURVATURE) direction = kept_within(1, direction);
    if constexpr (parts.unit_correction) direction = in_units(c, direction, state[place<units_state>]);
    if constexpr (parts.first_moment == PANOPTIM_FIRST_MOMENT_OF_DIRECTION) {
      direction = first_moment<parts.nesterov>(c, direction, state[place<first_state>]);
    }
    if constexpr (parts.sign) direction = sign_of(direction);
    if constexpr (parts.update == PANOPTIM_UPDATE_CAUTIOUS) {
      // An element whose direction and gradient differ in sign does not move: https://arxiv.org/abs/2411.16085. NaN
      // stays NaN.
      direction = kept_if(!(direction * gradient <= 0), direction);
    }
    return direction;
  }

  // 4. update: one rounding of the parameter, decay included (decoupled: AdamW, https://arxiv.org/abs/1711.05101)
  PANOPTIM_FORMULA float moved(const panoptim_coefficients &c, float w, float direction,
                               float (&state)[PANOPTIM_STATES]) {
    if constexpr (parts.update == PANOPTIM_UPDATE_SCHEDULE_FREE) {
      float used = c.step_size * direction;
      if constexpr (parts.decay == PANOPTIM_DECAY_DECOUPLED) used = fused_multiply_add(c.weight_decay, w, used);
      return schedule_free(c, w, used, state[place<z_state>]);
    }
    const float after = parts.decay == PANOPTIM_DECAY_DECOUPLED
                            ? canonical(w - fused_multiply_add(c.weight_decay, w, c.step_size * direction))
                            : canonical(fused_multiply_add(-c.step_size, direction, w));
    if constexpr (parts.update == PANOPTIM_UPDATE_AVERAGED) {
      // Polyak and Juditsky 1992, https://doi.org/10.1137/0330046.
      const float take = c.special[special_numbers::averaged_take];
      float &average = state[place<average_state>];
      average = take == 1 ? after : moved_average(take, after, average);
    }
    return after;
  }

  // If the coefficient `divides` is 0, the step changes only the second moment. Otherwise, the step changes the
  // parameter and the first moment. Both results are computed and one is selected, so the loop has no branch.
  PANOPTIM_FORMULA void measure_curvature_or_descend(const panoptim_coefficients &c, float &w, float g,
                                                     float (&state)[PANOPTIM_STATES]) {
    const bool measures = c.divides == 0;
    const float first = state[place<first_state>];
    const float second = state[place<second_state>];
    const float direction = direction_of(c, used_gradient(c, w, g), state);
    const float after = moved(c, w, direction, state);
    w = measures ? w : after;
    state[place<first_state>] = measures ? first : state[place<first_state>];
    state[place<second_state>] = measures ? state[place<second_state>] : second;
  }
};

#endif
