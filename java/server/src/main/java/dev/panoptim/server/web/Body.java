package dev.panoptim.server.web;

import dev.panoptim.server.digits.Drawing;
import dev.panoptim.server.digits.Drawing.Point;
import dev.panoptim.server.digits.Drawing.Stroke;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The JSON object in a request. All methods throw a [Refusal] if a value is not as expected.
final class Body {
  static final int MOST_BYTES = 128 * 1024;

  /// Read after a body that is too large, so that its sender gets to reading the answer.
  private static final int DISCARDED = 1024 * 1024;

  private static final int MOST_LETTERS = 20;

  private final JsonNode root;

  private Body(JsonNode root) {
    this.root = root;
  }

  /// Reads a request.
  ///
  /// @param fields that the object may have
  static Body of(ServerRequest request, String... fields) {
    String type = request.headers().first(HeaderNames.CONTENT_TYPE).orElse("none");
    if (!type.toLowerCase(Locale.ROOT).split(";")[0].strip().equals("application/json")) {
      throw new Refusal(
          Refusal.WRONG_TYPE,
          "the content type is %s, but must be application/json".formatted(type));
    }
    JsonNode root;
    try {
      root = Json.MAPPER.readTree(bytes(request));
    } catch (JacksonException e) {
      throw bad("the body is not valid JSON: " + e.getOriginalMessage());
    }
    if (root == null || !root.isObject()) {
      throw bad("the body must be a JSON object");
    }
    Set<String> known = Set.of(fields);
    for (String each : root.propertyNames()) {
      if (!known.contains(each)) {
        throw bad("the field '%s' is unknown; there are %s".formatted(each, List.of(fields)));
      }
    }
    return new Body(root);
  }

  private static byte[] bytes(ServerRequest request) {
    if (request.headers().contentLength().orElse(0) > MOST_BYTES + DISCARDED) {
      throw tooLarge();
    }
    byte[] bytes;
    try (InputStream in = request.content().inputStream()) {
      bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        in.readNBytes(DISCARDED);
      }
    } catch (IOException e) {
      throw bad("the body cannot be read: " + e.getMessage());
    }
    if (bytes.length > MOST_BYTES) {
      throw tooLarge();
    }
    return bytes;
  }

  private static Refusal tooLarge() {
    return new Refusal(Refusal.TOO_LARGE, "the body has more than %s bytes".formatted(MOST_BYTES));
  }

  static Refusal bad(String sentence) {
    return new Refusal(Refusal.BAD, sentence);
  }

  private JsonNode require(String field, boolean isRight, String kind) {
    if (!isRight) {
      throw bad("the field '%s' must be %s".formatted(field, kind));
    }
    return root.get(field);
  }

  /// A short name.
  String label(String field) {
    JsonNode node = root.get(field);
    String text = require(field, node != null && node.isString(), "a string").stringValue().strip();
    if (text.isEmpty() || text.codePointCount(0, text.length()) > MOST_LETTERS) {
      throw bad("the field '%s' must have from 1 to %s letters".formatted(field, MOST_LETTERS));
    }
    if (!text.codePoints().allMatch(Body::isPrintable)) {
      throw bad("the field '%s' must have printable letters only".formatted(field));
    }
    return text;
  }

  private static boolean isPrintable(int letter) {
    return switch (Character.getType(letter)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }

  double number(String field) {
    JsonNode node = root.get(field);
    return value(require(field, node != null && node.isNumber(), "a number"));
  }

  /// NaN if the number has so many digits that it is no double.
  private static double value(JsonNode number) {
    try {
      return number.doubleValue();
    } catch (JacksonException e) {
      return Double.NaN;
    }
  }

  /// A number, or infinity instead of `null`.
  double limit(String field) {
    JsonNode node = root.get(field);
    return node != null && node.isNull() ? Double.POSITIVE_INFINITY : number(field);
  }

  int integer(String field) {
    JsonNode node = root.get(field);
    return require(field, node != null && node.isInt(), "an integer").intValue();
  }

  boolean bool(String field) {
    JsonNode node = root.get(field);
    return require(field, node != null && node.isBoolean(), "true or false").booleanValue();
  }

  /// `false` if the field is missing.
  boolean flag(String field) {
    return root.has(field) && bool(field);
  }

  /// The strokes of a drawing: lists of points `[x, y]` with numbers from 0 to 1.
  Drawing drawing(String field) {
    JsonNode node = root.get(field);
    require(field, node != null && node.isArray(), "a list of strokes");
    List<Stroke> strokes = new ArrayList<>();
    for (JsonNode stroke : node) {
      if (!stroke.isArray()) {
        throw bad("a stroke must be a list of points");
      }
      List<Point> points = new ArrayList<>();
      for (JsonNode point : stroke) {
        if (!point.isArray() || point.size() != 2) {
          throw bad("a point must be a list of two numbers");
        }
        points.add(new Point(coordinate(point.get(0)), coordinate(point.get(1))));
      }
      strokes.add(new Stroke(points));
    }
    return new Drawing(strokes);
  }

  private static double coordinate(JsonNode node) {
    double value = node.isNumber() ? value(node) : Double.NaN;
    if (!(value >= 0 && value <= 1)) {
      throw bad("a coordinate is %s, but must be a number from 0 to 1".formatted(node));
    }
    return value;
  }
}
