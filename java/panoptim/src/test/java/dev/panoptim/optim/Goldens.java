package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// PyTorch's results for each case; `make.py` beside the files documents how they were made.
final class Goldens {
  private static final Path FOLDER = Path.of("src/test/goldens");

  /// @param rms the root mean square of the distance of PyTorch's float32 result from float64
  /// @param first the value of 1 after the first of three steps, in float64
  /// @param third the value after the third step
  record Golden(double rms, double first, double third) {}

  private Goldens() {}

  static Map<String, Golden> all() {
    Map<String, Golden> all = new LinkedHashMap<>();
    try {
      for (String line : Files.readAllLines(FOLDER.resolve("cases.csv"))) {
        String[] row = line.split(",");
        if (!row[0].equals("case")) {
          all.put(
              row[0],
              new Golden(
                  Double.parseDouble(row[1]),
                  Double.parseDouble(row[2]),
                  Double.parseDouble(row[3])));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  /// The parameters after the last step, in float64.
  static double[] truth(String name) {
    try {
      byte[] bytes = Files.readAllBytes(FOLDER.resolve(name + ".f64"));
      return MemorySegment.ofArray(bytes)
          .toArray(JAVA_DOUBLE.withByteAlignment(1).withOrder(ByteOrder.LITTLE_ENDIAN));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
