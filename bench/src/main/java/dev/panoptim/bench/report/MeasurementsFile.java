package dev.panoptim.bench.report;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// Measurements as JSON, with a line for each measurement, so that a changed one shows in a diff.
final class MeasurementsFile {
  private static final JsonFactory FACTORY = new JsonFactory();

  private MeasurementsFile() {}

  static void write(Measurements measurements, Path file) throws IOException {
    Files.writeString(
        file,
        measurements.runs().stream()
            .map(MeasurementsFile::run)
            .collect(Collectors.joining(",\n", "{\"runs\": [\n", "\n]}\n")));
  }

  private static String run(Run run) {
    String head =
        json(
            out -> {
              out.writeStringProperty("suite", run.suite());
              out.writeStringProperty("command", run.command());
              out.writeStringProperty("date", run.date());
              writeTexts(out, "machine", run.machine());
              out.writeArrayPropertyStart("libraries");
              run.libraries().forEach(out::writeString);
              out.writeEndArray();
            });
    return run.measurements().stream()
        .map(each -> json(out -> write(out, each)))
        .collect(
            Collectors.joining(
                ",\n", head.substring(0, head.length() - 1) + ",\"measurements\": [\n", "\n]}"));
  }

  private static void write(JsonGenerator out, Measurement measurement) {
    out.writeStringProperty("benchmark", measurement.benchmark());
    out.writeStringProperty("method", measurement.method());
    writeTexts(out, "parameters", measurement.parameters());
    out.writeObjectPropertyStart("values");
    measurement
        .values()
        .forEach(
            (name, values) -> {
              out.writeArrayPropertyStart(name);
              values.forEach(out::writeNumber);
              out.writeEndArray();
            });
    out.writeEndObject();
  }

  private static void writeTexts(JsonGenerator out, String name, Map<String, String> texts) {
    out.writeObjectPropertyStart(name);
    texts.forEach(out::writeStringProperty);
    out.writeEndObject();
  }

  /// An object on one line.
  private static String json(Consumer<JsonGenerator> properties) {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
      out.writeStartObject();
      properties.accept(out);
      out.writeEndObject();
    }
    return text.toString();
  }

  /// @throws IOException if the file cannot be read or holds something else
  static Measurements read(Path file) throws IOException {
    try (JsonParser in = FACTORY.createParser(ObjectReadContext.empty(), Files.readString(file))) {
      in.nextToken();
      Map<String, Object> all = object(in, name -> MeasurementsFile::runs);
      return new Measurements(list(all.get("runs")));
    } catch (JacksonException | ClassCastException | NullPointerException e) {
      throw new IOException(file + " does not hold measurements: " + e.getMessage(), e);
    }
  }

  private static List<Run> runs(JsonParser in) {
    return array(
        in,
        one -> {
          Map<String, Object> run =
              object(
                  one,
                  name ->
                      switch (name) {
                        case "machine" -> MeasurementsFile::texts;
                        case "libraries" -> texts -> array(texts, JsonParser::getString);
                        case "measurements" -> MeasurementsFile::measurements;
                        default -> JsonParser::getString;
                      });
          return new Run(
              (String) run.get("suite"),
              (String) run.get("command"),
              (String) run.get("date"),
              map(run.get("machine")),
              list(run.get("libraries")),
              list(run.get("measurements")));
        });
  }

  private static List<Measurement> measurements(JsonParser in) {
    return array(
        in,
        one -> {
          Map<String, Object> found =
              object(
                  one,
                  name ->
                      switch (name) {
                        case "parameters" -> MeasurementsFile::texts;
                        case "values" ->
                            values ->
                                object(
                                    values, any -> each -> array(each, JsonParser::getDoubleValue));
                        default -> JsonParser::getString;
                      });
          return new Measurement(
              (String) found.get("benchmark"),
              (String) found.get("method"),
              map(found.get("parameters")),
              map(found.get("values")));
        });
  }

  private static Map<String, Object> texts(JsonParser in) {
    return object(in, name -> JsonParser::getString);
  }

  /// Reads an object whose first token has been read.
  ///
  /// @param readers reads the value of a property with the given name
  private static Map<String, Object> object(
      JsonParser in, Function<String, Function<JsonParser, Object>> readers) {
    Map<String, Object> all = new LinkedHashMap<>();
    while (in.nextToken() != JsonToken.END_OBJECT) {
      String name = in.currentName();
      in.nextToken();
      all.put(name, readers.apply(name).apply(in));
    }
    return all;
  }

  /// Reads an array whose first token has been read.
  private static <T> List<T> array(JsonParser in, Function<JsonParser, T> element) {
    List<T> all = new ArrayList<>();
    while (in.nextToken() != JsonToken.END_ARRAY) {
      all.add(element.apply(in));
    }
    return all;
  }

  @SuppressWarnings("unchecked")
  private static <T> List<T> list(Object value) {
    return (List<T>) Objects.requireNonNull(value, "a list is missing");
  }

  @SuppressWarnings("unchecked")
  private static <T> Map<String, T> map(Object value) {
    return (Map<String, T>) Objects.requireNonNull(value, "an object is missing");
  }
}
