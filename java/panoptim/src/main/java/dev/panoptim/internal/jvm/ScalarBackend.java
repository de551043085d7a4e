package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.step.Coefficients;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.States;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.lang.foreign.MemorySegment;

/// The framework in plain Java, one element at a time. Tests compare all other backends with its
/// bits.
///
/// Thread-safe.
public final class ScalarBackend extends Engine {
  public static final ScalarBackend INSTANCE = new ScalarBackend();

  private ScalarBackend() {}

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public String describe() {
    return "plain Java, one element at a time";
  }

  @Override
  protected Prepared make(StepPlan plan, Prepared before) {
    return new ParallelChunks(this, plan);
  }

  private ParallelChunks chunks(StepPlan plan) {
    return (ParallelChunks) prepared(plan);
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    chunks(plan).run(threads, SumOfSquares::sumChunk);
  }

  @Override
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    chunks(plan).run(threads, ScalarBackend::update);
  }

  /// Updates a chunk, or the elements at its end that do not fill a vector.
  static void update(StepPlan plan, int index, long start, int length) {
    Row row = plan.rows().get(index);
    StepValues values = plan.values();
    Coefficients c = values.coefficients(values.slot(index));
    Rule rule = plan.rows().rule();
    boolean clips = values.clips();
    float clip = values.clip();
    boolean l2 = values.decay() == Decay.L2;
    boolean decoupled = values.decay() == Decay.DECOUPLED;
    boolean momentumFirst = rule.hasFirstMoment() && !rule.momentumLast();
    boolean momentumLast = rule.momentumLast();
    boolean hasSecond = rule.hasSecondMoment();
    boolean hasUnits = rule.unitCorrection();
    boolean sign = rule.sign();
    Nesterov nesterov = rule.nesterov();
    SecondMoment kind = rule.secondMoment();
    MemorySegment data = row.data();
    MemorySegment gradients = plan.gradient(index);
    States states = plan.rows().states(index);
    MemorySegment firsts = states.named("firstMoment");
    MemorySegment seconds = states.named("secondMoment");
    MemorySegment secondaries =
        states.named(kind == SecondMoment.MAXIMUM_OF_AVERAGE ? "maximum" : "mean");
    MemorySegment units = states.named("units");

    for (long i = start; i < start + length; i++) {
      float w = data.getAtIndex(JAVA_FLOAT, i);

      // 1. gradient
      float g = c.gradientScale * gradients.getAtIndex(JAVA_FLOAT, i);
      if (clips) {
        g = g < -clip ? -clip : g > clip ? clip : g;
      }
      if (l2) {
        g = Math.fma(c.weightDecay, w, g);
      }

      // 2. moments, 3. direction
      float direction = g;
      if (momentumFirst) {
        direction = firstMoment(c, nesterov, direction, firsts, i);
      }
      if (hasSecond) {
        direction = direction / root(c, kind, g, seconds, secondaries, i);
      }
      if (hasUnits) {
        direction = inUnits(c, direction, units, i);
      }
      if (momentumLast) {
        direction = firstMoment(c, nesterov, direction, firsts, i);
      }
      if (sign) {
        direction = direction > 0 ? 1 : direction < 0 ? -1 : direction;
      }

      // 4. update: one rounding of the parameter, decay included
      float updated =
          decoupled
              ? w - Math.fma(c.weightDecay, w, c.stepSize * direction)
              : Math.fma(-c.stepSize, direction, w);
      data.setAtIndex(JAVA_FLOAT, i, canonical(updated));
    }
    Epilogue.run(plan, index, start, length);
  }

  private static float firstMoment(
      Coefficients c, Nesterov nesterov, float input, MemorySegment firsts, long i) {
    float before = firsts.getAtIndex(JAVA_FLOAT, i);
    float m = accumulate(c.firstDecay, c.firstDecayRest, before, c.firstTake, input);
    firsts.setAtIndex(JAVA_FLOAT, i, m);
    return switch (nesterov) {
      case NONE -> m;
      case NESTEROV, SCHEDULED -> Math.fma(c.nesterovMoment, m, c.nesterovInput * input);
      case INTERPOLATED -> Math.fma(c.nesterovMoment, before, c.nesterovInput * input);
    };
  }

  /// The root of the second moment, or the norm that replaces it.
  ///
  /// @param secondaries the largest second moments so far, or the gradient's means
  private static float root(
      Coefficients c,
      SecondMoment kind,
      float g,
      MemorySegment seconds,
      MemorySegment secondaries,
      long i) {
    float before = seconds.getAtIndex(JAVA_FLOAT, i);
    if (kind == SecondMoment.INFINITY_NORM) {
      float decayed = Math.fma(c.secondDecay, before, c.secondDecayRest * before);
      float largest = canonical(maximum(decayed, Math.abs(g) + c.epsilon));
      seconds.setAtIndex(JAVA_FLOAT, i, largest);
      return largest;
    }
    float v = accumulate(c.secondDecay, c.secondDecayRest, before, c.secondTake * g, g);
    seconds.setAtIndex(JAVA_FLOAT, i, v);
    float power = v;
    if (kind == SecondMoment.MAXIMUM_OF_AVERAGE) {
      power = canonical(maximum(secondaries.getAtIndex(JAVA_FLOAT, i), v));
      secondaries.setAtIndex(JAVA_FLOAT, i, power);
    } else if (kind == SecondMoment.CENTERED_AVERAGE) {
      float mean = secondaries.getAtIndex(JAVA_FLOAT, i);
      mean = accumulate(c.secondDecay, c.secondDecayRest, mean, c.secondTake, g);
      secondaries.setAtIndex(JAVA_FLOAT, i, mean);
      // A variance is never below 0. Rounding errors can make it negative, and its root NaN.
      power = maximum(Math.fma(-mean, mean, v), 0);
    }
    float root = (float) Math.sqrt(power + c.epsilonInside) + c.epsilon;
    return kind == SecondMoment.RECTIFIED_AVERAGE && c.divides == 0 ? 1 : root;
  }

  /// Scales a direction to the unit of the parameter.
  private static float inUnits(Coefficients c, float direction, MemorySegment units, long i) {
    float before = units.getAtIndex(JAVA_FLOAT, i);
    float d = (float) Math.sqrt(before + c.epsilonInside) * direction;
    units.setAtIndex(
        JAVA_FLOAT, i, accumulate(c.secondDecay, c.secondDecayRest, before, c.secondTake * d, d));
    return d;
  }

  /// state = decay * state + a * b
  private static float accumulate(float decay, float decayRest, float state, float a, float b) {
    return canonical(Math.fma(decay, state, Math.fma(a, b, decayRest * state)));
  }

  /// NaN if either is NaN.
  private static float maximum(float a, float b) {
    return a >= b || Float.isNaN(a) ? a : b;
  }

  /// The bits of a computed NaN depend on the processor and the compiler; stored NaNs always have
  /// the same bits.
  private static float canonical(float x) {
    return Float.isNaN(x) ? Float.NaN : x;
  }
}
