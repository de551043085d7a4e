package dev.panoptim.device;

import dev.panoptim.internal.bindings.NativeLibrary;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_cuda_device;
import dev.panoptim.internal.bindings.panoptim_cuda_range;
import dev.panoptim.internal.memory.CleaningAction;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryBudget;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongFunction;

/// The functions of the CUDA library except for the step. A failed function throws an exception.
///
/// An address on a device is a segment of length 0 with the lifetime of an arena. An attempt to
/// read or write it in Java therefore throws.
///
/// Thread-safe.
final class Cuda {
  /// The owner of an address and of the addresses around it, as reported by CUDA.
  ///
  /// @param kind one of the `PANOPTIM_MEMORY_` constants
  /// @param device the number of the device, or -1 for memory that CUDA does not know
  /// @param start the first address
  /// @param bytes the size; 0 if CUDA does not say
  record Range(int kind, int device, long start, long bytes) {
    boolean isOn(int device) {
      return this.device == device
          && (kind == PanoptimAbi.PANOPTIM_MEMORY_DEVICE()
              || kind == PanoptimAbi.PANOPTIM_MEMORY_MANAGED());
    }

    boolean isPinned() {
      return kind == PanoptimAbi.PANOPTIM_MEMORY_PINNED();
    }

    boolean contains(long address) {
      return Long.compareUnsigned(address - start, bytes) < 0;
    }

    /// @param size 0 or more
    boolean contains(long address, long size) {
      return contains(address) && size <= start + bytes - address;
    }

    /// Whether ranges of a device's memory cover some addresses. There may be several: one tensor
    /// may lie in several mappings, as with PyTorch's expandable segments.
    ///
    /// @param bytes the number of addresses, 0 or more
    static boolean cover(long address, long bytes, int device, LongFunction<Range> rangeOf) {
      long at = address;
      // The comparison uses offsets, because an end address may overflow.
      for (long left = bytes; left > 0; ) {
        Range range = rangeOf.apply(at);
        if (!range.isOn(device)) {
          return false;
        }
        if (!range.contains(at)) {
          // CUDA names the owner but no range.
          return true;
        }
        long here = range.start + range.bytes - at;
        at += here;
        left -= here;
      }
      return true;
    }
  }

  /// A function of the ABI that writes an error message.
  private interface Call {
    int status(MemorySegment error);
  }

  /// A function of the ABI that writes an address.
  private interface Creation {
    int status(MemorySegment created, MemorySegment error);
  }

  /// A function of the ABI that destroys an object.
  private interface End {
    int status(int device, MemorySegment ended, MemorySegment error);
  }

  /// Memory that was allocated by this class.
  ///
  /// @param device the number of the device
  /// @param end the address after the last byte
  private record Allocation(int device, long end) {}

  /// All allocations by their address. The addresses of different devices differ.
  private static final ConcurrentSkipListMap<Long, Allocation> ALLOCATIONS =
      new ConcurrentSkipListMap<>();

  private Cuda() {}

  /// The number of usable devices.
  ///
  /// @throws CudaException if there is none; the message gives the reason
  static int devices() {
    NativeLibrary library = NativeLibrary.ofCuda();
    if (!library.isLoaded()) {
      throw new CudaException(
          "the CUDA library could not be loaded: " + String.join("; ", library.failedAttempts()));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      check(error -> PanoptimAbi.panoptim_cuda_devices(count, error));
      return count.get(ValueLayout.JAVA_INT, 0);
    } catch (CudaException e) {
      throw new CudaException(
          "no GPU is usable; an NVIDIA GPU of compute capability 7.5 or more and NVIDIA's driver"
              + " are needed: "
              + e.getMessage());
    }
  }

  /// Returns a filled `panoptim_cuda_device`.
  static MemorySegment describe(int device, Arena arena) {
    MemorySegment description = panoptim_cuda_device.allocate(arena);
    check(error -> PanoptimAbi.panoptim_cuda_describe(device, description, error));
    return description;
  }

