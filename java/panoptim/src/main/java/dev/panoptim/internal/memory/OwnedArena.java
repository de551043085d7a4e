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

/// A shared arena whose memory is counted and limited, and is freed even if the arena is never
/// closed.
///
/// [#close()] frees the memory at once. Without a close, the memory is freed when no segment of the
/// arena is reachable any more, and a warning is logged. Slices, views and byte buffers of a
/// segment keep the memory alive; a bare address does not.
///
/// All segments of an arena refer to its one scope, and a [Cleaner] watches this scope. The
/// cleaning action refers only to bare addresses and not to the scope. If this library's class
/// loader is collected together with the scope, the memory is freed without a warning.
///
/// The underlying arena is created at the first allocation. Closing a shared arena stops every
/// thread for a moment, and many owners never allocate.
///
/// Thread-safe.
public final class OwnedArena implements Arena {
  private final MemoryKind kind;
  private final Origin origin;

  /// `null` until the first allocation.
  private Arena arena;

  private Releases releases;
  private Cleaner.Cleanable cleanable;
  private boolean closed;

  private OwnedArena(MemoryKind kind, Origin origin) {
    this.kind = kind;
    this.origin = origin;
  }

  /// @param kind the default kind of the allocated memory
  /// @param origin the owner, for warnings
  public static OwnedArena of(MemoryKind kind, Origin origin) {
    return new OwnedArena(
        Objects.requireNonNull(kind, "kind is null"),
        Objects.requireNonNull(origin, "origin is null"));
  }

  /// Allocates zeroed memory of this arena's default kind.
  ///
  /// @param bytes the size in bytes
  /// @param alignment in bytes, a power of two
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  /// @throws IllegalStateException if the arena has been closed
  @Override
  public MemorySegment allocate(long bytes, long alignment) {
    return allocate(bytes, alignment, kind);
  }

  /// Allocates zeroed memory.
  ///
  /// @param bytes the size in bytes
  /// @param alignment in bytes, a power of two
  /// @param kinds the kinds of the memory; the bytes are divided evenly among them
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
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

  /// Adds memory that was allocated elsewhere to this arena. Its bytes must already be counted.
  ///
  /// @param address the memory's address, in the global scope
  /// @param bytes the bytes that Java may access
  /// @param held the bytes that the memory takes, on any device
  /// @param release frees the memory; must not refer to a segment of this arena
  /// @param afterUnloading also frees the memory, for [CleaningAction#runnable]
  /// @throws IllegalStateException if the arena has been closed
  public synchronized MemorySegment adopt(
      MemorySegment address, long bytes, long held, Runnable release, MethodHandle afterUnloading) {
    MemorySegment adopted = address.reinterpret(bytes, open(), null);
    releases.add(new Release(held, release, release), afterUnloading);
    return adopted;
  }

  /// Registers the mapping of a file that was made in this arena. The arena ends the mapping when
  /// it is closed. If the arena is never closed, the cleaning action ends the mapping.
  ///
  /// @param mapping the whole mapping
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
    return () -> CloseAll.rethrow(CloseAll.run(CloseAll.run(null, first), second));
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

  /// The scope of all segments of this arena.
  ///
  /// @throws IllegalStateException if the arena has been closed and was never used
  @Override
  public synchronized MemorySegment.Scope scope() {
    return arena == null ? open().scope() : arena.scope();
  }

  /// Whether the arena can still allocate.
  public synchronized boolean isOpen() {
    return !closed;
  }

  /// Frees all memory. Closing twice has no effect.
  ///
  /// @throws IllegalStateException if a step is using the memory; nothing has been freed
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
    // Set before the close, because the cleaner may run before this method ends.
    releases.expected = true;
    Throwable failure = CloseAll.run(null, open::close);
    if (open.scope().isAlive()) {
      releases.expected = false;
    } else {
      closed = true;
      // A finalizer may call this method while its class loader is being collected. Then the method
      // handles run instead of the releases, and they must not end the mappings a second time.
      releases.mappings.clear();
      failure = CloseAll.run(failure, cleanable::clean);
    }
    Reference.reachabilityFence(open);
    CloseAll.rethrow(failure);
  }

  /// A way to free memory.
  ///
  /// @param bytes the bytes that the memory takes, on any device
  /// @param closed runs after the arena has been closed
  /// @param forgotten runs if the arena was never closed
  private record Release(long bytes, Runnable closed, Runnable forgotten) {}

  /// The releases of an arena's memory. Refers neither to the arena nor to its scope.
  ///
  /// Thread-safe.
  private static final class Releases implements Runnable {
    private final Origin origin;

    /// In reverse order of allocation, like an arena frees.
    private final Deque<Release> all = new ArrayDeque<>();

    /// Called instead of [#run] if the class loader has been collected; in reverse order.
    final Deque<MethodHandle> afterUnloading = new ConcurrentLinkedDeque<>();

    /// Ends the mappings of files in that case, unless the arena has ended them.
    final Deque<MethodHandle> mappings = new ConcurrentLinkedDeque<>();

    /// Whether the arena is being closed, so that no warning is due.
    volatile boolean expected;

    /// Whether all memory can be freed without the arena.
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
      Throwable failure = null;
      for (Release each : all) {
        bytes += each.bytes();
        failure = CloseAll.run(failure, expected ? each.closed() : each.forgotten());
      }
      if (!expected && bytes > 0) {
        long freed = bytes;
        failure = CloseAll.run(failure, () -> Forgotten.report(origin, freed, freesAll));
      }
      CloseAll.rethrow(failure);
    }
  }
}
