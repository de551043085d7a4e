package dev.panoptim.bench.report;

import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import org.openjdk.jmh.results.RunResult;

/// Prints measured steps as rows of the table of a run on a GPU, see [GpuTableFile].
public final class GpuRows {
  /// Name of a property: the bytes of the Java heap that a step allocates, for each case.
  static final String HEAP_BYTES = "heap bytes per step in Java";

  private static final String HEAP_COUNTER = "heapBytes";

  /// More digits than the report shows.
  private static final MathContext DIGITS = new MathContext(6);

  private final PrintStream to;

  /// Prints the name of the device and the names of the columns.
  ///
  /// @param device the description of the GPU, with its memory and library
  public GpuRows(String device, PrintStream to) {
    this.to = to;
    print("# %s: %s", GpuTable.DEVICE, device.replaceFirst(", [\\d.]+ GiB; .*", ""));
    print("%s", String.join("\t", GpuTableFile.COLUMNS));
  }

  /// Adds a row.
  ///
  /// @param name of the case
  /// @param tensors the number of tensors
  /// @param elements of each tensor
  /// @param bytesPerElement that a step reads and writes
  /// @param run the nanoseconds of a step, the nanoseconds of a copy of as many elements if there
  ///   is such a copy, and the heap bytes of a step
  public void add(String name, long tensors, long elements, int bytesPerElement, RunResult run) {
    Measurement measured = Measurement.of(run);
    Summary seconds = measured.step().times(1e-9);
    double total = (double) tensors * elements;
    // A copy reads and writes.
    double bytesPerCopied = (double) bytesPerElement / (2 * Float.BYTES);
    boolean hasCopy = measured.other().median() > 0;
    String share = hasCopy ? decimal(measured.otherToStep().times(bytesPerCopied).median()) : "";
    print(
        "%s",
        String.join(
            "\t",
            name,
            GpuTable.PANOPTIM_JAVA,
            Long.toString(tensors),
            Long.toString(elements),
            decimal(seconds.median()),
            decimal(seconds.low()),
            decimal(seconds.high()),
            new BigDecimal(total * bytesPerElement).toBigInteger().toString(),
            share));
    print(
        "# %s: %s %s x %s = %.0f",
        HEAP_BYTES, name, tensors, elements, measured.summary(HEAP_COUNTER).median());
  }

  private static String decimal(double value) {
    return new BigDecimal(value).round(DIGITS).toString();
  }

  /// The first rows are kept if the run is stopped.
  private void print(String format, Object... values) {
    to.println(String.format(Locale.ROOT, format, values));
    to.flush();
  }
}