  /// Allocates uninitialized memory of a device with the lifetime of an arena.
  static MemorySegment allocate(int device, long bytes, Arena arena) {
    return owned(
        device,
        0,
        bytes,
        arena,
        (memory, error) -> {
          int status = PanoptimAbi.panoptim_cuda_allocate(device, bytes, memory, error);
          if (status == PanoptimAbi.PANOPTIM_OK()) {
            long address = memory.get(ValueLayout.ADDRESS, 0).address();
            ALLOCATIONS.put(address, new Allocation(device, address + bytes));
            MemoryBudget.countOnDevices(bytes);
          }
          return status;
        },
        (on, memory, error) -> {
          ALLOCATIONS.remove(memory.address());
          MemoryBudget.countOnDevices(-bytes);
          return PanoptimAbi.panoptim_cuda_free(on, memory, error);
        },
        PanoptimAbi.panoptim_cuda_free$handle());
  }

  /// The allocation of this class that contains an address; `null` if there is none.
  private static Allocation allocationOf(MemorySegment memory) {
    Map.Entry<Long, Allocation> before = ALLOCATIONS.floorEntry(memory.address());
    return before != null && memory.address() < before.getValue().end() ? before.getValue() : null;
  }

  /// Whether a range of addresses lies within one allocation of this class.
  static boolean areOneAllocation(MemorySegment memory, long bytes) {
    Allocation of = allocationOf(memory);
    return of != null && bytes >= 0 && bytes <= of.end() - memory.address();
  }

  /// Whether a range of addresses lies in a device's memory. For memory that was allocated
  /// elsewhere, CUDA is asked.
  static boolean holds(int device, MemorySegment memory, long bytes) {
    Allocation of = allocationOf(memory);
    return of == null
        ? Range.cover(memory.address(), bytes, device, Cuda::locate)
        : of.device() == device && bytes <= of.end() - memory.address();
  }

  /// Like [#holds], but asks CUDA only for unknown ranges.
  static boolean holds(int device, MemorySegment memory, long bytes, KnownRanges known) {
    // Known ranges come first, because this lookup is faster than the search for an allocation.
    if (known.surelyHold(memory.address(), bytes)) {
      return true;
    }
    Allocation of = allocationOf(memory);
    return of == null
        ? known.holds(memory.address(), bytes)
        : of.device() == device && bytes <= of.end() - memory.address();
  }

  /// Returns an address with an offset in the same memory, with the same lifetime.
  static MemorySegment plus(MemorySegment memory, long bytes) {
    return memory.reinterpret(bytes).asSlice(bytes, 0);
  }

  /// Allocates uninitialized host memory that the device can access directly.
  ///
  /// @throws OutOfMemoryError if the memory would exceed the limit
  static MemorySegment allocatePinned(int device, long bytes, Arena arena) {
    return owned(
        device,
        bytes,
        bytes,
        arena,
        (memory, error) -> {
          MemoryBudget.reserve(bytes, MemoryKind.TABLES);
          int status = PanoptimAbi.panoptim_cuda_allocate_pinned(device, bytes, memory, error);
          if (status != PanoptimAbi.PANOPTIM_OK()) {
            MemoryBudget.release(bytes, MemoryKind.TABLES);
          }
          return status;
        },
        (on, memory, error) -> {
          MemoryBudget.release(bytes, MemoryKind.TABLES);
          return PanoptimAbi.panoptim_cuda_free_pinned(on, memory, error);
        },
        PanoptimAbi.panoptim_cuda_free_pinned$handle());
  }

  static MemorySegment createStream(int device, Arena arena) {
    return owned(
        device,
        0,
        0,
        arena,
        (stream, error) -> PanoptimAbi.panoptim_cuda_create_stream(device, stream, error),
        PanoptimAbi::panoptim_cuda_destroy_stream,
        PanoptimAbi.panoptim_cuda_destroy_stream$handle());
  }

  static MemorySegment createEvent(int device, Arena arena) {
    return owned(
        device,
        0,
        0,
        arena,
        (event, error) -> PanoptimAbi.panoptim_cuda_create_event(device, event, error),
        PanoptimAbi::panoptim_cuda_destroy_event,
        PanoptimAbi.panoptim_cuda_destroy_event$handle());
  }

  /// Buffers for the results of [#locate], which may be called for many gradients at every step.
  /// They are created at the first use, because without native access their creation fails, and
  /// [#devices] must report the reason. They are freed with the class loader.
  private static final class Room {
    static final MemorySegment RANGE = panoptim_cuda_range.allocate(Arena.ofAuto());
    static final MemorySegment ERROR = Arena.ofAuto().allocate(PanoptimAbi.PANOPTIM_TEXT());

