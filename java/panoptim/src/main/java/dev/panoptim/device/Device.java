package dev.panoptim.device;

import dev.panoptim.internal.bindings.NativeLibrary;
import dev.panoptim.internal.bindings.panoptim_cuda_device;
import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.memory.WriteWatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.Objects;

/// The place of parameters, gradients and states: the CPU's memory, or the memory of a GPU.
///
/// GPU memory is a [MemorySegment] of length 0: an address with the lifetime of its arena. An
/// attempt to read or write it in Java throws an [IndexOutOfBoundsException]. Its content is
/// transferred by copies: [#upload] and [#download].
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
/// Thread-safe. There is one object for each device.
public final class Device {
  private static final int CPU_INDEX = -1;

  private static final Device CPU = new Device(CPU_INDEX);

  /// The number of the GPU, or -1 for the CPU.
  private final int index;

  private final StagedCopies stagedCopies;
  private final KnownRanges knownRanges;

  static {
    DeviceAccess.offer(new StepAccess());
  }

  Device(int index) {
    this.index = index;
    stagedCopies = index == CPU_INDEX ? null : new StagedCopies(index);
    knownRanges = index == CPU_INDEX ? null : new KnownRanges(index);
  }

  /// The CPU, with memory that Java can access.
  public static Device cpu() {
    return CPU;
  }

  /// Returns a GPU.
  ///
  /// @param index the number of the GPU, as CUDA counts the GPUs that are visible to this process
  /// @throws CudaException if CUDA is unavailable: there is no library, no driver or no GPU, or the
  ///   GPU's compute capability is below 7.5; the message gives the reason
  /// @throws IllegalArgumentException if there is no GPU of that number
  public static Device cuda(int index) {
    return CudaDevices.get(index);
  }

  /// The number of GPUs; 0 if [#cuda] fails for all of them.
  public static int cudaCount() {
    return CudaDevices.ALL.length;
  }

  /// The reason why [#cuda] fails for every GPU; `null` if there is a usable one.
  public static String whyNoCuda() {
    return CudaDevices.WHY_NONE;
  }

  /// Whether this is the CPU.
  public boolean isCpu() {
    return index == CPU_INDEX;
  }

  /// The number of the GPU, or -1 for the CPU.
  public int index() {
    return index;
  }

  /// The name: `cpu`, `cuda:0` and so on.
  public String name() {
    return isCpu() ? "cpu" : "cuda:" + index;
  }

