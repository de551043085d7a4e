package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every defect of a file is reported with its [Problem] and the tensor's name.
class MalformedTest {
  /// @param message words that the message must contain
  private record Malformed(Problem problem, String message, String what, byte[] file) {
    @Override
    public String toString() {
      return problem + " " + what;
    }
  }

  private static final String GOOD = "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]";

  private static final List<Malformed> ALL = new ArrayList<>();

  static List<Malformed> all() {
    return ALL;
  }

  static {
    lengths();
    encodings();
    json();
    structure();
    numbers();
    places();
    metadata();
  }

  private static void add(Problem problem, String message, String header, int data) {
    ALL.add(new Malformed(problem, message, header, TestFiles.file(header, data)));
  }

  /// Adds a case of a tensor with 8 bytes of data.
  private static void field(Problem problem, String message, String fields) {
    add(problem, message, "{\"w\":{" + fields + "}}", 8);
  }

  private static void raw(Problem problem, String message, String what, byte[] file) {
    ALL.add(new Malformed(problem, message, what, file));
  }

  private static byte[] length(long length, int follow) {
    return ByteBuffer.allocate(8 + follow).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
  }

  private static void lengths() {
    raw(Problem.FILE_TOO_SHORT, "0 bytes", "no bytes", new byte[0]);
    raw(Problem.FILE_TOO_SHORT, "7 bytes", "7 bytes", new byte[7]);
    raw(Problem.HEADER_TOO_LONG, "100000001 bytes", "limit + 1", length(100_000_001, 2));
    raw(Problem.HEADER_TOO_LONG, "18446744073709551615", "2^64 - 1", length(-1, 2));
    raw(Problem.HEADER_TOO_LONG, "9223372036854775808", "2^63", length(Long.MIN_VALUE, 2));
    raw(Problem.HEADER_BEYOND_FILE, "100000000", "limit", length(100_000_000, 2));
    raw(Problem.HEADER_BEYOND_FILE, "is 3 bytes, but only 2", "one byte", length(3, 2));
    raw(Problem.NOT_JSON, "0 bytes", "no header", length(0, 0));
  }

  private static void encodings() {
    Charset latin = StandardCharsets.ISO_8859_1;
    for (String bytes :
        List.of("\u00ff", "\u00c0\u00af", "\u00ed\u00a0\u0080", "\u00f4\u0090\u0080\u0080")) {
      byte[] header = ("{\"" + bytes + "\":1}").getBytes(latin);
      raw(Problem.NOT_UTF8, "UTF-8", "in a name " + bytes, TestFiles.file(header, new byte[0]));
    }
    byte[] cut = "{} \u00c3".getBytes(latin);
    raw(Problem.NOT_UTF8, "UTF-8", "cut at its end", TestFiles.file(cut, new byte[0]));
    for (String charset : List.of("UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE")) {
      byte[] header = ("{\"w\":{" + GOOD + "}}").getBytes(Charset.forName(charset));
      raw(Problem.NOT_JSON, "line 1", charset, TestFiles.file(header, new byte[8]));
    }
    add(Problem.NOT_JSON, "line 1", "\ufeff{}", 0);
    for (String escape : List.of("\\ud800", "\\udc00", "\\ud800\\ud800", "x\\udfffx")) {
      add(Problem.LONE_SURROGATE, "U+D", "{\"" + escape + "\":{" + GOOD + "}}", 8);
      add(Problem.LONE_SURROGATE, "U+D", "{\"__metadata__\":{\"" + escape + "\":\"\"}}", 0);
      add(Problem.LONE_SURROGATE, "U+D", "{\"__metadata__\":{\"k\":\"" + escape + "\"}}", 0);
    }
  }

  private static void json() {
    for (String header :
        List.of(
            "   ",
            "{",
            "}",
            "{\"",
            "{\"w\"",
            "{\"w\":",
            "{\"w\":{" + GOOD + "}",
            "{\"w\":{" + GOOD + "},}",
            "{\"w\":{" + GOOD + ",}}",
            "{\"w\":{\"shape\":[1,]}}",
            "{\"w\":{\"shape\":[1,,2]}}",
            "{\"w\":{\"shape\":[01]}}",
            "{\"w\":{\"shape\":[+1]}}",
            "{\"w\":{\"shape\":[.5]}}",
            "{\"w\":{\"shape\":[1.]}}",
            "{\"w\":{\"shape\":[1e]}}",
            "{\"w\":{\"shape\":[0x1]}}",
            "{\"w\":{\"shape\":[-]}}",
            "{\"w\":{\"shape\":[NaN]}}",
            "{\"w\":{\"shape\":[Infinity]}}",
            "{\"w\":{\"dtype\":\"F32}}",
            "{\"\u0000\":1}",
            "{\"\n\":1}",
            "{\"\\x\":1}",
            "{\"\\u12\":1}",
            "{\"\\u12g4\":1}",
            "{'w':1}",
            "{w:1}",
            "{/**/}",
            "//\n{}",
            "#\n{}",
            "\u0000{}",
            "{}\u0000",
            "\u00a0{}",
            "\u000b{}",
            "\u001e{}",
            "{}{}",
            "{} 1",
            "{},",
            "{}]",
            "nul",
            "tru",
            "{\"w\":truE}")) {
      add(Problem.NOT_JSON, "header", header, 0);
    }
  }

