package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.step.Coefficients;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.SpecialCoefficients;
import dev.panoptim.internal.step.States;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.History;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;
import java.lang.foreign.MemorySegment;

/// The framework in plain Java: the formulas of `native/src/rule/update.h`, which has their
/// sources. Tests compare all backends with its bits.
///
/// Static methods, because an object for each chunk would be garbage.
final class ScalarUpdate {
  private ScalarUpdate() {}

  /// Updates consecutive elements of a row.
  static void update(StepPlan plan, int index, long start, int length) {
    Row row = plan.rows().get(index);
    StepValues values = plan.values();
    Coefficients c = values.coefficients(values.slot(index));
    Rule rule = plan.rows().rule();
    States states = plan.rows().states(index);
    MemorySegment data = row.data();
    MemorySegment gradients = plan.gradient(index);
    boolean clips = values.clips();
    float clip = values.clip();
    boolean l2 = values.decay() == Decay.L2;
    boolean decoupled = values.decay() == Decay.DECOUPLED || values.decay() == Decay.PROXIMAL;
    boolean measuresCurvature =
        rule.secondMoment() == SecondMoment.CURVATURE_AVERAGE && c.divides == 0;

    for (long i = start; i < start + length; i++) {
      float w = data.getAtIndex(JAVA_FLOAT, i);

      // 1. gradient
      float g = c.gradientScale * gradients.getAtIndex(JAVA_FLOAT, i);
      if (clips) {
        g = c.clippedScale * keptWithin(clip, g);
      }
      if (l2) {
        g = Math.fma(c.weightDecay, w, g);
      }

      // 2. moments, 3. direction, 4. update
      if (measuresCurvature) {
        secondMoment(c, rule.secondMoment(), g, 0, states.secondMoment, i);
        continue;
      }
      float after =
          switch (rule.update()) {
            case SIGN_STEPS -> withSignStep(c, w, g, states, i);
            case PROXIMAL -> proximal(c, w, g, states, i);
            case SCHEDULE_FREE -> {
              float used = c.stepSize * direction(c, rule, g, states, i);
              used = decoupled ? Math.fma(c.weightDecay, w, used) : used;
              yield scheduleFree(c, w, used, states.z, i);
            }
            case DESCENT, CAUTIOUS, AVERAGED -> {
              float direction = direction(c, rule, g, states, i);
              // One rounding of the parameter, decay included.
              yield canonical(
                  decoupled
                      ? w - Math.fma(c.weightDecay, w, c.stepSize * direction)
                      : Math.fma(-c.stepSize, direction, w));
            }
          };
      if (rule.update() == Update.AVERAGED) {
        average(c, after, states.parameterAverage, i);
      }
      data.setAtIndex(JAVA_FLOAT, i, after);
    }
  }

  // Small methods: the just-in-time compiler does not inline large ones, and each element would
  // take several times as long.

  /// The direction of an element; updates its states.
  ///
  /// @param g the gradient, L2 decay included
  static float direction(Coefficients c, Rule rule, float g, States states, long i) {
    if (rule.history() != History.NONE) {
      return directionOfHistory(c, rule, g, states, i);
    }
    float direction = g;
    boolean momentumLast = rule.momentumLast();
    if (rule.hasFirstMoment() && !momentumLast) {
      direction = firstMoment(c, rule, g, states.firstMoment, i);
    }
    if (rule.hasSecondMoment()) {
      direction = divided(c, rule, direction, g, states, i);
    }
    if (rule.unitCorrection()) {
      direction = inUnits(c, direction, states.units, i);
    }
    if (momentumLast) {
      direction = firstMoment(c, rule, direction, states.firstMoment, i);
    }
    if (rule.sign()) {
      direction = signOf(direction);
    }
    return rule.update() == Update.CAUTIOUS && direction * g <= 0 ? 0 : direction;
  }

  /// The direction of a rule with a [History].
  private static float directionOfHistory(
      Coefficients c, Rule rule, float g, States states, long i) {
    if (rule.history() == History.SLOW_MOMENT) {
      float direction = firstMoment(c, rule, g, states.firstMoment, i);
      float slow = slowMoment(c, g, states.slowMoment, i);
      direction = Math.fma(c.special[SpecialCoefficients.SLOW_SHARE], slow, direction);
      return divided(c, rule, direction, g, states, i);
    }
    float difference = g - states.previousGradient.getAtIndex(JAVA_FLOAT, i);
    states.previousGradient.setAtIndex(JAVA_FLOAT, i, canonical(g));
    if (rule.history() == History.CORRECTED_GRADIENT) {
      float corrected =
          c.special[SpecialCoefficients.CORRECTED_SCALE]
              * Math.fma(c.special[SpecialCoefficients.CORRECTION], difference, g);
      float direction = firstMoment(c, rule, corrected, states.firstMoment, i);
      return divided(c, rule, direction, corrected, states, i);
    }
    difference *= c.special[SpecialCoefficients.DIFFERENCE_SCALE];
    float squared = Math.fma(c.special[SpecialCoefficients.SQUARED_DIFFERENCE], difference, g);
    float direction = firstMoment(c, rule, g, states.firstMoment, i);
    float slow = slowMoment(c, difference, states.differenceMoment, i);
    direction = Math.fma(c.special[SpecialCoefficients.SLOW_SHARE], slow, direction);
    return divided(c, rule, direction, squared, states, i);
  }

