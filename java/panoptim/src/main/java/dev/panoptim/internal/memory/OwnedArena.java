package dev.panoptim.internal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;

/// A shared arena whose memory is counted and limited, and which may be forgotten.
///
/// [#close()] frees the memory at once. If nobody calls it, the memory is freed once no segment of
/// it can be reached any more, and a warning is given. A segment, its slices and views, and byte
/// buffers over it keep the memory; its bare address does not.
///
/// That works because all segments of an arena refer to its one scope, and the [Cleaner] watches
/// that scope. What it then does refers to bare addresses alone, not to the scope. The memory is
/// also freed, without a warning, if the class loader of this library is collected with the scope.
///
/// Nothing is made before it is needed: closing a shared arena stops every thread for a moment, and
/// many owners never use theirs.
///
/// Thread-safe.
public final class OwnedArena implements Arena {
  private final MemoryKind kind;
  private final Origin origin;

  /// `null` until something is allocated.
  private Arena arena;

  private Releases releases;
  private Cleaner.Cleanable cleanable;
  private boolean closed;

  private OwnedArena(MemoryKind kind, Origin origin) {
    this.kind = kind;
    this.origin = origin;
  }

  /// @param kind of what is allocated without naming another
  /// @param origin what a warning is to say
  public static OwnedArena of(MemoryKind kind, Origin origin) {
    return new OwnedArena(
        Objects.requireNonNull(kind, "kind is null"),
        Objects.requireNonNull(origin, "origin is null"));
  }

  /// Zeroed memory, of the kind that this arena is for.
  ///
  /// @param alignment in bytes, a power of two
  /// @throws OutOfMemoryError if the limit or the system refuses
  /// @throws IllegalStateException if the arena has been closed
  @Override
  public MemorySegment allocate(long bytes, long alignment) {
    return allocate(bytes, alignment, kind);
  }

  /// Zeroed memory of some kinds.
  ///
  /// @param kinds among which the bytes are divided evenly
  /// @throws OutOfMemoryError if the limit or the system refuses
  /// @throws IllegalStateException if the arena has been closed
  public synchronized MemorySegment allocate(long bytes, long alignment, MemoryKind... kinds) {
    Arena open = open();
    MemoryBudget.reserve(bytes, kinds);
    try {
      Runnable counted = () -> MemoryBudget.release(bytes, kinds);
      if (!SystemMemory.isAvailable()) {
        MemorySegment memory = open.allocate(bytes, alignment);
        releases.add(new Release(bytes, counted, counted), CleaningAction.NOTHING);
        releases.freesAll = false;
        return memory;
      }
      SystemMemory.Block block = SystemMemory.allocate(bytes, alignment);
      Runnable release = both(block.release(), counted);
      releases.add(new Release(bytes, release, release), block.afterUnloading());
      return block.memory().reinterpret(bytes, open, null);
    } catch (Throwable e) {
      MemoryBudget.release(bytes, kinds);
      throw e;
    }
  }

  /// Makes something that others allocated this arena's. Its bytes have been counted.
  ///
  /// @param address where it is, in the global scope
  /// @param bytes that Java may reach of it
  /// @param held bytes that it takes, on whatever device
  /// @param release frees it; must not refer to a segment of this arena
  /// @param afterUnloading frees it as well, for [CleaningAction#runnable]
  /// @throws IllegalStateException if the arena has been closed
  public synchronized MemorySegment adopt(
      MemorySegment address, long bytes, long held, Runnable release, MethodHandle afterUnloading) {
    MemorySegment adopted = address.reinterpret(bytes, open(), null);
    releases.add(new Release(held, release, release), afterUnloading);
    return adopted;
  }

