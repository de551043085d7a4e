package dev.panoptim.checkpoint;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/// A strict reader of a JSON object. A missing field, a field of the wrong type, or a field that is
/// never read is an error.
///
/// Not thread-safe.
final class Fields {
  private final String where;
  private final Map<?, ?> fields;
  private final Set<Object> asked = new HashSet<>();

  /// @param where the name of this object in error messages
  /// @throws IllegalArgumentException if the value is not an object
  Fields(String where, Object value) {
    this.where = where;
    fields = cast(where, Map.class, value);
  }

  boolean has(String name) {
    return fields.containsKey(name);
  }

  String text(String name) {
    return get(name, String.class);
  }

  boolean truth(String name) {
    return get(name, Boolean.class);
  }

  long integer(String name) {
    return get(name, Long.class);
  }

  double number(String name) {
    return number(where + "." + name, get(name, Object.class));
  }

  Fields object(String name) {
    return new Fields(where + "." + name, get(name, Object.class));
  }

  List<?> list(String name) {
    return get(name, List.class);
  }

  /// A list of integers.
  List<Long> longs(String name) {
    return list(name).stream()
        .<Long>map(each -> cast("an entry of " + where + "." + name, Long.class, each))
        .toList();
  }

  /// A list of numbers.
  double[] doubles(String name) {
    return list(name).stream()
        .mapToDouble(each -> number("an entry of " + where + "." + name, each))
        .toArray();
  }

  Map<String, Double> numbers(String name) {
    return object(name).all(Fields::number);
  }

  Map<String, Long> integers(String name) {
    return object(name).all((at, value) -> cast(at, Long.class, value));
  }

  Map<String, String> texts(String name) {
    return object(name).all((at, value) -> cast(at, String.class, value));
  }

  /// The enum constant whose name is the value of a field.
  <E extends Enum<?>> E constant(String name, Class<E> type) {
    String text = text(name);
    for (E each : type.getEnumConstants()) {
      if (each.name().equals(text)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        "%s.%s is '%s', but must be one of %s"
            .formatted(where, name, text, List.of(type.getEnumConstants())));
  }

  /// @throws IllegalArgumentException if the object has a field that was never read
  void end() {
    Set<Object> left = new HashSet<>(fields.keySet());
    left.removeAll(asked);
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(where + " has unknown fields: " + left);
    }
  }

  <T> Map<String, T> all(BiFunction<String, Object, T> of) {
    Map<String, T> all = new LinkedHashMap<>();
    fields.forEach((name, value) -> all.put((String) name, of.apply(where + "." + name, value)));
    return all;
  }

  private <T> T get(String name, Class<T> type) {
    asked.add(name);
    if (!has(name)) {
      throw new IllegalArgumentException(where + " has no field '" + name + "'");
    }
    return cast(where + "." + name, type, fields.get(name));
  }

  /// Accepts what [Json] writes for a double. Integers are accepted too, because other writers drop
  /// a zero fraction.
  private static double number(String where, Object value) {
    return switch (value) {
      case Double number -> number;
      case Long number -> number;
      case String text when text.matches("NaN|-?Infinity") -> Double.parseDouble(text);
      default ->
          throw new IllegalArgumentException(where + " is " + value + ", but must be a number");
    };
  }

  private static <T> T cast(String where, Class<T> type, Object value) {
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          "%s is %s, but must be a %s".formatted(where, value, type.getSimpleName()));
    }
    return type.cast(value);
  }
}
