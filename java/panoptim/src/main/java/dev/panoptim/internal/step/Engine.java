package dev.panoptim.internal.step;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.matrix.Products;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.internal.vector.VectorOperations;
import java.lang.foreign.MemorySegment;
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

  /// Makes what steps over a plan will need, so that no step fails halfway for lack of memory.
  ///
  /// A plan that is not prepared, or was prepared by another engine, is prepared at its first step.
  ///
  /// @param before a plan that this one replaces, and whose prepared memory this one may take over;
  ///   `null` if there is none
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws CudaException if CUDA refuses
  public final void prepare(StepPlan plan, StepPlan before) {
    check(plan, 1);
    // From here on the old plan has nothing prepared, even if this fails.
    try (Prepared old = before == null ? null : before.giveBackTo(this)) {
      plan.keep(make(plan, old));
    }
  }

  /// Makes what steps over a plan need. If this throws, it has freed what it allocated.
  ///
  /// @param before what this engine made of a plan that this one replaces; the caller closes it.
  ///   `null` if there is none
  protected abstract Prepared make(StepPlan plan, Prepared before);

  /// What this engine made of a plan; made now if that has not been done.
  protected final Prepared prepared(StepPlan plan) {
    Prepared found = plan.prepared();
    if (found == null || found.engine() != this) {
      prepare(plan, null);
      found = plan.prepared();
    }
    return found;
  }

  /// Updates all rows of a plan.
  ///
  /// The native engine holds all memory open until it returns: closing an arena fails meanwhile.
  /// The JVM's engines cannot, and throw in the middle of a step if an arena is closed meanwhile.
  /// An engine for a GPU returns before the step is done; freeing the memory waits for the step.
  ///
  /// @param threads the most threads that take part, from 1 to [Backend#MOST_THREADS], including
  ///   the calling one; small plans take fewer, and a GPU takes none
  /// @param decision of this engine, which the step follows if the host does not know it. If a
  ///   decision [NormDecision#isOnHost()], the caller follows it: its scale belongs into the
  ///   coefficients, and it does not call this method for a skipped step. `null` if there is none
  /// @throws IllegalArgumentException if the plan's memory is not where this engine works, or the
  ///   decision is another engine's
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  /// @throws CudaException if CUDA refuses
  public final void step(StepPlan plan, int threads, NormDecision decision) {
    if (decision != null && decision.backend() != this) {
      throw new IllegalArgumentException(
          "the decision is by another backend %s than this one".formatted(decision.backend()));
    }
    requireFit(plan, threads);
    if (!refusesDeadMemory(plan, threads)) {
      plan.rows().requireAlive();
    }
    run(plan, threads, decision);
  }

  /// Updates all rows of a plan that has been checked.
  ///
  /// @param decision one of this engine's; `null` if there is none
  protected abstract void run(StepPlan plan, int threads, NormDecision decision);

  /// Whether a prepared plan that is not in use takes little memory, so that an optimizer can keep
  /// one for each of its parameters. Otherwise it keeps those of whole steps and of one step of
  /// some parameters, and the plans of other parameters take over their memory.
  public boolean keepsManyPlans() {
    return true;
  }

  /// Room for a norm and what follows from it.
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
    SquareSums sums = prepared(plan).squareSums();
    sumSquares(plan, threads);
    return sums.addTo(before);
  }

  /// Makes what [#addSquares] needs.
  ///
  /// @throws OutOfMemoryError if that would exceed the limit of memory
  final void prepareNorm(StepPlan plan) {
    prepared(plan).squareSums();
  }

  /// Measures what the factors of tensors depend on, with the plan's present coefficients. Changes
  /// no operand. Waits for the result.
  ///
  /// @param threads as for [#step]
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  /// @throws CudaException if CUDA refuses
  public final Measures measure(StepPlan plan, int threads) {
    check(plan, threads);
    Measures measures = prepared(plan).measures();
    fillMeasures(plan, threads);
    return measures;
  }

  /// Fills the measures of what this engine prepared of a plan.
  protected abstract void fillMeasures(StepPlan plan, int threads);

  /// Operations of factored second moments, in host memory.
  ///
  /// @param shape of each matrix
  /// @param workspace off-heap memory of at least [FactoredShape#workspaceBytes], aligned to
  ///   [Workspaces#ALIGNMENT]. Objects that are not used at the same time may share it
  /// @param threads the most threads of an operation, including the calling one
  /// @throws IllegalArgumentException if the workspace is too small, misaligned, read-only or on
  ///   the heap
  /// @throws UnsupportedOperationException if this engine works on a GPU
  /// @throws OutOfMemoryError if their tables would exceed the limit of memory
  public FactoredOperations factoredOperations(
      FactoredShape shape, MemorySegment workspace, int threads) {
    throw new UnsupportedOperationException(
        "backend " + name() + " has no operations of factored second moments");
  }

  /// Operations on vectors in host memory.
  ///
  /// @param length the elements of each vector
  /// @param threads the most threads of an operation, including the calling one
  /// @throws UnsupportedOperationException if this engine works on a GPU
  /// @throws OutOfMemoryError if their tables would exceed the limit of memory
  public VectorOperations vectorOperations(long length, int threads) {
    throw new UnsupportedOperationException("backend " + name() + " has no operations on vectors");
  }

  /// Matrix products in host memory.
  ///
  /// @throws UnsupportedOperationException if this engine works on a GPU
  public Products products() {
    throw new UnsupportedOperationException("backend " + name() + " has no matrix products");
  }

  /// Steps over some rows of a table in host memory.
  ///
  /// @throws UnsupportedOperationException if this engine works on a GPU
  /// @throws OutOfMemoryError if what they need would exceed the limit of memory
  public TableKernel tableKernel(TableLayout layout) {
    throw new UnsupportedOperationException("backend " + name() + " has no tables of rows");
  }

  /// Sets memory of this backend's device to 0, after all steps that were enqueued before. On a
  /// GPU, the caller has called [DeviceAccess#forgetRanges] before.
  ///
  /// @param bytes of the memory
  /// @throws IllegalArgumentException if the memory says to be where no memory can be
  public void zero(MemorySegment memory, long bytes) {
    Segments.requireAddress("memory", memory, memory.byteSize());
    memory.fill((byte) 0);
  }

  /// Sets all gradients of a plan to 0, after all steps that were enqueued before.
  ///
  /// @throws IllegalArgumentException if the plan's memory is not where this backend works
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws CudaException if CUDA refuses
  public void zeroGradients(StepPlan plan) {
    check(plan, 1);
    Rows rows = plan.rows();
    for (int i = 0; i < rows.count(); i++) {
      zero(plan.gradient(i), rows.get(i).size() * Float.BYTES);
    }
  }

  @Override
  public void await() {}

  /// Checks all that a step over a plan that was prepared here can still be refused for, and
  /// changes nothing. If several plans make up a step, all of them are checked before the first one
  /// is updated.
  ///
  /// @throws IllegalStateException if memory of the plan, or the stream that steps are made in, is
  ///   no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  public void requireReady(StepPlan plan) {
    plan.rows().requireAlive();
  }

  /// Whether [#run] itself refuses a plan whose memory is no longer alive, before it changes
  /// anything and with the exceptions of [#requireReady]. A check before would only take time.
  ///
  /// @param plan a plan that was prepared here
  /// @param threads as for [#step]
  public boolean refusesDeadMemory(StepPlan plan, int threads) {
    return false;
  }

  /// Checks that this engine can work on a plan now.
  ///
  /// @throws IllegalArgumentException if the plan's memory is not where this engine works, or
  ///   `threads` is not from 1 to [Backend#MOST_THREADS]
  /// @throws IllegalStateException if memory of the plan is no longer alive
  /// @throws WrongThreadException if memory of the plan is confined to another thread
  public final void check(StepPlan plan, int threads) {
    requireFit(plan, threads);
    plan.rows().requireAlive();
  }

  private void requireFit(StepPlan plan, int threads) {
    ThreadProperties.requireThreads(threads);
    Rows rows = plan.rows();
    if (rows.device() != device() || rows.stateDevice() != stateDevice()) {
      throw new IllegalArgumentException(
          "the plan's parameters are on %s and its states on %s, but backend %s needs %s and %s"
              .formatted(rows.device(), rows.stateDevice(), name(), device(), stateDevice()));
    }
  }

  /// Fills the square sums of what this engine prepared of a plan.
  protected abstract void sumSquares(StepPlan plan, int threads);

  @Override
  public String toString() {
    return name();
  }
}
