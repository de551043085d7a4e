package dev.panoptim.internal.memory;

import dev.panoptim.internal.bindings.Downcall;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.Locale;

/// Allocates zeroed memory directly from the system, without an arena. Large blocks use huge pages
/// if the system has them.
///
/// Large blocks are allocated by `mmap`. With `malloc`, the zeros would be written at once, and
/// pages that have been written stay small. Huge pages must be requested before the first access.
///
/// Huge pages save address translations, and page faults at the first touch. A step reads its
/// operands in order and needs few translations: on a virtual machine of two Zen 4 cores, AdamW
/// over 32M parameters takes 0.99 to 1.04 times as long with small pages (`-Pbench
/// -Dbench.args="ConstantsBenchmark -p changed=hugePages=0"`).
///
/// Thread-safe.
public final class SystemMemory {
  /// The size of a huge page on x86-64 and on most ARM systems, in bytes.
  public static final long HUGE = 2L << 20;

  /// The size of a small page in bytes, or a lower bound of it.
  public static final long SMALL = 4096;

  private static final int READ_AND_WRITE = 3;
  private static final int PRIVATE_AND_ANONYMOUS = 0x22;
  private static final int USE_HUGE_PAGES = 14;
  private static final long FAILED = -1;

  /// `null` if the program may not call native code.
  private static final SystemMemory SYSTEM = find();

  private final MethodHandle calloc;
  private final MethodHandle free;

  /// The three handles of mmap are `null` on other systems than Linux.
  private final MethodHandle mmap;

  private final MethodHandle munmap;
  private final MethodHandle madvise;

  private SystemMemory(Linker linker, boolean maps) {
    var address = ValueLayout.ADDRESS;
    // The width of size_t and off_t, which equals the width of a pointer on every 64-bit system.
    var size = ValueLayout.JAVA_LONG;
    var number = ValueLayout.JAVA_INT;
    calloc = handle(linker, "calloc", FunctionDescriptor.of(address, size, size));
    free = handle(linker, "free", FunctionDescriptor.ofVoid(address));
    mmap =
        maps
            ? handle(
                linker,
                "mmap",
                FunctionDescriptor.of(address, address, size, number, number, number, size))
            : null;
    munmap = maps ? handle(linker, "munmap", FunctionDescriptor.of(number, address, size)) : null;
    madvise =
        maps
            ? handle(linker, "madvise", FunctionDescriptor.of(number, address, size, number))
            : null;
  }

  private static MethodHandle handle(Linker linker, String name, FunctionDescriptor type) {
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
  }

  private static SystemMemory find() {
    boolean linux = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux");
    try {
      return new SystemMemory(Linker.nativeLinker(), linux);
    } catch (IllegalCallerException | UnsupportedOperationException notAllowed) {
      return null;
    }
  }

  /// Whether memory can be allocated here; if not, an arena must allocate it.
  static boolean isAvailable() {
    return SYSTEM != null;
  }

  /// A block of memory and the actions that free it.
  ///
  /// @param memory the memory, in the global scope
  /// @param release frees the memory
  /// @param afterUnloading also frees the memory, without classes of this library; for
  ///   [CleaningAction]
  record Block(MemorySegment memory, Runnable release, MethodHandle afterUnloading) {}

  /// Allocates zeroed memory.
  ///
  /// @param bytes the size in bytes
  /// @param alignment in bytes, a power of two
  /// @throws OutOfMemoryError if the system has too little memory
  static Block allocate(long bytes, long alignment) {
    return SYSTEM.mmap == null || bytes < HUGE
        ? SYSTEM.fromHeap(bytes, alignment)
        : SYSTEM.fromPages(bytes, alignment);
  }

  private Block fromHeap(long bytes, long alignment) {
    try {
      long whole = Math.addExact(bytes, alignment);
      MemorySegment start = (MemorySegment) calloc.invokeExact(1L, whole);
      if (start.address() == 0) {
        throw refused(whole);
      }
      return new Block(
          aligned(start, whole, bytes, alignment),
          () -> free(start),
          MethodHandles.insertArguments(free, 0, start));
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
  }

  private static MemorySegment aligned(
      MemorySegment start, long whole, long bytes, long alignment) {
    return start.reinterpret(whole).asSlice(-start.address() & (alignment - 1), bytes);
  }

  private static OutOfMemoryError refused(long bytes) {
    return new OutOfMemoryError("the system has no " + bytes + " bytes of memory left");
  }

  private Block fromPages(long bytes, long alignment) {
    // mmap aligns only to small pages. So one more huge page is mapped, and the block begins at the
    // first boundary of a huge page.
    long boundary = Math.max(HUGE, alignment);
    long mapped = Math.addExact(bytes, boundary);
    try {
      MemorySegment start =
          (MemorySegment)
              mmap.invokeExact(
                  MemorySegment.NULL, mapped, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
      if (start.address() == FAILED) {
        throw refused(mapped);
      }
      MemorySegment aligned = aligned(start, mapped, bytes, boundary);
      // The request is a hint. A kernel without huge pages rejects it, and the memory is usable
      // anyway.
      int ignored = (int) madvise.invokeExact(aligned, bytes, USE_HUGE_PAGES);
      return new Block(aligned, () -> unmap(start, mapped), unmapping(start, mapped));
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
  }

  private void free(MemorySegment start) {
    try {
      free.invokeExact(start);
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
  }

  /// Ends the mapping of a file that an arena made and can no longer end. Does nothing if the
  /// system has no `mmap`.
  ///
  /// @param start the start of the mapping, a segment of the global scope
  /// @param bytes the size of the mapping
  static void unmapFile(MemorySegment start, long bytes) {
    if (SYSTEM != null && SYSTEM.munmap != null && bytes > 0) {
      SYSTEM.unmap(start, bytes);
    }
  }

  /// Returns a handle that does the same as [#unmapFile] without classes of this library, for
  /// [CleaningAction].
  ///
  /// @param start as for [#unmapFile]
  /// @param bytes as for [#unmapFile]
  static MethodHandle unmappingFile(MemorySegment start, long bytes) {
    return SYSTEM != null && SYSTEM.munmap != null && bytes > 0
        ? SYSTEM.unmapping(start, bytes)
        : CleaningAction.NOTHING;
  }

  /// The handle ignores errors, because there is no caller to report them to.
  private MethodHandle unmapping(MemorySegment start, long bytes) {
    return MethodHandles.insertArguments(MethodHandles.dropReturn(munmap), 0, start, bytes);
  }

  private void unmap(MemorySegment start, long bytes) {
    try {
      int status = (int) munmap.invokeExact(start, bytes);
      if (status != 0) {
        throw new IllegalStateException("munmap of " + bytes + " bytes failed");
      }
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
  }
}
