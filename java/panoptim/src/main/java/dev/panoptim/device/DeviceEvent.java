package dev.panoptim.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A moment in a [DeviceStream], which other streams and the host can wait for. Ends with an arena.
///
/// Thread-safe, as long as no two threads record it at once.
public final class DeviceEvent {
  private final Device device;
  private final MemorySegment handle;

  /// @param arena that the event ends with
  /// @throws CudaException if CUDA refuses
  public DeviceEvent(Device device, Arena arena) {
    this.device = device;
    handle = Cuda.createEvent(device.index(), arena);
  }

  MemorySegment handle() {
    return handle;
  }

  /// The event happens when all that a stream has been given so far is done.
  public void record(DeviceStream stream) {
    stream.requireOpen();
    Cuda.record(device.index(), handle, stream.handle());
  }

  /// Waits until the event has happened as it was last recorded; at once if it never was.
  ///
  /// @throws CudaException if something failed on the device
  public void await() {
    Cuda.awaitEvent(device.index(), handle);
  }
}
