package dev.panoptim.device;

import dev.panoptim.internal.bindings.PanoptimAbi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A moment in a [DeviceStream], which other streams and the host can wait for. Ends with an arena.
///
/// Not thread-safe.
public final class DeviceEvent {
  private final Device device;
  private final MemorySegment handle;
  private final MemorySegment error;

  /// @param arena that the event ends with
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws CudaException if CUDA refuses
  public DeviceEvent(Device device, Arena arena) {
    this.device = Device.requireCuda(device);
    error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
    handle = Cuda.createEvent(device.index(), arena);
  }

  /// The `cudaEvent_t`: an address that cannot be dereferenced.
  public MemorySegment handle() {
    return handle;
  }

  public Device device() {
    return device;
  }

  /// The event happens when all that a stream has been given so far is done.
  ///
  /// @throws IllegalArgumentException if the stream is another device's
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if CUDA refuses
  public void record(DeviceStream stream) {
    stream.requireOpen();
    if (stream.device() != device) {
      throw new IllegalArgumentException(
          "stream is of %s, but must be of %s, as the event".formatted(stream.device(), device));
    }
    Cuda.record(device.index(), handle, stream.handle());
  }

  /// Waits until the event has happened as it was last recorded; at once if it never was.
  ///
  /// @throws CudaException if something failed on the device
  public void await() {
    Cuda.awaitEvent(device.index(), handle, error);
  }
}
