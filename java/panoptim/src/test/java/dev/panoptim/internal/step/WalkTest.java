package dev.panoptim.internal.step;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adadelta;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.NAdam;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.RmsProp;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Decay;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Nesterov;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.SecondMoment;
import org.junit.jupiter.api.Test;

/// The compositions in the overview of the Javadoc are those of the named optimizers. The
/// compositions of presets with weight decay have L2 decay, so the examples are compared with an L2
/// variant.
class WalkTest {
  private static void assertIs(Rule rule, OptimizerBuilder<?> preset) {
    try (Optimizer optimizer = preset.build()) {
      assertEquals(optimizer.rule(), rule, rule::describe);
    }
  }

  private static Rule withL2(Rule rule) {
    return rule.toBuilder().decay(Decay.L2).build();
  }

  @Test
  void everyCompositionIsThatOfTheNamedOptimizer() {
    try (Parameters p = Parameters.builder().add("p", 1).build()) {
      assertIs(withL2(sgd()), Sgd.builder(p));
      assertIs(withL2(momentum()), Sgd.builder(p).momentum(0.9));
      assertIs(withL2(nesterov()), Sgd.builder(p).momentum(0.9).nesterov(true));
      assertIs(withL2(adagrad()), Adagrad.builder(p));
      assertIs(withL2(rmsProp()), RmsProp.builder(p));
      assertIs(withL2(adadelta()), Adadelta.builder(p));
      assertIs(withL2(adam()), Adam.builder(p));
      assertIs(withL2(nadam()), NAdam.builder(p));
      assertIs(adamW(), AdamW.builder(p));
    }
  }

  private static Rule sgd() {
    // @start region="sgd"
    Rule sgd = Rule.builder().build();
    // @end
    return sgd;
  }

  private static Rule momentum() {
    // @start region="momentum"
    Rule momentum = Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).build();
    // @end
    return momentum;
  }

  private static Rule nesterov() {
    // @start region="nesterov"
    Rule nesterov =
        Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).nesterov(Nesterov.NESTEROV).build();
    // @end
    return nesterov;
  }

  private static Rule adagrad() {
    // @start region="adagrad"
    Rule adagrad = Rule.builder().secondMoment(SecondMoment.SUM).build();
    // @end
    return adagrad;
  }

  private static Rule rmsProp() {
    // @start region="rmsprop"
    Rule rmsProp = Rule.builder().secondMoment(SecondMoment.MOVING_AVERAGE).build();
    // @end
    return rmsProp;
  }

  private static Rule adadelta() {
    // @start region="adadelta"
    Rule adadelta =
        Rule.builder()
            .secondMoment(SecondMoment.MOVING_AVERAGE)
            .epsilonInside(true)
            .unitCorrection(true)
            .build();
    // @end
    return adadelta;
  }

  private static Rule adam() {
    // @start region="adam"
    Rule adam =
        Rule.builder()
            .firstMoment(FirstMoment.MOVING_AVERAGE)
            .secondMoment(SecondMoment.MOVING_AVERAGE)
            .biasCorrection(true)
            .build();
    // @end
    return adam;
  }

  private static Rule nadam() {
    // @start region="nadam"
    Rule nadam =
        Rule.builder()
            .firstMoment(FirstMoment.MOVING_AVERAGE)
            .nesterov(Nesterov.SCHEDULED)
            .secondMoment(SecondMoment.MOVING_AVERAGE)
            .biasCorrection(true)
            .build();
    // @end
    return nadam;
  }

  private static Rule adamW() {
    // @start region="adamw"
    Rule adamW =
        Rule.builder()
            .firstMoment(FirstMoment.MOVING_AVERAGE)
            .secondMoment(SecondMoment.MOVING_AVERAGE)
            .biasCorrection(true)
            .decay(Decay.DECOUPLED)
            .build();
    // @end
    return adamW;
  }
}