  private static void structure() {
    for (String header : List.of("[]", "1", "null", "true", "\"{}\"", "[".repeat(100_000))) {
      add(Problem.NOT_AN_OBJECT, "the header is", header, 0);
    }
    for (String value : List.of("[]", "1", "null", "false", "\"\"", "[".repeat(100_000))) {
      add(Problem.NOT_AN_OBJECT, "tensor \"w\" is", "{\"w\":" + value + "}", 0);
    }
    field(Problem.UNKNOWN_KEY, "\"x\"", GOOD + ",\"x\":1");
    field(Problem.UNKNOWN_KEY, "\"Shape\"", GOOD + ",\"Shape\":[2]");
    field(Problem.UNKNOWN_KEY, "\"x\"", "\"x\":" + "{\"x\":".repeat(100_000));
    field(Problem.MISSING_KEY, "dtype", "");
    field(Problem.MISSING_KEY, "dtype", "\"shape\":[2],\"data_offsets\":[0,8]");
    field(Problem.MISSING_KEY, "shape", "\"dtype\":\"F32\",\"data_offsets\":[0,8]");
    field(Problem.MISSING_KEY, "data_offsets", "\"dtype\":\"F32\",\"shape\":[2]");
    field(Problem.DUPLICATE_KEY, "dtype", "\"dtype\":\"F32\"," + GOOD);
    field(Problem.DUPLICATE_KEY, "shape", GOOD + ",\"shape\":[2]");
    field(Problem.DUPLICATE_KEY, "data_offsets", GOOD + ",\"data_offsets\":[0,8]");
    String twice = "{\"w\":{" + GOOD + "},\"%s\":{" + GOOD + "}}";
    add(Problem.DUPLICATE_KEY, "\"w\"", twice.formatted("w"), 8);
    add(Problem.DUPLICATE_KEY, "\"w\"", twice.formatted("\\u0077"), 8);
    field(Problem.WRONG_TYPE, "dtype is the number", "\"dtype\":1");
    field(Problem.WRONG_TYPE, "dtype is null", "\"dtype\":null");
    field(Problem.WRONG_TYPE, "shape is an object", "\"shape\":{}");
    field(Problem.WRONG_TYPE, "shape is the number \"2\"", "\"shape\":2");
    field(Problem.WRONG_TYPE, "data_offsets is false", "\"data_offsets\":false");
    for (String offsets : List.of("", "0", "0,8,8")) {
      String fields = "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" + offsets + "]";
      field(Problem.WRONG_TYPE, "must have 2", fields);
    }
    for (String dtype : List.of("", "f32", "F33", "F32 ", "F8_E4M3FN", "F32\\u0000")) {
      field(Problem.UNKNOWN_DTYPE, "one of [BOOL, F4,", "\"dtype\":\"" + dtype + "\"");
    }
  }

  private static void numbers() {
    for (String number :
        List.of(
            "-1",
            "-0",
            "1.0",
            "1e0",
            "1e400",
            "-1e400",
            "0.1e-99999",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "9".repeat(100_000),
            "1e" + "9".repeat(100_000),
            "0." + "0".repeat(100_000),
            "\"2\"",
            "null",
            "true",
            "[2]",
            "{}",
            "[".repeat(100_000))) {
      field(Problem.INVALID_NUMBER, "w\": shape has", "\"shape\":[" + number + "]");
      field(Problem.INVALID_NUMBER, "w\": data_offsets has", "\"data_offsets\":[0," + number + "]");
    }
    for (String shape :
        List.of(
            "9223372036854775807",
            "288230376151711744",
            "4294967296,4294967296",
            "4294967296,4294967296,0",
            "1099511627776,1099511627776,1099511627776")) {
      field(
          Problem.SIZE_OVERFLOW,
          "w\": F32 [" + shape.replace(",", ", "),
          "\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[0,8]");
    }
  }

