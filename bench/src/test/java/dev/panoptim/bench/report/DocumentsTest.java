package dev.panoptim.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The committed documents equal the report's output for the committed measurements, so no figure
/// in them is copied by hand.
class DocumentsTest {
  private static final Path PROJECT = Path.of("..");

  private static final String COMMAND = "mvn -q -Pbench -Dreport.docs=only";

  @TempDir private Path folder;

  @Test
  void benchmarksAreThoseOfTheMeasurements() throws IOException {
    Documents committed = new Documents(PROJECT);
    assertEquals(
        Documents.benchmarks(committed.measurements(), committed.gpu()),
        Files.readString(PROJECT.resolve("docs/benchmarks.md")),
        "docs/benchmarks.md is not what the report writes; rewrite it with " + COMMAND);
  }

  @Test
  void figuresOfTheReadmeAreThoseOfTheMeasurements() throws IOException {
    Measurements measurements = new Documents(PROJECT).measurements();
    String readme = Files.readString(PROJECT.resolve("README.md"));
    assertEquals(
        Figures.replace(readme, measurements, new Documents(PROJECT).gpu()),
        readme,
        "the figures in README.md are not those of docs/measurements.json and docs/gpu.tsv; rewrite"
            + " them with "
            + COMMAND);
    assertEquals(3, Figures.table(measurements, GpuTable.NONE).rows().size(), "figures of the CPU");
  }

  /// The committed measurements depend on no path of the machine that made them.
  @Test
  void measurementsNameNoPath() throws IOException {
    for (Run run : new Documents(PROJECT).measurements().runs()) {
      String machine = run.machine().toString();
      assertFalse(machine.contains("-Dpanoptim."), machine);
      assertTrue(run.date().matches("20\\d\\d-\\d\\d-\\d\\d"), run.date());
      assertTrue(run.command().startsWith("mvn -q -Pbench"), run.command());
    }
  }

  private static Measurement step(String backend, double nanos) {
    return new Measurement(
        "SmallStepBenchmark",
        "steps",
        Map.of("backend", backend, "elements", "16", "step", "10000"),
        Map.of("score", List.of(nanos, nanos + 0.5), "heapBytes", List.of(0.0, 0.0)));
  }

  private static Run run(String suite, Measurement... measurements) {
    return new Run(
        suite,
        "mvn -q -P" + suite,
        "2026-01-02",
        Map.of("CPU", "a \"quoted\" <name> | é"),
        List.of("PyTorch 2.13.0+cpu"),
        List.of(measurements));
  }

  @Test
  void measurementsAreReadAsTheyWereWritten() throws IOException {
    Measurements all =
        new Measurements(List.of(run("own", step("native", 81), step("scalar", 1e7)), run("x")));
    Path file = folder.resolve("measurements.json");
    MeasurementsFile.write(all, file);
    assertEquals(all, MeasurementsFile.read(file));
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    for (String text :
        new String[] {"", "{}", "[]", "{\"runs\": [{}]}", "{\"runs\": [", "{\"runs\": 1}"}) {
      Path file = Files.writeString(folder.resolve("measurements.json"), text);
      IOException e = assertThrows(IOException.class, () -> MeasurementsFile.read(file), text);
      assertTrue(e.getMessage().contains("measurements.json"), e.getMessage());
    }
  }

  @Test
  void laterMeasurementsReplaceEarlierOnes() {
    Measurements all =
        new Measurements(List.of())
            .with(run("own", step("native", 100), step("scalar", 300)))
            .with(run("peers", step("vector", 200)))
            .with(run("some", step("native", 80)));
    assertEquals(List.of("own", "peers", "some"), all.runs().stream().map(Run::suite).toList());
    assertEquals(List.of(step("scalar", 300)), all.runs().getFirst().measurements());
    // A suite that is run again replaces the whole of its earlier run.
    all = all.with(run("own", step("vector", 150)));
    assertEquals(List.of("some", "own"), all.runs().stream().map(Run::suite).toList());
  }

