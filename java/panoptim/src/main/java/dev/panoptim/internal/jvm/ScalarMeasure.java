package dev.panoptim.internal.jvm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.internal.step.Coefficients;
import dev.panoptim.internal.step.Measures;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.SpecialCoefficients;
import dev.panoptim.internal.step.States;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.StepValues;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.History;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;

/// The measures of [Measures] in plain Java.
final class ScalarMeasure {
  private ScalarMeasure() {}

  /// Measures a chunk: what [ScalarUpdate] would make of it. The states are put back after each
  /// element.
  static void measure(StepPlan plan, int index, long start, int length) {
    Row row = plan.rows().get(index);
    StepValues values = plan.values();
    Coefficients c = values.coefficients(values.slot(index));
    Rule rule = plan.rows().rule();
    States states = plan.rows().states(index);
    Measures measures = plan.prepared().measures();
    int needed = Measures.neededBy(rule);
    long chunk = measures.beginChunk(index, start);
    for (long i = start; i < start + length; i++) {
      float w = row.data().getAtIndex(JAVA_FLOAT, i);
      float g = c.gradientScale * plan.gradient(index).getAtIndex(JAVA_FLOAT, i);
      g = values.clips() ? c.clippedScale * ScalarUpdate.keptWithin(values.clip(), g) : g;
      if ((needed & 1 << Measures.PARAMETER) != 0) {
        measures.add(chunk, Measures.PARAMETER, i - start, w);
      }
      if ((needed & 1 << Measures.GRADIENT) != 0) {
        measures.add(chunk, Measures.GRADIENT, i - start, corrected(c, rule, g, states, i));
      }
      if ((needed & (1 << Measures.CHANGE | 1 << Measures.LAST)) != 0) {
        measure(c, rule, values.decay(), w, g, states, i, needed, measures, chunk, i - start);
      }
    }
    measures.endChunk(chunk);
  }

  private static float corrected(Coefficients c, Rule rule, float g, States states, long i) {
    if (rule.history() != History.CORRECTED_GRADIENT) {
      return g;
    }
    float difference = g - states.previousGradient.getAtIndex(JAVA_FLOAT, i);
    return Math.fma(c.special[SpecialCoefficients.CORRECTION], difference, g);
  }

  private static void measure(
      Coefficients c,
      Rule rule,
      Decay decay,
      float w,
      float g,
      States states,
      long i,
      int needed,
      Measures measures,
      long chunk,
      long element) {
    float first = states.get(0).getAtIndex(JAVA_FLOAT, i);
    float second = stateAt(states, 1, i);
    float gradient = decay == Decay.L2 ? Math.fma(c.weightDecay, w, g) : g;
    float direction = ScalarUpdate.direction(c, rule, gradient, states, i);
    if ((needed & 1 << Measures.CHANGE) != 0) {
      float change = c.stepSize * direction;
      if (decay == Decay.DECOUPLED || decay == Decay.PROXIMAL) {
        change = Math.fma(c.weightDecay, w, change);
      }
      measures.add(chunk, Measures.CHANGE, element, change);
    } else if (rule.update() == Update.CAUTIOUS) {
      measures.add(chunk, Measures.LAST, element, Math.abs(direction) > 0 ? 1 : 0);
    } else {
      float v = states.secondMoment.getAtIndex(JAVA_FLOAT, i);
      float root = (float) Math.sqrt(ScalarUpdate.maximum(v, c.epsilon * c.epsilon));
      measures.add(chunk, Measures.LAST, element, gradient / root);
    }
    states.get(0).setAtIndex(JAVA_FLOAT, i, first);
    putBack(states, 1, i, second);
  }

  private static float stateAt(States states, int number, long i) {
    return number < states.count() ? states.get(number).getAtIndex(JAVA_FLOAT, i) : 0;
  }

  private static void putBack(States states, int number, long i, float value) {
    if (number < states.count()) {
      states.get(number).setAtIndex(JAVA_FLOAT, i, value);
    }
  }
}
