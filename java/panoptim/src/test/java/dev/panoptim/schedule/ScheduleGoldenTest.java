package dev.panoptim.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Sgd;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.ReduceOnPlateau.Mode;
import dev.panoptim.schedule.ReduceOnPlateau.ThresholdMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Ten thousand steps of every schedule are equal to PyTorch's values bit by bit. The goldens were
/// made with a PyTorch whose cosine and power are correctly rounded; `make.py` beside the goldens
/// documents how.
///
/// The unmodified PyTorch uses the C library instead. This test prints from `libm.csv` at how many
/// steps that made a difference on the machine that made the goldens. In closed forms, less than
/// one step in a thousand differs. Recurrences carry a difference on, so that most steps may
/// differ.
class ScheduleGoldenTest {
  private static final Path FOLDER = Path.of("src/test/goldens/schedules");
  private static final int BLOCK = 100;

  private static final Map<String, ReduceOnPlateau> PLATEAUS =
      Map.of(
          "plateau",
          ReduceOnPlateau.builder().build(),
          "plateau-min-abs",
          ReduceOnPlateau.builder()
              .factor(0.9)
              .patience(3)
              .threshold(0.003)
              .thresholdMode(ThresholdMode.ABSOLUTE)
              .cooldown(4)
              .eps(0)
              .build(),
          "plateau-max-rel",
          ReduceOnPlateau.builder()
              .mode(Mode.MAX)
              .factor(0.95)
              .patience(5)
              .threshold(0.01)
              .cooldown(7)
              .minimum(1e-5)
              .eps(1e-12)
              .build(),
          "plateau-max-abs",
          ReduceOnPlateau.builder()
              .mode(Mode.MAX)
              .factor(0.5)
              .patience(0)
              .threshold(0.2)
              .thresholdMode(ThresholdMode.ABSOLUTE)
              .cooldown(100)
              .eps(1e-7)
              .build());

  /// @param closed whether PyTorch was stepped by `step(epoch)`
  /// @param blocks for each block of 100 values, their checksum and the bits of the first one
  record Golden(String name, boolean closed, int count, double initial, List<String> blocks) {
    @Override
    public String toString() {
      return name + (closed ? ", closed form" : ", step by step");
    }
  }

  static List<Golden> goldens() throws IOException {
    return Files.readAllLines(FOLDER.resolve("values.csv")).stream()
        .map(line -> List.of(line.split(",")))
        .map(
            row ->
                new Golden(
                    row.get(0),
                    row.get(1).equals("closed"),
                    Integer.parseInt(row.get(2)),
                    Double.parseDouble(row.get(3)),
                    row.subList(4, row.size())))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("goldens")
  void valuesArePyTorchs(Golden golden) {
    double[] values =
        PLATEAUS.containsKey(golden.name)
            ? plateau(golden, PLATEAUS.get(golden.name))
            : schedule(golden, ScheduleCases.all().get(golden.name));
    assertEquals(ScheduleCases.STEPS, golden.count);
    assertEquals((golden.count + BLOCK - 1) / BLOCK, golden.blocks.size());
    for (int block = 0; block < golden.blocks.size(); block++) {
      int from = block * BLOCK;
      assertEquals(
          golden.blocks.get(block),
          summary(values, from, Math.min(from + BLOCK, values.length)),
          "from step " + from + " on, first value found " + values[from]);
    }
  }

  private static double[] schedule(Golden golden, Schedule schedule) {
    double[] values = new double[golden.count];
    double previous = golden.initial;
    for (int step = 0; step < values.length; step++) {
      previous =
          golden.closed
              ? schedule.at(step, golden.initial)
              : schedule.next(step, previous, golden.initial);
      values[step] = previous;
    }
    return values;
  }

  private static double[] plateau(Golden golden, ReduceOnPlateau plateau) {
    double sign = golden.name.contains("max") ? 1 : -1;
    double[] values = new double[golden.count];
    try (Parameters parameters = Parameters.builder().add("p", 1).build();
        Optimizer optimizer = Sgd.builder(parameters).learningRate(golden.initial).build()) {
      Scheduler scheduler =
          Scheduler.builder(optimizer).drive(Hyperparameter.LEARNING_RATE, plateau).build();
      for (int step = 0; step < values.length; step++) {
        if (step > 0) {
          scheduler.step(sign * (step / 5000.0 + 0.2 * number(step)) + 3);
        }
        values[step] = optimizer.paramGroups().getFirst().learningRate();
      }
    }
    return values;
  }

  /// A pseudo-random number from 0 to 1 (SplitMix64 with the seed 7).
  private static double number(long i) {
    long z = 7 + i * 0x9E3779B97F4A7C15L;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return ((z ^ z >>> 31) >>> 11) * 0x1p-53;
  }

  private static String summary(double[] values, int from, int to) {
    ByteBuffer bytes =
        ByteBuffer.allocate((to - from) * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values, from, to - from);
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    return "%08x:%016x".formatted(checksum.getValue(), Double.doubleToRawLongBits(values[from]));
  }

  @Test
  void everyCaseHasItsGoldens() throws IOException {
    Set<String> found = new HashSet<>();
    goldens().forEach(each -> found.add(each.name));
    Set<String> expected = new HashSet<>(ScheduleCases.all().keySet());
    expected.addAll(PLATEAUS.keySet());
    assertEquals(expected, found);
  }

  @Test
  void printsWhatTheCLibraryChanges() throws IOException {
    List<String> lines = Files.readAllLines(FOLDER.resolve("libm.csv"));
    assertEquals(goldens().size() + 1, lines.size());
    StringBuilder text =
        new StringBuilder(
            "PyTorch's values with the C library's cosine and power, beside correctly rounded"
                + " ones:\n"
                + "  %-26s %-7s %14s %9s\n".formatted("case", "by", "steps differ", "ulps"));
    int same = 0;
    for (String line : lines.subList(1, lines.size())) {
      String[] row = line.split(",");
      if (row[2].equals("0")) {
        same++;
      } else {
        text.append("  %-26s %-7s %14s %9s\n".formatted(row[0], row[1], row[2], row[3]));
      }
    }
    System.out.println(text.append("  the other ").append(same).append(": the same bits"));
  }
}
