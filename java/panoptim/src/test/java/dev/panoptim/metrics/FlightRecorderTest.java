package dev.panoptim.metrics;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.JavaProcess;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.internal.observe.Publications;
import dev.panoptim.internal.observe.Savings;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The events of the flight recorder, and running without a recorder.
class FlightRecorderTest {
  @TempDir private Path folder;

  /// Records all events of an action.
  private List<RecordedEvent> recorded(Map<String, String> settings, Runnable action)
      throws IOException {
    Path file = folder.resolve("recording.jfr");
    try (Recording recording = new Recording()) {
      recording.setSettings(settings);
      recording.start();
      action.run();
      recording.stop();
      recording.dump(file);
    }
    return of(file);
  }

  /// The library's events of a recording. A recording is not in the order of time.
  private static List<RecordedEvent> of(Path file) throws IOException {
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().startsWith("dev.panoptim."))
        .sorted(Comparator.comparing(RecordedEvent::getStartTime))
        .toList();
  }

  private static final Map<String, String> EVERY_STEP = Map.of("dev.panoptim.Step#throttle", "off");

  private static Optimizer optimizer(Parameters parameters, Backend backend) {
    return AdamW.builder(parameters)
        .backend(backend)
        .threads(2)
        .options(options -> options.clipGradNorm(1).skipNonFinite(true))
        .build();
  }

  @Test
  void eachStepIsAnEvent() throws IOException {
    for (String name : new String[] {"native", "vector", "scalar"}) {
      long size = 200_000;
      List<RecordedEvent> steps =
          recorded(
              EVERY_STEP,
              () -> {
                try (Parameters parameters =
                        Parameters.builder().add("a", size).add("b", 5).build();
                    Optimizer optimizer = optimizer(parameters, Backends.named(name))) {
                  parameters.get("b").gradient().setAtIndex(JAVA_FLOAT, 0, 4);
                  optimizer.step();
                  parameters.get("b").gradient().setAtIndex(JAVA_FLOAT, 0, Float.NaN);
                  optimizer.step();
                  parameters.get("b").removeGradient();
                  optimizer.step();
                }
              });
      assertEquals(3, steps.size(), name);
      assertStep(steps.get(0), name, size + 5, 4, 0.25, false);
      assertStep(steps.get(1), name, size + 5, Double.NaN, Double.NaN, true);
      assertStep(steps.get(2), name, size, 0, 1, false);
      assertTrue(steps.get(0).getDuration().toNanos() > 0);
      // A step of two threads has at most one helper. Other tests of this process may use all
      // helpers.
      int helpers = steps.get(0).getInt("helpers");
      assertTrue(helpers >= 0 && helpers <= 1, helpers + " helpers");
    }
  }

  private static void assertStep(
      RecordedEvent step,
      String backend,
      long elements,
      double norm,
      double clipFactor,
      boolean skipped) {
    assertEquals("dev.panoptim.Step", step.getEventType().getName());
    assertEquals(backend, step.getString("backend"));
    assertEquals(elements, step.getLong("elements"));
    assertEquals(2, step.getInt("threads"));
    assertEquals(norm, step.getDouble("norm"));
    assertEquals(clipFactor, step.getDouble("clipFactor"));
    assertEquals(skipped, step.getBoolean("skipped"));
  }

  @Test
  void helpersAreCounted() throws IOException {
    // Other code in this process may use all helpers. The step is repeated until one was free.
    for (int i = 0; i < 100; i++) {
      List<RecordedEvent> steps =
          recorded(
              EVERY_STEP,
              () -> {
                try (Parameters parameters = Parameters.builder().add("a", 200_000).build();
                    Optimizer optimizer = optimizer(parameters, Backends.named("native"))) {
                  optimizer.step();
                  optimizer.step();
                }
              });
      if (steps.getLast().getInt("helpers") == 1) {
        return;
      }
    }
    throw new AssertionError("in 100 tries no helper was free");
  }

  @Test
  void aGpuNormIsReadAsynchronously() throws IOException {
    GpuTests.need(1);
    List<RecordedEvent> steps =
        recorded(
            EVERY_STEP,
            () -> {
              try (Parameters parameters =
                      Parameters.builder().device(Device.cuda(0)).add("a", 100).build();
                  Optimizer optimizer = optimizer(parameters, Backends.cuda(0))) {
                optimizer.step();
              }
            });
    assertEquals(1, steps.size());
    assertStep(steps.getFirst(), "cuda", 100, Double.NaN, Double.NaN, false);
  }

  @Test
  void disabledEventsAreNotRecorded() throws IOException {
    List<RecordedEvent> events =
        recorded(
            Map.of("dev.panoptim.Step#enabled", "false", "dev.panoptim.Published#enabled", "false"),
            () -> {
              try (Parameters parameters = Parameters.builder().add("a", 100).build();
                  Optimizer optimizer = optimizer(parameters, Backends.scalar())) {
                optimizer.step();
                Publications.published(1, 100);
              }
            });
    assertTrue(events.isEmpty(), events.toString());
  }

  @Test
  void manySmallStepsDoNotFloodARecording() throws IOException {
    List<RecordedEvent> steps =
        recorded(
            Map.of(),
            () -> {
              try (Parameters parameters = Parameters.builder().add("a", 16).build();
                  Optimizer optimizer = AdamW.builder(parameters).build()) {
                long end = System.nanoTime() + 300_000_000;
                long made = 0;
                while (System.nanoTime() < end || made < 20_000) {
                  optimizer.step();
                  made++;
                }
              }
            });
    assertFalse(steps.isEmpty());
    assertTrue(steps.size() < 10_000, steps.size() + " events");
  }

  @Test
  void publicationsAndCheckpointsAreEvents() throws IOException {
    List<RecordedEvent> events =
        recorded(
            Map.of("dev.panoptim.Published#throttle", "off"),
            () -> {
              Publications.published(7, 100);
              Publications.publicationSkipped(8);
              Savings.saved(Savings.begin(), "/folder", "/folder/file", 9, 12);
            });
    assertEquals(3, events.size());
    assertEquals(7, events.get(0).getLong("step"));
    assertEquals(100, events.get(0).getLong("elements"));
    assertFalse(events.get(0).getBoolean("skipped"));
    assertEquals(8, events.get(1).getLong("step"));
    assertTrue(events.get(1).getBoolean("skipped"));
    assertEquals("dev.panoptim.CheckpointSaved", events.get(2).getEventType().getName());
    assertEquals("/folder/file", events.get(2).getString("file"));
    assertEquals(9, events.get(2).getLong("step"));
    assertEquals(12, events.get(2).getLong("bytes"));
  }

  /// A separate process, because the backend is chosen once per process.
  private List<RecordedEvent> ofProgram(String... options)
      throws IOException, InterruptedException {
    Path file = folder.resolve("program.jfr");
    List<String> all = new ArrayList<>(List.of(options));
    all.add("-XX:StartFlightRecording:filename=" + file);
    JavaProcess.run(Program.class, all);
    return of(file);
  }

  @Test
  void theChoiceOfABackendIsAnEvent() throws Exception {
    List<RecordedEvent> events = ofProgram("--enable-native-access=ALL-UNNAMED");
    RecordedEvent chosen = events.getFirst();
    assertEquals("dev.panoptim.BackendChosen", chosen.getEventType().getName());
    assertEquals("native", chosen.getString("backend"));
    assertEquals(Backends.tiers().getLast().label(), chosen.getString("tier"));
    assertFalse(chosen.getBoolean("degraded"));
    assertTrue(chosen.getString("details").contains("loaded from"), chosen.toString());
    assertEquals("dev.panoptim.Step", events.get(1).getEventType().getName());
    assertEquals(2, events.size());
  }

  @Test
  void aFallbackIsAnEvent() throws Exception {
    List<RecordedEvent> events =
        ofProgram("--enable-native-access=java.base", "--illegal-native-access=deny");
    assertTrue(events.get(0).getBoolean("degraded"));
    assertEquals("scalar", events.get(0).getString("backend"));
    assertEquals("", events.get(0).getString("tier"));
    RecordedEvent fallback = events.get(1);
    assertEquals("dev.panoptim.Fallback", fallback.getEventType().getName());
    assertEquals("native", fallback.getString("wanted"));
    assertEquals("scalar", fallback.getString("taken"));
    assertTrue(
        fallback.getString("reason").contains("native access is not enabled"), fallback.toString());
  }

  /// Without a recording, the recorder is not even loaded.
  @Test
  void eventsAreLoadedForARecordingAlone() throws Exception {
    String event = "dev.panoptim.internal.jfr.StepEvent";
    List<String> options = List.of("-Xlog:class+load", "--enable-native-access=ALL-UNNAMED");
    String without = JavaProcess.run(Program.class, options);
    assertTrue(without.contains("dev.panoptim.internal.observe.Events"), without);
    assertFalse(without.contains(event), without);
    List<String> recording = new ArrayList<>(options);
    recording.add("-XX:StartFlightRecording:filename=" + folder.resolve("program.jfr"));
    assertTrue(JavaProcess.run(Program.class, recording).contains(event));
  }

  /// A Java run-time image without the recorder and without logging.
  @Test
  void javasBaseIsEnough() throws Exception {
    String output =
        JavaProcess.run(
            Program.class,
            List.of("--limit-modules=java.base", "--enable-native-access=ALL-UNNAMED"));
    assertTrue(output.contains("MODULES [java.base]"), output);
    assertTrue(output.contains("STEPS 1"), output);
    assertTrue(output.contains("backend native (tier"), output);
  }

  /// Like the test above, with Panoptim as a named module.
  @Test
  void javasBaseIsEnoughForModules() throws Exception {
    ProcessBuilder program =
        JavaProcess.of(
            Program.class,
            List.of(
                "--limit-modules=java.base,dev.panoptim",
                "--module-path=target/classes",
                "--patch-module=dev.panoptim=target/test-classes",
                "--enable-native-access=dev.panoptim"));
    List<String> command = program.command();
    command.subList(command.indexOf("-cp"), command.size()).clear();
    command.addAll(List.of("--module", "dev.panoptim/" + Program.class.getName()));
    String output = JavaProcess.run(program);
    assertTrue(output.contains("MODULES [dev.panoptim, java.base]"), output);
    assertTrue(output.contains("STEPS 1"), output);
  }

  /// Makes a step, and records a save and a publication.
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) {
      try (Parameters parameters = Parameters.builder().add("p", 3).build();
          Optimizer optimizer = AdamW.builder(parameters).build()) {
        optimizer.step();
      }
      if (ModuleLayer.boot().findModule("jdk.jfr").isEmpty()) {
        Publications.published(1, 3);
        Publications.publicationSkipped(2);
        Savings.saved(Savings.begin(), "/folder", "/folder/file", 1, 2);
      }
      List<String> modules =
          ModuleLayer.boot().modules().stream().map(Module::getName).sorted().toList();
      System.out.println("MODULES " + modules);
      System.out.println("STEPS " + Metrics.snapshot().steps());
    }
  }
}
