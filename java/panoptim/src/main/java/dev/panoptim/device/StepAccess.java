package dev.panoptim.device;

import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.WriteWatch;
import java.lang.foreign.MemorySegment;

/// Opens the package-private methods of [Device] and [DeviceStream] to steps.
///
/// Thread-safe.
final class StepAccess extends DeviceAccess {
  @Override
  public boolean heldWhenAsked(Device device, MemorySegment memory, long bytes) {
    return device.heldWhenAsked(memory, bytes);
  }

  @Override
  public void forgetRanges(Device device) {
    device.forgetRanges();
  }

  @Override
  public void requireOnDevice(Device device, String name, MemorySegment memory, long bytes) {
    device.requireOnDevice(name, memory, bytes);
  }

  @Override
  public boolean areOneAllocation(Device device, MemorySegment memory, long bytes) {
    return !device.isCpu() && Cuda.areOneAllocation(memory, bytes);
  }

  @Override
  public void copyHeld(
      DeviceStream stream, MemorySegment from, MemorySegment to, long bytes, WriteWatch owner) {
    stream.copyHeld(from, to, bytes, owner);
  }

  @Override
  public void zeroHeld(DeviceStream stream, MemorySegment memory, long bytes) {
    stream.zeroHeld(memory, bytes);
  }
}
