package dev.panoptim.internal.cuda;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceEvent;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_coefficients;
import dev.panoptim.internal.bindings.panoptim_cuda_plan;
import dev.panoptim.internal.bindings.panoptim_cuda_tile;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.bindings.panoptim_tensor;
import dev.panoptim.internal.ffm.NativeTable;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Measures;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.Rows;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;

/// A plan in GPU memory: a copy of the rows of [NativeTable], the row of each chunk, and the tiles
/// that the GPU's blocks update.
///
/// Not thread-safe.
final class CudaTable extends Prepared {
  /// The rows of one call.
  ///
  /// @param of the call's part of the host table
  /// @param plan a `panoptim_cuda_plan`
  /// @param hostRows the rows on the host, which are updated first
  /// @param rows the rows in GPU memory
  /// @param squareSums the sums of squares in GPU memory, one for each chunk
  /// @param measures the measures in GPU memory, [Measures#COUNT] for each chunk, if the rule needs
  ///   some
  /// @param chunks the number of chunks
  record Call(
      NativeTable.Call of,
      MemorySegment plan,
      MemorySegment hostRows,
      MemorySegment rows,
      MemorySegment squareSums,
      MemorySegment measures,
      long chunks) {}

  /// A pinned buffer for transfers to the GPU. A copy from pageable memory might wait until the
  /// stream has reached the copy.
  ///
  /// @param memory the pinned buffer
  /// @param departure occurs when the content of the buffer has been copied
  private record Buffer(MemorySegment memory, DeviceEvent departure) {
    static Buffer of(Device device, long bytes, OwnedArena arena) {
      return new Buffer(device.allocatePinned(bytes, arena), new DeviceEvent(device, arena));
    }
  }

  /// The GPU memory of a whole table, and pinned buffers for changed rows and coefficients.
  ///
  /// @param memory the GPU memory
  /// @param bytes the size of the GPU memory
  /// @param rows the buffer for rows
  /// @param coefficients the buffer for coefficients
  /// @param arena the lifetime of all of these
  private record Block(
      MemorySegment memory, long bytes, Buffer rows, Buffer coefficients, OwnedArena arena) {
    static Block of(Device device, long bytes, long rowBytes, long coefficientsBytes) {
      OwnedArena own = OwnedArena.of(MemoryKind.TABLES, Origin.here("a table on a GPU"));
      try {
        return new Block(
            device.allocate(bytes, own),
            bytes,
            Buffer.of(device, rowBytes, own),
            Buffer.of(device, coefficientsBytes, own),
            own);
      } catch (Throwable e) {
        CloseAll.after(e, List.of(own::close));
        throw e;
      }
    }

    boolean hasRoomFor(long otherBytes, long otherRowBytes, long otherCoefficientsBytes) {
      return bytes >= otherBytes
          && rows.memory.byteSize() >= otherRowBytes
          && coefficients.memory.byteSize() >= otherCoefficientsBytes;
    }
  }

  private static final long ALIGNMENT = 256;

  private final StepPlan plan;
  private final Rows rows;
  private final NativeTable table;
  private final DeviceStream stream;
  private final Device device;

  /// Host memory that the garbage collector frees when no call uses it any more.
  private final SegmentAllocator arena = new CollectedMemory(MemoryKind.TABLES);

  /// `null` if another table has taken over the block.
  private Block block;

  private long used;

  /// The coefficients in GPU memory. Not used for few rows; see [#coefficientsBytes].
  private final MemorySegment coefficients;

  private final List<Call> calls = new ArrayList<>();
  private long writtenChanges;

