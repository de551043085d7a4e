package dev.panoptim.bench.report;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// The figures of one run on a GPU. They are measured by several programs, some of them without
/// Java, see [GpuTableFile].
///
/// @param properties of the run by name: [#DEVICE], [#DATE] and others; empty if there was no run
/// @param rows in the order of the file
public record GpuTable(Map<String, String> properties, List<Row> rows) {
  static final String DEVICE = "device";
  static final String DRIVER = "driver";
  static final String DATE = "date";

  /// Name of PyTorch's version.
  static final String TORCH = "torch";

  /// Name of the rows that time a step or an operation of Panoptim.
  static final String PANOPTIM = "panoptim";

  /// Name of the rows that time a step of Panoptim that Java calls. The others are called by C++.
  static final String PANOPTIM_JAVA = "panoptim java";

  /// Name of the rows that time a copy within the memory of the device.
  static final String COPY = "copy";

  static final String TORCH_FUSED = "torch fused";

  /// Names of the rows that time PyTorch's step.
  static final List<String> TORCH_LIBRARIES =
      List.of(TORCH_FUSED, "torch foreach", "torch fused graph");

  /// Name of the case of a plain AdamW step.
  static final String ADAMW = "adamw";

  /// Elements of the largest tensor.
  static final long LARGEST = 1_000_000_000;

  /// Number of many tensors, and of the elements of each.
  static final long MANY = 10_000;

  /// Without a run.
  static final GpuTable NONE = new GpuTable(Map.of(), List.of());

  /// The inputs of a step or an operation.
  ///
  /// @param name of the case, such as [#ADAMW]
  /// @param tensors the number of tensors
  /// @param elements of each tensor
  record Case(String name, long tensors, long elements) {
    /// The case of the same size with another name.
    Case named(String other) {
      return new Case(other, tensors, elements);
    }

    /// Such as `10,000 x 10,000`.
    String size() {
      return Numbers.count(tensors) + " x " + Numbers.count(elements);
    }
  }

  /// The time of a case.
  ///
  /// @param library [#PANOPTIM], [#PANOPTIM_JAVA], [#COPY], or one of [#TORCH_LIBRARIES]
  /// @param seconds of one step or operation; unknown if not measured
  /// @param bytes that it must read and write; NaN if none or not given
  /// @param share its bandwidth / bandwidth of a copy within the memory of the device, measured in
  ///   turn; NaN if not given
  record Row(Case what, String library, Summary seconds, double bytes, double share) {
    boolean isMeasured() {
      return seconds.isKnown();
    }

    Summary nanos() {
      return seconds.times(1e9);
    }

    /// In GB/s; unknown if the bytes are.
    Summary bandwidth() {
      return Double.isNaN(bytes) ? Summary.UNKNOWN : seconds.inverse().times(bytes / 1e9);
    }

    /// The share with quartiles, which are those of the time; unknown if not given.
    Summary shareOfCopy() {
      return Double.isNaN(share)
          ? Summary.UNKNOWN
          : seconds.inverse().times(share * seconds.median());
    }

    /// This time / median of another time; unknown if either was not measured.
    Summary to(Row other) {
      return seconds.times(1 / other.seconds.median());
    }

    boolean isOf(String other) {
      return library.equals(other);
    }
  }

  /// The name of the device, without further properties after a comma.
  String deviceName() {
    return properties.get(DEVICE).split(",")[0];
  }

  boolean isRun() {
    return !properties.isEmpty();
  }

  List<Row> rows(Predicate<Row> which) {
    return rows.stream().filter(which).toList();
  }

  /// The row of a case, without a time if it was not measured.
  Row row(Case what, String library) {
    return rows.stream()
        .filter(each -> each.what().equals(what) && each.isOf(library))
        .findFirst()
        .orElse(new Row(what, library, Summary.UNKNOWN, Double.NaN, Double.NaN));
  }

  /// Panoptim's time / median of another time; unknown if either was not measured.
  ///
  /// @param other the case of the other time
  /// @param library of the other time
  Summary ratio(Case what, Case other, String library) {
    return row(what, PANOPTIM).to(row(other, library));
  }
}
