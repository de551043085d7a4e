package dev.panoptim.checkpoint;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Supplier;

/// What can be said about a training before it is saved: whether a file can hold its names.
///
/// Thread-safe.
final class Savable {
  /// The longest header that the safetensors format allows, in bytes.
  private static final long MOST_HEADER_BYTES = 100_000_000;

  /// What a tensor takes in the header beside its name, twice: its entry, and its checksum. Rather
  /// too few than too many, for nothing that can be saved may be refused.
  private static final long LEAST_BYTES_OF_TENSOR = 75;

  /// What a parameter takes in the training document beside its name, at least.
  private static final long LEAST_BYTES_OF_PARAMETER = 60;

  private Savable() {}

  /// Checks the names of an optimizer's parameters, none of which can be saved if one cannot.
  ///
  /// @throws IllegalArgumentException if UTF-8 cannot hold a name, or no header can hold all
  static void requireNames(Optimizer optimizer) {
    CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
    long states = optimizer.rule().stateNames().size();
    long bytes = 0;
    long count = 0;
    for (ParameterGroup group : optimizer.paramGroups()) {
      for (Parameter each : group.parameters()) {
        require(encoder, () -> "the name of parameter '" + each.name() + "'", each.name());
        long length = each.name().length();
        bytes += states * (2 * length + LEAST_BYTES_OF_TENSOR) + length + LEAST_BYTES_OF_PARAMETER;
        count++;
      }
    }
    if (bytes > MOST_HEADER_BYTES) {
      throw new IllegalArgumentException(
          "the names of the %s parameters take at least %s bytes of a checkpoint's header, which may"
                  .formatted(count, bytes)
              + " have "
              + MOST_HEADER_BYTES);
    }
  }

  /// @throws IllegalArgumentException if UTF-8 cannot hold a key or a value
  static void requireExtras(Map<String, String> extras) {
    CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
    extras.forEach(
        (key, value) -> {
          require(encoder, () -> "the key '" + key + "' of the extras", key);
          require(encoder, () -> "the value of '" + key + "' in the extras", value);
        });
  }

  private static void require(CharsetEncoder encoder, Supplier<String> what, String text) {
    if (!encoder.canEncode(text)) {
      throw new IllegalArgumentException(
          what.get() + " has half of a surrogate pair, but must be valid Unicode to be saved");
    }
  }
}