  /// @param stream the stream of the table's transfers and of the steps
  /// @param before a table that is no longer used; this table may take over its GPU memory. `null`
  ///   if there is none
  CudaTable(Engine engine, StepPlan plan, DeviceStream stream, CudaTable before) {
    super(engine, plan);
    this.plan = plan;
    rows = plan.rows();
    this.stream = stream;
    device = rows.device();
    table = new NativeTable(engine, plan);
    long bytes = aligned(coefficientsBytes());
    for (NativeTable.Call call : table.calls()) {
      bytes += bytes(call);
    }
    block = takeOver(before, bytes, rows.count() * panoptim_tensor.sizeof());
    List<MemorySegment> sources = new ArrayList<>();
    try {
      coefficients = part(coefficientsBytes());
      for (NativeTable.Call call : table.calls()) {
        calls.add(callOf(call, sources));
      }
      // CUDA may read pageable memory after the call that enqueues the copy has returned.
      stream.await();
    } catch (Throwable e) {
      // Freeing GPU memory waits for the copies.
      CloseAll.after(e, List.of(this::close));
      throw e;
    } finally {
      Reference.reachabilityFence(sources);
    }
  }

  private Block takeOver(CudaTable before, long bytes, long rowBytes) {
    if (before != null
        && before.block != null
        && before.block.hasRoomFor(bytes, rowBytes, coefficientsBytes())) {
      Block taken = before.block;
      before.block = null;
      return taken;
    }
    if (before != null) {
      // The old block is freed before the allocation, so that the two never coexist.
      before.close();
    }
    return Block.of(device, bytes, rowBytes, coefficientsBytes());
  }

  private long rows(NativeTable.Call call) {
    return call.endRow - call.firstRow;
  }

  private long chunks(NativeTable.Call call) {
    return rows.firstChunk(call.endRow) - call.firstChunk;
  }

  private static long tiles(Row row) {
    return Math.ceilDiv(row.size(), (long) PanoptimAbi.PANOPTIM_TILE());
  }

  private long tiles(NativeTable.Call call) {
    return rows.list().subList(call.firstRow, call.endRow).stream()
        .mapToLong(CudaTable::tiles)
        .sum();
  }

  /// The bytes of the coefficients on the GPU, with room for separate coefficients of each row. It
  /// is 0 for few rows: their coefficients are arguments of the kernel launch.
  private long coefficientsBytes() {
    return rows.count() <= PanoptimAbi.PANOPTIM_CUDA_FEW()
        ? 0
        : rows.count() * panoptim_coefficients.sizeof();
  }

  /// The bytes of a call in the block.
  private long bytes(NativeTable.Call call) {
    return aligned(rows(call) * panoptim_tensor.sizeof())
        + aligned(chunks(call) * Integer.BYTES)
        + aligned(tiles(call) * panoptim_cuda_tile.sizeof())
        + aligned(chunks(call) * Double.BYTES)
        + aligned(measuresBytes(call));
  }