    /// The buffer for errors of destructors after the class loader has been collected. It is never
    /// read, so that several threads may write it at the same time.
    static final MemorySegment UNREAD = Arena.ofAuto().allocate(PanoptimAbi.PANOPTIM_TEXT());
  }

  /// Asks CUDA for the range of an address.
  static synchronized Range locate(long address) {
    int status =
        PanoptimAbi.panoptim_cuda_locate(MemorySegment.ofAddress(address), Room.RANGE, Room.ERROR);
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      throw new CudaException(Room.ERROR.getString(0));
    }
    return new Range(
        panoptim_cuda_range.kind(Room.RANGE),
        panoptim_cuda_range.device(Room.RANGE),
        panoptim_cuda_range.start(Room.RANGE),
        panoptim_cuda_range.bytes(Room.RANGE));
  }

  static void await(int device, MemorySegment stream) {
    check(error -> PanoptimAbi.panoptim_cuda_await(device, stream, error));
  }

  static void record(int device, MemorySegment event, MemorySegment stream) {
    check(error -> PanoptimAbi.panoptim_cuda_record(device, event, stream, error));
  }

  /// @param error a buffer for CUDA's error message; a step waits for events and should not
  ///   allocate
  static void awaitEvent(int device, MemorySegment event, MemorySegment error) {
    if (PanoptimAbi.panoptim_cuda_await_event(device, event, error) != PanoptimAbi.PANOPTIM_OK()) {
      throw new CudaException(error.getString(0));
    }
  }

  static void follow(int device, MemorySegment stream, MemorySegment event) {
    check(error -> PanoptimAbi.panoptim_cuda_follow(device, stream, event, error));
  }

  /// Enqueues a copy. CUDA does not document whether it accepts 0 bytes, so they are not passed on.
  static void copy(
      int device, MemorySegment stream, MemorySegment to, MemorySegment from, long bytes) {
    if (bytes > 0) {
      check(error -> PanoptimAbi.panoptim_cuda_copy(device, stream, to, from, bytes, error));
    }
  }

  /// Enqueues setting bytes to a value. 0 bytes are not passed on to CUDA.
  static void fill(int device, MemorySegment stream, MemorySegment memory, int value, long bytes) {
    if (bytes > 0) {
      check(error -> PanoptimAbi.panoptim_cuda_fill(device, stream, memory, value, bytes, error));
    }
  }

  /// Creates an object that is destroyed with the arena.
  ///
  /// @param bytes the bytes that Java may access
  /// @param held the bytes that the object takes, on any device
  /// @param function the function of the ABI that destroys the object. It is called directly if
  ///   this library's class loader has been collected; the CUDA library itself is never unloaded
  private static MemorySegment owned(
      int device,
      long bytes,
      long held,
      Arena arena,
      Creation creation,
      End end,
      MethodHandle function) {
    try (Arena temporary = Arena.ofConfined()) {
      MemorySegment created = temporary.allocate(ValueLayout.ADDRESS);
      check(error -> creation.status(created, error));
      MemorySegment address = created.get(ValueLayout.ADDRESS, 0);
      try {
        Runnable release = () -> end(device, address, end);
        MethodHandle afterUnloading =
            MethodHandles.insertArguments(
                MethodHandles.dropReturn(function), 0, device, address, Room.UNREAD);
        if (arena instanceof OwnedArena owner) {
          return owner.adopt(address, bytes, held, release, afterUnloading);
        }
        return address.reinterpret(bytes, arena, CleaningAction.consumer(release, afterUnloading));
      } catch (Throwable arenaIsClosed) {
        CloseAll.after(arenaIsClosed, List.of(() -> end(device, address, end)));
        throw arenaIsClosed;
      }
    }
  }

  private static void end(int device, MemorySegment ended, End end) {
    check(error -> end.status(device, ended, error));
  }

  private static void check(Call call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
      if (call.status(error) != PanoptimAbi.PANOPTIM_OK()) {
        throw new CudaException(error.getString(0));
      }
    }
  }
}
