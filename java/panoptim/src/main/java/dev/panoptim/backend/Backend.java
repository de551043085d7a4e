package dev.panoptim.backend;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.Segments;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/// Something that carries out a step. All of them reach the same bits; they differ in speed and in
/// what they need.
///
/// [Backends] hands them out. Thread-safe: one backend serves any number of optimizers at the same
/// time.
public abstract sealed class Backend
    permits NativeBackend, VectorBackend, ScalarBackend, CudaBackend, OffloadBackend {
  /// The most threads that a step may be asked to take.
  public static final int MOST_THREADS = 1024;

  private static final String THREADS_PROPERTY = "panoptim.threads";

  Backend() {}

  /// @return the number
  /// @throws IllegalArgumentException if it is not from 1 to [#MOST_THREADS]
  public static int requireThreads(int threads) {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads is " + threads + ", but must be from 1 to " + MOST_THREADS);
    }
    return threads;
  }

  /// The most threads that a step takes, whatever it is asked for: the processors that this process
  /// may use, unless the system property `panoptim.threads` says otherwise.
  ///
  /// @throws IllegalArgumentException if the property is not a number from 1 to [#MOST_THREADS]
  public static int mostThreads() {
    String wanted = System.getProperty(THREADS_PROPERTY);
    if (wanted == null) {
      return Math.min(Runtime.getRuntime().availableProcessors(), MOST_THREADS);
    }
    int most;
    try {
      most = Integer.parseInt(wanted);
    } catch (NumberFormatException e) {
      most = 0;
    }
    if (most < 1 || most > MOST_THREADS) {
      throw new IllegalArgumentException(
          "system property %s is '%s', but must be from 1 to %s"
              .formatted(THREADS_PROPERTY, wanted, MOST_THREADS));
    }
    return most;
  }

  /// `native`, `vector`, `scalar`, `cuda` or `offload`.
  public abstract String name();

  /// What this backend runs on, in words.
  public abstract String describe();

  /// Whose threads help with steps: [Threading#POOL] for all but the native backend, and for that
  /// one wherever OpenMP cannot be had. Single steps may use the pool all the same: see
  /// [Threading#OPENMP].
  public Threading threading() {
    return Threading.POOL;
  }

  /// This backend with another choice of threads, or this one itself where it has no choice.
  ///
  /// Where OpenMP cannot be had, the pool is used instead, and the reason is logged once: see
  /// [Threading#unavailableReason()].
  public Backend with(Threading other) {
    Objects.requireNonNull(other, "threading is null");
    return this;
  }

  /// Where the parameters and gradients lie that this backend works on.
  public Device device() {
    return Device.cpu();
  }

  /// Where the states lie that this backend works on.
  public Device stateDevice() {
    return Device.cpu();
  }

  /// Makes what steps over a plan will need, so that none of them can fail halfway for want of it.
  ///
  /// A plan that is not prepared, or was by another backend, is at its first step here.
  ///
  /// @param before a plan that this one takes the place of, whose memory on a card this one may
  ///   take over; `null` where there is none
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws CudaException if CUDA refuses
  public final void prepare(StepPlan plan, StepPlan before) {
    check(plan, 1);
    makeReady(plan, before);
  }

  abstract void makeReady(StepPlan plan, StepPlan before);

  /// Updates all rows of a plan.
  ///
  /// The native backend holds all memory open until it returns: closing an arena fails meanwhile.
  /// The JVM's cannot, and throw in the middle when an arena is closed under them. That of a card
  /// returns before the step is made; memory that is freed before waits for it.
  ///
  /// @param threads at most so many, from 1 to [#MOST_THREADS], the calling one among them; small
  ///   plans take fewer, and a card takes none
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  /// @throws CudaException if CUDA refuses
  public final void step(StepPlan plan, int threads) {
    check(plan, threads);
    run(plan, threads);
  }

  /// Updates all rows of a plan as a verdict says, unless that is for the caller to do: where a
  /// verdict [Verdict#isKnown()], its scale belongs into the coefficients, and a step that it skips
  /// must not be asked for.
  ///
  /// @param verdict one of this backend's
  /// @throws IllegalArgumentException if it is another's; else as the other method of this name
  public final void step(StepPlan plan, int threads, Verdict verdict) {
    if (verdict.backend() != this) {
      throw new IllegalArgumentException(
          "the verdict is by another backend %s than this one".formatted(verdict.backend()));
    }
    check(plan, threads);
    run(plan, threads, verdict);
  }

  /// Where verdicts are known at once, they have been followed already.
  void run(StepPlan plan, int threads, Verdict verdict) {
    run(plan, threads);
  }

  /// What a norm will be measured and judged by.
  public Verdict newVerdict() {
    return new HostVerdict(this);
  }

  /// The sum of the squares of all gradients of a plan, unscaled, added to another plan's: finite
  /// if all of them are. The same bits on every backend and at any number of threads.
  ///
  /// @param before the sum over the plans before this one, 0 if there are none
  /// @param threads as for [#step]
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  /// @throws CudaException if CUDA refuses
  public final double addSquares(double before, StepPlan plan, int threads) {
    check(plan, threads);
    plan.squareSums();
    sumSquares(plan, threads);
    return plan.addSquareSums(before);
  }

  /// Sets memory of this backend's device to 0, after all steps that were asked for before.
  ///
  /// @param bytes of the memory
  /// @throws IllegalArgumentException if the memory says to be where no memory can be
  public void zero(MemorySegment memory, long bytes) {
    Segments.requireAddress("memory", memory, memory.byteSize());
    memory.fill((byte) 0);
  }

  /// Sets all gradients of a plan to 0, after all steps that were asked for before.
  ///
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws CudaException if CUDA refuses
  public void zeroGradients(StepPlan plan) {
    check(plan, 1);
    List<StepPlan.Row> rows = plan.rows();
    // By number: an iterator would be left to the garbage collector, at a step that is skipped.
    for (int i = 0; i < rows.size(); i++) {
      zero(plan.gradient(i), rows.get(i).size() * Float.BYTES);
    }
  }

  /// Waits until all that was asked for before is done. Without a card it is already.
  ///
  /// @throws CudaException if something failed on the card
  public void await() {}

  /// Checks all that a step over a plan which was prepared here can still be refused for, and
  /// changes nothing. Where several plans make up a step, this is asked of each of them before the
  /// first one is updated.
  ///
  /// @throws IllegalStateException if memory of the plan, or the stream that steps are made in, is
  ///   no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  public void requireReady(StepPlan plan) {
    plan.requireAlive();
  }

  final void check(StepPlan plan, int threads) {
    requireThreads(threads);
    if (plan.device() != device() || plan.stateDevice() != stateDevice()) {
      throw new IllegalArgumentException(
          "the plan's parameters are on %s and its states on %s, but backend %s needs %s and %s"
              .formatted(plan.device(), plan.stateDevice(), name(), device(), stateDevice()));
    }
    plan.requireAlive();
  }

  abstract void run(StepPlan plan, int threads);

  /// Fills the plan's square sums.
  abstract void sumSquares(StepPlan plan, int threads);

  @Override
  public String toString() {
    return name();
  }
}