  /// The bytes of the measures of a call; 0 if the rule needs none.
  private long measuresBytes(NativeTable.Call call) {
    return rows.rule().isMeasured() ? chunks(call) * Measures.COUNT * Double.BYTES : 0;
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  private MemorySegment part(long bytes) {
    MemorySegment part = device.slice(block.memory, used, bytes);
    used += aligned(bytes);
    return part;
  }

  /// Enqueues a copy to the GPU.
  private MemorySegment copied(MemorySegment from, List<MemorySegment> sources) {
    sources.add(from);
    MemorySegment to = part(from.byteSize());
    stream.copy(from, to, from.byteSize());
    return to;
  }

  /// @param sources is extended by the memory that the enqueued copies read
  private Call callOf(NativeTable.Call call, List<MemorySegment> sources) {
    long chunks = chunks(call);
    MemorySegment hostRows =
        panoptim_plan.tensors(call.plan).reinterpret(rows(call) * panoptim_tensor.sizeof());
    MemorySegment deviceRows = copied(hostRows, sources);
    MemorySegment chunkRows = copied(chunkRows(call), sources);
    MemorySegment tiles = copied(tilesOf(call), sources);
    MemorySegment squareSums = part(chunks * Double.BYTES);

    MemorySegment measures = part(measuresBytes(call));

    panoptim_plan.square_sums(call.plan, squareSums);
    panoptim_plan.measures(call.plan, measures);
    panoptim_plan.measured(
        call.plan, rows.rule().isMeasured() ? Measures.neededBy(rows.rule()) : 0);
    MemorySegment onDevice = panoptim_cuda_plan.allocate(arena);
    panoptim_cuda_plan.plan(onDevice, call.plan);
    panoptim_cuda_plan.tensors(onDevice, deviceRows);
    panoptim_cuda_plan.chunk_rows(onDevice, chunkRows);
    panoptim_cuda_plan.tiles(onDevice, tiles);
    panoptim_cuda_plan.tile_count(onDevice, tiles(call));
    panoptim_cuda_plan.coefficients(onDevice, coefficients);
    panoptim_cuda_plan.stream(onDevice, stream.handle());
    panoptim_cuda_plan.device(onDevice, device.index());
    return new Call(call, onDevice, hostRows, deviceRows, squareSums, measures, chunks);
  }

  private MemorySegment chunkRows(NativeTable.Call call) {
    MemorySegment all = arena.allocate(ValueLayout.JAVA_INT, chunks(call));
    for (int row = call.firstRow; row < call.endRow; row++) {
      for (long chunk = rows.firstChunk(row); chunk < rows.firstChunk(row + 1); chunk++) {
        all.setAtIndex(ValueLayout.JAVA_INT, chunk - call.firstChunk, row - call.firstRow);
      }
    }
    return all;
  }

  private MemorySegment tilesOf(NativeTable.Call call) {
    MemorySegment all = panoptim_cuda_tile.allocateArray(tiles(call), arena);
    long at = 0;
    for (int row = call.firstRow; row < call.endRow; row++) {
      for (int index = 0; index < tiles(rows.get(row)); index++) {
        MemorySegment tile = panoptim_cuda_tile.asSlice(all, at++);
        panoptim_cuda_tile.row(tile, row - call.firstRow);
        panoptim_cuda_tile.index(tile, index);
      }
    }
    return all;
  }

  /// The calls of a step, updated to the present plan.
  List<Call> updatedCalls() {
    table.calls(0);
    if (plan.values().usedSlots() > PanoptimAbi.PANOPTIM_CUDA_FEW()) {
      copyCoefficients();
    }
    return calls();
  }

  private void copyCoefficients() {
    long bytes = plan.values().usedSlots() * panoptim_coefficients.sizeof();
    // Waits for the copy of the previous step, which has usually ended long before.
    block.coefficients.departure.await();
    MemorySegment.copy(table.coefficients(), 0, block.coefficients.memory, 0, bytes);
    stream.copy(block.coefficients.memory.asSlice(0, bytes), coefficients, bytes);
    block.coefficients.departure.record(stream);
  }

  /// The calls that sum squares, or zero gradients.
  List<Call> calls() {
    if (table.rowChanges() != writtenChanges) {
      copyRows();
      writtenChanges = table.rowChanges();
    }
    return calls;
  }

  private void copyRows() {
    // Waits for the copy of the previous rows, which has usually ended long before.
    block.rows.departure.await();
    long at = 0;
    for (Call call : calls) {
      long bytes = call.hostRows.byteSize();
      MemorySegment.copy(call.hostRows, 0, block.rows.memory, at, bytes);
      stream.copy(block.rows.memory.asSlice(at, bytes), call.rows, bytes);
      at += bytes;
    }
    block.rows.departure.record(stream);
  }

  @Override
  public void gradientsMoved() {
    table.gradientsMoved();
  }

  /// Always 0: no helper threads take part in a step on a GPU.
  @Override
  public int helpers() {
    return 0;
  }

  @Override
  public void close() {
    if (block != null) {
      block.arena.close();
      block = null;
    }
  }
}
