package dev.panoptim.internal.jvm;

import dev.panoptim.internal.step.Coefficients;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.SpecialCoefficients;
import dev.panoptim.internal.step.States;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.History;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import dev.panoptim.rule.Update;
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
  private static final boolean IS_BELIEF = KIND == SecondMoment.BELIEF_AVERAGE;
  private static final boolean IS_SIGNED = KIND == SecondMoment.SIGNED_AVERAGE;
  private static final boolean IS_DELAYED = KIND == SecondMoment.DELAYED_AVERAGE;
  private static final boolean IS_CURVATURE = KIND == SecondMoment.CURVATURE_AVERAGE;
  private static final boolean IS_MIXED = KIND == SecondMoment.MIXED_AVERAGE;
  private static final boolean IS_SLOW = RULE.history() == History.SLOW_MOMENT;
  private static final boolean IS_DIFFERENCE = RULE.history() == History.DIFFERENCE_MOMENT;
  private static final boolean IS_CORRECTED = RULE.history() == History.CORRECTED_GRADIENT;
  private static final boolean IS_CAUTIOUS = RULE.update() == Update.CAUTIOUS;
  private static final boolean IS_AVERAGED = RULE.update() == Update.AVERAGED;
  private static final boolean HAS_SIGN_STEPS = RULE.update() == Update.SIGN_STEPS;
  private static final boolean IS_PROXIMAL = RULE.update() == Update.PROXIMAL;
  private static final boolean IS_SCHEDULE_FREE = RULE.update() == Update.SCHEDULE_FREE;
  private static final boolean HAS_UNITS = RULE.unitCorrection();
  private static final boolean SIGN = RULE.sign();
  private static final boolean CLIPS = COMPOSITION.clips();
  private static final boolean DECAYS_L2 = COMPOSITION.decay() == Decay.L2;
  private static final boolean DECAYS_DECOUPLED =
      COMPOSITION.decay() == Decay.DECOUPLED || COMPOSITION.decay() == Decay.PROXIMAL;

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
    MemorySegment firsts = states.firstMoment;
    MemorySegment seconds = states.secondMoment;
    MemorySegment secondaries = IS_MAXIMUM ? states.maximum : states.mean;
    MemorySegment units = states.units;
    MemorySegment slows = IS_SLOW ? states.slowMoment : states.differenceMoment;
    MemorySegment previous = states.previousGradient;
    MemorySegment averages = states.parameterAverage;
    MemorySegment sizes = states.stepSizes;
    MemorySegment zs = states.z;
    boolean measuresCurvature = IS_CURVATURE && c.divides == 0;
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
        g = g.blend(-clip, g.compare(VectorOperators.LT, -clip)).mul(c.clippedScale);
      }
      if (DECAYS_L2) {
        g = w.fma(broadcast(c.weightDecay), g);
      }

      if (measuresCurvature) {
        FloatVector v = load(seconds, at);
        v = accumulate(c.secondDecay, c.secondDecayRest, v, g.mul(c.secondTake), g);
        store(v, seconds, at);
        continue;
      }
      if (HAS_SIGN_STEPS) {
        store(withSignStep(c, w, g, previous, sizes, at), data, at);
        continue;
      }
      if (IS_PROXIMAL) {
        store(proximal(c, w, g, seconds, zs, at), data, at);
        continue;
      }

      // 2. moments, 3. direction
      FloatVector squared = g;
      FloatVector difference = g;
      if (IS_DIFFERENCE || IS_CORRECTED) {
        difference = g.sub(load(previous, at));
        store(g, previous, at);
      }
      if (IS_DIFFERENCE) {
        difference = difference.mul(c.special[SpecialCoefficients.DIFFERENCE_SCALE]);
        squared = difference.fma(broadcast(c.special[SpecialCoefficients.SQUARED_DIFFERENCE]), g);
      }
      if (IS_CORRECTED) {
        g =
            difference
                .fma(broadcast(c.special[SpecialCoefficients.CORRECTION]), g)
                .mul(c.special[SpecialCoefficients.CORRECTED_SCALE]);
        squared = g;
      }
      FloatVector direction = g;
      if (MOMENTUM_FIRST) {
        direction = firstMoment(c, direction, firsts, at);
      }
      if (IS_SLOW || IS_DIFFERENCE) {
        FloatVector slow = slowMoment(c, IS_SLOW ? g : difference, slows, at);
        direction = slow.fma(broadcast(c.special[SpecialCoefficients.SLOW_SHARE]), direction);
      }
      if (IS_INFINITY) {
        FloatVector u = load(seconds, at);
        FloatVector decayed = u.fma(broadcast(c.secondDecay), u.mul(c.secondDecayRest));
        FloatVector largest = maximum(decayed, g.abs().add(c.epsilon));
        store(largest, seconds, at);
        direction = direction.div(largest);
      } else if (IS_CURVATURE) {
        FloatVector h = load(seconds, at);
        float scale = c.special[SpecialCoefficients.CURVATURE_SCALE];
        direction = direction.div(h.fma(broadcast(scale), broadcast(c.epsilon)));
        direction = keptWithin(1, direction);
      } else if (HAS_SECOND) {
        FloatVector before = load(seconds, at);
        FloatVector v = secondMoment(c, squared, firsts, before, at);
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
        if (IS_MIXED) {
          FloatVector input = squared.mul(c.special[SpecialCoefficients.MIXED_INPUT]).mul(squared);
          v = v.fma(broadcast(c.special[SpecialCoefficients.MIXED_MOMENT]), input);
        }
        if (IS_DELAYED) {
          FloatVector root = before.lanewise(VectorOperators.SQRT);
          direction = direction.div(maximum(root, broadcast(c.epsilon)));
          direction = keptWithin(c.special[SpecialCoefficients.DIRECTION_BOUND], direction);
        } else if (IS_BELIEF) {
          direction = direction.div(v.lanewise(VectorOperators.SQRT).add(c.epsilon));
        } else {
          FloatVector root = v.add(c.epsilonInside).lanewise(VectorOperators.SQRT).add(c.epsilon);
          if (IS_RECTIFIED) {
            root = root.blend(1, broadcast(c.divides).compare(VectorOperators.EQ, 0));
          }
          direction = direction.div(root);
        }
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
        direction = signOf(direction);
      }
      if (IS_CAUTIOUS) {
        direction = direction.blend(0, direction.mul(g).compare(VectorOperators.LE, 0));
      }

      // 4. update: one rounding of the parameter, decay included
      if (IS_SCHEDULE_FREE) {
        FloatVector used = direction.mul(c.stepSize);
        used = DECAYS_DECOUPLED ? w.fma(broadcast(c.weightDecay), used) : used;
        w = scheduleFree(c, w, used, zs, at);
      } else if (DECAYS_DECOUPLED) {
        w = w.sub(w.fma(broadcast(c.weightDecay), direction.mul(c.stepSize)));
      } else {
        w = direction.fma(broadcast(-c.stepSize), w);
      }
      store(w, data, at);
      if (IS_AVERAGED) {
        float take = c.special[SpecialCoefficients.AVERAGED_TAKE];
        FloatVector average = load(averages, at);
        store(take == 1 ? w : w.sub(average).fma(broadcast(take), average), averages, at);
      }
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

  /// @param before the second moment before this step
  private static FloatVector secondMoment(
      Coefficients c, FloatVector g, MemorySegment firsts, FloatVector before, long at) {
    if (IS_BELIEF) {
      FloatVector surprise = g.sub(load(firsts, at));
      FloatVector take = surprise.mul(c.secondTake);
      return accumulate(c.secondDecay, c.secondDecayRest, before, take, surprise)
          .add(c.epsilonInside);
    }
    if (IS_SIGNED) {
      FloatVector square = g.mul(g);
      return signOf(before.sub(square)).mul(-c.secondTake).fma(square, before);
    }
    return accumulate(c.secondDecay, c.secondDecayRest, before, g.mul(c.secondTake), g);
  }

  private static FloatVector slowMoment(
      Coefficients c, FloatVector input, MemorySegment slows, long at) {
    FloatVector slow =
        accumulate(
            c.special[SpecialCoefficients.SLOW_DECAY],
            c.special[SpecialCoefficients.SLOW_DECAY_REST],
            load(slows, at),
            broadcast(c.special[SpecialCoefficients.SLOW_TAKE]),
            input);
    store(slow, slows, at);
    return slow;
  }

  private static FloatVector withSignStep(
      Coefficients c,
      FloatVector w,
      FloatVector g,
      MemorySegment previous,
      MemorySegment sizes,
      long at) {
    FloatVector agreement = g.mul(load(previous, at));
    VectorMask<Float> changed = agreement.compare(VectorOperators.LT, 0);
    FloatVector factor =
        broadcast(1)
            .blend(c.special[SpecialCoefficients.GROW], agreement.compare(VectorOperators.GT, 0))
            .blend(c.special[SpecialCoefficients.SHRINK], changed);
    FloatVector size = factor.mul(load(sizes, at));
    float smallest = c.special[SpecialCoefficients.SMALLEST_STEP];
    float largest = c.special[SpecialCoefficients.LARGEST_STEP];
    // Both comparisons are of the size before clamping. The lower bound has precedence, as in
    // ScalarUpdate.
    VectorMask<Float> below = size.compare(VectorOperators.LT, smallest);
    VectorMask<Float> above = size.compare(VectorOperators.GT, largest).andNot(below);
    size = size.blend(largest, above).blend(smallest, below);
    FloatVector used = g.blend(0, changed);
    store(size, sizes, at);
    store(used, previous, at);
    return signOf(used).neg().fma(size, w);
  }

  private static FloatVector proximal(
      Coefficients c,
      FloatVector w,
      FloatVector g,
      MemorySegment seconds,
      MemorySegment zs,
      long at) {
    float inverseRate = c.special[SpecialCoefficients.INVERSE_RATE];
    FloatVector before = load(seconds, at);
    FloatVector v = accumulate(c.secondDecay, c.secondDecayRest, before, g.mul(c.secondTake), g);
    store(v, seconds, at);
    FloatVector root = v.lanewise(VectorOperators.SQRT);
    FloatVector sigma = root.sub(before.lanewise(VectorOperators.SQRT)).mul(inverseRate);
    FloatVector z = load(zs, at).add(sigma.neg().fma(w, g));
    store(z, zs, at);
    return keptWithin(c.special[SpecialCoefficients.L1], z)
        .sub(z)
        .div(
            root.fma(
                broadcast(inverseRate), broadcast(c.special[SpecialCoefficients.DIVISOR_ADDEND])));
  }

  private static FloatVector scheduleFree(
      Coefficients c, FloatVector w, FloatVector direction, MemorySegment zs, long at) {
    FloatVector z = c.special[SpecialCoefficients.HAS_Z] != 0 ? load(zs, at) : w;
    FloatVector nearer = z.sub(w).fma(broadcast(c.special[SpecialCoefficients.Z_SHARE]), w);
    store(direction.fma(broadcast(-c.special[SpecialCoefficients.Z_STEP]), z), zs, at);
    return direction.fma(broadcast(c.special[SpecialCoefficients.PARAMETER_STEP]), nearer);
  }

  /// NaN stays NaN.
  private static FloatVector keptWithin(float bound, FloatVector x) {
    VectorMask<Float> above = x.compare(VectorOperators.GT, bound);
    VectorMask<Float> below = x.compare(VectorOperators.LT, -bound);
    return x.blend(bound, above).blend(-bound, below);
  }

  /// Zeros and NaN are returned unchanged.
  private static FloatVector signOf(FloatVector x) {
    VectorMask<Float> positive = x.compare(VectorOperators.GT, 0);
    VectorMask<Float> negative = x.compare(VectorOperators.LT, 0);
    return x.blend(1, positive).blend(-1, negative);
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
