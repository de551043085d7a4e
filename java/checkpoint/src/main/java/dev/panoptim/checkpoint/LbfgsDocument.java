package dev.panoptim.checkpoint;

import dev.panoptim.optim.LbfgsState;
import dev.panoptim.optim.LbfgsState.HistoryPair;
import dev.panoptim.optim.LbfgsState.ParameterShape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The part of a checkpoint of L-BFGS that is not tensors: a JSON object.
///
/// Immutable.
///
/// @param version of the library that wrote it
/// @param inverses see [HistoryPair]; one for each pair, the oldest first
record LbfgsDocument(
    String version,
    List<ParameterShape> parameters,
    double learningRate,
    long iterations,
    long evaluations,
    double stepLength,
    double scale,
    List<Double> inverses,
    Map<String, String> extras) {
  private static final long FORMAT = 1;

  static LbfgsDocument of(LbfgsState state, Map<String, String> extras) {
    return new LbfgsDocument(
        CheckpointWriter.VERSION,
        state.parameters(),
        state.learningRate(),
        state.iterations(),
        state.evaluations(),
        state.stepLength(),
        state.scale(),
        state.pairs().stream().map(HistoryPair::inverse).toList(),
        Map.copyOf(extras));
  }

  String toJson() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("format", FORMAT);
    fields.put("version", version);
    List<Object> shapes = new ArrayList<>();
    for (ParameterShape each : parameters) {
      Map<String, Object> shape = new LinkedHashMap<>();
      shape.put("name", each.name());
      shape.put("shape", each.shape());
      shapes.add(shape);
    }
    fields.put("parameters", shapes);
    fields.put("learningRate", learningRate);
    fields.put("iterations", iterations);
    fields.put("evaluations", evaluations);
    fields.put("stepLength", stepLength);
    fields.put("scale", scale);
    fields.put("inverses", inverses);
    fields.put("extras", extras);
    return Json.write(fields);
  }

  /// @throws IllegalArgumentException if it is not such a document
  static LbfgsDocument parse(String json) {
    Fields fields = new Fields("the document", Json.read(json));
    long format = fields.integer("format");
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "its format is %s, but this version reads format %s".formatted(format, FORMAT));
    }
    List<ParameterShape> parameters = new ArrayList<>();
    for (Object each : fields.list("parameters")) {
      Fields shape = new Fields("a parameter", each);
      parameters.add(new ParameterShape(shape.text("name"), shape.longs("shape")));
      shape.end();
    }
    LbfgsDocument document =
        new LbfgsDocument(
            fields.text("version"),
            parameters,
            fields.number("learningRate"),
            fields.integer("iterations"),
            fields.integer("evaluations"),
            fields.number("stepLength"),
            fields.number("scale"),
            fields.list("inverses").stream().map(LbfgsDocument::number).toList(),
            fields.texts("extras"));
    fields.end();
    return document;
  }

  private static double number(Object value) {
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw new IllegalArgumentException(
        "an entry of the document.inverses is " + value + ", but must be a number");
  }
}
