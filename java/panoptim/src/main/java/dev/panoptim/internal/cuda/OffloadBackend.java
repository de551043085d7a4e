package dev.panoptim.internal.cuda;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;

/// Keeps parameters and gradients on a GPU, and runs the update with the states on the CPU.
///
/// Thread-safe.
public final class OffloadBackend extends Engine {
  private final DeviceStream stream;
  private final Engine update;

  /// @param stream the stream that computes the gradients
  /// @param update the backend of the CPU
  public OffloadBackend(DeviceStream stream, Backend update) {
    stream.requireOpen();
    if (!update.device().isCpu()) {
      throw new IllegalArgumentException(
          "update is backend " + update.name() + ", but must be a backend of the cpu");
    }
    this.stream = stream;
    this.update = Engine.of(update);
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
    return changed == update ? this : new OffloadBackend(stream, changed);
  }

  @Override
  public Device device() {
    return stream.device();
  }

  @Override
  public String describe() {
    return "parameters on %s (%s), update by %s (%s)"
        .formatted(device(), device().describe(), update.name(), update.describe());
  }

  @Override
  public void requireReady(StepPlan plan) {
    super.requireReady(plan);
    stream.requireOpen();
  }

  @Override
  protected void makeReady(StepPlan plan, StepPlan before) {
    try (StepPlan.Prepared old = before == null ? null : before.giveAwayTo(this)) {
      OffloadedSlices slices = new OffloadedSlices(plan, stream, (OffloadedSlices) old);
      plan.keep(this, slices);
      slices.prepare(update);
    }
  }

  private OffloadedSlices slices(StepPlan plan) {
    stream.requireOpen();
    if (!plan.isPreparedBy(this)) {
      prepare(plan, null);
    }
    return (OffloadedSlices) plan.prepared();
  }

  @Override
  protected void run(StepPlan plan, int threads) {
    slices(plan).update((slice, parts) -> update.step(slice, threads));
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    slices(plan)
        .read(
            (slice, parts) -> {
              update.addSquares(0, slice, threads);
              OffloadedSlices.Part first = parts.getFirst();
              long chunk = plan.firstChunk(first.row()) + first.start() / WorkSplit.CHUNK;
              MemorySegment sums = slice.squareSums();
              MemorySegment.copy(
                  sums, 0, plan.squareSums(), chunk * Double.BYTES, slice.chunks() * Double.BYTES);
            });
  }

  @Override
  public void zeroGradients(StepPlan plan) {
    check(plan, 1);
    slices(plan).zeroGradients();
  }

  @Override
  public void zero(MemorySegment memory, long bytes) {
    stream.zero(memory, bytes);
  }

  @Override
  public void await() {
    stream.await();
  }
}
