package dev.panoptim.internal.table;

import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.step.TableMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/// The records of a table by ids: each has an id, a version, the number of its last step, the row
/// and its states. Records are in blocks that are never moved, so that the table grows without a
/// pause.
///
/// Thread-safe for readers. One thread at a time takes, frees and updates records. Any thread reads
/// them: [#read] copies a row between two looks at its version, and says whether that succeeded.
public final class IdRecords implements TableMemory {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

  /// Blocks take little time to allocate.
  private static final long BLOCK_BYTES = 1 << 20;

  private static final long ALIGNMENT = 64;

  // Where a record has what.
  private static final long ID = 0;
  private static final long VERSION_AT = 8;
  private static final long LIVE = 12;
  private static final long STEPS_AT = 16;
  private static final long SUM_AT = 24;
  private static final long ROW = 32;

  private static final long NONE = -1;

  private final int width;
  private final boolean sums;
  private final int states;
  private final long recordBytes;
  private final int recordsShift;
  private final OwnedArena arena;

  /// Replaced by a longer array when it is full; a reader that has the old one finds its record
  /// there.
  private volatile MemorySegment[] blocks = new MemorySegment[0];

  private int blockCount;

  /// Records that have been taken at least once.
  private long used;

  /// The first free record, which has the next one in the place of its last step.
  private long free = NONE;

  private long live;

  /// @param states the number of states
  /// @param sums whether records have a sum
  /// @param arena allocates the blocks; its owner closes it
  public IdRecords(int width, int states, boolean sums, OwnedArena arena) {
    this.width = width;
    this.states = states;
    this.sums = sums;
    this.arena = arena;
    long bytes = ROW + (1L + states) * width * Float.BYTES;
    recordBytes = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    long fitting = Math.max(BLOCK_BYTES / recordBytes, 1);
    recordsShift = Long.numberOfTrailingZeros(Long.highestOneBit(fitting));
  }

  /// Makes room for a record, so that the next [#take] cannot fail.
  ///
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  public void reserve() {
    if (free != NONE || used < (long) blockCount << recordsShift) {
      return;
    }
    MemorySegment block = arena.allocate(recordBytes << recordsShift, ALIGNMENT);
    MemorySegment[] present = blocks;
    if (blockCount == present.length) {
      present = Arrays.copyOf(present, Math.max(16, 2 * blockCount));
    }
    present[blockCount++] = block;
    blocks = present;
  }

  /// Takes a record for an id. Its version is odd until [#publish]: its row and states are to be
  /// written.
  public long take(long id) {
    reserve();
    long record;
    if (free != NONE) {
      record = free;
      free = block(record).get(LONG, at(record) + STEPS_AT);
    } else {
      record = used++;
    }
    beginWriting(record);
    block(record).set(LONG, at(record) + ID, id);
    INT.set(block(record), at(record) + LIVE, 1);
    live++;
    return record;
  }

  /// Frees a record.
  public void free(long record) {
    beginWriting(record);
    INT.set(block(record), at(record) + LIVE, 0);
    block(record).set(LONG, at(record) + STEPS_AT, free);
    endWriting(record);
    free = record;
    live--;
  }

  private void beginWriting(long record) {
    MemorySegment block = block(record);
    long version = at(record) + VERSION_AT;
    // Already odd if a record is freed that was never published.
    INT.setOpaque(block, version, (int) INT.get(block, version) | 1);
    // What follows is not written before the line above.
    VarHandle.releaseFence();
  }

  /// Ends the writing of a record that was taken.
  public void publish(long record) {
    endWriting(record);
  }

  private void endWriting(long record) {
    MemorySegment block = block(record);
    long version = at(record) + VERSION_AT;
    INT.setRelease(block, version, (int) INT.get(block, version) + 1);
  }

  /// The result of [#read].
  public enum Reading {
    /// The row was copied, as it was between two steps.
    WHOLE,
    /// The record has no row that is young enough.
    EXPIRED,
    /// The record was written meanwhile, or belongs to another id.
    CHANGED
  }

  /// Copies the row of a record. Any thread may call this.
  ///
  /// @param id that the record should have
  /// @param oldest the row has expired if its last step was before this one
  /// @param target `width` floats from `offset` bytes on
  public Reading read(long record, long id, long oldest, MemorySegment target, long offset) {
    MemorySegment block = block(record);
    long at = at(record);
    int before = (int) INT.getAcquire(block, at + VERSION_AT);
    if ((before & 1) != 0) {
      return Reading.CHANGED;
    }
    boolean right =
        block.get(LONG, at + ID) == id && block.get(ValueLayout.JAVA_INT, at + LIVE) == 1;
    boolean expired = block.get(LONG, at + STEPS_AT) < oldest;
    if (right && !expired) {
      MemorySegment.copy(block, at + ROW, target, offset, (long) width * Float.BYTES);
    }
    // The version is not read before the row.
    VarHandle.acquireFence();
    if ((int) INT.getOpaque(block, at + VERSION_AT) != before || !right) {
      return Reading.CHANGED;
    }
    return expired ? Reading.EXPIRED : Reading.WHOLE;
  }

  /// Whether a record is in use. Only the writer may call this.
  public boolean isLive(long record) {
    return block(record).get(ValueLayout.JAVA_INT, at(record) + LIVE) == 1;
  }

  /// The id of a record in use. Only the writer may call this.
  public long id(long record) {
    return block(record).get(LONG, at(record) + ID);
  }

  /// The number of a record's last step. Only the writer may call this.
  public long lastStep(long record) {
    return block(record).get(LONG, at(record) + STEPS_AT);
  }

  /// Sets the number of a record's last step, before [#publish].
  public void lastStep(long record, long step) {
    block(record).set(LONG, at(record) + STEPS_AT, step);
  }

  /// The number of records that are in use or free; their numbers are from 0 on.
  public long count() {
    return used;
  }

  /// The number of records in use.
  public long live() {
    return live;
  }

  /// The memory of all blocks in bytes.
  public long bytes() {
    return blockCount * (recordBytes << recordsShift);
  }

  private MemorySegment block(long record) {
    return blocks[(int) (record >>> recordsShift)];
  }

  private long at(long record) {
    return (record & (1L << recordsShift) - 1) * recordBytes;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public MemorySegment segment(int operand, long row) {
    return block(row);
  }

  @Override
  public long offset(int operand, long row) {
    return at(row) + base(operand);
  }

  /// The distance from a record's beginning: places are addresses.
  @Override
  public long base(int operand) {
    return switch (operand) {
      case SUM -> SUM_AT;
      case STEPS -> STEPS_AT;
      case VERSION -> VERSION_AT;
      default -> ROW + (long) (operand - PARAMETER) * width * Float.BYTES;
    };
  }

  @Override
  public long stride(int operand) {
    boolean has =
        switch (operand) {
          case PARAMETER, STEPS, VERSION -> true;
          case SUM -> sums;
          default -> operand < STATE + states;
        };
    return has ? 1 : 0;
  }

  @Override
  public long place(long row) {
    return block(row).address() + at(row);
  }

  @Override
  public MemorySegment arena() {
    return blockCount == 0 ? MemorySegment.NULL : blocks[0];
  }
}
