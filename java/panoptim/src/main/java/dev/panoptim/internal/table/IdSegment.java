package dev.panoptim.internal.table;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// A part of an [IdIndex]: a hash table of fixed size with open addressing.
///
/// A slot holds an id and its record number plus 1; a 0 marks an empty slot. The first bits of the
/// hash choose the slot, and an id lies in the first slot from there that was free. A removal moves
/// later ids back, so that no marks of removed ids remain. The last bits of the hash choose the
/// segment: a segment covers the hashes whose last bits have one value.
///
/// The version makes reading safe (a sequence lock). It is odd while the segment changes and while
/// it is not in use. A reader that finds the same even version before and after has read the slots
/// of one moment, and at this moment the segment was in use for the hashes that it covered.
///
/// One thread writes. Any thread may call [#find] and [#next].
final class IdSegment {
  /// The bits of a hash that choose a slot.
  static final int SLOT_BITS = 11;

  static final int SLOTS = 1 << SLOT_BITS;

  /// The most ids in a segment. At a load of 3/4, a search that finds its id compares 2.5 slots on
  /// average, and another one 8.5 (Knuth, The Art of Computer Programming, volume 3, section 6.4).
  static final int MOST_IDS = SLOTS / 4 * 3;

  private static final int SLOT_BYTES = 2 * Long.BYTES;

  static final long BYTES = (long) SLOTS * SLOT_BYTES;

  /// The id was not found.
  static final long ABSENT = -1;

  /// The segment was changed meanwhile, or is not the one for this hash.
  static final long CHANGED = -2;

