package dev.panoptim.rule;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The framework's four lines for a rule.
final class RuleWords {
  private final Rule rule;

  private RuleWords(Rule rule) {
    this.rule = rule;
  }

  static String describe(Rule rule) {
    RuleWords words = new RuleWords(rule);
    return """
    1. gradient   %s
    2. moments    %s
    3. direction  %s
    4. update     %s
    """
        .formatted(words.gradient(), words.moments(), words.direction(), words.update());
  }

  private String gradient() {
    String gradient =
        "g = %sgrad f(w)%s"
            .formatted(
                rule.maximize() ? "-" : "", rule.decay() == Decay.L2 ? " + weightDecay * w" : "");
    return rule.history() == History.CORRECTED_GRADIENT
        ? gradient + "; then g = g + gamma * beta1 / (1 - beta1) * (g - g before)"
        : gradient;
  }

  private String moments() {
    String moments =
        Stream.of(first(), slow(), second())
            .filter(each -> !each.isEmpty())
            .collect(Collectors.joining("; "));
    return moments.isEmpty() ? "none" : moments;
  }

  /// The input of the first moment.
  private String input() {
    return rule.momentumLast() ? "d" : "g";
  }

  private String first() {
    return switch (rule.firstMoment()) {
      case NONE -> "";
      case HEAVY_BALL -> "m = momentum * m + (1 - dampening) * " + input();
      case MOVING_AVERAGE -> {
        String beta = rule.nesterov() == Nesterov.INTERPOLATED ? "beta2" : "beta1";
        yield "m = %s * m + (1 - %s) * %s".formatted(beta, beta, input());
      }
    };
  }

  private String slow() {
    return switch (rule.history()) {
      case NONE, CORRECTED_GRADIENT -> "";
      case SLOW_MOMENT -> "n = beta3 * n + (1 - beta3) * g";
      case DIFFERENCE_MOMENT -> "d = beta2 * d + (1 - beta2) * (g - g before)";
    };
  }

  private String second() {
    return switch (rule.secondMoment()) {
      case NONE -> "";
      case SUM -> "v = v + g * g";
      case MOVING_AVERAGE, RECTIFIED_AVERAGE, DELAYED_AVERAGE, MIXED_AVERAGE ->
          rule.history() == History.DIFFERENCE_MOMENT
              ? "v = beta3 * v + (1 - beta3) * (g + beta2 * (g - g before))^2"
              : "v = beta2 * v + (1 - beta2) * g * g";
      case MAXIMUM_OF_AVERAGE -> "v = max(v, beta2 * u + (1 - beta2) * g * g)";
      case CENTERED_AVERAGE -> "v = average(g * g) - average(g)^2, both with beta2";
      case INFINITY_NORM -> "r = max(beta2 * r, |g| + epsilon)";
      case BELIEF_AVERAGE -> "v = beta2 * v + (1 - beta2) * (g - m)^2 + epsilon";
      case SIGNED_AVERAGE -> "v = v - (1 - beta2) * sign(v - g * g) * g * g";
      case CURVATURE_AVERAGE -> "v = beta2 * v + (1 - beta2) * g * g in special steps only";
      case FACTORED_AVERAGE ->
          "v = average(%s) with 1 - t^beta2Decay, of a matrix row means * column means / mean"
              .formatted(rule.epsilonInside() ? "g * g + epsilon" : "g * g");
    };
  }

  /// The division by the second moment.
  private String divided() {
    return switch (rule.secondMoment()) {
      case NONE -> "";
      case INFINITY_NORM -> " / r";
      case DELAYED_AVERAGE -> " / max(root(v before), epsilon)";
      case CURVATURE_AVERAGE -> " / (rho * batchSize * v + epsilon)";
      case MIXED_AVERAGE -> " / (root(nu2 * v + (1 - nu2) * g * g) + epsilon)";
      case FACTORED_AVERAGE -> rule.epsilonInside() ? " / root(v)" : " / max(root(v), epsilon)";
      default -> rule.epsilonInside() ? " / root(v + epsilon)" : " / (root(v) + epsilon)";
    };
  }

