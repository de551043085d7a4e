package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// A training whose process is killed many times without warning ends with the same bits as an
/// uninterrupted training.
@Execution(ExecutionMode.CONCURRENT)
class KillTest {
  private static final int KILLS = Boolean.getBoolean("panoptim.exhaustive") ? 200 : 20;

  /// The most kills of one training. The first kills may all come too early or too late. Further
  /// kills follow until one has come during a save and one after progress.
  private static final int MOST_KILLS = 100;

  /// Trainings that run at the same time, because starting a process takes longer than killing it.
  private static final int TRAININGS = 2;

  @TempDir Path folder;

  @Test
  void killedAgainAndAgainTheyEndWithTheSameBits() throws Exception {
    long seed = System.nanoTime();
    System.out.println("KillTest: seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    List<Victim> victims = new ArrayList<>();
    for (int i = 0; i < TRAININGS; i++) {
      victims.add(new Victim(Files.createDirectory(folder.resolve("" + i)), random.split()));
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(TRAININGS)) {
      List<Future<?>> killed = new ArrayList<>();
      for (Victim each : victims) {
        killed.add(
            threads.submit(
                () -> {
                  each.kill(KILLS / TRAININGS);
                  return null;
                }));
      }
      for (Future<?> each : killed) {
        each.get();
      }
    }
    int kills = 0;
    int whileSaving = 0;
    int resumed = 0;
    for (Victim each : victims) {
      each.requireTheSameBits();
      kills += each.kills;
      whileSaving += each.whileSaving;
      resumed += each.resumed;
    }
    System.out.printf(
        "KillTest: %d kills, %d of them while saving, progress between %d; %s%n",
        kills, whileSaving, resumed, victims);
    assertTrue(whileSaving >= KILLS / 20, whileSaving + " kills while saving");
    assertTrue(resumed >= KILLS / 20, resumed + " kills after progress");
  }

  /// A training whose process is killed repeatedly.
  private static final class Victim {
    private static final double SHORTEST_MICROS = 5_000;
    private static final double LONGEST_MICROS = 3_000_000;

    private final Path folder;
    private final SplittableRandom random;

    /// The step of the latest checkpoint.
    private long reached;

    private int kills;
    private int resumed;
    private int whileSaving;

    /// Half-written files that killed processes have left. A file stays until the next save removes
    /// it.
    private final Set<String> left = new HashSet<>();

    /// The longest time in microseconds that a process trains before it is killed. It is adapted
    /// until about every second process has saved a checkpoint, because saves take longer on slow
    /// or busy machines.
    private double mostMicros = 40_000;

    Victim(Path folder, SplittableRandom random) {
      this.folder = folder;
      this.random = random;
    }

    void kill(int times) throws Exception {
      while (kills < times || (kills < MOST_KILLS && (whileSaving == 0 || resumed == 0))) {
        killOnce();
        kills++;
        long now = latestStep();
        assertTrue(now >= reached, "the latest step was " + reached + ", but now it is " + now);
        resumed += now > reached ? 1 : 0;
        mostMicros *= now > reached ? 1 / 1.2 : 1.2;
        mostMicros = Math.clamp(mostMicros, SHORTEST_MICROS, LONGEST_MICROS);
        reached = now;
      }
    }

    /// Kills the process before its training in one of ten cases, otherwise shortly after the
    /// training began.
    private void killOnce() throws Exception {
      Process process = TraineeProgram.process(folder, Long.MAX_VALUE).start();
      try (InputStream output = process.getInputStream()) {
        if (random.nextInt(10) > 0) {
          String said = new String(output.readNBytes("training from ".length()));
          assertEquals("training from ", said, () -> said + rest(output));
        }
        TimeUnit.MICROSECONDS.sleep(random.nextLong((long) mostMicros));
        process.destroyForcibly();
        process.waitFor();
        assertEquals(
            137, process.exitValue(), () -> "the process ended by itself: " + rest(output));
      }
      boolean saving = false;
      try (DirectoryStream<Path> begun = Files.newDirectoryStream(folder, "*.tmp")) {
        for (Path each : begun) {
          saving |= left.add(each + " of " + Files.getLastModifiedTime(each));
        }
      }
      whileSaving += saving ? 1 : 0;
    }

    private static String rest(InputStream output) {
      try {
        return new String(output.readAllBytes());
      } catch (IOException e) {
        return e.toString();
      }
    }

    /// Opens every checkpoint in the folder, so that a damaged one fails the test.
    private long latestStep() {
      long step = 0;
      for (Path each : CheckpointFolder.of(folder, 3).files()) {
        try (Checkpoint checkpoint = Checkpoint.open(each)) {
          step = checkpoint.step();
        }
      }
      return step;
    }

    /// Completes the training and compares it with an uninterrupted one.
    void requireTheSameBits() throws Exception {
      long last = reached + 5;
      Process process = TraineeProgram.process(folder, last).start();
      String output = new String(process.getInputStream().readAllBytes());
      assertEquals(0, process.waitFor(), output);
      assertTrue(output.contains("training from " + reached), output);
      try (Trainee uninterrupted = TraineeProgram.trainee();
          Trainee killed = TraineeProgram.trainee();
          Checkpoint checkpoint =
              Checkpoint.open(CheckpointFolder.of(folder, 3).latest().orElseThrow())) {
        killed.resume(checkpoint);
        assertEquals(last, killed.step());
        uninterrupted.trainTo(last);
        assertEquals(uninterrupted.bits(), killed.bits());
      }
    }

    @Override
    public String toString() {
      return "%d steps, at last killed within %.1f ms".formatted(reached, mostMicros / 1000);
    }
  }
}
