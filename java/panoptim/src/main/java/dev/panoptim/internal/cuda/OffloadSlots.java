package dev.panoptim.internal.cuda;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceEvent;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Pinned buffers for slices of a GPU's parameters, and the streams that copy the slices from and
/// to the GPU.
///
/// Not thread-safe.
final class OffloadSlots implements AutoCloseable {
  /// One slice is updated while one arrives and one leaves.
  static final int COUNT = 3;

  /// A buffer that both the CPU and the GPU can access, with events for the copies that fill and
  /// empty it.
  static final class Slot {
    final MemorySegment data;
    final MemorySegment gradients;
    final MemorySegment halfPrecisionCopies;
    final DeviceEvent arrival;
    final DeviceEvent departure;

    private Slot(Device device, long elements, boolean holdsData, boolean copies, Arena arena) {
      data = device.allocatePinned(holdsData ? elements * Float.BYTES : 0, arena);
      gradients = device.allocatePinned(elements * Float.BYTES, arena);
      halfPrecisionCopies = device.allocatePinned(copies ? elements * Short.BYTES : 0, arena);
      arrival = new DeviceEvent(device, arena);
      departure = new DeviceEvent(device, arena);
    }
  }

  private final OwnedArena arena =
      OwnedArena.of(MemoryKind.TABLES, Origin.here("an optimizer's buffers for a GPU"));
  private final Slot[] slots = new Slot[COUNT];
  private final long elements;
  private final boolean holdsData;
  private final boolean copies;
  final DeviceStream down;
  final DeviceStream up;
  final DeviceEvent beginning;

  /// Waits for the copies of both streams.
  private final List<Runnable> waits;

  /// @param elements the number of elements of each slot
  /// @param holdsData whether slots have room for data
  /// @param copies whether slots have room for half-precision copies
  OffloadSlots(Device device, long elements, boolean holdsData, boolean copies) {
    this.elements = elements;
    this.holdsData = holdsData;
    this.copies = copies;
    try {
      for (int i = 0; i < COUNT; i++) {
        slots[i] = new Slot(device, elements, holdsData, copies, arena);
      }
      down = DeviceStream.create(device, arena);
      up = DeviceStream.create(device, arena);
      beginning = new DeviceEvent(device, arena);
      waits = List.of(down::await, up::await);
    } catch (Throwable e) {
      CloseAll.after(e, List.of(arena::close));
      throw e;
    }
  }

  boolean hasRoomFor(long elements, boolean holdsData, boolean copies) {
    return this.elements >= elements && (this.holdsData || !holdsData) && (this.copies || !copies);
  }

  Slot slot(int slice) {
    return slots[slice % COUNT];
  }

  /// Waits until no copy reads or writes the slots.
  void await() {
    CloseAll.all(waits);
  }

  /// Like [#await], after a failure that the caller then throws.
  void awaitAfter(Throwable failure) {
    CloseAll.after(failure, waits);
  }

  @Override
  public void close() {
    arena.close();
  }
}
