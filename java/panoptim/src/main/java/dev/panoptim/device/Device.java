package dev.panoptim.device;

import dev.panoptim.internal.bindings.NativeLibrary;
import dev.panoptim.internal.bindings.panoptim_cuda_device;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Segments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.Objects;

/// Where parameters, gradients and states lie, and are updated: the CPU's memory, or a graphics
/// GPU's.
///
/// Memory of a GPU is a [MemorySegment] too, but one of length 0: an address with the lifetime of
/// its arena, which Java cannot read or write (an [IndexOutOfBoundsException] says so). It is
/// filled and read by copies.
///
/// ```java
/// Device gpu = Device.cuda(0);
/// try (Arena arena = Arena.ofShared()) {
///   MemorySegment there = gpu.allocate(floats.byteSize(), arena);
///   gpu.upload(floats, there);
///   gpu.download(there, floats);
/// }
/// ```
///
/// Thread-safe. Two devices are equal if they are the same one.
public final class Device {
  private static final int CPU_INDEX = -1;

  private static final Device CPU = new Device(CPU_INDEX);

  /// -1 for the CPU.
  private final int index;

  private final StagedCopies stagedCopies;

  /// Whether the kernels are known to run here.
  private volatile boolean capable;

  private static final class CudaDevices {
    static final Device[] ALL;
    static final String WHY_NONE;

    static {
      Device[] found = {};
      String why = null;
      try {
        found = new Device[Cuda.devices()];
        for (int i = 0; i < found.length; i++) {
          found[i] = new Device(i);
        }
      } catch (CudaException e) {
        why = e.getMessage();
      }
      ALL = found;
      WHY_NONE = why;
    }
  }

  private Device(int index) {
    this.index = index;
    stagedCopies = index == CPU_INDEX ? null : new StagedCopies(index);
  }

  /// The processor, and memory that Java can reach.
  public static Device cpu() {
    return CPU;
  }

  /// A GPU.
  ///
  /// @param index its number, as CUDA counts the GPUs that this process may use
  /// @throws CudaException if CUDA cannot be had: no library, no driver, no GPU, or this one's
  ///   compute capability is below 7.5; the message says what is missing
  /// @throws IllegalArgumentException if there is no GPU of that number
  public static Device cuda(int index) {
    if (CudaDevices.WHY_NONE != null) {
      throw new CudaException(CudaDevices.WHY_NONE);
    }
    if (index < 0 || index >= CudaDevices.ALL.length) {
      throw new IllegalArgumentException(
          "index is " + index + ", but must be from 0 to " + (CudaDevices.ALL.length - 1));
    }
    CudaDevices.ALL[index].requireCapability();
    return CudaDevices.ALL[index];
  }

