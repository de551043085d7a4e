package dev.panoptim.internal.step;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.parallel.ThreadProperties;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/// Carries out steps: the implementation of a [Backend]. All engines reach the same bits; they
/// differ in speed and in what they need.
///
/// Thread-safe: one engine serves any number of optimizers at the same time.
public abstract non-sealed class Engine implements Backend {
  /// The engine behind a backend. There is no other implementation.
  public static Engine of(Backend backend) {
    return (Engine) backend;
  }

  @Override
  public Threading threading() {
    return Threading.POOL;
  }

  @Override
  public Backend with(Threading other) {
    Objects.requireNonNull(other, "threading is null");
    return this;
  }

  @Override
  public Device device() {
    return Device.cpu();
  }

  @Override
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

  protected abstract void makeReady(StepPlan plan, StepPlan before);

  /// Updates all rows of a plan.
  ///
  /// The native backend holds all memory open until it returns: closing an arena fails meanwhile.
  /// The JVM's cannot, and throw in the middle when an arena is closed under them. That of a card
  /// returns before the step is made; memory that is freed before waits for it.
  ///
  /// @param threads at most so many, from 1 to [Backend#MOST_THREADS], the calling one among them;
  ///   small plans take fewer, and a card takes none
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  /// @throws CudaException if CUDA refuses
  public final void step(StepPlan plan, int threads) {
    check(plan, threads);
    run(plan, threads);
  }

  /// Updates all rows of a plan as a decision says, unless that is for the caller to do: where a
  /// decision [NormDecision#isOnHost()], its scale belongs into the coefficients, and a step that
  /// it skips must not be asked for.
  ///
  /// @param decision one of this backend's
  /// @throws IllegalArgumentException if it is another's; else as the other method of this name
  public final void step(StepPlan plan, int threads, NormDecision decision) {
    if (decision.backend() != this) {
      throw new IllegalArgumentException(
          "the decision is by another backend %s than this one".formatted(decision.backend()));
    }
    check(plan, threads);
    run(plan, threads, decision);
  }

  /// Where verdicts are known at once, they have been followed already.
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    run(plan, threads);
  }

  /// What a norm will be measured and judged by.
  public NormDecision newNormDecision() {
    return new HostNormDecision(this);
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

  @Override
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

  public final void check(StepPlan plan, int threads) {
    ThreadProperties.requireThreads(threads);
    if (plan.device() != device() || plan.stateDevice() != stateDevice()) {
      throw new IllegalArgumentException(
          "the plan's parameters are on %s and its states on %s, but backend %s needs %s and %s"
              .formatted(plan.device(), plan.stateDevice(), name(), device(), stateDevice()));
    }
    plan.requireAlive();
  }

  protected abstract void run(StepPlan plan, int threads);

  /// Fills the plan's square sums.
  protected abstract void sumSquares(StepPlan plan, int threads);

  @Override
  public String toString() {
    return name();
  }
}
