package dev.panoptim.device;

import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.memory.WriteWatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A CUDA stream: a queue of work that a device executes in order.
///
/// Thread-safe; the order of work that several threads enqueue at the same time is undefined.
public final class DeviceStream implements AutoCloseable {
  private final Device device;
  private final MemorySegment handle;

  /// `null` if the caller owns the stream.
  private final OwnedArena arena;

  private DeviceStream(Device device, MemorySegment handle, OwnedArena arena) {
    this.device = device;
    this.handle = handle;
    this.arena = arena;
  }

  /// CUDA's default stream. It waits for all other streams of the device and they wait for it,
  /// except for streams that were created as non-blocking.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  public static DeviceStream defaultOf(Device device) {
    return new DeviceStream(Device.requireCuda(device), MemorySegment.NULL, null);
  }

  /// Creates a stream that lives until it is closed.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws CudaException if CUDA reports an error
  public static DeviceStream create(Device device) {
    Device.requireCuda(device);
    OwnedArena arena = OwnedArena.of(MemoryKind.TABLES, Origin.here("a device stream"));
    try {
      return new DeviceStream(device, Cuda.createStream(device.index(), arena), arena);
    } catch (Throwable e) {
      CloseAll.after(e, List.of(arena::close));
      throw e;
    }
  }

  /// Creates a stream with the lifetime of an arena; [#close] has no effect on it.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws CudaException if CUDA reports an error
  public static DeviceStream create(Device device, Arena arena) {
    return new DeviceStream(
        Device.requireCuda(device), Cuda.createStream(device.index(), arena), null);
  }

  /// Wraps an existing stream, for example of a deep-learning framework. The stream must live as
  /// long as this object is used; [#close] has no effect on it.
  ///
  /// A `torch.cuda.Stream` of PyTorch is non-blocking: the default stream does not wait for it. In
  /// PyTorch, `torch.cuda.current_stream().cuda_stream` is the address of the stream in use.
  ///
  /// @param address the `cudaStream_t`
  /// @throws IllegalArgumentException if the device is the CPU
  public static DeviceStream ofAddress(Device device, long address) {
    return new DeviceStream(Device.requireCuda(device), MemorySegment.ofAddress(address), null);
  }

  /// The device of the stream.
  public Device device() {
    return device;
  }

  /// The `cudaStream_t`, as a segment of length 0.
  public MemorySegment handle() {
    return handle;
  }

  /// Waits until all enqueued work is done.
  ///
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if work on the device has failed
  public void await() {
    requireOpen();
    Cuda.await(device.index(), handle);
  }

  /// Enqueues a copy between this device's memory and off-heap memory, or within one of them.
  ///
  /// If both sides are on the device or pinned, this method returns at once. If one side is
  /// pageable, CUDA may or may not wait for the copy. In each case, both sides must stay alive
  /// until the copy is done.
  ///
  /// @param from the source
  /// @param to the target
  /// @param bytes the size, 0 or more
  /// @throws IllegalArgumentException if one side is smaller, is on the heap or belongs to another
  ///   device, or if `to` is read-only
  /// @throws IllegalStateException if the stream or the arena of a segment has been closed
  /// @throws CudaException if CUDA reports an error
  public void copy(MemorySegment from, MemorySegment to, long bytes) {
    device.forgetRanges();
    copyHeld(from, to, bytes, null);
  }

  /// As described at [DeviceAccess#copyHeld].
  void copyHeld(MemorySegment from, MemorySegment to, long bytes, WriteWatch owner) {
    requireOpen();
    device.requireBytes("from", from, bytes);
    device.requireBytes("to", to, bytes);
    Segments.requireWritable("to", to);
    try {
      Cuda.copy(device.index(), handle, to, from, bytes);
    } finally {
      WriteWatch.note(to, bytes, owner);
    }
  }

  /// Enqueues setting device memory to 0.
  ///
  /// @param memory memory of this device
  /// @param bytes the size, 0 or more
  /// @throws IllegalArgumentException if the memory is smaller, is read-only, or belongs to another
  ///   device
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if CUDA reports an error
  public void zero(MemorySegment memory, long bytes) {
    device.forgetRanges();
    zeroHeld(memory, bytes);
  }

  /// As described at [DeviceAccess#zeroHeld].
  void zeroHeld(MemorySegment memory, long bytes) {
    requireOpen();
    device.requireHeld("memory", memory, bytes);
    Segments.requireWritable("memory", memory);
    try {
      Cuda.fill(device.index(), handle, memory, 0, bytes);
    } finally {
      WriteWatch.note(memory, bytes);
    }
  }

  /// Makes all work that is enqueued from now on wait for the last recorded event, which may be of
  /// any stream and device.
  ///
  /// @throws IllegalStateException if the stream has been closed
  /// @throws CudaException if CUDA reports an error
  public void follow(DeviceEvent event) {
    requireOpen();
    Cuda.follow(device.index(), handle, event.handle());
  }

  /// Checks that the stream is open.
  ///
  /// @throws IllegalStateException if the stream has been closed
  public void requireOpen() {
    if (!handle.scope().isAlive()) {
      throw new IllegalStateException("the stream of " + device + " has been closed");
    }
  }

  /// Waits for all enqueued work and destroys the stream. Closing twice has no effect; nor has
  /// closing a stream that belongs to an arena or to the caller.
  ///
  /// @throws IllegalStateException if another thread is enqueuing work
  @Override
  public void close() {
    if (arena != null) {
      arena.close();
    }
  }

  @Override
  public String toString() {
    return "DeviceStream[" + device + ", 0x" + Long.toHexString(handle.address()) + "]";
  }
}
