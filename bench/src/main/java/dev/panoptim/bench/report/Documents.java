package dev.panoptim.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The committed documents that hold measurements: `docs/measurements.json`, and what the report
/// makes of it, `docs/benchmarks.md` and the figures in `README.md`.
public final class Documents {
  static final String MEASUREMENTS = "measurements.json";

  private static final String REWRITE = "mvn -q -Pbench -Dreport.docs=only";

  private final Path measurements;
  private final Path benchmarks;
  private final Path readme;

  /// @param project its root folder
  public Documents(Path project) {
    measurements = project.resolve("docs").resolve(MEASUREMENTS);
    benchmarks = project.resolve("docs").resolve("benchmarks.md");
    readme = project.resolve("README.md");
  }

  /// The committed measurements.
  ///
  /// @throws IOException if the file cannot be read or holds something else
  public Measurements measurements() throws IOException {
    return MeasurementsFile.read(measurements);
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

  /// Rewrites the documents from the committed measurements.
  ///
  /// @throws IllegalArgumentException if the README lacks the markers of [Figures]; the files are
  ///   then unchanged
  public void rewrite() throws IOException {
    Measurements all = measurements();
    String figures = Figures.replace(Files.readString(readme), all);
    Files.writeString(benchmarks, benchmarks(all));
    Files.writeString(readme, figures);
  }

  /// The text of `docs/benchmarks.md`. It has no images, so that it depends on the measurements
  /// alone.
  static String benchmarks(Measurements all) {
    String[] heading =
        Markdown.of(Report.document("Benchmarks", all).withoutPictures()).split("\n", 2);
    return """
    %s

    This page is written by the report from [measurements.json](measurements.json), with `%s`.
    The commands below measure and write it anew if `-Dreport.docs` is added. They also write a
    page with charts, `bench/target/report/index.html`.
    %s\
    """
        .formatted(heading[0], REWRITE, heading[1]);
  }
}
