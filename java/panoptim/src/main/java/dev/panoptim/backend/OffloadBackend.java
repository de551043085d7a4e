package dev.panoptim.backend;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import java.lang.foreign.MemorySegment;

/// Parameters and gradients on a card, states and update on the CPU.
final class OffloadBackend extends Backend {
  private final DeviceStream stream;
  private final Backend update;

  /// @param stream that the gradients are computed in
  OffloadBackend(DeviceStream stream, Backend update) {
    stream.requireOpen();
    if (!update.device().isCpu()) {
      throw new IllegalArgumentException(
          "update is by backend " + update.name() + ", but must be by one for the cpu");
    }
    this.stream = stream;
    this.update = update;
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
  void makeReady(StepPlan plan, StepPlan before) {
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
  void run(StepPlan plan, int threads) {
    slices(plan).update((slice, parts) -> update.step(slice, threads));
  }

  @Override
  void sumSquares(StepPlan plan, int threads) {
    slices(plan)
        .read(
            (slice, parts) -> {
              update.addSquares(0, slice, threads);
              OffloadedSlices.Part first = parts.getFirst();
              long chunk = plan.firstChunk(first.row()) + first.start() / StepPlan.CHUNK;
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
