package dev.panoptim.safetensors;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.io.InputStreamReader;
import java.io.Reader;
import java.lang.foreign.MemorySegment;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.json.JsonFactory;

/// Parses the JSON of a header. Anything that the format does not allow is rejected where it
/// begins, so that the nesting depth is bounded.
///
/// Not thread-safe.
final class HeaderParser {
  /// The header's limit replaces Jackson's own limits. Names are not interned, because a header may
  /// have millions of different names and Jackson rejects symbol tables with too many collisions.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNameLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private static final Map<String, DType> DTYPES =
      Arrays.stream(DType.values()).collect(Collectors.toMap(DType::name, Function.identity()));

  /// The number of digits of 2^63 - 1.
  private static final int LONG_DIGITS = 19;

  /// The entries by name, in the order of the header.
  final Map<String, Header.Entry> entries = new LinkedHashMap<>();

  private Map<String, String> metadata;
  private JsonParser json;

  /// The metadata, in the order of the header.
  Map<String, String> metadata() {
    return metadata == null ? Map.of() : Collections.unmodifiableMap(metadata);
  }

  /// @throws SafetensorsException if the header is malformed
  void parse(MemorySegment header) {
    // Jackson's own decoder would also accept UTF-16 and malformed UTF-8.
    Reader text =
        new InputStreamReader(
            new SegmentInputStream(header),
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT));
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
      json = parser;
      if (json.nextToken() == null) {
        throw new SafetensorsException(
            Problem.NOT_JSON,
            "the header has %s bytes and no JSON object".formatted(header.byteSize()));
      }
      if (json.currentToken() != JsonToken.START_OBJECT) {
        throw new SafetensorsException(
            Problem.NOT_AN_OBJECT, "the header is %s, but must be an object".formatted(found()));
      }
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        parseMember(json.currentName());
      }
      if (json.nextToken() != null) {
        throw new SafetensorsException(
            Problem.NOT_JSON,
            "the header has %s after its JSON object, but must have only blanks there"
                .formatted(found()));
      }
    } catch (JacksonIOException e) {
      throw new SafetensorsException(
          Problem.NOT_UTF8, "the header is not valid UTF-8: " + e.getOriginalMessage(), e);
    } catch (JacksonException e) {
      throw new SafetensorsException(
          Problem.NOT_JSON,
          "the header is not valid JSON: %s (line %s, column %s)"
              .formatted(
                  e.getOriginalMessage(),
                  e.getLocation().getLineNr(),
                  e.getLocation().getColumnNr()),
          e);
    }
  }

  private void parseMember(String name) {
    json.nextToken();
    if (name.equals(Header.METADATA)) {
      parseMetadata();
      return;
    }
    Text.requireWellFormed(name, "tensor", name);
    if (entries.put(name, parseTensor(name)) != null) {
      throw duplicate("the header", tensor(name));
    }
  }

  private void parseMetadata() {
    if (metadata != null) {
      throw duplicate("the header", Header.METADATA);
    }
    metadata = new LinkedHashMap<>();
    if (json.currentToken() == JsonToken.VALUE_NULL) {
      // The reference implementation reads an optional value, so that null means no metadata.
      return;
    }
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw new SafetensorsException(
          Problem.METADATA_NOT_STRINGS,
          "%s is %s, but must be an object of strings".formatted(Header.METADATA, found()));
    }
    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = json.currentName();
      Text.requireWellFormed(key, "metadata", key);
      if (json.nextToken() != JsonToken.VALUE_STRING) {
        throw new SafetensorsException(
            Problem.METADATA_NOT_STRINGS,
            "metadata %s is %s, but must be a string".formatted(Text.quote(key), found()));
      }
      String value = json.getString();
      Text.requireWellFormed(value, "the value of metadata", key);
      if (metadata.put(key, value) != null) {
        throw duplicate("the header", "metadata " + Text.quote(key));
      }
    }
  }

  private Header.Entry parseTensor(String name) {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw new SafetensorsException(
          Problem.NOT_AN_OBJECT,
          "%s is %s, but must be an object".formatted(tensor(name), found()));
    }
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = json.currentName();
      json.nextToken();
      switch (key) {
        case "dtype" -> {
          requireFirst(dtype, name, key);
          dtype = parseDType(name);
        }
        case "shape" -> {
          requireFirst(shape, name, key);
          shape = parseNumbers(name, key);
        }
        case "data_offsets" -> {
          requireFirst(offsets, name, key);
          offsets = parseNumbers(name, key);
        }
        default ->
            throw new SafetensorsException(
                Problem.UNKNOWN_KEY,
                "%s has the field %s, but must have only dtype, shape and data_offsets"
                    .formatted(tensor(name), Text.quote(key)));
      }
    }
    requireThere(dtype, name, "dtype");
    requireThere(shape, name, "shape");
    requireThere(offsets, name, "data_offsets");
    return entry(name, dtype, shape, offsets);
  }

  private static Header.Entry entry(
      String name, DType dtype, List<Long> shape, List<Long> offsets) {
    if (offsets.size() != 2) {
      throw new SafetensorsException(
          Problem.WRONG_TYPE,
          "%s: data_offsets has %s numbers, but must have 2"
              .formatted(tensor(name), offsets.size()));
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (end < begin) {
      throw new SafetensorsException(
          Problem.OFFSETS_OUT_OF_BOUNDS,
          "%s: data_offsets are [%s, %s], but must not end before they begin"
              .formatted(tensor(name), begin, end));
    }
    long bytes = Tensor.bytes(name, dtype, shape);
    if (end - begin != bytes) {
      throw new SafetensorsException(
          Problem.SIZE_MISMATCH,
          "%s: %s %s takes %s bytes, but data_offsets [%s, %s] have %s"
              .formatted(tensor(name), dtype, Text.list(shape), bytes, begin, end, end - begin));
    }
    return new Header.Entry(name, dtype, shape, begin, end);
  }

  private DType parseDType(String name) {
    if (json.currentToken() != JsonToken.VALUE_STRING) {
      throw new SafetensorsException(
          Problem.WRONG_TYPE,
          "%s: dtype is %s, but must be a string".formatted(tensor(name), found()));
    }
    DType dtype = DTYPES.get(json.getString());
    if (dtype == null) {
      throw new SafetensorsException(
          Problem.UNKNOWN_DTYPE,
          "%s: dtype is %s, but must be one of %s"
              .formatted(tensor(name), found(), Arrays.toString(DType.values())));
    }
    return dtype;
  }

  private List<Long> parseNumbers(String name, String key) {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw new SafetensorsException(
          Problem.WRONG_TYPE,
          "%s: %s is %s, but must be an array".formatted(tensor(name), key, found()));
    }
    List<Long> numbers = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      numbers.add(parseNumber(name, key));
    }
    return List.copyOf(numbers);
  }

  private long parseNumber(String name, String key) {
    // Jackson's own conversion would first build a number from all the digits, however many there
    // are.
    if (json.currentToken() == JsonToken.VALUE_NUMBER_INT
        && json.getStringLength() <= LONG_DIGITS
        && json.getStringCharacters()[json.getStringOffset()] != '-') {
      try {
        return json.getLongValue();
      } catch (InputCoercionException e) {
        // A number of 19 digits above 2^63 - 1 is rejected like longer numbers.
      }
    }
    throw new SafetensorsException(
        Problem.INVALID_NUMBER,
        "%s: %s has %s, but must have integers from 0 to %s"
            .formatted(tensor(name), key, found(), Long.MAX_VALUE));
  }

  private static void requireFirst(Object value, String name, String key) {
    if (value != null) {
      throw duplicate(tensor(name), key);
    }
  }

  private static void requireThere(Object value, String name, String key) {
    if (value == null) {
      throw new SafetensorsException(
          Problem.MISSING_KEY, "%s has no %s".formatted(tensor(name), key));
    }
  }

  private static SafetensorsException duplicate(String where, String key) {
    return new SafetensorsException(
        Problem.DUPLICATE_KEY, "%s has %s twice, but must have it once".formatted(where, key));
  }

  /// Describes a tensor in messages.
  private static String tensor(String name) {
    return "tensor " + Text.quote(name);
  }

  /// Describes the current token in messages.
  private String found() {
    return switch (json.currentToken()) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_NULL -> "null";
      case VALUE_STRING -> "the string " + Text.quote(json.getString());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + Text.quote(json.getString());
      default -> json.getString();
    };
  }
}
