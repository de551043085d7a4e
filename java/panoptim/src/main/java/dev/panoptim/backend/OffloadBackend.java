package dev.panoptim.backend;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import java.lang.foreign.MemorySegment;

/// Parameters and gradients on a card, states and update on the CPU.
final class OffloadBackend extends Backend {
  private final Device device;
  private final Backend update;
  private final DeviceStream defaultStream;

  OffloadBackend(Device device, Backend update) {
    if (!update.device().isCpu()) {
      throw new IllegalArgumentException(
          "update is by backend " + update.name() + ", but must be by one for the cpu");
    }
    this.device = device;
    this.update = update;
    defaultStream = DeviceStream.defaultOf(device);
  }

  @Override
  public String name() {
    return "offload";
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public String describe() {
    return "parameters on %s (%s), update by %s (%s)"
        .formatted(device, device.describe(), update.name(), update.describe());
  }

  @Override
  public void prepare(StepPlan plan) {
    plan.offloadedSlices().prepare(update);
  }

  @Override
  void run(StepPlan plan, int threads) {
    plan.offloadedSlices().update((slice, parts) -> update.step(slice, threads));
  }

  @Override
  void sumSquares(StepPlan plan, int threads) {
    plan.offloadedSlices()
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
  public void zero(MemorySegment memory, long bytes) {
    defaultStream.zero(memory, bytes);
  }

  @Override
  public void await() {
    defaultStream.await();
  }
}