  /// Watches a file's mapping that was made in this arena: the arena ends it when it is closed, and
  /// this one if that is forgotten.
  ///
  /// @param mapping the whole of it
  public synchronized void watchMapping(MemorySegment mapping) {
    open();
    long bytes = mapping.byteSize();
    MemorySegment start = MemorySegment.ofAddress(mapping.address());
    Runnable counted = () -> MemoryBudget.countMapped(-bytes);
    releases.add(
        new Release(bytes, counted, both(() -> SystemMemory.unmapFile(start, bytes), counted)),
        CleaningAction.NOTHING);
    releases.mappings.push(SystemMemory.unmappingFile(start, bytes));
    MemoryBudget.countMapped(bytes);
  }

  static Runnable both(Runnable first, Runnable second) {
    return () -> {
      try {
        first.run();
      } finally {
        second.run();
      }
    };
  }

  private Arena open() {
    if (closed) {
      throw new IllegalStateException("the memory of " + origin.owner() + " has been freed");
    }
    if (arena == null) {
      Arena made = Arena.ofShared();
      Releases empty = new Releases(origin);
      cleanable = Forgotten.watch(made.scope(), empty, CleaningAction.each(empty.afterUnloading));
      releases = empty;
      arena = made;
    }
    return arena;
  }

  /// The scope that all segments of this arena have.
  ///
  /// @throws IllegalStateException if the arena has been closed and was never used
  @Override
  public synchronized MemorySegment.Scope scope() {
    return arena == null ? open().scope() : arena.scope();
  }

  /// Whether memory can still be allocated.
  public synchronized boolean isOpen() {
    return !closed;
  }

  /// Frees all memory. Does nothing when that has been done, or nothing was allocated.
  ///
  /// @throws IllegalStateException if a step is using the memory; nothing has been freed then
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    if (arena == null) {
      closed = true;
      return;
    }
    Arena open = arena;
    // From here on it is not forgotten, even if the collector is quicker than this method.
    releases.expected = true;
    try {
      open.close();
    } finally {
      if (open.scope().isAlive()) {
        releases.expected = false;
      } else {
        closed = true;
        // A finalizer may call this while its class loader is being collected: the releases are no
        // longer run then. What is called in their place must not end mappings again.
        releases.mappings.clear();
        cleanable.clean();
      }
      Reference.reachabilityFence(open);
    }
  }

  /// How something is freed.
  ///
  /// @param bytes that it takes, on whatever device
  /// @param closed what to do once its arena has been closed
  /// @param forgotten what to do if that can no longer happen
  private record Release(long bytes, Runnable closed, Runnable forgotten) {}

  /// What an arena's memory is freed by. Refers neither to the arena nor to its scope.
  private static final class Releases implements Runnable {
    private final Origin origin;

    /// The last first, as arenas free.
    private final Deque<Release> all = new ArrayDeque<>();

    /// What is called in the place of [#run] if that is no longer there, the last first.
    final Deque<MethodHandle> afterUnloading = new ConcurrentLinkedDeque<>();

    /// What ends the mappings of files in that case, unless the arena has ended them.
    final Deque<MethodHandle> mappings = new ConcurrentLinkedDeque<>();

    /// Whether the arena is being closed.
    volatile boolean expected;

    /// Whether all of it can be freed without the arena.
    boolean freesAll = true;

    Releases(Origin origin) {
      this.origin = origin;
      afterUnloading.push(CleaningAction.each(mappings));
    }

    synchronized void add(Release release, MethodHandle unaided) {
      all.push(release);
      afterUnloading.push(unaided);
    }

    @Override
    public synchronized void run() {
      long bytes = 0;
      RuntimeException failure = null;
      for (Release each : all) {
        bytes += each.bytes();
        try {
          (expected ? each.closed() : each.forgotten()).run();
        } catch (RuntimeException e) {
          if (failure == null) {
            failure = e;
          } else {
            failure.addSuppressed(e);
          }
        }
      }
      if (!expected && bytes > 0) {
        Forgotten.report(origin, bytes, freesAll);
      }
      if (failure != null) {
        throw failure;
      }
    }
  }
}