  private String ahead() {
    String x = input();
    String slow =
        switch (rule.history()) {
          case NONE, CORRECTED_GRADIENT -> "m";
          case SLOW_MOMENT -> "(m + alpha * n)";
          case DIFFERENCE_MOMENT -> "(m + beta2 * d)";
        };
    return switch (rule.nesterov()) {
      case NONE -> rule.hasFirstMoment() ? slow : "g";
      case NESTEROV ->
          rule.firstMoment() == FirstMoment.HEAVY_BALL
              ? "(" + x + " + momentum * m)"
              : "((1 - beta1) * " + x + " + beta1 * m)";
      case SCHEDULED -> "((1 - mu(t)) * " + x + " + mu(t + 1) * m)";
      case INTERPOLATED -> "((1 - beta1) * " + x + " + beta1 * m before)";
      case QUASI_HYPERBOLIC -> "((1 - nu1) * " + x + " + nu1 * m)";
    };
  }

  private String direction() {
    String units = rule.unitCorrection() ? " * root(average(d * d) + epsilon)" : "";
    String quotient = rule.momentumLast() ? "g" + divided() : ahead() + divided();
    String direction =
        switch (rule.secondMoment()) {
          case DELAYED_AVERAGE -> "clamp(" + quotient + ", (t - 1)^clipPower)";
          case CURVATURE_AVERAGE -> "clamp(" + quotient + ", 1)";
          default -> quotient + units;
        };
    if (rule.momentumLast()) {
      direction = "d = " + direction + "; then " + ahead();
    }
    if (rule.secondMoment() == SecondMoment.RECTIFIED_AVERAGE) {
      direction += ", times r(t), once there are enough steps";
    }
    if (rule.biasCorrection()) {
      direction += ", moments corrected by 1 - beta^t";
      direction += rule.epsilonBeforeCorrection() ? " after epsilon is added" : "";
    }
    if (rule.isOfMatrices()) {
      return "orthogonal factor of %s, times %s".formatted(direction, adjustment());
    }
    return rule.sign() ? "sign(" + direction + ")" : direction;
  }

  private String adjustment() {
    return switch (rule.adjustment()) {
      case NONE -> "1";
      case ORIGINAL -> "root(max(1, rows / columns))";
      case MATCH_RMS -> "0.2 * root(max(rows, columns))";
    };
  }

  private String update() {
    String decay =
        switch (rule.decay()) {
          case NONE, L2 -> "";
          case DECOUPLED -> " - learningRate * weightDecay * w";
          case PROXIMAL -> ", divided by 1 + learningRate * weightDecay";
        };
    String factor =
        switch (rule.tensorFactor()) {
          case NONE -> "";
          case TRUST_RATIO, TRUST_RATIO_ALWAYS -> ", times norm(w) / norm(direction + decay)";
          case GRADIENT_TRUST_RATIO, CLIPPED_GRADIENT_TRUST_RATIO ->
              ", g times trustCoefficient * norm(w) / norm(g)";
          case GRADIENT_NORM -> ", g over root(average(norm(g)^2))";
          case UPDATE_SIZE -> ", over max(1, rms(g / root(v)))";
          case CLIPPED_DIRECTION, CLIPPED_DIRECTION_LIMITED_DECAY ->
              ", over max(1, rms(direction) / clipThreshold)";
          case PARAMETER_SIZE, PARAMETER_SIZE_AND_DECAY ->
              ", times max(epsilon2, rms(w)) / max(1, rms(direction) / clipThreshold)";
        };
    return switch (rule.update()) {
      case DESCENT -> "w = w - learningRate * direction" + decay + factor;
      case CAUTIOUS ->
          "w = w - learningRate * direction" + decay + ", only where direction * g > 0";
      case AVERAGED ->
          "w = w - eta(t) * (direction + lambd * w)%s; average(w)"
              .formatted(rule.decay() == Decay.NONE ? "" : " - eta(t) * weightDecay * w");
      case SIGN_STEPS -> "w = w - sign(g) * size, size by the sign of g * g before";
      case PROXIMAL ->
          "z = z + g - (root(v) - root(v before)) / learningRate * w;"
              + " w = (clamp(z, l1) - z) / ((beta + root(v)) / learningRate + 2 * l2)";
      case SCHEDULE_FREE ->
          "z = z - learningRate * u; w between z and its average; u = direction%s"
              .formatted(rule.decay() == Decay.NONE ? "" : " + weightDecay * w");
    };
  }
}