  /// The direction over the second moment, which takes in a gradient.
  private static float divided(
      Coefficients c, Rule rule, float direction, float g, States states, long i) {
    return switch (rule.secondMoment()) {
      case SUM, MOVING_AVERAGE ->
          direction / root(c, secondMoment(c, SecondMoment.SUM, g, 0, states.secondMoment, i));
      case DELAYED_AVERAGE ->
          keptWithin(
              c.special[SpecialCoefficients.DIRECTION_BOUND],
              direction / divisor(c, rule, g, states, i));
      case CURVATURE_AVERAGE -> keptWithin(1, direction / divisor(c, rule, g, states, i));
      default -> direction / divisor(c, rule, g, states, i);
    };
  }

  private static float firstMoment(
      Coefficients c, Rule rule, float input, MemorySegment firsts, long i) {
    float before = firsts.getAtIndex(JAVA_FLOAT, i);
    float m = accumulate(c.firstDecay, c.firstDecayRest, before, c.firstTake, input);
    firsts.setAtIndex(JAVA_FLOAT, i, m);
    return switch (rule.nesterov()) {
      case NONE -> m;
      case NESTEROV, SCHEDULED, QUASI_HYPERBOLIC ->
          Math.fma(c.nesterovMoment, m, c.nesterovInput * input);
      case INTERPOLATED -> Math.fma(c.nesterovMoment, before, c.nesterovInput * input);
    };
  }

  /// The second moment after this step, which it stores.
  ///
  /// @param first the first moment after this step
  private static float secondMoment(
      Coefficients c, SecondMoment kind, float g, float first, MemorySegment seconds, long i) {
    float before = seconds.getAtIndex(JAVA_FLOAT, i);
    float after =
        switch (kind) {
          case BELIEF_AVERAGE -> {
            float surprise = g - first;
            yield canonical(
                accumulate(
                        c.secondDecay, c.secondDecayRest, before, c.secondTake * surprise, surprise)
                    + c.epsilonInside);
          }
          case SIGNED_AVERAGE -> {
            float square = g * g;
            yield canonical(Math.fma(-c.secondTake * signOf(before - square), square, before));
          }
          default -> accumulate(c.secondDecay, c.secondDecayRest, before, c.secondTake * g, g);
        };
    seconds.setAtIndex(JAVA_FLOAT, i, after);
    return after;
  }

  /// The divisor of the direction for the less common second moments.
  private static float divisor(Coefficients c, Rule rule, float g, States states, long i) {
    SecondMoment kind = rule.secondMoment();
    MemorySegment seconds = states.secondMoment;
    float before = seconds.getAtIndex(JAVA_FLOAT, i);
    if (kind == SecondMoment.INFINITY_NORM) {
      float decayed = Math.fma(c.secondDecay, before, c.secondDecayRest * before);
      float largest = canonical(maximum(decayed, Math.abs(g) + c.epsilon));
      seconds.setAtIndex(JAVA_FLOAT, i, largest);
      return largest;
    }
    if (kind == SecondMoment.CURVATURE_AVERAGE) {
      return Math.fma(c.special[SpecialCoefficients.CURVATURE_SCALE], before, c.epsilon);
    }
    float first =
        kind == SecondMoment.BELIEF_AVERAGE ? states.firstMoment.getAtIndex(JAVA_FLOAT, i) : 0;
    float v = secondMoment(c, kind, g, first, seconds, i);
    return switch (kind) {
      case DELAYED_AVERAGE -> maximum((float) Math.sqrt(before), c.epsilon);
      case BELIEF_AVERAGE -> (float) Math.sqrt(v) + c.epsilon;
      case MAXIMUM_OF_AVERAGE -> root(c, largest(v, states.maximum, i));
      case CENTERED_AVERAGE -> root(c, variance(c, g, v, states.mean, i));
      case MIXED_AVERAGE -> {
        float input = c.special[SpecialCoefficients.MIXED_INPUT] * g * g;
        yield root(c, Math.fma(c.special[SpecialCoefficients.MIXED_MOMENT], v, input));
      }
      case RECTIFIED_AVERAGE -> c.divides == 0 ? 1 : root(c, v);
      default -> root(c, v);
    };
  }

  private static float largest(float v, MemorySegment maxima, long i) {
    float largest = canonical(maximum(maxima.getAtIndex(JAVA_FLOAT, i), v));
    maxima.setAtIndex(JAVA_FLOAT, i, largest);
    return largest;
  }

  private static float variance(Coefficients c, float g, float v, MemorySegment means, long i) {
    float mean = means.getAtIndex(JAVA_FLOAT, i);
    mean = accumulate(c.secondDecay, c.secondDecayRest, mean, c.secondTake, g);
    means.setAtIndex(JAVA_FLOAT, i, mean);
    // A variance is never below 0. Rounding errors can make it negative, and its root NaN.
    return maximum(Math.fma(-mean, mean, v), 0);
  }