  private static final int LAST_SLOT = SLOTS - 1;
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle VERSION;
  private static final VarHandle NEXT;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      VERSION = lookup.findVarHandle(IdSegment.class, "version", long.class);
      NEXT = lookup.findVarHandle(IdSegment.class, "next", IdSegment.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// Shared with other segments: fewer objects stay in the caches of processors.
  private final MemorySegment memory;

  /// The place of the first slot in the memory.
  private final long start;

  /// Odd while the slots, or the hashes that are covered, change, and while not in use.
  private long version = 1;

  /// The covered hashes: those with these last bits. Guarded by the version.
  private int mask;

  private int lastBits;

  /// Whether it is for ids that did not fit in another segment. Guarded by the version.
  private boolean chained;

  /// The segment for ids that did not fit here, or `null`.
  private IdSegment next;

  private int size;

  /// Whether the slots have been written.
  private boolean used;

  /// @param memory zeros from the start on
  /// @param start the place of the first of [#BYTES] bytes
  IdSegment(MemorySegment memory, long start) {
    this.memory = memory;
    this.start = start;
  }

  /// Looks up an id. Any thread may call this at any time.
  ///
  /// @param hash the hash of the id
  /// @param follows whether the caller comes from the segment before in a chain, and not from the
  ///   directory. A reader with an old directory may come to a segment that is used again, for the
  ///   same hashes, but in a chain: the id may then be in the first segment of that chain
  /// @return the record number, [#ABSENT] or [#CHANGED]
  long find(long id, long hash, boolean follows) {
    // Acquire: all reads below come after this one.
    long before = (long) VERSION.getAcquire(this);
    if ((before & 1) != 0 || ((int) hash & mask) != lastBits || chained != follows) {
      return CHANGED;
    }
    long found = search(id, hash);
    // The reads above come before the next one. Then an equal version means that no write of a
    // change has been read: the writer makes the version odd before it writes.
    VarHandle.loadLoadFence();
    return (long) VERSION.getOpaque(this) == before ? found : CHANGED;
  }

  /// The number of turns is limited, because slots that change could all look full.
  private long search(long id, long hash) {
    int slot = slotOf(hash);
    for (int turn = 0; turn < SLOTS; turn++) {
      long stored = stored(slot);
      if (stored == 0) {
        return ABSENT;
      }
      if (id(slot) == id) {
        return stored - 1;
      }
      slot = after(slot);
    }
    return ABSENT;
  }

  /// The segment for ids that did not fit here, or `null`. Any thread may call this.
  IdSegment next() {
    // Acquire: the fields of the segment have been set before.
    return (IdSegment) NEXT.getAcquire(this);
  }

  /// @param next is in use and covers the same hashes
  void setNext(IdSegment next) {
    NEXT.setRelease(this, next);
  }

  boolean isFull() {
    return size == MOST_IDS;
  }

  /// The number of last bits that all covered hashes have in common.
  int depth() {
    return Integer.bitCount(mask);
  }

  /// The common last bits of the covered hashes.
  int lastBits() {
    return lastBits;
  }

  /// Empties the segment, which is not in use.
  ///
  /// @param depth the number of last bits that the hashes have in common
  /// @param lastBits these bits
  /// @param isChained whether it is for ids that do not fit in another segment
  void prepare(int depth, int lastBits, boolean isChained) {
    if (used) {
      memory.asSlice(start, BYTES).fill((byte) 0);
    }
    used = true;
    mask = (1 << depth) - 1;
    this.lastBits = lastBits;
    chained = isChained;
    size = 0;
    next = null;
  }

  /// Adds ids to two segments that are not in use: to the second one if the first bit that these
  /// ids do not have in common is set.
  void copyTo(IdSegment clear, IdSegment set) {
    int bit = mask + 1;
    for (int slot = 0; slot < SLOTS; slot++) {
      long stored = stored(slot);
      if (stored != 0) {
        long id = id(slot);
        long hash = IdHash.of(id);
        ((hash & bit) == 0 ? clear : set).insert(id, hash, stored);
      }
    }
  }

  /// Lets readers use the segment.
  void open() {
    VERSION.setRelease(this, version + 1);
  }

  /// Ends the use of the segment. Readers that still come here look for another one, which must
  /// have been published before.
  void retire() {
    VERSION.setRelease(this, version + 1);
    // The next use writes slots, and must not write them before the version.
    VarHandle.storeStoreFence();
  }

  private void beginChange() {
    VERSION.setOpaque(this, version + 1);
    // Readers that read one of the writes below must then read this version.
    VarHandle.storeStoreFence();
  }

  /// Called even if the arena has been closed in the middle of a change. Readers would otherwise
  /// wait for the end instead of failing.
  private void endChange() {
    // Release: readers of this version read all writes above.
    VERSION.setRelease(this, version + 1);
  }

  /// Adds an id that is absent. The segment is not full.
  ///
  /// @param hash the hash of the id
  void put(long id, long hash, long record) {
    beginChange();
    try {
      insert(id, hash, record + 1);
    } finally {
      endChange();
    }
  }

  private void insert(long id, long hash, long stored) {
    int slot = slotOf(hash);
    while (stored(slot) != 0) {
      slot = after(slot);
    }
    set(slot, id, stored);
    size++;
  }

  /// Removes an id.
  ///
  /// @param hash the hash of the id
  /// @return the record number or [#ABSENT]
  long remove(long id, long hash) {
    int slot = slotOf(hash);
    long stored = stored(slot);
    while (stored != 0 && id(slot) != id) {
      slot = after(slot);
      stored = stored(slot);
    }
    if (stored == 0) {
      return ABSENT;
    }
    beginChange();
    try {
      close(slot);
    } finally {
      endChange();
    }
    size--;
    return stored - 1;
  }

  /// Closes a hole by moving ids back, so that no empty slot lies between an id and its own slot
  /// (Knuth, section 6.4, algorithm R).
  private void close(int first) {
    int hole = first;
    int slot = after(hole);
    long stored = stored(slot);
    while (stored != 0) {
      long id = id(slot);
      int own = slotOf(IdHash.of(id));
      // Distances are taken around the end of the slots.
      if ((slot - own & LAST_SLOT) >= (slot - hole & LAST_SLOT)) {
        set(hole, id, stored);
        hole = slot;
      }
      slot = after(slot);
      stored = stored(slot);
    }
    set(hole, 0, 0);
  }

  /// Passes all ids to an action. Only the writer may call this.
  void forEach(IdAction action) {
    for (int slot = 0; slot < SLOTS; slot++) {
      long stored = stored(slot);
      if (stored != 0) {
        action.accept(id(slot), stored - 1);
      }
    }
  }

  private static int slotOf(long hash) {
    return (int) (hash >>> Long.SIZE - SLOT_BITS);
  }

  private static int after(int slot) {
    return slot + 1 & LAST_SLOT;
  }

  // Opaque: a value is never torn, and the compiler neither repeats nor invents an access.

  private long id(int slot) {
    return (long) LONG.getOpaque(memory, start + (long) slot * SLOT_BYTES);
  }

  private long stored(int slot) {
    return (long) LONG.getOpaque(memory, start + (long) slot * SLOT_BYTES + Long.BYTES);
  }

  private void set(int slot, long id, long stored) {
    LONG.setOpaque(memory, start + (long) slot * SLOT_BYTES, id);
    LONG.setOpaque(memory, start + (long) slot * SLOT_BYTES + Long.BYTES, stored);
  }
}
