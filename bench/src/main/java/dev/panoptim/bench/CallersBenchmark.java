package dev.panoptim.bench;

import dev.panoptim.backend.Backends;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Steps of many Java threads at once, in turn with steps of one thread alone, each for the same
/// duration. Each thread has its own optimizer, which may use two threads. The result is elapsed
/// time / number of steps made by all threads. Virtual threads yield after each step.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class CallersBenchmark {
  @Param("16")
  public int callers;

  @Param({"platform", "virtual"})
  public String kind;

  /// Beyond cache size even for one caller. Otherwise a cache would hold one caller's data but not
  /// the data of many callers.
  @Param("16777216")
  public int elements;

  @Param("1000")
  public int millis;

  private final List<Training> trainings = new ArrayList<>();
  private ThreadFactory threads;

  @Setup
  public void setUp() {
    threads =
        switch (kind) {
          case "platform" -> Thread.ofPlatform().factory();
          case "virtual" -> Thread.ofVirtual().factory();
          default ->
              throw new IllegalArgumentException(
                  "kind is '" + kind + "', but must be platform or virtual");
        };
    for (int i = 0; i < callers; i++) {
      trainings.add(new Training(BenchedOptimizer.ADAMW, elements, Backends.nativeCode(), 2));
    }
  }

  /// The largest number of threads of the process, including the Java virtual machine's.
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class ThreadCount {
    public double nativeThreads;

    @Setup(Level.Iteration)
    public void reset() {
      nativeThreads = 0;
    }

    void read() {
      String[] now = new File("/proc/self/task").list();
      nativeThreads = Math.max(nativeThreads, now == null ? 0 : now.length);
    }
  }

  @Benchmark
  public void pair(Pair pair, ThreadCount count) throws InterruptedException {
    pair.otherNanos += nanosOfStep(1, count);
    pair.stepNanos += nanosOfStep(callers, count);
  }

  private double nanosOfStep(int callers, ThreadCount count) throws InterruptedException {
    LongAdder steps = new LongAdder();
    List<Thread> running = new ArrayList<>();
    long start = System.nanoTime();
    for (Training each : trainings.subList(0, callers)) {
      Thread thread =
          threads.newThread(
              () -> {
                do {
                  each.optimizer.step();
                  steps.increment();
                  if (Thread.currentThread().isVirtual()) {
                    // The scheduler does not preempt virtual threads.
                    Thread.yield();
                  }
                } while (System.nanoTime() - start < millis * 1_000_000L);
              });
      running.add(thread);
      thread.start();
    }
    Thread.sleep(millis / 2);
    count.read();
    for (Thread each : running) {
      each.join();
    }
    return (double) (System.nanoTime() - start) / steps.sum();
  }

  @TearDown
  public void tearDown() {
    trainings.forEach(Training::close);
  }
}