  private static float root(Coefficients c, float power) {
    return (float) Math.sqrt(power + c.epsilonInside) + c.epsilon;
  }

  /// Scales a direction to the unit of the parameter.
  private static float inUnits(Coefficients c, float direction, MemorySegment units, long i) {
    float before = units.getAtIndex(JAVA_FLOAT, i);
    float d = (float) Math.sqrt(before + c.epsilonInside) * direction;
    units.setAtIndex(
        JAVA_FLOAT, i, accumulate(c.secondDecay, c.secondDecayRest, before, c.secondTake * d, d));
    return d;
  }

  /// The slow moment, or the moment of the differences of gradients.
  private static float slowMoment(Coefficients c, float input, MemorySegment slows, long i) {
    float slow =
        accumulate(
            c.special[SpecialCoefficients.SLOW_DECAY],
            c.special[SpecialCoefficients.SLOW_DECAY_REST],
            slows.getAtIndex(JAVA_FLOAT, i),
            c.special[SpecialCoefficients.SLOW_TAKE],
            input);
    slows.setAtIndex(JAVA_FLOAT, i, slow);
    return slow;
  }

  private static float withSignStep(Coefficients c, float w, float g, States states, long i) {
    MemorySegment previous = states.previousGradient;
    MemorySegment sizes = states.stepSizes;
    float agreement = g * previous.getAtIndex(JAVA_FLOAT, i);
    float factor =
        agreement > 0
            ? c.special[SpecialCoefficients.GROW]
            : agreement < 0 ? c.special[SpecialCoefficients.SHRINK] : 1;
    float size = factor * sizes.getAtIndex(JAVA_FLOAT, i);
    float smallest = c.special[SpecialCoefficients.SMALLEST_STEP];
    float largest = c.special[SpecialCoefficients.LARGEST_STEP];
    size = canonical(size < smallest ? smallest : size > largest ? largest : size);
    float used = canonical(agreement < 0 ? 0 : g);
    sizes.setAtIndex(JAVA_FLOAT, i, size);
    previous.setAtIndex(JAVA_FLOAT, i, used);
    return canonical(Math.fma(-signOf(used), size, w));
  }

  private static float proximal(Coefficients c, float w, float g, States states, long i) {
    MemorySegment seconds = states.secondMoment;
    MemorySegment zs = states.z;
    float inverseRate = c.special[SpecialCoefficients.INVERSE_RATE];
    float before = seconds.getAtIndex(JAVA_FLOAT, i);
    float root = (float) Math.sqrt(secondMoment(c, SecondMoment.SUM, g, 0, seconds, i));
    float sigma = (root - (float) Math.sqrt(before)) * inverseRate;
    float z = canonical(zs.getAtIndex(JAVA_FLOAT, i) + Math.fma(-sigma, w, g));
    zs.setAtIndex(JAVA_FLOAT, i, z);
    return canonical(
        (keptWithin(c.special[SpecialCoefficients.L1], z) - z)
            / Math.fma(root, inverseRate, c.special[SpecialCoefficients.DIVISOR_ADDEND]));
  }

  private static float scheduleFree(
      Coefficients c, float w, float direction, MemorySegment zs, long i) {
    float z = c.special[SpecialCoefficients.HAS_Z] != 0 ? zs.getAtIndex(JAVA_FLOAT, i) : w;
    float nearer = Math.fma(c.special[SpecialCoefficients.Z_SHARE], z - w, w);
    zs.setAtIndex(
        JAVA_FLOAT, i, canonical(Math.fma(-c.special[SpecialCoefficients.Z_STEP], direction, z)));
    return canonical(Math.fma(c.special[SpecialCoefficients.PARAMETER_STEP], direction, nearer));
  }

  private static void average(Coefficients c, float after, MemorySegment averages, long i) {
    float take = c.special[SpecialCoefficients.AVERAGED_TAKE];
    float before = averages.getAtIndex(JAVA_FLOAT, i);
    averages.setAtIndex(
        JAVA_FLOAT, i, take == 1 ? after : canonical(Math.fma(take, after - before, before)));
  }

  /// state = decay * state + a * b
  private static float accumulate(float decay, float decayRest, float state, float a, float b) {
    return canonical(Math.fma(decay, state, Math.fma(a, b, decayRest * state)));
  }

  /// NaN stays NaN.
  static float keptWithin(float bound, float x) {
    return x < -bound ? -bound : x > bound ? bound : x;
  }

  /// Zeros and NaN are returned unchanged.
  private static float signOf(float x) {
    return x > 0 ? 1 : x < 0 ? -1 : x;
  }

  /// NaN if either is NaN.
  static float maximum(float a, float b) {
    return a >= b || Float.isNaN(a) ? a : b;
  }

  /// The bits of a computed NaN depend on the processor and the compiler; stored NaNs always have
  /// the same bits.
  private static float canonical(float x) {
    return Float.isNaN(x) ? Float.NaN : x;
  }
}