  private static void place(Problem problem, String message, String dtype, String... shapeOffsets) {
    StringBuilder header = new StringBuilder("{");
    for (String each : shapeOffsets) {
      String[] parts = each.split(" ");
      header
          .append(header.length() == 1 ? "" : ",")
          .append("\"t%d\":{\"dtype\":\"%s\",".formatted(header.length(), dtype))
          .append("\"shape\":[%s],\"data_offsets\":[%s]}".formatted(parts[0], parts[1]));
    }
    add(problem, message, header + "}", 8);
  }

  private static void places() {
    place(Problem.SIZE_MISMATCH, "takes 12 bytes, but data_offsets [0, 8] have 8", "F32", "3 0,8");
    place(Problem.SIZE_MISMATCH, "takes 0 bytes", "F32", "0 0,8");
    place(Problem.SIZE_MISMATCH, "[2, 3] takes 24 bytes", "F32", "2,3 0,8");
    place(Problem.SIZE_MISMATCH, "takes 8 bytes", "F32", "2 0,0");
    place(Problem.PARTIAL_BYTE, "F4 [15] takes 60 bits", "F4", "15 0,8");
    place(Problem.PARTIAL_BYTE, "F6_E2M3 [11] takes 66 bits", "F6_E2M3", "11 0,8");
    place(Problem.PARTIAL_BYTE, "F6_E3M2 [10] takes 60 bits", "F6_E3M2", "10 0,8");
    place(Problem.HOLE, "must begin at 0", "U8", "7 1,8");
    place(Problem.HOLE, "must begin at 2", "U8", "2 0,2", "4 4,8");
    place(Problem.HOLE, "must begin at 2", "U8", "2 0,2", "0 3,3", "5 3,8");
    place(Problem.OVERLAP, "must begin at 4", "U8", "4 0,4", "5 3,8");
    place(Problem.OVERLAP, "must begin at 8", "U8", "8 0,8", "8 0,8");
    place(Problem.OVERLAP, "must begin at 8", "U8", "8 0,8", "0 4,4");
    place(Problem.OFFSETS_OUT_OF_BOUNDS, "only 8 bytes", "U8", "9 0,9");
    place(
        Problem.OFFSETS_OUT_OF_BOUNDS,
        "only 8 bytes",
        "U8",
        "1 9223372036854775806,9223372036854775807");
    place(Problem.OFFSETS_OUT_OF_BOUNDS, "before they begin", "U8", "8 8,0");
    place(Problem.TRAILING_BYTES, "after 7 bytes of data, but the file has 8", "U8", "7 0,7");
    add(Problem.TRAILING_BYTES, "after 0 bytes of data, but the file has 1", "{}", 1);
  }

  private static void metadata() {
    for (String value : List.of("[]", "1", "false", "\"\"", "[".repeat(100_000))) {
      add(Problem.METADATA_NOT_STRINGS, "__metadata__ is", "{\"__metadata__\":" + value + "}", 0);
    }
    for (String value : List.of("null", "[]", "1", "{}", "true", "{\"a\":".repeat(100_000))) {
      String header = "{\"__metadata__\":{\"a\":\"\",\"key\":" + value + "}}";
      add(Problem.METADATA_NOT_STRINGS, "metadata \"key\" is", header, 0);
    }
    add(Problem.DUPLICATE_KEY, "\"a\"", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0);
    add(Problem.DUPLICATE_KEY, "__metadata__", "{\"__metadata__\":{},\"__metadata__\":{}}", 0);
    add(Problem.DUPLICATE_KEY, "__metadata__", "{\"__metadata__\":null,\"__metadata__\":{}}", 0);
  }

  @ParameterizedTest
  @MethodSource("all")
  void isRefused(Malformed malformed) {
    SafetensorsException thrown =
        assertThrows(SafetensorsException.class, () -> TestFiles.read(malformed.file));
    assertEquals(malformed.problem, thrown.problem(), thrown.getMessage());
    assertTrue(thrown.getMessage().contains(malformed.message), thrown.getMessage());
    assertTrue(
        thrown.getMessage().length() < 1000, thrown.getMessage().length() + " characters of text");
  }

  @Test
  void everyProblemOfFilesIsReached() {
    Set<Problem> reached = ALL.stream().map(Malformed::problem).collect(Collectors.toSet());
    // In a file, that name always means the metadata, so that only written tensors can have it.
    assertEquals(EnumSet.complementOf(EnumSet.of(Problem.RESERVED_NAME)), reached);
  }
}
