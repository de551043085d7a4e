package dev.panoptim.backend;

import dev.panoptim.rule.Coefficients;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.LookAhead;
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

  private static final int NUMBER = number();
  private static final boolean HAS_FIRST = firstMoment(NUMBER) != FirstMoment.NONE;
  private static final boolean MOMENTUM_LAST = momentumLast(NUMBER);
  private static final boolean MOMENTUM_FIRST = HAS_FIRST && !MOMENTUM_LAST;
  private static final boolean LOOKS_AHEAD = lookAhead(NUMBER) != LookAhead.NONE;
  private static final boolean INTERPOLATES = lookAhead(NUMBER) == LookAhead.INTERPOLATED;
  private static final boolean HAS_SECOND = secondMoment(NUMBER) != SecondMoment.NONE;
  private static final boolean IS_INFINITY = secondMoment(NUMBER) == SecondMoment.INFINITY_NORM;
  private static final boolean IS_MAXIMUM = secondMoment(NUMBER) == SecondMoment.MAXIMUM_OF_AVERAGE;
  private static final boolean IS_CENTERED = secondMoment(NUMBER) == SecondMoment.CENTERED_AVERAGE;
  private static final boolean IS_RECTIFIED =
      secondMoment(NUMBER) == SecondMoment.RECTIFIED_AVERAGE;
  private static final boolean HAS_UNITS = unitCorrection(NUMBER);
  private static final boolean SIGN = sign(NUMBER);
  private static final boolean DECAYS_L2 = decay(NUMBER) == Decay.L2;
  private static final boolean DECAYS_DECOUPLED = decay(NUMBER) == Decay.DECOUPLED;

  private static int number() {
    try {
      return MethodHandles.classData(MethodHandles.lookup(), "_", Integer.class);
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
    States states = States.of(plan.rule(), row);
    MemorySegment firsts = states.first();
    MemorySegment seconds = states.second();
    MemorySegment companions = states.companion();
    MemorySegment units = states.units();
    long begin = start * Float.BYTES;
    long whole = begin + (long) SPECIES.loopBound(length) * Float.BYTES;
    long end = begin + (long) length * Float.BYTES;
    for (long at = begin; at < whole; at += SPECIES.vectorByteSize()) {
      update(c, at, data, gradients, firsts, seconds, companions, units, null);
    }
    if (whole < end) {
      VectorMask<Float> rest = SPECIES.indexInRange(0, (end - whole) / Float.BYTES);
      update(c, whole, data, gradients, firsts, seconds, companions, units, rest);
    }
  }

  private static void update(
      Coefficients c,
      long at,
      MemorySegment data,
      MemorySegment gradients,
      MemorySegment firsts,
      MemorySegment seconds,
      MemorySegment companions,
      MemorySegment units,
      VectorMask<Float> mask) {
    FloatVector w = load(data, at, mask);

    // 1. gradient
    FloatVector g = load(gradients, at, mask).mul(c.gradientScale);
    if (DECAYS_L2) {
      g = w.fma(broadcast(c.weightDecay), g);
    }

    // 2. moments, 3. direction
    FloatVector direction = g;
    if (MOMENTUM_FIRST) {
      direction = firstMoment(c, direction, firsts, at, mask);
    }
    if (HAS_SECOND) {
      direction = direction.div(root(c, g, seconds, companions, at, mask));
    }
    if (HAS_UNITS) {
      direction = inUnits(c, direction, units, at, mask);
    }
    if (MOMENTUM_LAST) {
      direction = firstMoment(c, direction, firsts, at, mask);
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
    store(w, data, at, mask);
  }

  private static FloatVector firstMoment(
      Coefficients c, FloatVector input, MemorySegment firsts, long at, VectorMask<Float> mask) {
    FloatVector before = load(firsts, at, mask);
    FloatVector m =
        accumulate(c.firstDecay, c.firstDecayRest, before, broadcast(c.firstTake), input);
    store(m, firsts, at, mask);
    if (!LOOKS_AHEAD) {
      return m;
    }
    FloatVector moment = INTERPOLATES ? before : m;
    return moment.fma(broadcast(c.lookAheadMoment), input.mul(c.lookAheadInput));
  }

  /// The root of the second moment, or what stands in its place.
  private static FloatVector root(
      Coefficients c,
      FloatVector g,
      MemorySegment seconds,
      MemorySegment companions,
      long at,
      VectorMask<Float> mask) {
    FloatVector v = load(seconds, at, mask);
    if (IS_INFINITY) {
      v =
          maximum(
              v.fma(broadcast(c.secondDecay), v.mul(c.secondDecayRest)), g.abs().add(c.epsilon));
      store(v, seconds, at, mask);
      return v;
    }
    v = accumulate(c.secondDecay, c.secondDecayRest, v, g.mul(c.secondTake), g);
    store(v, seconds, at, mask);
    if (IS_MAXIMUM) {
      v = maximum(load(companions, at, mask), v);
      store(v, companions, at, mask);
    }
    if (IS_CENTERED) {
      FloatVector mean = load(companions, at, mask);
      mean = accumulate(c.secondDecay, c.secondDecayRest, mean, broadcast(c.secondTake), g);
      store(mean, companions, at, mask);
      v = maximum(mean.neg().fma(mean, v), broadcast(0));
    }
    FloatVector root = v.add(c.epsilonInside).lanewise(VectorOperators.SQRT).add(c.epsilon);
    return IS_RECTIFIED && c.divides == 0 ? broadcast(1) : root;
  }

  /// Gives a direction the unit of the parameter.
  private static FloatVector inUnits(
      Coefficients c, FloatVector direction, MemorySegment units, long at, VectorMask<Float> mask) {
    FloatVector before = load(units, at, mask);
    FloatVector d = before.add(c.epsilonInside).lanewise(VectorOperators.SQRT).mul(direction);
    store(
        accumulate(c.secondDecay, c.secondDecayRest, before, d.mul(c.secondTake), d),
        units,
        at,
        mask);
    return d;
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
