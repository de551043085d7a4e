package dev.panoptim.checkpoint;

import dev.panoptim.rule.Rule;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/// A rule as a JSON object: a field for each part, which is true or false or an enum constant's
/// name.
final class RuleDocument {
  private static final RecordComponent[] PARTS = Rule.class.getRecordComponents();

  private RuleDocument() {}

  static Map<String, Object> toJson(Rule rule) {
    Map<String, Object> json = new LinkedHashMap<>();
    for (RecordComponent part : PARTS) {
      Object value = valueOf(part, rule);
      json.put(part.getName(), value instanceof Enum<?> constant ? constant.name() : value);
    }
    return json;
  }

  /// A missing field has the value of plain gradient descent: the file was written before the
  /// library had that part.
  ///
  /// @param fieldOf the name of a part's field in the file
  /// @throws IllegalArgumentException if a field is of the wrong type or unknown, or the rule is
  ///   illegal
  static Rule parse(Fields fields, UnaryOperator<String> fieldOf) {
    Rule plain = Rule.builder().build();
    Object[] values = new Object[PARTS.length];
    for (int i = 0; i < PARTS.length; i++) {
      String field = fieldOf.apply(PARTS[i].getName());
      values[i] = fields.has(field) ? read(fields, field, PARTS[i]) : valueOf(PARTS[i], plain);
    }
    fields.end();
    Class<?>[] types = Arrays.stream(PARTS).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      return Rule.class.getConstructor(types).newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException illegal) {
        throw illegal;
      }
      throw new AssertionError("a rule's constructor failed", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("a record has a public constructor with all its parts", e);
    }
  }

  private static Object read(Fields fields, String field, RecordComponent part) {
    return part.getType() == boolean.class
        ? fields.truth(field)
        : fields.constant(field, part.getType().asSubclass(Enum.class));
  }

  private static Object valueOf(RecordComponent part, Rule rule) {
    try {
      return part.getAccessor().invoke(rule);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("a record's accessors are public", e);
    }
  }
}
