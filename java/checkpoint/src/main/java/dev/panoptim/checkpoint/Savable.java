package dev.panoptim.checkpoint;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.ParameterGroup;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Supplier;

/// Checks, before a training is saved, that a file can hold its names and extras.
///
/// Thread-safe.
final class Savable {
  /// The longest header that the safetensors format allows, in bytes.
  private static final long MOST_HEADER_BYTES = 100_000_000;

  /// The header bytes of a tensor without its name: its entry and its checksum. The name is counted
  /// twice, once for each. This is a lower bound, so that no training is rejected that could be
  /// saved.
  private static final long LEAST_BYTES_OF_TENSOR = 75;

  /// A lower bound for the bytes of a parameter in the training document, without its name.
  private static final long LEAST_BYTES_OF_PARAMETER = 60;

  private Savable() {}

  /// Checks the names of all parameters of an optimizer. One bad name makes the whole optimizer
  /// impossible to save.
  ///
  /// @throws IllegalArgumentException if a name cannot be encoded as UTF-8, or all names together
  ///   are too long for a header
  static void requireNames(Optimizer optimizer) {
    CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
    long bytes = 0;
    long count = 0;
    for (ParameterGroup group : optimizer.paramGroups()) {
      long states = group.rule().stateNames().size();
      for (Parameter each : group.parameters()) {
        require(encoder, () -> "the name of parameter '" + each.name() + "'", each.name());
        long length = each.name().length();
        bytes += states * (2 * length + LEAST_BYTES_OF_TENSOR) + length + LEAST_BYTES_OF_PARAMETER;
        count++;
      }
    }
    if (bytes > MOST_HEADER_BYTES) {
      throw new IllegalArgumentException(
          "the names of the %s parameters take at least %s bytes of a checkpoint's header,"
                  .formatted(count, bytes)
              + " but at most %s bytes are possible".formatted(MOST_HEADER_BYTES));
    }
  }

  /// @throws IllegalArgumentException if a key or a value cannot be encoded as UTF-8
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
          what.get() + " has an unpaired surrogate, but must be valid Unicode to be saved");
    }
  }
}
