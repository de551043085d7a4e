package dev.panoptim.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/// The committed documents that hold measurements: `docs/measurements.json` and `docs/gpu.tsv`, and
/// the text that the report makes of them, `docs/benchmarks.md` and the figures in `README.md`.
public final class Documents {
  static final String MEASUREMENTS = "measurements.json";

  /// The command that adds the table of a run on a GPU.
  static final String ADD_GPU = "mvn -q -Pbench -Dreport.gpu=gpu.tsv";

  private static final String REWRITE = "mvn -q -Pbench -Dreport.docs=only";

  /// Part of the name of the emulated device.
  private static final String EMULATED = "emulated";

  private final Path measurements;
  private final Path gpu;
  private final Path benchmarks;
  private final Path readme;

  /// @param project its root folder
  public Documents(Path project) {
    measurements = project.resolve("docs").resolve(MEASUREMENTS);
    gpu = project.resolve("docs").resolve("gpu.tsv");
    benchmarks = project.resolve("docs").resolve("benchmarks.md");
    readme = project.resolve("README.md");
  }

  /// The committed measurements.
  ///
  /// @throws IOException if the file cannot be read or holds something else
  public Measurements measurements() throws IOException {
    return MeasurementsFile.read(measurements);
  }

  /// The committed figures of a run on a GPU; [GpuTable#NONE] if there was no run.
  ///
  /// @throws IOException if the file cannot be read or holds something else
  public GpuTable gpu() throws IOException {
    return Files.exists(gpu) ? GpuTableFile.read(gpu) : GpuTable.NONE;
  }

  /// Adds a run to the committed measurements, as [Measurements#with] says, and rewrites the
  /// documents.
  ///
  /// @throws IllegalArgumentException if the README lacks the markers of [Figures]; the files are
  ///   then unchanged, apart from the measurements
  public void add(Run run) throws IOException {
    Measurements before = Files.exists(measurements) ? measurements() : new Measurements(List.of());
    MeasurementsFile.write(before.with(run), measurements);
    rewrite();
  }

  /// Replaces the committed figures of a run on a GPU, and rewrites the documents.
  ///
  /// @param table as [GpuTableFile] reads it
  /// @throws IOException if the table is missing, cannot be read, holds something else, or is of
  ///   the emulated device of the tests; the files are then unchanged
  /// @throws IllegalArgumentException if the README lacks the markers of [Figures]; the files are
  ///   then unchanged, apart from the figures of the run
  public void addGpu(Path table) throws IOException {
    String device = GpuTableFile.read(table).properties().get(GpuTable.DEVICE);
    if (device.contains(EMULATED)) {
      throw new IOException("%s: device: \"%s\" is not a GPU".formatted(table, device));
    }
    Files.copy(table, gpu, StandardCopyOption.REPLACE_EXISTING);
    rewrite();
  }

  /// Rewrites the documents from the committed measurements.
  ///
  /// @throws IllegalArgumentException if the README lacks the markers of [Figures]; the files are
  ///   then unchanged
  public void rewrite() throws IOException {
    Measurements all = measurements();
    GpuTable onGpu = gpu();
    String figures = Figures.replace(Files.readString(readme), all, onGpu);
    Files.writeString(benchmarks, benchmarks(all, onGpu));
    Files.writeString(readme, figures);
  }

  /// The text of `docs/benchmarks.md`. It has no images, so that it depends on the measurements
  /// alone.
  static String benchmarks(Measurements all, GpuTable gpu) {
    String[] heading =
        Markdown.of(Report.document("Benchmarks", all, gpu).withoutPictures()).split("\n", 2);
    return """
    %s

    This page is written by the report from [measurements.json](measurements.json)%s, with `%s`.
    The commands below measure and write it anew if `-Dreport.docs` is added. They also write a
    page with charts, `bench/target/report/index.html`.
    The figures of a GPU are measured separately: `%s` writes their table.
    %s\
    """
        .formatted(
            heading[0],
            gpu.isRun() ? " and [gpu.tsv](gpu.tsv)" : "",
            REWRITE,
            GpuSection.COMMAND,
            heading[1]);
  }
}
