package dev.panoptim.bench;

import com.sun.management.ThreadMXBean;
import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Saving and loading AdamW's parameters and states, in turn with a copy of the same file on the
/// same disk, as by `dd bs=8M conv=fsync`. Loaded and saved data are compared before the timing.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class CheckpointBenchmark {
  private static final int COPIED_AT_ONCE = 8 << 20;

  public static final String SAVE = "save";
  public static final String SNAPSHOT = "snapshot";
  public static final String LOAD = "load";

  /// The action compared with the copy. A snapshot is timed until training may continue.
  @Param({SAVE, SNAPSHOT, LOAD})
  public String action;

  /// 1 GiB, including the two states.
  @Param("89478485")
  public int elements;

  /// A folder on the measured disk.
  @Param("bench/target")
  public String disk;

  private Training training;
  private dev.panoptim.checkpoint.Training saved;
  private Path directory;
  private CheckpointFolder folder;
  private Path copy;
  private long step;

  @Setup
  public void setUp() throws IOException {
    directory = Files.createTempDirectory(Path.of(disk), "checkpoints");
    folder = CheckpointFolder.of(directory.resolve("saved"), 1);
    copy = directory.resolve("copy");
    training = new Training(BenchedOptimizer.ADAMW, elements, Backends.nativeCode(), 2);
    saved = dev.panoptim.checkpoint.Training.of(training.optimizer);
    try {
      save();
      requireLoaded();
    } catch (Throwable e) {
      tearDown();
      throw e;
    }
  }

  private void save() {
    folder.save(saved, ++step, Map.of());
  }

  private void load() {
    try (Checkpoint checkpoint = Checkpoint.open(folder.latest().orElseThrow())) {
      checkpoint.load(saved);
    }
  }

  private void requireLoaded() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = training.parameter.data();
      MemorySegment before = arena.allocate(data.byteSize()).copyFrom(data);
      training.optimizer.step();
      load();
      if (before.mismatch(data) != -1 || training.optimizer.stepCount(training.parameter) != 1) {
        throw new IllegalStateException("loaded data differ from saved data");
      }
    }
  }

  @Benchmark
  public void pair(Pair pair, HeapBytes heap) throws IOException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long allocated = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    CompletableFuture<?> running = CompletableFuture.completedFuture(null);
    switch (action) {
      case SAVE -> save();
      case LOAD -> load();
      case SNAPSHOT -> running = folder.saveInBackground(saved, ++step, Map.of());
      default ->
          throw new IllegalArgumentException(
              "action is '" + action + "', but must be save, snapshot or load");
    }
    pair.stepNanos += System.nanoTime() - start;
    heap.heapBytes += threads.getCurrentThreadAllocatedBytes() - allocated;
    running.join();
    start = System.nanoTime();
    copy(folder.latest().orElseThrow(), copy);
    pair.otherNanos += System.nanoTime() - start;
    Files.delete(copy);
  }

  static void copy(Path from, Path to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(COPIED_AT_ONCE);
    try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
        FileChannel out =
            FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      while (in.read(buffer.clear()) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          out.write(buffer);
        }
      }
      out.force(true);
    }
  }

  @TearDown
  public void tearDown() throws IOException {
    training.close();
    try (var files = Files.walk(directory)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
