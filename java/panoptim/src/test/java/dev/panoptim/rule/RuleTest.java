package dev.panoptim.rule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class RuleTest {
  private static void refused(String words, Rule.Builder builder) {
    var e = assertThrows(IllegalArgumentException.class, builder::build);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @Test
  void illegalCompositionsAreRejectedByName() {
    refused("nesterov NESTEROV needs a first moment", Rule.builder().nesterov(Nesterov.NESTEROV));
    refused(
        "nesterov SCHEDULED needs firstMoment MOVING_AVERAGE, not HEAVY_BALL",
        Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).nesterov(Nesterov.SCHEDULED));
    refused(
        "nesterov INTERPOLATED needs firstMoment MOVING_AVERAGE",
        Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).nesterov(Nesterov.INTERPOLATED));
    refused(
        "momentumLast needs both moments",
        Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).momentumLast(true));
    refused("epsilonInside needs a second moment", Rule.builder().epsilonInside(true));
    refused(
        "unitCorrection needs a moving average",
        Rule.builder().secondMoment(SecondMoment.SUM).epsilonInside(true).unitCorrection(true));
    refused(
        "unitCorrection needs a moving average, epsilonInside",
        Rule.builder().secondMoment(SecondMoment.MOVING_AVERAGE).unitCorrection(true));
    refused(
        "sign leaves nothing of secondMoment SUM",
        Rule.builder().secondMoment(SecondMoment.SUM).sign(true));
    refused(
        "biasCorrection corrects moving averages",
        Rule.builder().firstMoment(FirstMoment.HEAVY_BALL).biasCorrection(true));
    refused(
        "epsilonBeforeCorrection needs biasCorrection",
        Rule.builder().secondMoment(SecondMoment.MOVING_AVERAGE).epsilonBeforeCorrection(true));
    for (SecondMoment uncorrected :
        List.of(
            SecondMoment.NONE,
            SecondMoment.SUM,
            SecondMoment.RECTIFIED_AVERAGE,
            SecondMoment.INFINITY_NORM)) {
      refused(
          "without rectification, but secondMoment is " + uncorrected,
          Rule.builder()
              .firstMoment(FirstMoment.MOVING_AVERAGE)
              .secondMoment(uncorrected)
              .biasCorrection(true)
              .epsilonBeforeCorrection(true));
    }
    refused(
        "RECTIFIED_AVERAGE needs biasCorrection",
        Rule.builder().secondMoment(SecondMoment.RECTIFIED_AVERAGE));
  }

  @Test
  void rulesThatDifferInAnyPartAreNotEqual() {
    List<Rule> all = EveryRule.legal();
    assertEquals(
        all.stream().map(Rule::toString).distinct().count(), all.stream().distinct().count());
    for (Rule rule : all) {
      assertEquals(rule, rule.toBuilder().build());
    }
  }

  @Test
  void aRuleDescribesItselfInTheFrameworksFourLines() {
    Rule rule =
        Rule.builder()
            .firstMoment(FirstMoment.MOVING_AVERAGE)
            .nesterov(Nesterov.NESTEROV)
            .secondMoment(SecondMoment.CENTERED_AVERAGE)
            .decay(Decay.DECOUPLED)
            .maximize(true)
            .build();
    assertEquals(
        """
        1. gradient   g = -grad f(w)
        2. moments    m = beta1 * m + (1 - beta1) * g; v = average(g * g) - average(g)^2, both with beta2
        3. direction  ((1 - beta1) * g + beta1 * m) / (root(v) + epsilon)
        4. update     w = w - learningRate * direction - learningRate * weightDecay * w
        """,
        rule.describe());
    assertEquals(
        """
        1. gradient   g = grad f(w) + weightDecay * w
        2. moments    none
        3. direction  g
        4. update     w = w - learningRate * direction
        """,
        Rule.builder().decay(Decay.L2).build().describe());
  }
}
