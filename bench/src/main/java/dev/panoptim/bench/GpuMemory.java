package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.panoptim.device.Device;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.memory.CloseAll;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/// Memory of the first GPU that the library does not know, as if another library of the process had
/// allocated it.
final class GpuMemory implements AutoCloseable {
  /// The size of allocations for small tensors, as in PyTorch: `kSmallBuffer` in its
  /// [allocator](https://github.com/pytorch/pytorch/blob/v2.7.0/c10/cuda/CUDACachingAllocator.cpp).
  private static final long BLOCK_BYTES = 2 << 20;

  /// The alignment of tensors in a block, in bytes: `kMinBlockSize` of the same allocator.
  private static final long ALIGNMENT = 512;

  private static final MemorySegment DEFAULT_STREAM = MemorySegment.NULL;

  private final int device;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
  private final List<MemorySegment> allocated = new ArrayList<>();

  GpuMemory(Device device) {
    this.device = device.index();
  }

  /// An address of uninitialized memory.
  MemorySegment allocate(long bytes) {
    MemorySegment memory = arena.allocate(ADDRESS);
    check(to -> PanoptimAbi.panoptim_cuda_allocate(device, bytes, memory, to));
    allocated.add(memory.get(ADDRESS, 0));
    return allocated.getLast();
  }

  /// Addresses of tensors of the same size, several in one allocation if they are small.
  MemorySegment[] allocate(int count, long bytes) {
    long stride = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    int together = (int) Math.max(1, BLOCK_BYTES / stride);
    MemorySegment[] tensors = new MemorySegment[count];
    MemorySegment block = null;
    for (int i = 0; i < count; i++) {
      if (i % together == 0) {
        block = allocate(Math.max(BLOCK_BYTES, stride));
      }
      tensors[i] = MemorySegment.ofAddress(block.address() + i % together * stride);
    }
    return tensors;
  }

  /// Enqueues a copy within the memory of the GPU.
  void copy(MemorySegment from, MemorySegment to, long bytes) {
    check(text -> PanoptimAbi.panoptim_cuda_copy(device, DEFAULT_STREAM, to, from, bytes, text));
  }

  /// Waits for all enqueued work.
  void await() {
    check(to -> PanoptimAbi.panoptim_cuda_await(device, DEFAULT_STREAM, to));
  }

  private void check(ToIntFunction<MemorySegment> call) {
    if (call.applyAsInt(error) != PanoptimAbi.PANOPTIM_OK()) {
      throw new IllegalStateException(error.getString(0));
    }
  }

  @Override
  public void close() {
    List<Runnable> parts = new ArrayList<>();
    for (MemorySegment each : allocated) {
      parts.add(() -> check(to -> PanoptimAbi.panoptim_cuda_free(device, each, to)));
    }
    parts.add(arena::close);
    CloseAll.all(parts);
  }
}
