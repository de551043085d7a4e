package dev.panoptim.backend;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.rule.Coefficients;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;

/// The framework in plain Java, an element at a time: the specification that the other backends are
/// held to.
final class ScalarBackend extends Backend {
  static final ScalarBackend INSTANCE = new ScalarBackend();

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
  public void prepare(StepPlan plan) {}

  @Override
  void run(StepPlan plan, int threads) {
    JavaThreads.updateAll(plan, threads, ScalarBackend::update);
  }

  private static void update(StepPlan plan, int index, long start, int length) {
    StepPlan.Row row = plan.rows().get(index);
    Coefficients c = plan.coefficients(plan.slot(index));
    Rule rule = plan.rule();
    boolean l2 = plan.decay() == Decay.L2;
    boolean decoupled = plan.decay() == Decay.DECOUPLED;
    boolean hasFirst = rule.hasFirstMoment();
    boolean hasSecond = rule.hasSecondMoment();
    boolean hasMaximum = rule.hasMaximum();
    boolean nesterov = rule.nesterov();
    int second = hasFirst ? 1 : 0;
    MemorySegment data = row.data();
    MemorySegment gradients = row.gradient();
    MemorySegment firsts = hasFirst ? row.states().get(0) : null;
    MemorySegment seconds = hasSecond ? row.states().get(second) : null;
    MemorySegment maxima = hasMaximum ? row.states().get(second + 1) : null;

    for (long i = start; i < start + length; i++) {
      float w = data.getAtIndex(JAVA_FLOAT, i);

      // 1. gradient
      float g = c.gradientScale * gradients.getAtIndex(JAVA_FLOAT, i);
      if (l2) {
        g = Math.fma(c.weightDecay, w, g);
      }

      // 2. moments, 3. direction
      float direction = g;
      if (hasFirst) {
        float m = firsts.getAtIndex(JAVA_FLOAT, i);
        m = canonical(accumulate(c.firstDecay, c.firstDecayRest, m, c.firstTake, g));
        firsts.setAtIndex(JAVA_FLOAT, i, m);
        direction = nesterov ? Math.fma(c.lookAheadMoment, m, c.lookAheadGradient * g) : m;
      }
      if (hasSecond) {
        float v = seconds.getAtIndex(JAVA_FLOAT, i);
        v = canonical(accumulate(c.secondDecay, c.secondDecayRest, v, c.secondTake * g, g));
        seconds.setAtIndex(JAVA_FLOAT, i, v);
        if (hasMaximum) {
          v = canonical(maximum(maxima.getAtIndex(JAVA_FLOAT, i), v));
          maxima.setAtIndex(JAVA_FLOAT, i, v);
        }
        direction = direction / ((float) Math.sqrt(v) + c.epsilon);
      }

      // 4. update: one rounding of the parameter, decay included
      float updated =
          decoupled
              ? w - Math.fma(c.weightDecay, w, c.stepSize * direction)
              : Math.fma(-c.stepSize, direction, w);
      data.setAtIndex(JAVA_FLOAT, i, canonical(updated));
    }
  }

  /// state = decay * state + a * b
  private static float accumulate(float decay, float decayRest, float state, float a, float b) {
    return Math.fma(decay, state, Math.fma(a, b, decayRest * state));
  }

  /// NaN wins, from either side.
  private static float maximum(float a, float b) {
    return a >= b || Float.isNaN(a) ? a : b;
  }

  /// Which bits a NaN has depends on the processor and the compiler; what is stored is always the
  /// same one.
  private static float canonical(float x) {
    return Float.isNaN(x) ? Float.NaN : x;
  }
}
