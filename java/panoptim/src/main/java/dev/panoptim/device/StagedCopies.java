package dev.panoptim.device;

import dev.panoptim.internal.bindings.PanoptimAbi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Copies between GPU memory and pageable host memory through two pinned buffers. The GPU copies
/// one buffer while the CPU fills or empties the other.
///
/// The buffers are allocated at the first copy and kept. Thread-safe.
final class StagedCopies {
  private static final long BUFFER = 4L << 20;

  private final int device;

  /// `null` until the first copy.
  private MemorySegment[] buffers;

  private MemorySegment[] events;

  private final MemorySegment error = Arena.ofAuto().allocate(PanoptimAbi.PANOPTIM_TEXT());

  StagedCopies(int device) {
    this.device = device;
  }

  synchronized void upload(MemorySegment from, MemorySegment to) {
    long bytes = from.byteSize();
    if (from.isNative() && Cuda.locate(from.address()).isPinned()) {
      Cuda.copy(device, MemorySegment.NULL, to, from, bytes);
    } else {
      prepare();
      int turn = 0;
      for (long done = 0; done < bytes; done += BUFFER) {
        long now = Math.min(BUFFER, bytes - done);
        // Waits until the earlier copy from this buffer is done.
        Cuda.awaitEvent(device, events[turn], error);
        MemorySegment.copy(from, done, buffers[turn], 0, now);
        copyOn(turn, Cuda.plus(to, done), buffers[turn], now);
        turn = 1 - turn;
      }
    }
    Cuda.await(device, MemorySegment.NULL);
  }

  synchronized void download(MemorySegment from, MemorySegment to) {
    long bytes = to.byteSize();
    if (to.isNative() && Cuda.locate(to.address()).isPinned()) {
      Cuda.copy(device, MemorySegment.NULL, to, from, bytes);
      Cuda.await(device, MemorySegment.NULL);
      return;
    }
    prepare();
    int turn = 0;
    for (long done = 0; done < bytes + BUFFER; done += BUFFER) {
      if (done < bytes) {
        copyOn(turn, buffers[turn], Cuda.plus(from, done), Math.min(BUFFER, bytes - done));
      }
      turn = 1 - turn;
      // Meanwhile, the previous buffer is emptied.
      long before = done - BUFFER;
      if (before >= 0) {
        Cuda.awaitEvent(device, events[turn], error);
        MemorySegment.copy(buffers[turn], 0, to, before, Math.min(BUFFER, bytes - before));
      }
    }
  }

  synchronized void fill(MemorySegment memory, long count, float value) {
    prepare();
    Cuda.await(device, MemorySegment.NULL);
    long all = count * Float.BYTES;
    MemorySegment values = buffers[0].asSlice(0, Math.min(BUFFER, all));
    for (long i = 0; i < values.byteSize() / Float.BYTES; i++) {
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    }
    for (long done = 0; done < all; done += BUFFER) {
      copyOn(0, Cuda.plus(memory, done), values, Math.min(BUFFER, all - done));
    }
    Cuda.await(device, MemorySegment.NULL);
  }

  private void copyOn(int turn, MemorySegment to, MemorySegment from, long bytes) {
    Cuda.copy(device, MemorySegment.NULL, to, from, bytes);
    Cuda.record(device, events[turn], MemorySegment.NULL);
  }

  private void prepare() {
    if (buffers == null) {
      MemorySegment[] made = new MemorySegment[2];
      MemorySegment[] recorded = new MemorySegment[2];
      for (int i = 0; i < 2; i++) {
        made[i] = Cuda.allocatePinned(device, BUFFER, Arena.ofAuto());
        recorded[i] = Cuda.createEvent(device, Arena.ofAuto());
      }
      buffers = made;
      events = recorded;
    }
  }
}
