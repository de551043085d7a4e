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
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// A plan as a GPU reads it: the rows of [NativeTable] copied to its memory; for each chunk the row
/// that it is of; and the tiles that its blocks update.
final class CudaTable implements StepPlan.Prepared {
  /// The rows of one call.
  ///
  /// @param of the host's side of it
  /// @param plan a `panoptim_cuda_plan`
  /// @param hostRows what a change of rows changes
  /// @param rows where the GPU has them
  /// @param squareSums on the GPU: one for each chunk
  record Call(
      NativeTable.Call of,
      MemorySegment plan,
      MemorySegment hostRows,
      MemorySegment rows,
      MemorySegment squareSums,
      long chunks) {}

  /// One allocation on the GPU for all of a table, and room in pinned memory for the rows on their
  /// way there: a copy of other memory might wait until the stream has come so far.
  ///
  /// @param departure when what is in that room has left
  private record Block(
      MemorySegment memory,
      long bytes,
      MemorySegment rows,
      DeviceEvent departure,
      OwnedArena arena) {
    static Block of(Device device, long bytes, long rowBytes) {
      OwnedArena own = OwnedArena.of(MemoryKind.TABLES, Origin.here("a table on a GPU"));
      try {
        return new Block(
            device.allocate(bytes, own),
            bytes,
            device.allocatePinned(rowBytes, own),
            new DeviceEvent(device, own),
            own);
      } catch (Throwable e) {
        own.close();
        throw e;
      }
    }

    boolean hasRoomFor(long otherBytes, long otherRowBytes) {
      return bytes >= otherBytes && rows.byteSize() >= otherRowBytes;
    }
  }

  private static final long ALIGNMENT = 256;

  private final StepPlan of;
  private final NativeTable table;
  private final DeviceStream stream;
  private final Device device;

  /// Freed by the garbage collector once no call uses it: the host's part.
  private final SegmentAllocator arena = new CollectedMemory(MemoryKind.TABLES);

  /// `null` once another table has taken it over.
  private Block block;

  private long used;
  private final List<Call> calls = new ArrayList<>();
  private long writtenChanges;