  /// Describes the device.
  ///
  /// @throws CudaException if CUDA reports an error
  public String describe() {
    if (isCpu()) {
      return "the CPU";
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

  /// The free memory of a GPU in bytes.
  ///
  /// @throws IllegalStateException on the CPU, whose memory the JDK reports
  /// @throws CudaException if CUDA reports an error
  public long freeMemory() {
    if (isCpu()) {
      throw new IllegalStateException("freeMemory is available only for CUDA devices");
    }
    try (Arena arena = Arena.ofConfined()) {
      return panoptim_cuda_device.free_memory(Cuda.describe(index, arena));
    }
  }

  /// Allocates zeroed memory. It is freed with the arena; on a GPU, [Arena#close()] then waits for
  /// the GPU.
  ///
  /// @param bytes the size, 0 or more
  /// @param arena the lifetime of the memory
  /// @return the memory; on a GPU, a segment of length 0, aligned to 256 bytes
  /// @throws IllegalArgumentException if `bytes` is negative
  /// @throws CudaException if the GPU has too little memory
  public MemorySegment allocate(long bytes, Arena arena) {
    requireNotNegative("bytes", bytes);
    if (isCpu()) {
      return arena.allocate(bytes, 64);
    }
    // CUDA allocates at least one byte.
    MemorySegment memory = Cuda.allocate(index, Math.max(1, bytes), arena);
    // A known range may have been freed, and this memory may be a part of it.
    knownRanges.forget();
    Cuda.fill(index, MemorySegment.NULL, memory, 0, bytes);
    Cuda.await(index, MemorySegment.NULL);
    return memory;
  }

  /// Allocates uninitialized memory that both Java and the GPU can access. Copies from and to it
  /// need no intermediate buffer. The system cannot page it out, so it should be small.
  ///
  /// @param bytes the size, 0 or more
  /// @param arena the lifetime of the memory
  /// @throws IllegalArgumentException if `bytes` is negative
  /// @throws CudaException if the system has too little memory
  /// @throws OutOfMemoryError if the memory would exceed the limit `panoptim.memory.limit`
  public MemorySegment allocatePinned(long bytes, Arena arena) {
    requireNotNegative("bytes", bytes);
    return isCpu()
        ? arena.allocate(bytes, 64)
        : Cuda.allocatePinned(index, Math.max(1, bytes), arena).asSlice(0, bytes);
  }

  /// Returns a part of this device's memory.
  ///
  /// @param memory memory of this device
  /// @param offset the offset in bytes, 0 or more
  /// @param bytes the size, 0 or more
  /// @return a segment of that size; on a GPU, a segment of length 0 that begins there
  /// @throws IndexOutOfBoundsException on the CPU, if the memory is smaller
  /// @throws IllegalArgumentException on a GPU, if the memory is smaller (as far as [#holds] can
  ///   tell), or belongs to another device
  /// @throws CudaException if CUDA reports an error
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

  /// Whether a range of addresses lies in this device's memory; `false` if its size is negative.
  /// For GPU memory that [#allocate] has not allocated, CUDA is asked. CUDA knows allocations and
  /// not the tensors in them: if all bytes are allocated, they may still belong to several tensors,
  /// or to several adjacent allocations.
  ///
  /// @throws CudaException if CUDA reports an error
  public boolean holds(MemorySegment memory, long bytes) {
    return isCpu()
        ? bytes >= 0 && memory.isNative() && memory.byteSize() >= bytes
        : bytes == 0
            || bytes > 0
                && Segments.canBeAt(memory.address(), bytes)
                && Cuda.holds(index, memory, bytes);
  }

  /// As described at [DeviceAccess#heldWhenAsked].
  boolean heldWhenAsked(MemorySegment memory, long bytes) {
    return isCpu()
        ? holds(memory, bytes)
        : bytes == 0
            || bytes > 0
                && Segments.canBeAt(memory.address(), bytes)
                && Cuda.holds(index, memory, bytes, knownRanges);
  }

  /// As described at [DeviceAccess#forgetRanges].
  void forgetRanges() {
    if (!isCpu()) {
      knownRanges.forget();
    }
  }

  /// Checks one side of a copy: off-heap memory, which has a size, or GPU memory, with
  /// [#heldWhenAsked].
  void requireBytes(String name, MemorySegment memory, long bytes) {
    requireNotNegative("bytes", bytes);
    Segments.requireAddress(name, memory, bytes);
    Segments.requireAlive(name, memory);
    if (memory.byteSize() == 0) {
      requireHeld(name, memory, bytes);
    } else if (!memory.isNative() || memory.byteSize() < bytes) {
      throw new IllegalArgumentException(
          "%s has %s bytes %s-heap, but must have %s off-heap"
              .formatted(name, memory.byteSize(), memory.isNative() ? "off" : "on", bytes));
    }
  }

  /// As described at [DeviceAccess#requireOnDevice].
  void requireOnDevice(String name, MemorySegment memory, long bytes) {
    forgetRanges();
    requireHeld(name, memory, bytes);
  }

  /// Like [#requireOnDevice], but with [#heldWhenAsked].
  void requireHeld(String name, MemorySegment memory, long bytes) {
    requireNotNegative("bytes", bytes);
    Segments.requireAddress(name, memory, bytes);
    if (!memory.isNative() || memory.byteSize() > 0 || !heldWhenAsked(memory, bytes)) {
      throw new IllegalArgumentException(
          "%s takes %s bytes from address 0x%x on, which are not in the memory of %s"
              .formatted(name, bytes, memory.address(), this));
    }
  }

  /// Copies from memory that Java can access to memory of this device, and waits for the copy. On a
  /// GPU, the copy runs after all work of the streams that the default stream waits for.
  ///
  /// @param from the source, on the heap or off-heap
  /// @param to the target, of the same size
  /// @throws IllegalArgumentException if `to` is not in this device's memory, has another size or
  ///   is read-only, or if memory cannot exist at one of the addresses
  /// @throws IllegalStateException if the arena of a segment has been closed
  /// @throws WrongThreadException if the arena of a segment is confined to another thread
  /// @throws CudaException if CUDA reports an error
  public void upload(MemorySegment from, MemorySegment to) {
    requireHere("from", from);
    Segments.requireAlive("to", to);
    Segments.requireWritable("to", to);
    if (isCpu()) {
      requireHere("to", to);
      requireSameSize(from, to);
      to.copyFrom(from);
    } else {
      requireOnDevice("to", to, from.byteSize());
      try {
        stagedCopies.upload(from, to);
      } finally {
        WriteWatch.note(to, from.byteSize());
      }
    }
  }

  /// Copies from memory of this device to memory that Java can access, and waits for the copy. On a
  /// GPU, the copy runs after all work of the streams that the default stream waits for.
  ///
  /// @param from the source, of the same size as `to`
  /// @param to the target, on the heap or off-heap
  /// @throws IllegalArgumentException if `from` is not in this device's memory, if `to` has another
  ///   size or is read-only, or if memory cannot exist at one of the addresses
  /// @throws IllegalStateException if the arena of a segment has been closed
  /// @throws WrongThreadException if the arena of a segment is confined to another thread
  /// @throws CudaException if CUDA reports an error, or work before the copy has failed
  public void download(MemorySegment from, MemorySegment to) {
    requireHere("to", to);
    Segments.requireAlive("from", from);
    Segments.requireWritable("to", to);
    if (isCpu()) {
      requireHere("from", from);
      requireSameSize(from, to);
      to.copyFrom(from);
    } else {
      requireOnDevice("from", from, to.byteSize());
      stagedCopies.download(from, to);
    }
  }

  /// Checks memory that Java can access, on the heap or off-heap.
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

  /// Returns memory that Java can read: on the CPU the memory itself, else a copy.
  ///
  /// @param bytes the size of the memory
  public MemorySegment readable(MemorySegment memory, long bytes) {
    return isCpu() ? memory : copyOf(memory, bytes);
  }

  /// Copies memory to host memory that the garbage collector frees.
  ///
  /// @param bytes the size of the memory
  /// @throws OutOfMemoryError if the system has too little memory, or the copy would exceed the
  ///   limit `panoptim.memory.limit`
  public MemorySegment copyOf(MemorySegment memory, long bytes) {
    MemorySegment copy = new CollectedMemory(MemoryKind.COPIES).allocate(bytes, Float.BYTES);
    download(memory, copy);
    return copy;
  }

  /// Sets floats to a value.
  ///
  /// @param memory memory of this device
  /// @param count the number of elements, 0 or more
  /// @param value the value of each element
  /// @throws IndexOutOfBoundsException on the CPU, if the memory is smaller; nothing has changed
  /// @throws IllegalArgumentException if the count is negative, or the memory is read-only; on a
  ///   GPU, also if it is smaller (as far as [#holds] can tell), or belongs to another device
  /// @throws CudaException if CUDA reports an error
  public void fill(MemorySegment memory, long count, float value) {
    requireNotNegative("count", count);
    if (count > Long.MAX_VALUE / Float.BYTES) {
      throw new IllegalArgumentException(
          "count is " + count + ", but must be at most " + Long.MAX_VALUE / Float.BYTES);
    }
    if (isCpu()) {
      requireHere("memory", memory);
      // A slice that is too long fails before the first write.
      MemorySegment floats = memory.asSlice(0, count * Float.BYTES);
      for (long i = 0; i < count; i++) {
        floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
      }
    } else {
      requireOnDevice("memory", memory, count * Float.BYTES);
      Segments.requireWritable("memory", memory);
      try {
        stagedCopies.fill(memory, count, value);
      } finally {
        WriteWatch.note(memory, count * Float.BYTES);
      }
    }
  }

  private static void requireNotNegative(String name, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " is " + value + ", but must be 0 or more");
    }
  }

  /// @return the device
  /// @throws IllegalArgumentException if the device is the CPU
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
