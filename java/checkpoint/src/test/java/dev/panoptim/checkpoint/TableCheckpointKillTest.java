package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.checkpoint.TableTrainee.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Trainings of tables whose process is killed many times without warning end with the same bits as
/// uninterrupted ones, and a process whose disk is full loses nothing that was saved.
@Execution(ExecutionMode.CONCURRENT)
class TableCheckpointKillTest {
  private static final int KILLS = Boolean.getBoolean("panoptim.exhaustive") ? 50 : 6;
  private static final String READY = "training";

  @TempDir Path folder;

  private final Map<Kind, Long> reached = new EnumMap<>(Kind.class);

  /// Half-written files that killed processes have left. A file stays until the next save removes
  /// it.
  private final Set<String> left = new HashSet<>();

  @Test
  void killedAgainAndAgainTheyEndWithTheSameBits() throws Exception {
    long seed = System.nanoTime();
    System.out.println("TableCheckpointKillTest: seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    double mostMicros = 1_000_000;
    int whileSaving = 0;
    int resumed = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Process process = TableTraineeProgram.process(folder, Long.MAX_VALUE).start();
      try (InputStream output = process.getInputStream()) {
        String said = new String(output.readNBytes(READY.length()));
        assertEquals(READY, said, () -> said + rest(output));
        TimeUnit.MICROSECONDS.sleep(random.nextLong((long) mostMicros));
        process.destroyForcibly();
        process.waitFor();
        assertEquals(137, process.exitValue(), () -> "it ended by itself: " + rest(output));
      }
      whileSaving += left.addAll(temporaries()) ? 1 : 0;
      boolean progress = load();
      resumed += progress ? 1 : 0;
      mostMicros *= progress ? 1 / 1.2 : 1.5;
    }
    System.out.printf(
        "TableCheckpointKillTest: %d kills, %d of them while saving, progress between %d; %s%n",
        KILLS, whileSaving, resumed, reached);
    long last = reached.values().stream().mapToLong(each -> each).max().orElse(0) + 3;
    Process process = TableTraineeProgram.process(folder, last).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), output);
    load();
    for (Kind kind : Kind.values()) {
      assertEquals(last, reached.get(kind));
    }
  }

  private static String rest(InputStream output) {
    try {
      return new String(output.readAllBytes());
    } catch (IOException e) {
      return e.toString();
    }
  }

  private List<String> temporaries() throws Exception {
    List<String> all = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path each : files.filter(path -> path.toString().endsWith(".tmp")).toList()) {
        all.add(each + " of " + Files.getLastModifiedTime(each));
      }
    }
    return all;
  }

  /// Loads each table and compares it with one that was never interrupted.
  ///
  /// @return whether one has made steps
  private boolean load() throws Exception {
    boolean progress = false;
    for (Kind kind : Kind.values()) {
      try (TableTrainee loaded = TableTraineeProgram.trainee(kind);
          TableTrainee expected = TableTraineeProgram.trainee(kind);
          TableCheckpoint checkpoint =
              loaded.open(folder.resolve(kind.name()), TableTraineeProgram.MOST_CHANGES)) {
        boolean found = checkpoint.load();
        long before = reached.getOrDefault(kind, 0L);
        assertTrue(found || before == 0, kind + " has been lost");
        assertTrue(loaded.steps() >= before, kind + ": " + before + ", now " + loaded.steps());
        expected.trainTo(loaded.steps());
        TableTrainee.assertSame(expected.bits(), loaded.bits());
        progress |= loaded.steps() > before;
        reached.put(kind, loaded.steps());
      }
    }
    return progress;
  }

  /// The limit of a file's size stands for a full disk: both end a write in the middle.
  @Test
  void afterAFileSizeLimitWhatWasSavedLoads() throws Exception {
    Process first = TableTraineeProgram.process(folder, 2).start();
    String output = new String(first.getInputStream().readAllBytes());
    assertEquals(0, first.waitFor(), output);
    // In blocks of 512 bytes: enough for changes, too little for all rows.
    ProcessBuilder limited = TableTraineeProgram.process(folder, 40);
    limited.command().addAll(0, List.of("sh", "-c", "ulimit -f 2000; \"$@\"", "sh"));
    Process second = limited.start();
    output = new String(second.getInputStream().readAllBytes());
    assertEquals(1, second.waitFor(), output);
    assertTrue(output.contains("File too large"), output);
    assertTrue(output.contains("cannot be saved"), output);
    assertEquals(List.of(), temporaries());
    load();
    assertEquals(2 + 2 * TableTraineeProgram.MOST_CHANGES, reached.get(Kind.ROWS));
  }
}
