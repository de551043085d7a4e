package dev.panoptim.checkpoint;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// The part of a file of a table that is not tensors. It is stored as JSON in the file's metadata.
///
/// @param version the version of Panoptim that wrote the file
/// @param number of the file, as in its name
/// @param follows the number of the file before; 0 if this one has all rows
/// @param followsChecksum of the file before; empty if this one has all rows
/// @param steps that the table has made
/// @param learningRate of the next step
/// @param learningRates of the last steps, the last one at the end
/// @param additions to the counts of ids without a row
/// @param table describes the table
record TableDocument(
    String version,
    long number,
    long follows,
    String followsChecksum,
    long steps,
    double learningRate,
    double[] learningRates,
    long additions,
    Map<String, String> table) {
  /// The metadata key.
  static final String KEY = "panoptim.table";

  private static final long FORMAT = 1;

  /// Whether the file has all rows.
  boolean isFull() {
    return follows == 0;
  }

  String toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("version", version);
    json.put("number", number);
    json.put("follows", follows);
    json.put("followsChecksum", followsChecksum);
    json.put("steps", steps);
    json.put("learningRate", learningRate);
    json.put("learningRates", Arrays.stream(learningRates).boxed().toList());
    json.put("additions", additions);
    json.put("table", table);
    return Json.write(json);
  }

  /// @throws IllegalArgumentException if the text was not written by [#toJson]; the message says
  ///   why
  static TableDocument parse(String json) {
    Fields fields = new Fields("table", Json.read(json));
    long format = fields.integer("format");
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "table.format is %s, but this version of Panoptim reads only format %s"
              .formatted(format, FORMAT));
    }
    TableDocument document =
        new TableDocument(
            fields.text("version"),
            fields.integer("number"),
            fields.integer("follows"),
            fields.text("followsChecksum"),
            fields.integer("steps"),
            fields.number("learningRate"),
            fields.doubles("learningRates"),
            fields.integer("additions"),
            fields.texts("table"));
    fields.end();
    return document;
  }
}
