package dev.panoptim.internal.jvm;

import dev.panoptim.internal.step.Coefficients;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.States;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The framework for a vector of elements. Loaded once for each composition: see [VectorLoop].
final class VectorUpdate extends VectorLoop {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private static final Composition COMPOSITION = composition();
  private static final Rule RULE = COMPOSITION.rule();
  private static final SecondMoment KIND = RULE.secondMoment();
  private static final boolean MOMENTUM_LAST = RULE.momentumLast();
  private static final boolean MOMENTUM_FIRST = RULE.hasFirstMoment() && !MOMENTUM_LAST;
  private static final boolean LOOKS_AHEAD = RULE.nesterov() != Nesterov.NONE;
  private static final boolean INTERPOLATES = RULE.nesterov() == Nesterov.INTERPOLATED;
  private static final boolean HAS_SECOND = RULE.hasSecondMoment();
  private static final boolean IS_INFINITY = KIND == SecondMoment.INFINITY_NORM;
  private static final boolean IS_MAXIMUM = KIND == SecondMoment.MAXIMUM_OF_AVERAGE;
  private static final boolean IS_CENTERED = KIND == SecondMoment.CENTERED_AVERAGE;
  private static final boolean IS_RECTIFIED = KIND == SecondMoment.RECTIFIED_AVERAGE;
  private static final boolean HAS_UNITS = RULE.unitCorrection();
  private static final boolean SIGN = RULE.sign();
  private static final boolean CLIPS = COMPOSITION.clips();
  private static final boolean DECAYS_L2 = COMPOSITION.decay() == Decay.L2;
  private static final boolean DECAYS_DECOUPLED = COMPOSITION.decay() == Decay.DECOUPLED;

  private static Composition composition() {
    try {
      return MethodHandles.classData(MethodHandles.lookup(), "_", Composition.class);
    } catch (IllegalAccessException e) {
      throw new AssertionError("a class may read its own class data", e);
    }
  }

  VectorUpdate() {}

  @Override
  public void update(StepPlan plan, int index, long start, int length) {
    Row row = plan.rows().get(index);
    StepValues values = plan.values();
    Coefficients c = values.coefficients(values.slot(index));
    MemorySegment data = row.data();
    MemorySegment gradients = plan.gradient(index);
    States states = plan.rows().states(index);
    MemorySegment firsts = states.named("firstMoment");
    MemorySegment seconds = states.named("secondMoment");
    MemorySegment secondaries = states.named(IS_MAXIMUM ? "maximum" : "mean");
    MemorySegment units = states.named("units");
    float clip = values.clip();
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    // The loop's body stays in this method. The just-in-time compiler may have compiled a larger
    // method by itself before; it would then call it for each vector instead of inlining it.
    for (long at = begin; at < whole; at += SPECIES.vectorByteSize()) {
      FloatVector w = load(data, at);

      // 1. gradient
      FloatVector g = load(gradients, at).mul(c.gradientScale);
      if (CLIPS) {
        g = g.blend(clip, g.compare(VectorOperators.GT, clip));
        g = g.blend(-clip, g.compare(VectorOperators.LT, -clip));
      }
      if (DECAYS_L2) {
        g = w.fma(broadcast(c.weightDecay), g);
      }

      // 2. moments, 3. direction
      FloatVector direction = g;
      if (MOMENTUM_FIRST) {
        direction = firstMoment(c, direction, firsts, at);
      }
      if (IS_INFINITY) {
        FloatVector u = load(seconds, at);
        FloatVector decayed = u.fma(broadcast(c.secondDecay), u.mul(c.secondDecayRest));
        FloatVector largest = maximum(decayed, g.abs().add(c.epsilon));
        store(largest, seconds, at);
        direction = direction.div(largest);
      } else if (HAS_SECOND) {
        FloatVector v = load(seconds, at);
        v = accumulate(c.secondDecay, c.secondDecayRest, v, g.mul(c.secondTake), g);
        store(v, seconds, at);
        if (IS_MAXIMUM) {
          v = maximum(load(secondaries, at), v);
          store(v, secondaries, at);
        }
        if (IS_CENTERED) {
          FloatVector mean = load(secondaries, at);
          mean = accumulate(c.secondDecay, c.secondDecayRest, mean, broadcast(c.secondTake), g);
          store(mean, secondaries, at);
          // A variance is never below 0. Rounding errors can make it negative, and its root NaN.
          v = maximum(mean.neg().fma(mean, v), broadcast(0));
        }
        FloatVector root = v.add(c.epsilonInside).lanewise(VectorOperators.SQRT).add(c.epsilon);
        if (IS_RECTIFIED) {
          root = root.blend(1, broadcast(c.divides).compare(VectorOperators.EQ, 0));
        }
        direction = direction.div(root);
      }
      if (HAS_UNITS) {
        FloatVector u = load(units, at);
        direction = u.add(c.epsilonInside).lanewise(VectorOperators.SQRT).mul(direction);
        u = accumulate(c.secondDecay, c.secondDecayRest, u, direction.mul(c.secondTake), direction);
        store(u, units, at);
      }
      if (MOMENTUM_LAST) {
        direction = firstMoment(c, direction, firsts, at);
      }
      if (SIGN) {
        VectorMask<Float> positive = direction.compare(VectorOperators.GT, 0);
        VectorMask<Float> negative = direction.compare(VectorOperators.LT, 0);
        direction = direction.blend(1, positive).blend(-1, negative);
      }

      // 4. update: one rounding of the parameter, decay included
      if (DECAYS_DECOUPLED) {
        w = w.sub(w.fma(broadcast(c.weightDecay), direction.mul(c.stepSize)));
      } else {
        w = direction.fma(broadcast(-c.stepSize), w);
      }
      store(w, data, at);
    }
    int done = SPECIES.loopBound(length);
    Epilogue.run(plan, index, start, done);
    ScalarBackend.update(plan, index, start + done, length - done);
  }

  private static FloatVector firstMoment(
      Coefficients c, FloatVector input, MemorySegment firsts, long at) {
    FloatVector before = load(firsts, at);
    FloatVector m =
        accumulate(c.firstDecay, c.firstDecayRest, before, broadcast(c.firstTake), input);
    store(m, firsts, at);
    if (!LOOKS_AHEAD) {
      return m;
    }
    FloatVector moment = INTERPOLATES ? before : m;
    return moment.fma(broadcast(c.nesterovMoment), input.mul(c.nesterovInput));
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  private static FloatVector load(MemorySegment segment, long at) {
    return FloatVector.fromMemorySegment(SPECIES, segment, at, ORDER);
  }

  private static void store(FloatVector x, MemorySegment segment, long at) {
    x.blend(Float.NaN, x.compare(VectorOperators.NE, x)).intoMemorySegment(segment, at, ORDER);
  }

  /// state = decay * state + a * b
  private static FloatVector accumulate(
      float decay, float decayRest, FloatVector state, FloatVector a, FloatVector b) {
    return state.fma(broadcast(decay), a.fma(b, state.mul(decayRest)));
  }

  /// NaN if either is NaN.
  private static FloatVector maximum(FloatVector a, FloatVector b) {
    VectorMask<Float> first = a.compare(VectorOperators.GE, b).or(a.compare(VectorOperators.NE, a));
    return b.blend(a, first);
  }
}
