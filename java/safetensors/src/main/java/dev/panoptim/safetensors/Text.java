package dev.panoptim.safetensors;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/// Encodes and checks strings for JSON and UTF-8. Thread-safe.
final class Text {
  private static final HexFormat HEX = HexFormat.of();
  private static final int QUOTED_LENGTH = 100;
  private static final int LISTED = 16;

  private Text() {}

  /// Appends a JSON string with the escapes that serde_json writes, and no others.
  static void appendJson(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\b' -> json.append("\\b");
        case '\t' -> json.append("\\t");
        case '\n' -> json.append("\\n");
        case '\f' -> json.append("\\f");
        case '\r' -> json.append("\\r");
        default -> {
          if (c < ' ') {
            json.append("\\u").append(HEX.toHexDigits(c));
          } else {
            json.append(c);
          }
        }
      }
    }
    json.append('"');
  }

  /// Quotes and escapes a text for a message, and shortens it, because a name may be as long as a
  /// header.
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder();
    if (text.length() <= QUOTED_LENGTH) {
      appendJson(quoted, text);
    } else {
      appendJson(quoted, text.substring(0, QUOTED_LENGTH));
      quoted.append("... (").append(text.length()).append(" characters)");
    }
    return quoted.toString();
  }

  /// The first elements of a list, for a message.
  static String list(List<?> all) {
    if (all.size() <= LISTED) {
      return all.toString();
    }
    return all.subList(0, LISTED) + "... (" + all.size() + " in all)";
  }

  /// @param kind the kind of text, for the message
  /// @param name the name of the object that the text belongs to, for the message
  /// @throws SafetensorsException if the text cannot be encoded as UTF-8
  static void requireWellFormed(String text, String kind, String name) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1))) {
        i++;
      } else {
        throw new SafetensorsException(
            Problem.LONE_SURROGATE,
            "%s %s has a lone surrogate, U+%s, at index %s, but must be valid Unicode"
                .formatted(kind, quote(name), HEX.toHexDigits(c).toUpperCase(Locale.ROOT), i));
      }
    }
  }

  /// Compares texts in the order of their UTF-8 bytes. [String#compareTo] differs: it puts
  /// surrogate pairs before U+E000 and the characters above it.
  static int compareCodePoints(String left, String right) {
    int length = Math.min(left.length(), right.length());
    for (int i = 0; i < length; i++) {
      char a = left.charAt(i);
      char b = right.charAt(i);
      if (a != b) {
        boolean astral = Character.isSurrogate(a);
        return astral == Character.isSurrogate(b) ? Character.compare(a, b) : astral ? 1 : -1;
      }
    }
    return Integer.compare(left.length(), right.length());
  }
}
