package dev.panoptim.internal.cuda;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Measures;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;

/// Keeps parameters and gradients on a GPU, and runs the update with the states on the CPU.
///
/// Thread-safe.
public final class OffloadBackend extends Engine {
  private final DeviceStream stream;
  private final Engine update;

  private final boolean keepsData;

  /// @param stream the stream that computes the gradients
  /// @param update the backend of the CPU
  /// @param keepsData whether a master copy of the data stays on the host
  public OffloadBackend(DeviceStream stream, Backend update, boolean keepsData) {
    stream.requireOpen();
    if (!update.device().isCpu()) {
      throw new IllegalArgumentException(
          "update is backend " + update.name() + ", but must be a backend of the cpu");
    }
    this.stream = stream;
    this.update = Engine.of(update);
    this.keepsData = keepsData;
  }

  @Override
  public String name() {
    return "offload";
  }

  @Override
  public Threading threading() {
    return update.threading();
  }

  @Override
  public Backend with(Threading other) {
    Backend changed = update.with(other);
    return changed == update ? this : new OffloadBackend(stream, changed, keepsData);
  }

  @Override
  public Device device() {
    return stream.device();
  }

  @Override
  public String describe() {
    return "parameters on %s (%s)%s, update by %s (%s)"
        .formatted(
            device(),
            device().describe(),
            keepsData ? " with a master copy on the host" : "",
            update.name(),
            update.describe());
  }

  /// Each plan has pinned buffers, streams and perhaps a master copy.
  @Override
  public boolean keepsManyPlans() {
    return false;
  }

  @Override
  public void requireReady(StepPlan plan) {
    super.requireReady(plan);
    stream.requireOpen();
  }

  @Override
  protected Prepared make(StepPlan plan, Prepared before) {
    return new OffloadedSlices(this, plan, stream, update, keepsData, (OffloadedSlices) before);
  }

  private OffloadedSlices slices(StepPlan plan) {
    stream.requireOpen();
    return (OffloadedSlices) prepared(plan);
  }

  @Override
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    slices(plan).update((slice, parts) -> update.step(slice, threads, null));
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    OffloadedSlices slices = slices(plan);
    MemorySegment to = slices.squareSums().memory();
    slices.read(
        (slice, parts) -> {
          update.addSquares(0, slice, threads);
          OffloadedSlices.Part first = parts.getFirst();
          long chunk = plan.rows().firstChunk(first.row()) + first.start() / WorkSplit.CHUNK;
          MemorySegment from = slice.prepared().squareSums().memory();
          long bytes = slice.rows().chunks() * Double.BYTES;
          MemorySegment.copy(from, 0, to, chunk * Double.BYTES, bytes);
        });
  }

  @Override
  protected void fillMeasures(StepPlan plan, int threads) {
    OffloadedSlices slices = slices(plan);
    MemorySegment to = slices.measures().memory();
    slices.readAll(
        (slice, parts) -> {
          MemorySegment from = update.measure(slice, threads).memory();
          OffloadedSlices.Part first = parts.getFirst();
          long chunk = plan.rows().firstChunk(first.row()) + first.start() / WorkSplit.CHUNK;
          long bytes = Measures.COUNT * (long) Double.BYTES;
          MemorySegment.copy(from, 0, to, chunk * bytes, slice.rows().chunks() * bytes);
        });
  }

  @Override
  public void zeroGradients(StepPlan plan) {
    check(plan, 1);
    slices(plan).zeroGradients();
  }

  @Override
  public void zero(MemorySegment memory, long bytes) {
    DeviceAccess.get().zeroHeld(stream, memory, bytes);
  }

  @Override
  public void await() {
    stream.await();
  }
}
