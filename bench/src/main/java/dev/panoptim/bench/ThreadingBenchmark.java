package dev.panoptim.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// AdamW's steps by each kind of threads, back to back and with pauses, as in a training that
/// computes gradients. Measures the time per step without pauses, and the average number of busy
/// processors including the pauses.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3)
@Measurement(iterations = 5)
public class ThreadingBenchmark {
  public static final String ONE = "one";
  public static final String POOL = "pool";

  /// OpenMP's idle threads spin.
  public static final String ACTIVE = "openmp-active";

  /// OpenMP's idle threads sleep.
  public static final String PASSIVE = "openmp-passive";

  public static final String SPINS = "spins";
  public static final String SLEEPS = "sleeps";

  /// Microseconds between steps.
  static final String[] PAUSES = {"20", "100", "300", "1000", "5000"};

  @Param({"16384", "65536", "131072", "262144", "1048576", "4194304"})
  public int elements;

  @Param({ONE, POOL, ACTIVE, PASSIVE})
  public String threading;

  @Param({"0", "20", "100", "300", "1000", "5000"})
  public int pauseMicros;

  /// Whether the calling thread spins or sleeps in pauses.
  @Param({SPINS, SLEEPS})
  public String caller;

  /// Number of threads; 0 for the number of processors, but at least two. Ignored for [#ONE].
  @Param("0")
  public int threads;

  /// Duration of an iteration.
  @Param("100")
  public int millis;

  private Training training;

  @Setup
  public void setUp() {
    boolean openMp = threading.startsWith("openmp-");
    if (openMp) {
      // The OpenMP runtime reads it when the first optimizer loads it.
      ProcessEnvironment.set("OMP_WAIT_POLICY", threading.substring("openmp-".length()));
    }
    int most = threads > 0 ? threads : Math.max(2, Runtime.getRuntime().availableProcessors());
    Threading wanted = openMp ? Threading.OPENMP : Threading.POOL;
    training =
        new Training(
            BenchedOptimizer.ADAMW,
            new TensorSizes(1, elements),
            Backends.nativeCode(),
            threading.equals(ONE) ? 1 : most,
            builder -> builder.threading(wanted));
    if (training.optimizer.threading() != wanted) {
      throw new IllegalStateException(wanted.unavailableReason().orElseThrow());
    }
  }

  /// The counters of one iteration.
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Cost {
    private static final OperatingSystemMXBean PROCESS =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    public double stepNanos;

    /// CPU time of the process / elapsed time.
    public double processors;

    @Setup(Level.Iteration)
    public void reset() {
      stepNanos = 0;
      processors = 0;
    }
  }

  @Benchmark
  public void steps(Cost cost) {
    long pauseNanos = pauseMicros * 1000L;
    long cpu = Cost.PROCESS.getProcessCpuTime();
    long begin = System.nanoTime();
    long end = begin + millis * 1_000_000L;
    long inSteps = 0;
    int steps = 0;
    for (long now = begin; now < end; steps++) {
      pause(now, pauseNanos);
      long start = System.nanoTime();
      training.optimizer.step();
      now = System.nanoTime();
      inSteps += now - start;
    }
    cost.stepNanos = (double) inSteps / steps;
    cost.processors =
        (double) (Cost.PROCESS.getProcessCpuTime() - cpu) / (System.nanoTime() - begin);
  }

  private void pause(long start, long nanos) {
    while (System.nanoTime() - start < nanos) {
      if (caller.equals(SLEEPS)) {
        LockSupport.parkNanos(start + nanos - System.nanoTime());
      } else {
        Thread.onSpinWait();
      }
    }
  }

  /// The bits of the parameters after some steps.
  int[] bitsAfterSteps(int count) {
    for (int i = 0; i < count; i++) {
      training.optimizer.step();
    }
    return training.parameter.data().toArray(ValueLayout.JAVA_INT);
  }

  @TearDown
  public void tearDown() {
    training.close();
  }
}