  /// @param stream in which the GPU is told of the table, and steps are made
  /// @param before a table that is no longer used, whose memory on the GPU this one may take over;
  ///   `null` where there is none
  CudaTable(StepPlan plan, DeviceStream stream, CudaTable before) {
    of = plan;
    this.stream = stream;
    device = plan.device();
    table = new NativeTable(plan);
    long bytes = 0;
    for (NativeTable.Call call : table.calls()) {
      bytes += bytes(call);
    }
    block = takeOver(before, bytes, plan.rows().size() * panoptim_tensor.sizeof());
    try {
      for (NativeTable.Call call : table.calls()) {
        calls.add(callOf(call));
      }
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private Block takeOver(CudaTable before, long bytes, long rowBytes) {
    if (before != null && before.block != null && before.block.hasRoomFor(bytes, rowBytes)) {
      Block taken = before.block;
      before.block = null;
      return taken;
    }
    return Block.of(device, bytes, rowBytes);
  }

  private long rows(NativeTable.Call call) {
    return call.endRow - call.firstRow;
  }

  private long chunks(NativeTable.Call call) {
    return of.firstChunk(call.endRow) - call.firstChunk;
  }

  private static long tiles(StepPlan.Row row) {
    return Math.ceilDiv(row.size(), (long) PanoptimAbi.PANOPTIM_TILE());
  }

  private long tiles(NativeTable.Call call) {
    return of.rows().subList(call.firstRow, call.endRow).stream().mapToLong(CudaTable::tiles).sum();
  }

  /// Every row may have coefficients of its own, and each call is given those of all rows.
  private long coefficientsRoom() {
    return of.rows().size();
  }

  /// What a call's part of the block takes.
  private long bytes(NativeTable.Call call) {
    return aligned(rows(call) * panoptim_tensor.sizeof())
        + aligned(chunks(call) * Integer.BYTES)
        + aligned(tiles(call) * panoptim_cuda_tile.sizeof())
        + aligned(coefficientsRoom() * panoptim_coefficients.sizeof())
        + aligned(chunks(call) * Double.BYTES);
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  private MemorySegment part(long bytes) {
    MemorySegment part = device.slice(block.memory, used, bytes);
    used += aligned(bytes);
    return part;
  }

  /// Pageable memory: the copy returns once it has been read.
  private MemorySegment copied(MemorySegment from) {
    MemorySegment to = part(from.byteSize());
    stream.copy(from, to, from.byteSize());
    return to;
  }

  private Call callOf(NativeTable.Call call) {
    long chunks = chunks(call);
    MemorySegment hostRows =
        panoptim_plan.tensors(call.plan).reinterpret(rows(call) * panoptim_tensor.sizeof());
    MemorySegment rows = copied(hostRows);
    MemorySegment chunkRows = copied(chunkRows(call));
    MemorySegment tiles = copied(tilesOf(call));
    MemorySegment coefficients = part(coefficientsRoom() * panoptim_coefficients.sizeof());
    MemorySegment squareSums = part(chunks * Double.BYTES);

    panoptim_plan.square_sums(call.plan, squareSums);
    MemorySegment onDevice = panoptim_cuda_plan.allocate(arena);
    panoptim_cuda_plan.plan(onDevice, call.plan);
    panoptim_cuda_plan.tensors(onDevice, rows);
    panoptim_cuda_plan.chunk_rows(onDevice, chunkRows);
    panoptim_cuda_plan.tiles(onDevice, tiles);
    panoptim_cuda_plan.tile_count(onDevice, tiles(call));
    panoptim_cuda_plan.coefficients(onDevice, coefficients);
    panoptim_cuda_plan.coefficients_room(onDevice, coefficientsRoom());
    panoptim_cuda_plan.stream(onDevice, stream.handle());
    panoptim_cuda_plan.device(onDevice, device.index());
    return new Call(call, onDevice, hostRows, rows, squareSums, chunks);
  }

  private MemorySegment chunkRows(NativeTable.Call call) {
    MemorySegment all = arena.allocate(ValueLayout.JAVA_INT, chunks(call));
    for (int row = call.firstRow; row < call.endRow; row++) {
      for (long chunk = of.firstChunk(row); chunk < of.firstChunk(row + 1); chunk++) {
        all.setAtIndex(ValueLayout.JAVA_INT, chunk - call.firstChunk, row - call.firstRow);
      }
    }
    return all;
  }

  private MemorySegment tilesOf(NativeTable.Call call) {
    MemorySegment all = panoptim_cuda_tile.allocateArray(tiles(call), arena);
    long at = 0;
    for (int row = call.firstRow; row < call.endRow; row++) {
      for (int index = 0; index < tiles(of.rows().get(row)); index++) {
        MemorySegment tile = panoptim_cuda_tile.asSlice(all, at++);
        panoptim_cuda_tile.row(tile, row - call.firstRow);
        panoptim_cuda_tile.index(tile, index);
      }
    }
    return all;
  }

  /// The calls that make up a step, brought up to date with the plan.
  List<Call> updatedCalls() {
    table.calls(0);
    return calls();
  }

  /// The calls that make up the sums of squares, or the zeroing of gradients.
  List<Call> calls() {
    if (table.rowChanges() != writtenChanges) {
      copyRows();
      writtenChanges = table.rowChanges();
    }
    return calls;
  }

  private void copyRows() {
    // The rows before these have left, as a rule long ago.
    block.departure.await();
    long at = 0;
    for (Call call : calls) {
      long bytes = call.hostRows.byteSize();
      MemorySegment.copy(call.hostRows, 0, block.rows, at, bytes);
      stream.copy(block.rows.asSlice(at, bytes), call.rows, bytes);
      at += bytes;
    }
    block.departure.record(stream);
  }

  @Override
  public void gradientsMoved() {
    table.writeGradients();
  }

  @Override
  public void close() {
    if (block != null) {
      block.arena.close();
      block = null;
    }
  }
}
