package dev.panoptim.backend;

import dev.panoptim.rule.Coefficients;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The framework for a vector of elements. Loaded once for each composition: see [VectorLoop].
final class VectorUpdate extends VectorLoop {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private static final boolean HAS_FIRST;
  private static final boolean LOOKS_AHEAD;
  private static final boolean HAS_SECOND;
  private static final boolean HAS_MAXIMUM;
  private static final boolean DECAYS_L2;
  private static final boolean DECAYS_DECOUPLED;

  static {
    try {
      int number = MethodHandles.classData(MethodHandles.lookup(), "_", Integer.class);
      HAS_FIRST = (number & FIRST) != 0;
      LOOKS_AHEAD = (number & NESTEROV) != 0;
      HAS_SECOND = (number & SECOND) != 0;
      HAS_MAXIMUM = (number & MAXIMUM) != 0;
      DECAYS_L2 = (number & L2) != 0;
      DECAYS_DECOUPLED = (number & DECOUPLED) != 0;
    } catch (IllegalAccessException e) {
      throw new AssertionError("a class may read its own class data", e);
    }
  }

  VectorUpdate() {}

  @Override
  public void update(StepPlan plan, int index, long start, int length) {
    StepPlan.Row row = plan.rows().get(index);
    Coefficients c = plan.coefficients(plan.slot(index));
    MemorySegment data = row.data();
    MemorySegment gradients = row.gradient();
    MemorySegment firsts = HAS_FIRST ? row.states().get(0) : null;
    MemorySegment seconds = HAS_SECOND ? row.states().get(HAS_FIRST ? 1 : 0) : null;
    MemorySegment maxima = HAS_MAXIMUM ? row.states().get(HAS_FIRST ? 2 : 1) : null;
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    long end = begin + (long) length * Float.BYTES;
    for (long at = begin; at < whole; at += SPECIES.vectorByteSize()) {
      update(c, at, data, gradients, firsts, seconds, maxima, null);
    }
    if (whole < end) {
      VectorMask<Float> rest = SPECIES.indexInRange(0, (end - whole) / Float.BYTES);
      update(c, whole, data, gradients, firsts, seconds, maxima, rest);
    }
  }

  private static void update(
      Coefficients c,
      long at,
      MemorySegment data,
      MemorySegment gradients,
      MemorySegment firsts,
      MemorySegment seconds,
      MemorySegment maxima,
      VectorMask<Float> mask) {
    FloatVector w = load(data, at, mask);

    // 1. gradient
    FloatVector g = load(gradients, at, mask).mul(c.gradientScale);
    if (DECAYS_L2) {
      g = w.fma(broadcast(c.weightDecay), g);
    }

    // 2. moments, 3. direction
    FloatVector direction = g;
    if (HAS_FIRST) {
      FloatVector m = load(firsts, at, mask);
      m = accumulate(c.firstDecay, c.firstDecayRest, m, broadcast(c.firstTake), g);
      store(m, firsts, at, mask);
      direction = m;
      if (LOOKS_AHEAD) {
        direction = m.fma(broadcast(c.lookAheadMoment), g.mul(c.lookAheadGradient));
      }
    }
    if (HAS_SECOND) {
      FloatVector v = load(seconds, at, mask);
      v = accumulate(c.secondDecay, c.secondDecayRest, v, g.mul(c.secondTake), g);
      store(v, seconds, at, mask);
      if (HAS_MAXIMUM) {
        v = maximum(load(maxima, at, mask), v);
        store(v, maxima, at, mask);
      }
      direction = direction.div(v.lanewise(VectorOperators.SQRT).add(c.epsilon));
    }

    // 4. update: one rounding of the parameter, decay included
    if (DECAYS_DECOUPLED) {
      w = w.sub(w.fma(broadcast(c.weightDecay), direction.mul(c.stepSize)));
    } else {
      w = direction.fma(broadcast(-c.stepSize), w);
    }
    store(w, data, at, mask);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  private static FloatVector load(MemorySegment segment, long at, VectorMask<Float> mask) {
    return mask == null
        ? FloatVector.fromMemorySegment(SPECIES, segment, at, ORDER)
        : FloatVector.fromMemorySegment(SPECIES, segment, at, ORDER, mask);
  }

  private static void store(FloatVector x, MemorySegment segment, long at, VectorMask<Float> mask) {
    FloatVector canonical = x.blend(Float.NaN, x.compare(VectorOperators.NE, x));
    if (mask == null) {
      canonical.intoMemorySegment(segment, at, ORDER);
    } else {
      canonical.intoMemorySegment(segment, at, ORDER, mask);
    }
  }

  /// state = decay * state + a * b
  private static FloatVector accumulate(
      float decay, float decayRest, FloatVector state, FloatVector a, FloatVector b) {
    return state.fma(broadcast(decay), a.fma(b, state.mul(decayRest)));
  }

  /// NaN wins, from either side.
  private static FloatVector maximum(FloatVector a, FloatVector b) {
    VectorMask<Float> first = a.compare(VectorOperators.GE, b).or(a.compare(VectorOperators.NE, a));
    return b.blend(a, first);
  }
}
