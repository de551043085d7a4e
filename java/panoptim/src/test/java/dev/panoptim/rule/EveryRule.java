package dev.panoptim.rule;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/// All legal combinations of the values of a [Rule]'s parts. Parts and values are found by
/// reflection, so that new ones are included.
public final class EveryRule {
  private static final RecordComponent[] PARTS = Rule.class.getRecordComponents();

  /// Found once: it is called for each combination, legal or not.
  private static final Constructor<Rule> CONSTRUCTOR = constructor();

  private EveryRule() {}

  /// The parts that are tried only with rules that are legal without them, in two rounds.
  private static final List<Class<?>> SECOND =
      List.of(History.class, Update.class, TensorFactor.class);

  private static final List<Class<?>> THIRD = List.of(Orthogonalization.class, Adjustment.class);

  /// All legal rules.
  ///
  /// A history, a factor of tensors, or an update other than a descent is legal only where the rest
  /// of the rule is legal by itself. An orthogonalization is legal only without any of these. So
  /// the combinations are tried in three rounds: all together would be millions.
  public static List<Rule> legal() {
    List<Rule> all = new ArrayList<>();
    addLegal(new Object[PARTS.length], 0, EveryRule::isFirst, all);
    for (Rule plain : List.copyOf(all)) {
      addLegal(partsOf(plain), 0, SECOND::contains, all);
      addLegal(partsOf(plain), 0, THIRD::contains, all);
    }
    return all;
  }

  private static boolean isFirst(Class<?> type) {
    return !SECOND.contains(type) && !THIRD.contains(type);
  }

  /// @param parts the fixed ones; `null` where none is known
  /// @param varies the types of the parts that are varied
  private static void addLegal(
      Object[] parts, int known, Predicate<Class<?>> varies, List<Rule> all) {
    if (known == parts.length) {
      Rule rule = ruleOrNull(parts);
      if (rule != null && (varies.test(FirstMoment.class) || !isPlain(rule))) {
        all.add(rule);
      }
      return;
    }
    RecordComponent part = PARTS[known];
    boolean isVaried = varies.test(part.getType());
    Object[] values = isVaried ? valuesOf(part) : new Object[1];
    for (Object value : values) {
      Object before = parts[known];
      if (isVaried) {
        parts[known] = value;
      } else if (!isFirst(part.getType())) {
        parts[known] = part.getType().getEnumConstants()[0];
      }
      addLegal(parts, known + 1, varies, all);
      parts[known] = before;
    }
  }

  private static boolean isPlain(Rule rule) {
    return rule.history() == History.NONE
        && rule.update() == Update.DESCENT
        && rule.tensorFactor() == TensorFactor.NONE
        && !rule.isOfMatrices();
  }

  private static Object[] partsOf(Rule rule) {
    return Arrays.stream(PARTS).map(part -> valueOf(part, rule)).toArray();
  }

  private static Object valueOf(RecordComponent part, Rule rule) {
    try {
      return part.getAccessor().invoke(rule);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static Object[] valuesOf(RecordComponent part) {
    return part.getType() == boolean.class
        ? new Object[] {false, true}
        : part.getType().getEnumConstants();
  }

  private static Rule ruleOrNull(Object[] parts) {
    try {
      return CONSTRUCTOR.newInstance(parts);
    } catch (InvocationTargetException refused) {
      if (refused.getCause() instanceof IllegalArgumentException) {
        return null;
      }
      throw new AssertionError(Arrays.toString(parts), refused);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static Constructor<Rule> constructor() {
    try {
      return Rule.class.getConstructor(
          Arrays.stream(PARTS).map(RecordComponent::getType).toArray(Class<?>[]::new));
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }
}
