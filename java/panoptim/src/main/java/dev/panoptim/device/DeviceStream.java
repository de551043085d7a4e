package dev.panoptim.device;

import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A queue of work for a device, which it does in order: what CUDA calls a stream.
///
/// Thread-safe; work that several threads give to one stream is done in some order.
public final class DeviceStream implements AutoCloseable {
  private final Device device;
  private final MemorySegment handle;

  /// `null` where the stream is somebody else's.
  private final Arena arena;

  private DeviceStream(Device device, MemorySegment handle, Arena arena) {
    this.device = device;
    this.handle = handle;
    this.arena = arena;
  }

  /// CUDA's default stream: it waits for all other streams of the device, and they for it, unless
  /// they were made not to.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  public static DeviceStream defaultOf(Device device) {
    return new DeviceStream(Device.requireCuda(device), MemorySegment.NULL, null);
  }

  /// A stream of one's own, which lives until it is closed.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws CudaException if CUDA refuses
  public static DeviceStream create(Device device) {
    Device.requireCuda(device);
    OwnedArena arena = OwnedArena.of(MemoryKind.TABLES, Origin.here("a device stream"));
    try {
      return new DeviceStream(device, Cuda.createStream(device.index(), arena), arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /// A stream that ends with an arena; closing it does nothing.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws CudaException if CUDA refuses
  public static DeviceStream create(Device device, Arena arena) {
    return new DeviceStream(
        Device.requireCuda(device), Cuda.createStream(device.index(), arena), null);
  }

  /// A stream that somebody else has made and will destroy, such as a deep-learning framework: it
  /// must live for as long as this is used.
  ///
  /// @param address the `cudaStream_t`
  /// @throws IllegalArgumentException if the device is the CPU
  public static DeviceStream ofAddress(Device device, long address) {
    return new DeviceStream(Device.requireCuda(device), MemorySegment.ofAddress(address), null);
  }

  public Device device() {
    return device;
  }

  /// The `cudaStream_t`: an address that cannot be dereferenced.
  public MemorySegment handle() {
    return handle;
  }

  /// Waits until all that the stream has been given so far is done.
  ///
  /// @throws IllegalStateException if it has been closed
  /// @throws CudaException if something failed on the device
  public void await() {
    requireOpen();
    Cuda.await(device.index(), handle);
  }

  /// Copies between memory of this stream's device and memory off-heap, or within either, in the
  /// order of this stream.
  ///
  /// Where both are on the device or pinned, returns at once: they must stay alive until it is
  /// done.
  ///
  /// @param bytes 0 or more
  /// @throws IllegalArgumentException if one of them has fewer bytes, is on the heap or another
  ///   device's, or `to` is read-only
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if CUDA refuses
  public void copy(MemorySegment from, MemorySegment to, long bytes) {
    requireOpen();
    device.requireBytes("from", from, bytes);
    device.requireBytes("to", to, bytes);
    Device.requireWritable("to", to);
    if (bytes > 0) {
      Cuda.copy(device.index(), handle, to, from, bytes);
    }
  }

  /// Sets memory of the device to 0, in the order of this stream.
  ///
  /// @param bytes 0 or more
  /// @throws IllegalArgumentException if it has fewer bytes, or is not this device's
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if CUDA refuses
  public void zero(MemorySegment memory, long bytes) {
    requireOpen();
    device.requireOnDevice("memory", memory, bytes);
    Device.requireWritable("memory", memory);
    if (bytes > 0) {
      Cuda.fill(device.index(), handle, memory, 0, bytes);
    }
  }

  /// Does what it is given from now on once an event has happened, as it was last recorded, in
  /// whatever stream of whatever device.
  ///
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if CUDA refuses
  public void follow(DeviceEvent event) {
    requireOpen();
    Cuda.follow(device.index(), handle, event.handle());
  }

  /// @throws IllegalStateException if it has been closed
  public void requireOpen() {
    if (!handle.scope().isAlive()) {
      throw new IllegalStateException("the stream of " + device + " has been closed");
    }
  }

  /// Ends a stream of one's own, once what it has been given is done. Does nothing when that has
  /// been done, or the stream is somebody else's.
  ///
  /// @throws IllegalStateException if another thread is giving it work
  @Override
  public void close() {
    if (arena != null && arena.scope().isAlive()) {
      arena.close();
    }
  }

  @Override
  public String toString() {
    return "DeviceStream[" + device + ", 0x" + Long.toHexString(handle.address()) + "]";
  }
}
