package dev.panoptim.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Writes measurements as tables and charts, in an HTML page and a Markdown file. Benchmarks that
/// have not been run are left out, apart from those on a GPU.
public final class Report {
  static final String MARKDOWN = "report.md";
  static final String PAGE = "index.html";

  private static final List<Section> SECTIONS =
      List.of(
          new BackendsSection(),
          new SmallStepsSection(),
          new OptimizersSection(),
          new ScalingSection(),
          new CallersSection(),
          new ThreadingSection(),
          new EpilogueSection(),
          new PublicationSection(),
          new ManyTensorsSection(),
          new RowsSection(),
          new PeersSection(),
          new CallsSection(),
          new CheckpointsSection(),
          new ConstantsSection());

  private Report() {}

  /// Writes `index.html`, `report.md`, their images, and the measurements as JSON.
  ///
  /// @param gpu the run on a GPU, or [GpuTable#NONE]
  /// @param folder is created if missing
  /// @return the Markdown
  public static String write(Measurements measurements, GpuTable gpu, Path folder)
      throws IOException {
    Files.createDirectories(folder);
    MeasurementsFile.write(measurements, folder.resolve(Documents.MEASUREMENTS));
    Document document = document("Panoptim's benchmarks", measurements, gpu);
    for (Image each : document.images()) {
      each.save(folder);
    }
    String markdown = Markdown.of(document);
    Files.writeString(folder.resolve(MARKDOWN), markdown);
    Files.writeString(folder.resolve(PAGE), Html.of(document));
    return markdown;
  }

  static Document document(String title, Measurements measurements, GpuTable gpu) {
    List<Document.Chapter> chapters = new ArrayList<>();
    chapters.add(SummarySection.chapter(measurements, gpu));
    chapters.add(MachineSection.chapter(measurements));
    Results results = new Results(measurements);
    SECTIONS.forEach(each -> chapters.add(each.chapter(results)));
    chapters.add(GpuSection.chapter(gpu));
    chapters.removeIf(Document.Chapter::isEmpty);
    return new Document(title, chapters);
  }
}