  /// The command of a figure is the one of the run that has measured it last.
  @Test
  void figuresNameTheirCommand() {
    Measurement before =
        new Measurement(
            "SmallStepBenchmark",
            "steps",
            Map.of("backend", "vector", "elements", "16", "step", "10000"),
            Map.of("score", List.of(1.0)));
    Measurements all =
        new Measurements(List.of())
            .with(run("bench", step("native", 100), before))
            .with(run("bench-peers", step("native", 80)));
    List<String> figure = Figures.table(all, GpuTable.NONE).rows().getFirst();
    assertEquals("80.3 ns", figure.get(1));
    assertEquals("`mvn -q -Pbench-peers`", figure.get(3));
  }

  @Test
  void figuresReplaceWhatIsBetweenTheMarkers() {
    Measurements measurements = new Measurements(List.of(run("bench", step("native", 81))));
    String readme = "a\n<!-- figures -->\nold\n<!-- /figures -->\nb\n";
    String replaced = Figures.replace(readme, measurements, GpuTable.NONE);
    assertEquals(
        """
        a
        <!-- figures -->
        | figure | median | quartiles | command |
        | --- | --- | --- | --- |
        | native AdamW, 16 parameters, at step 10,000: time per step | 81.3 ns | 81.1 to 81.4 | `mvn -q -Pbench` |
        <!-- /figures -->
        b
        """,
        replaced);
    assertEquals(replaced, Figures.replace(replaced, measurements, GpuTable.NONE));
    for (String wrong : new String[] {"", "<!-- figures -->", readme + readme}) {
      assertThrows(
          IllegalArgumentException.class,
          () -> Figures.replace(wrong, measurements, GpuTable.NONE),
          wrong);
    }
  }

  /// A project with the documents alone.
  private Path project() throws IOException {
    Files.createDirectories(folder.resolve("docs"));
    MeasurementsFile.write(
        new Measurements(List.of(run("bench", step("native", 81)))),
        folder.resolve("docs/measurements.json"));
    Files.writeString(folder.resolve("README.md"), Figures.BEGIN + "\n" + Figures.END + "\n");
    new Documents(folder).rewrite();
    return folder;
  }

  @Test
  void aRunOnAGpuIsBroughtIn() throws IOException {
    Path project = project();
    Path benchmarks = project.resolve("docs/benchmarks.md");
    Documents documents = new Documents(project);
    assertEquals(GpuTable.NONE, documents.gpu());
    assertTrue(Files.readString(benchmarks).contains("| run | not run |"));
    assertFalse(Files.readString(benchmarks).contains("(gpu.tsv)"), "a link to no file");

    documents.addGpu(GpuTables.file());
    assertEquals(GpuTableFile.read(GpuTables.file()), documents.gpu());
    assertEquals(-1, Files.mismatch(GpuTables.file(), project.resolve("docs/gpu.tsv")));
    assertTrue(
        Files.readString(benchmarks)
            .contains("| device | Test GPU 80GB, compute capability 9.0 |"));
    assertTrue(Files.readString(benchmarks).contains("[gpu.tsv](gpu.tsv)"));
    assertTrue(Files.readString(project.resolve("README.md")).contains("Test GPU 80GB"));

    // The committed table can be named too.
    documents.addGpu(project.resolve("docs/gpu.tsv"));
    assertEquals(-1, Files.mismatch(GpuTables.file(), project.resolve("docs/gpu.tsv")));
  }

  @Test
  void anUnusableRunOnAGpuChangesNothing() throws IOException {
    Path project = project();
    Documents documents = new Documents(project);
    documents.addGpu(GpuTables.file());
    String before = Files.readString(project.resolve("docs/benchmarks.md"));
    String good = Files.readString(GpuTables.file());
    Path table = project.resolve("other.tsv");
    for (String text :
        List.of(good + "adamw\n", good.replace("Test GPU 80GB", "an emulated device"))) {
      Files.writeString(table, text);
      IOException e = assertThrows(IOException.class, () -> documents.addGpu(table));
      assertTrue(e.getMessage().contains("other.tsv"), e.getMessage());
    }
    Files.delete(table);
    assertThrows(IOException.class, () -> documents.addGpu(table));
    assertEquals(-1, Files.mismatch(GpuTables.file(), project.resolve("docs/gpu.tsv")));
    assertEquals(before, Files.readString(project.resolve("docs/benchmarks.md")));
  }
}
