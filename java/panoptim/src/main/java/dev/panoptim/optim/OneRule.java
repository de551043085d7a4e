package dev.panoptim.optim;

import dev.panoptim.rule.Rule;
import java.util.List;
import java.util.stream.Stream;

/// The rule of something whose parts may have different rules.
final class OneRule {
  private OneRule() {}

  /// @param rules of all parts
  /// @param whole what has the parts, for the message
  /// @param instead where the rule of each part is, for the message
  /// @throws IllegalStateException if there is no rule, or more than one
  static Rule of(Stream<Rule> rules, String whole, String instead) {
    List<Rule> distinct = rules.distinct().toList();
    if (distinct.size() != 1) {
      throw new IllegalStateException(
          "%s has %s different rules: %s".formatted(whole, distinct.size(), instead));
    }
    return distinct.getFirst();
  }
}
