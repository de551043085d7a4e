package dev.panoptim.backend;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.ffi.panoptim_coefficients;
import dev.panoptim.ffi.panoptim_cuda_plan;
import dev.panoptim.ffi.panoptim_plan;
import dev.panoptim.ffi.panoptim_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// A plan as a card reads it: the rows of [NativeTable] copied to its memory, and for each chunk
/// the row that it is of.
final class CudaTable {
  /// The rows of one call.
  ///
  /// @param of the host's side of it
  /// @param plan a `panoptim_cuda_plan`
  /// @param hostRows what a change of rows changes
  /// @param rows where the card has them
  /// @param squareSums on the card: one for each chunk
  record Call(
      NativeTable.Call of,
      MemorySegment plan,
      MemorySegment hostRows,
      MemorySegment rows,
      MemorySegment squareSums,
      long chunks) {}

  private static final long ALIGNMENT = 256;

  private final NativeTable table;
  private final Device device;

  /// Freed by the garbage collector once no call uses it; the card's part, once it is idle.
  private final Arena arena = Arena.ofAuto();

  private final List<Call> calls = new ArrayList<>();
  private long writtenChanges;

  CudaTable(StepPlan plan) {
    device = plan.device();
    table = new NativeTable(plan);
    for (NativeTable.Call call : table.calls()) {
      calls.add(callOf(plan, call));
    }
  }

  private Call callOf(StepPlan plan, NativeTable.Call call) {
    int rows = call.endRow - call.firstRow;
    long chunks = plan.firstChunk(call.endRow) - call.firstChunk;
    MemorySegment hostRows =
        panoptim_plan.tensors(call.plan).reinterpret(rows * panoptim_tensor.sizeof());
    MemorySegment hostChunks = Arena.ofAuto().allocate(ValueLayout.JAVA_INT, Math.max(1, chunks));
    for (int row = call.firstRow; row < call.endRow; row++) {
      for (long chunk = plan.firstChunk(row); chunk < plan.firstChunk(row + 1); chunk++) {
        hostChunks.setAtIndex(ValueLayout.JAVA_INT, chunk - call.firstChunk, row - call.firstRow);
      }
    }

    long chunkRowsAt = aligned(hostRows.byteSize());
    long coefficientsAt = aligned(chunkRowsAt + hostChunks.byteSize());
    long squareSumsAt = aligned(coefficientsAt + rows * panoptim_coefficients.sizeof());
    MemorySegment all = device.allocate(squareSumsAt + chunks * Double.BYTES, arena);
    MemorySegment chunkRows = device.slice(all, chunkRowsAt, hostChunks.byteSize());
    MemorySegment squareSums = device.slice(all, squareSumsAt, chunks * Double.BYTES);
    device.upload(hostRows, all);
    device.upload(hostChunks, chunkRows);

    panoptim_plan.square_sums(call.plan, squareSums);
    MemorySegment onCard = panoptim_cuda_plan.allocate(arena);
    panoptim_cuda_plan.plan(onCard, call.plan);
    panoptim_cuda_plan.tensors(onCard, all);
    panoptim_cuda_plan.chunk_rows(onCard, chunkRows);
    panoptim_cuda_plan.coefficients(
        onCard, device.slice(all, coefficientsAt, rows * panoptim_coefficients.sizeof()));
    panoptim_cuda_plan.device(onCard, device.index());
    return new Call(call, onCard, hostRows, all, squareSums, chunks);
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /// The calls that make up a step, brought up to date with the plan.
  List<Call> calls(DeviceStream stream) {
    table.calls(0);
    boolean changed = table.rowChanges() != writtenChanges;
    for (int i = 0; i < calls.size(); i++) {
      Call call = calls.get(i);
      panoptim_cuda_plan.stream(call.plan, stream.handle());
      if (changed) {
        // Rows are pageable memory: this returns once they have been read.
        stream.copy(call.hostRows, call.rows, call.hostRows.byteSize());
      }
    }
    writtenChanges = table.rowChanges();
    return calls;
  }

  /// The calls that make up the sums of squares.
  List<Call> callsForSums(DeviceStream stream) {
    for (int i = 0; i < calls.size(); i++) {
      panoptim_cuda_plan.stream(calls.get(i).plan, stream.handle());
    }
    return calls;
  }
}