  private void requireCapability() {
    if (capable) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      // Of one that is not capable, nothing else is said.
      Cuda.describe(index, arena);
    }
    capable = true;
  }

  /// How many GPUs there are; 0 where [#cuda] works for none of them.
  public static int cudaCount() {
    return CudaDevices.ALL.length;
  }

  /// What keeps [#cuda] from working for every GPU, in words; `null` if it works for one.
  public static String whyNoCuda() {
    return CudaDevices.WHY_NONE;
  }

  public boolean isCpu() {
    return index == CPU_INDEX;
  }

  /// A GPU's number, -1 for the CPU.
  public int index() {
    return index;
  }

  /// `cpu`, or `cuda:0` and so on.
  public String name() {
    return isCpu() ? "cpu" : "cuda:" + index;
  }

  /// What it is, in words.
  ///
  /// @throws CudaException if CUDA does not say
  public String describe() {
    if (isCpu()) {
      return "the processor";
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment described = Cuda.describe(index, arena);
      return String.format(
          Locale.ROOT,
          "%s, compute capability %d.%d, %.1f GiB; library loaded from %s",
          panoptim_cuda_device.name(described).getString(0),
          panoptim_cuda_device.major(described),
          panoptim_cuda_device.minor(described),
          panoptim_cuda_device.total_memory(described) / (double) (1 << 30),
          NativeLibrary.ofCuda().origin());
    }
  }

  /// The bytes that can still be allocated on a GPU.
  ///
  /// @throws IllegalStateException on the CPU, whose memory Java's own means tell of
  /// @throws CudaException if CUDA does not say
  public long freeMemory() {
    if (isCpu()) {
      throw new IllegalStateException("freeMemory is known of CUDA devices only");
    }
    try (Arena arena = Arena.ofConfined()) {
      return panoptim_cuda_device.free_memory(Cuda.describe(index, arena));
    }
  }

  /// Zeroed memory, which is freed with the arena: [Arena#close()] then waits for the GPU.
  ///
  /// @param bytes 0 or more
  /// @return on a GPU, a segment of length 0, aligned to 256 bytes
  /// @throws IllegalArgumentException if `bytes` is negative
  /// @throws CudaException if the GPU has not so much memory
  public MemorySegment allocate(long bytes, Arena arena) {
    requireNotNegative("bytes", bytes);
    if (isCpu()) {
      return arena.allocate(bytes, 64);
    }
    // CUDA has no address for nothing.
    MemorySegment memory = Cuda.allocate(index, Math.max(1, bytes), arena);
    Cuda.fill(index, MemorySegment.NULL, memory, 0, bytes);
    Cuda.await(index, MemorySegment.NULL);
    return memory;
  }

  /// Memory that both Java and the GPU reach, with arbitrary content: what is copied from and to it
  /// takes no detour. The system cannot page it out, so it should be small.
  ///
  /// @param bytes 0 or more
  /// @throws IllegalArgumentException if `bytes` is negative
  /// @throws CudaException if the system has not so much memory
  public MemorySegment allocatePinned(long bytes, Arena arena) {
    requireNotNegative("bytes", bytes);
    return isCpu()
        ? arena.allocate(bytes, 64)
        : Cuda.allocatePinned(index, Math.max(1, bytes), arena).asSlice(0, bytes);
  }

  /// A part of this device's memory.
  ///
  /// @param offset in bytes, 0 or more
  /// @param bytes 0 or more
  /// @return as many bytes; on a GPU, a segment of length 0 that begins there
  /// @throws IndexOutOfBoundsException on the CPU, if the memory has fewer bytes
  /// @throws IllegalArgumentException on a GPU, if the memory has fewer bytes, as far as [#holds]
  ///   can say, or is another's
  /// @throws CudaException if CUDA does not say
  public MemorySegment slice(MemorySegment memory, long offset, long bytes) {
    if (isCpu()) {
      return memory.asSlice(offset, bytes);
    }
    requireNotNegative("offset", offset);
    requireNotNegative("bytes", bytes);
    if (bytes > Long.MAX_VALUE - offset) {
      throw new IllegalArgumentException(
          "offset is %s and bytes %s, but together they must be at most %s"
              .formatted(offset, bytes, Long.MAX_VALUE));
    }
    requireOnDevice("memory", memory, offset + bytes);
    return Cuda.plus(memory, offset);
  }

  /// Whether some bytes from an address on are in this device's memory. Of a GPU's memory that
  /// others than [#allocate] have allocated, only whose it is can be said.
  ///
  /// @throws CudaException if CUDA does not say
  public boolean holds(MemorySegment memory, long bytes) {
    return isCpu()
        ? memory.isNative() && memory.byteSize() >= bytes
        : bytes == 0 || Cuda.holds(index, memory, bytes);
  }

  /// Whether some bytes of a GPU from an address on are of one [#allocate]: a copy must not go from
  /// one allocation to the next, though there be nothing between them.
  public boolean areOneAllocation(MemorySegment memory, long bytes) {
    return !isCpu() && Cuda.areOneAllocation(memory, bytes);
  }

  /// Checks one side of a copy: memory off-heap, which knows its size, or a GPU's.
  void requireBytes(String name, MemorySegment memory, long bytes) {
    requireNotNegative("bytes", bytes);
    Segments.requireAddress(name, memory, bytes);
    Segments.requireAlive(name, memory);
    if (memory.byteSize() == 0) {
      requireOnDevice(name, memory, bytes);
    } else if (!memory.isNative() || memory.byteSize() < bytes) {
      throw new IllegalArgumentException(
          "%s has %s bytes %s-heap, but must have %s off-heap"
              .formatted(name, memory.byteSize(), memory.isNative() ? "off" : "on", bytes));
    }
  }

  /// Checks that an address, without extent, has so many bytes of this GPU from it on, as far as
  /// [#holds] can say.
  ///
  /// @throws IllegalArgumentException if it has not; the message begins with the name
  /// @throws CudaException if CUDA does not say
  public void requireOnDevice(String name, MemorySegment memory, long bytes) {
    requireNotNegative("bytes", bytes);
    Segments.requireAddress(name, memory, bytes);
    if (!memory.isNative() || memory.byteSize() > 0 || !holds(memory, bytes)) {
      throw new IllegalArgumentException(
          "%s takes %s bytes from address 0x%x on, which are not in the memory of %s"
              .formatted(name, bytes, memory.address(), this));
    }
  }

  /// Checks that memory may be written.
  ///
  /// @throws IllegalArgumentException if it is read-only; the message begins with the name
  public static void requireWritable(String name, MemorySegment memory) {
    if (memory.isReadOnly()) {
      throw new IllegalArgumentException(name + " is read-only, but will be written");
    }
  }

  /// Copies from memory that Java reaches to memory of this device, and waits until it is there. On
  /// a GPU, after all work of streams that the default stream waits for.
  ///
  /// @param to as many bytes
  /// @throws IllegalArgumentException if `to` is not in this device's memory, has another size or
  ///   is read-only, or there can be no memory where one of them says it is
  /// @throws IllegalStateException if the arena of one of them has been closed
  /// @throws WrongThreadException if the arena of one of them is confined to another thread
  /// @throws CudaException if CUDA refuses
  public void upload(MemorySegment from, MemorySegment to) {
    requireHere("from", from);
    Segments.requireAlive("to", to);
    requireWritable("to", to);
    if (isCpu()) {
      requireHere("to", to);
      requireSameSize(from, to);
      to.copyFrom(from);
    } else {
      requireOnDevice("to", to, from.byteSize());
      stagedCopies.upload(from, to);
    }
  }

  /// Copies from memory of this device to memory that Java reaches, and waits until it is there. On
  /// a GPU, after all work of streams that the default stream waits for.
  ///
  /// @param from as many bytes as `to` has
  /// @throws IllegalArgumentException if `from` is not in this device's memory, `to` has another
  ///   size or is read-only, or there can be no memory where one of them says it is
  /// @throws IllegalStateException if the arena of one of them has been closed
  /// @throws WrongThreadException if the arena of one of them is confined to another thread
  /// @throws CudaException if CUDA refuses, or work before the copy has failed
  public void download(MemorySegment from, MemorySegment to) {
    requireHere("to", to);
    Segments.requireAlive("from", from);
    requireWritable("to", to);
    if (isCpu()) {
      requireHere("from", from);
      requireSameSize(from, to);
      to.copyFrom(from);
    } else {
      requireOnDevice("from", from, to.byteSize());
      stagedCopies.download(from, to);
    }
  }

  /// Checks memory that Java reaches, on the heap or off it.
  private static void requireHere(String name, MemorySegment memory) {
    Segments.requireAddress(name, memory, memory.byteSize());
    Segments.requireAlive(name, memory);
  }

  private static void requireSameSize(MemorySegment from, MemorySegment to) {
    if (from.byteSize() != to.byteSize()) {
      throw new IllegalArgumentException(
          "from has %s bytes, but to has %s".formatted(from.byteSize(), to.byteSize()));
    }
  }

  /// The floats as Java can read them: on the CPU the memory itself, else a copy.
  ///
  /// @param bytes of the memory
  public MemorySegment readable(MemorySegment memory, long bytes) {
    return isCpu() ? memory : copyOf(memory, bytes);
  }

  /// A copy that Java can reach, and the garbage collector frees.
  ///
  /// @param bytes of the memory
  /// @throws OutOfMemoryError if the system has not so much memory, or the limit
  ///   `panoptim.memory.limit` does not allow it
  public MemorySegment copyOf(MemorySegment memory, long bytes) {
    MemorySegment copy = new CollectedMemory(MemoryKind.COPIES).allocate(bytes, Float.BYTES);
    download(memory, copy);
    return copy;
  }

  /// Sets each of some floats.
  ///
  /// @param count elements, 0 or more
  /// @throws IndexOutOfBoundsException on the CPU, if the memory has fewer
  /// @throws IllegalArgumentException if the memory is read-only, or on a GPU has fewer elements,
  ///   as far as [#holds] can say, or is another's
  /// @throws CudaException if CUDA refuses
  public void fill(MemorySegment memory, long count, float value) {
    if (isCpu()) {
      requireHere("memory", memory);
      for (long i = 0; i < count; i++) {
        memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
      }
    } else {
      requireNotNegative("count", count);
      if (count > Long.MAX_VALUE / Float.BYTES) {
        throw new IllegalArgumentException(
            "count is " + count + ", but must be at most " + Long.MAX_VALUE / Float.BYTES);
      }
      requireOnDevice("memory", memory, count * Float.BYTES);
      requireWritable("memory", memory);
      stagedCopies.fill(memory, count, value);
    }
  }

  private static void requireNotNegative(String name, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " is " + value + ", but must be 0 or more");
    }
  }

  /// @return the device
  /// @throws IllegalArgumentException if it is the CPU
  static Device requireCuda(Device device) {
    if (Objects.requireNonNull(device, "device is null").isCpu()) {
      throw new IllegalArgumentException("device is cpu, but must be a CUDA device");
    }
    return device;
  }

  @Override
  public String toString() {
    return name();
  }
}
