package dev.panoptim.backend;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceEvent;
import dev.panoptim.device.DeviceStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A plan over a card's memory, cut into slices that the CPU updates one after the other. Each is a
/// plan of its own over one of a few pinned slots: while one is updated, the next come down and the
/// one before goes up.
///
/// Slices begin and end with chunks, so that sums of squares keep their order.
final class OffloadedSlices {
  /// Elements of a slot. Large enough that starting a copy costs little beside it, small enough
  /// that all slots stay in a processor's last-level cache.
  private static final long MOST_ELEMENTS = 1L << 20;

  private static final int SLOTS = 3;

  /// What is done with a slice once it is here.
  interface Work {
    void on(StepPlan slice, List<Part> parts);
  }

  /// Consecutive elements of a row of the whole plan.
  ///
  /// @param at where a slot has them
  record Part(int row, long start, long length, long at) {}

  private record Slice(StepPlan plan, List<Part> parts) {}

  /// Memory that both sides reach, and how far the copies are that fill and empty it.
  private static final class Slot {
    final MemorySegment data;
    final MemorySegment gradients;
    final MemorySegment shadows;
    final DeviceEvent arrival;
    final DeviceEvent departure;

    Slot(Device device, long elements, boolean shadow, Arena arena) {
      data = device.allocatePinned(elements * Float.BYTES, arena);
      gradients = device.allocatePinned(elements * Float.BYTES, arena);
      shadows = device.allocatePinned(shadow ? elements * Short.BYTES : 0, arena);
      arrival = new DeviceEvent(device, arena);
      departure = new DeviceEvent(device, arena);
    }
  }

  private final StepPlan whole;

  /// Freed by the garbage collector.
  private final Arena arena = Arena.ofAuto();

  private final Slot[] slots = new Slot[SLOTS];
  private final List<Slice> slices = new ArrayList<>();
  private final DeviceStream before;
  private final DeviceEvent beginning;
  private final DeviceStream down;
  private final DeviceStream up;

  OffloadedSlices(StepPlan whole) {
    this.whole = whole;
    Device device = whole.device();
    long slotElements = Math.min(MOST_ELEMENTS, Math.max(1, whole.elements()));
    for (int i = 0; i < SLOTS; i++) {
      slots[i] = new Slot(device, slotElements, whole.shadow() != null, arena);
    }
    before = DeviceStream.defaultOf(device);
    beginning = new DeviceEvent(device, arena);
    down = DeviceStream.create(device, arena);
    up = DeviceStream.create(device, arena);
    cut(slotElements);
  }

  private void cut(long slotElements) {
    List<Part> parts = new ArrayList<>();
    long used = 0;
    for (int row = 0; row < whole.rows().size(); row++) {
      long size = whole.rows().get(row).size();
      for (long start = 0; start < size; ) {
        long left = size - start;
        long room = slotElements - used;
        long length = left <= room ? left : room / StepPlan.CHUNK * StepPlan.CHUNK;
        if (length == 0) {
          addSlice(parts);
          parts = new ArrayList<>();
          used = 0;
        } else {
          parts.add(new Part(row, start, length, used));
          used += length;
          start += length;
        }
      }
    }
    addSlice(parts);
  }

  private void addSlice(List<Part> parts) {
    if (parts.isEmpty()) {
      return;
    }
    Slot slot = slots[slices.size() % SLOTS];
    List<StepPlan.Row> rows = parts.stream().map(part -> row(part, slot)).toList();
    StepPlan plan =
        StepPlan.of(whole.rule(), List.of(rows), whole.averages(), whole.shadow()).getFirst();
    slices.add(new Slice(plan, parts));
  }

  private StepPlan.Row row(Part part, Slot slot) {
    StepPlan.Row row = whole.rows().get(part.row);
    return new StepPlan.Row(
        row.name(),
        part.length,
        floats(slot.data, part.at, part.length),
        floats(slot.gradients, part.at, part.length),
        row.states().stream().map(state -> floats(state, part.start, part.length)).toList(),
        whole.averages() ? floats(row.average(), part.start, part.length) : null,
        whole.shadow() == null ? null : shorts(slot.shadows, part.at, part.length));
  }

  private static MemorySegment floats(MemorySegment memory, long start, long length) {
    return memory.asSlice(start * Float.BYTES, length * Float.BYTES);
  }

  private static MemorySegment shorts(MemorySegment memory, long start, long length) {
    return memory.asSlice(start * Short.BYTES, length * Short.BYTES);
  }

  void prepare(Backend update) {
    slices.forEach(slice -> update.prepare(slice.plan));
  }

  /// Brings all slices down and updates them; what they have become goes up again.
  void update(Work work) {
    inTurn(
        true,
        (slice, parts) -> {
          slice.follow(whole, parts);
          work.on(slice, parts);
        });
  }

  /// Brings the gradients down, and gives them to some work.
  void read(Work work) {
    inTurn(false, work);
  }

  private void inTurn(boolean updates, Work work) {
    // The default stream waits for others, whose work may be what the gradients come from.
    beginning.record(before);
    down.follow(beginning);
    try {
      for (int i = 0; i < Math.min(SLOTS, slices.size()); i++) {
        bringDown(i, updates);
      }
      for (int i = 0; i < slices.size(); i++) {
        Slot slot = slots[i % SLOTS];
        slot.arrival.await();
        work.on(slices.get(i).plan, slices.get(i).parts);
        if (updates) {
          takeUp(i);
        }
        if (i + SLOTS < slices.size()) {
          down.follow(slot.departure);
          bringDown(i + SLOTS, updates);
        }
      }
    } finally {
      // Also where the work throws: nobody may find copies under way in memory that is their own
      // again.
      down.await();
      up.await();
    }
  }

  private void bringDown(int index, boolean updates) {
    Slot slot = slots[index % SLOTS];
    for (Part part : slices.get(index).parts) {
      StepPlan.Row row = whole.rows().get(part.row);
      long bytes = part.length * Float.BYTES;
      down.copy(
          onCard(row.gradient(), part, Float.BYTES),
          floats(slot.gradients, part.at, part.length),
          bytes);
      if (updates) {
        down.copy(
            onCard(row.data(), part, Float.BYTES), floats(slot.data, part.at, part.length), bytes);
        if (whole.zeroes()) {
          down.zero(onCard(row.gradient(), part, Float.BYTES), bytes);
        }
      }
    }
    slot.arrival.record(down);
  }

  private void takeUp(int index) {
    Slot slot = slots[index % SLOTS];
    for (Part part : slices.get(index).parts) {
      StepPlan.Row row = whole.rows().get(part.row);
      up.copy(
          floats(slot.data, part.at, part.length),
          onCard(row.data(), part, Float.BYTES),
          part.length * Float.BYTES);
      if (whole.shadow() != null) {
        up.copy(
            shorts(slot.shadows, part.at, part.length),
            onCard(row.shadow(), part, Short.BYTES),
            part.length * Short.BYTES);
      }
    }
    slot.departure.record(up);
  }

  private MemorySegment onCard(MemorySegment stream, Part part, long elementBytes) {
    return whole.device().slice(stream, part.start * elementBytes, part.length * elementBytes);
  }
}
