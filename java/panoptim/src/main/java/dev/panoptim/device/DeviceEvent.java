package dev.panoptim.device;

import dev.panoptim.internal.bindings.PanoptimAbi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A point in the work of a [DeviceStream] that other streams and the host can wait for. It is
/// destroyed with its arena.
///
/// Not thread-safe.
public final class DeviceEvent {
  private final Device device;
  private final MemorySegment handle;
  private final MemorySegment error;

  /// Creates an event that has not been recorded.
  ///
  /// @param device a GPU
  /// @param arena the lifetime of the event
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws CudaException if CUDA reports an error
  public DeviceEvent(Device device, Arena arena) {
    this.device = Device.requireCuda(device);
    error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
    handle = Cuda.createEvent(device.index(), arena);
  }

  /// The `cudaEvent_t`, as a segment of length 0.
  public MemorySegment handle() {
    return handle;
  }

  /// The device of the event.
  public Device device() {
    return device;
  }

  /// Records the event in a stream. The event occurs when all work that was enqueued in the stream
  /// before this call is done.
  ///
  /// @throws IllegalArgumentException if the stream belongs to another device
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if CUDA reports an error
  public void record(DeviceStream stream) {
    stream.requireOpen();
    if (stream.device() != device) {
      throw new IllegalArgumentException(
          "stream is of %s, but must be of %s, the device of the event"
              .formatted(stream.device(), device));
    }
    Cuda.record(device.index(), handle, stream.handle());
  }

  /// Waits until the last recorded event has occurred. Returns at once if the event was never
  /// recorded.
  ///
  /// @throws CudaException if work on the device has failed
  public void await() {
    Cuda.awaitEvent(device.index(), handle, error);
  }
}
