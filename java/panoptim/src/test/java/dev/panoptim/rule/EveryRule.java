package dev.panoptim.rule;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// All legal combinations of the values of a [Rule]'s parts. Parts and values are found by
/// reflection, so that new ones are included.
public final class EveryRule {
  private EveryRule() {}

  /// All legal rules, in the order of their parts.
  public static List<Rule> legal() {
    List<Rule> all = new ArrayList<>();
    addLegal(new Object[Rule.class.getRecordComponents().length], 0, all);
    return all;
  }

  private static void addLegal(Object[] parts, int known, List<Rule> all) {
    if (known == parts.length) {
      Rule rule = ruleOrNull(parts);
      if (rule != null) {
        all.add(rule);
      }
      return;
    }
    for (Object value : valuesOf(Rule.class.getRecordComponents()[known])) {
      parts[known] = value;
      addLegal(parts, known + 1, all);
    }
  }

  private static Object[] valuesOf(RecordComponent part) {
    return part.getType() == boolean.class
        ? new Object[] {false, true}
        : part.getType().getEnumConstants();
  }

  private static Rule ruleOrNull(Object[] parts) {
    try {
      return constructor().newInstance(parts);
    } catch (InvocationTargetException refused) {
      if (refused.getCause() instanceof IllegalArgumentException) {
        return null;
      }
      throw new AssertionError(Arrays.toString(parts), refused);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static Constructor<Rule> constructor() throws ReflectiveOperationException {
    return Rule.class.getConstructor(
        Arrays.stream(Rule.class.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new));
  }
}
