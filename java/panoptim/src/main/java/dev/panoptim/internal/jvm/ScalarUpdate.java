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
        secondMoment(c, rule.secondMoment(), g, 0, states.named("secondMoment"), i);
        continue;
      }
      float after =
          switch (rule.update()) {
            case SIGN_STEPS -> withSignStep(c, w, g, states, i);
            case PROXIMAL -> proximal(c, w, g, states, i);
            case SCHEDULE_FREE -> {
              float used = c.stepSize * direction(c, rule, g, states, i);
              used = decoupled ? Math.fma(c.weightDecay, w, used) : used;
              yield scheduleFree(c, w, used, states.named("z"), i);
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
        average(c, after, states.named("parameterAverage"), i);
      }
      data.setAtIndex(JAVA_FLOAT, i, after);
    }
  }

  /// The direction of an element; updates its states.
  ///
  /// @param g the gradient, L2 decay included
  static float direction(Coefficients c, Rule rule, float g, States states, long i) {
    float gradient = g;
    float squared = g;
    float difference = 0;
    if (rule.history() == History.DIFFERENCE_MOMENT
        || rule.history() == History.CORRECTED_GRADIENT) {
      MemorySegment previous = states.named("previousGradient");
      difference = g - previous.getAtIndex(JAVA_FLOAT, i);
      previous.setAtIndex(JAVA_FLOAT, i, canonical(g));
    }
    if (rule.history() == History.DIFFERENCE_MOMENT) {
      difference *= c.special[SpecialCoefficients.DIFFERENCE_SCALE];
      squared = Math.fma(c.special[SpecialCoefficients.SQUARED_DIFFERENCE], difference, g);
    }
    if (rule.history() == History.CORRECTED_GRADIENT) {
      gradient =
          c.special[SpecialCoefficients.CORRECTED_SCALE]
              * Math.fma(c.special[SpecialCoefficients.CORRECTION], difference, g);
      squared = gradient;
    }

    float direction = gradient;
    boolean momentumFirst = rule.hasFirstMoment() && !rule.momentumLast();
    if (momentumFirst) {
      direction = firstMoment(c, rule, gradient, states.named("firstMoment"), i);
    }
    if (rule.history() == History.SLOW_MOMENT) {
      float slow = slowMoment(c, gradient, states.named("slowMoment"), i);
      direction = Math.fma(c.special[SpecialCoefficients.SLOW_SHARE], slow, direction);
    }
    if (rule.history() == History.DIFFERENCE_MOMENT) {
      float slow = slowMoment(c, difference, states.named("differenceMoment"), i);
      direction = Math.fma(c.special[SpecialCoefficients.SLOW_SHARE], slow, direction);
    }
    if (rule.hasSecondMoment()) {
      float first = momentumFirst ? states.named("firstMoment").getAtIndex(JAVA_FLOAT, i) : 0;
      direction = direction / divisor(c, rule, squared, first, states, i);
    }
    if (rule.secondMoment() == SecondMoment.DELAYED_AVERAGE) {
      direction = keptWithin(c.special[SpecialCoefficients.DIRECTION_BOUND], direction);
    }
    if (rule.secondMoment() == SecondMoment.CURVATURE_AVERAGE) {
      direction = keptWithin(1, direction);
    }
    if (rule.unitCorrection()) {
      direction = inUnits(c, direction, states.named("units"), i);
    }
    if (rule.momentumLast()) {
      direction = firstMoment(c, rule, direction, states.named("firstMoment"), i);
    }
    if (rule.sign()) {
      direction = signOf(direction);
    }
    if (rule.update() == Update.CAUTIOUS && direction * gradient <= 0) {
      direction = 0;
    }
    return direction;
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

  /// The divisor of the direction.
  ///
  /// @param first the first moment after this step
  private static float divisor(
      Coefficients c, Rule rule, float g, float first, States states, long i) {
    SecondMoment kind = rule.secondMoment();
    MemorySegment seconds = states.named("secondMoment");
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
    float v = secondMoment(c, kind, g, first, seconds, i);
    return switch (kind) {
      case DELAYED_AVERAGE -> maximum((float) Math.sqrt(before), c.epsilon);
      case BELIEF_AVERAGE -> (float) Math.sqrt(v) + c.epsilon;
      case MAXIMUM_OF_AVERAGE -> {
        MemorySegment maxima = states.named("maximum");
        float largest = canonical(maximum(maxima.getAtIndex(JAVA_FLOAT, i), v));
        maxima.setAtIndex(JAVA_FLOAT, i, largest);
        yield root(c, largest);
      }
      case CENTERED_AVERAGE -> {
        MemorySegment means = states.named("mean");
        float mean = means.getAtIndex(JAVA_FLOAT, i);
        mean = accumulate(c.secondDecay, c.secondDecayRest, mean, c.secondTake, g);
        means.setAtIndex(JAVA_FLOAT, i, mean);
        // A variance is never below 0. Rounding errors can make it negative, and its root NaN.
        yield root(c, maximum(Math.fma(-mean, mean, v), 0));
      }
      case MIXED_AVERAGE ->
          root(
              c,
              Math.fma(
                  c.special[SpecialCoefficients.MIXED_MOMENT],
                  v,
                  c.special[SpecialCoefficients.MIXED_INPUT] * g * g));
      case RECTIFIED_AVERAGE -> c.divides == 0 ? 1 : root(c, v);
      default -> root(c, v);
    };
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
    MemorySegment previous = states.named("previousGradient");
    MemorySegment sizes = states.named("stepSizes");
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
    MemorySegment seconds = states.named("secondMoment");
    MemorySegment zs = states.named("z");
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
