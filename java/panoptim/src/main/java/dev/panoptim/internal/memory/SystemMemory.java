package dev.panoptim.internal.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.Locale;

/// Zeroed memory of the system, whose lifetime nobody manages; on huge pages where it is large and
/// the system has them.
///
/// Allocating zeroed memory by `malloc` writes its zeros at once, and pages that have been touched
/// stay small. So large memory comes from `mmap`, and the advice is given before the first touch.
///
/// Huge pages save address translations, and page faults when memory is first touched. A step walks
/// its streams in order, which needs few translations: on a virtual machine of two Zen 4 cores
/// AdamW over 32M parameters takes 0.99 to 1.04 times as long on small ones (`-Pbench
/// -Dbench.args="ConstantsBenchmark -p changed=hugePages=0"`).
///
/// Thread-safe.
public final class SystemMemory {
  /// The size of a huge page on x86-64 and on most ARM systems.
  public static final long HUGE = 2L << 20;

  /// The size of any other page, or less.
  public static final long SMALL = 4096;

  private static final int READ_AND_WRITE = 3;
  private static final int PRIVATE_AND_ANONYMOUS = 0x22;
  private static final int USE_HUGE_PAGES = 14;
  private static final long FAILED = -1;

  /// `null` where the program may not call native code.
  private static final SystemMemory SYSTEM = find();

  private final MethodHandle calloc;
  private final MethodHandle free;

  /// These three are `null` but on Linux.
  private final MethodHandle mmap;

  private final MethodHandle munmap;
  private final MethodHandle madvise;

  private SystemMemory(Linker linker, boolean maps) {
    var address = ValueLayout.ADDRESS;
    // A pointer's width, which size_t and off_t have on every 64-bit system.
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

  /// Whether memory can be had here; if not, an arena has to allocate.
  static boolean isAvailable() {
    return SYSTEM != null;
  }

  /// Memory, and what frees it.
  ///
  /// @param afterUnloading frees it too, without classes of this library; for [CleaningAction]
  record Block(MemorySegment memory, Runnable release, MethodHandle afterUnloading) {}

  /// Zeroed memory.
  ///
  /// @param alignment in bytes, a power of two
  /// @throws OutOfMemoryError if the system refuses
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
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
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
    // mmap aligns to small pages only: ask for one huge page more, and begin at the first huge
    // boundary.
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
      // Advice: a kernel without huge pages may refuse it, and the memory is as good as before.
      int ignored = (int) madvise.invokeExact(aligned, bytes, USE_HUGE_PAGES);
      return new Block(aligned, () -> unmap(start, mapped), unmapping(start, mapped));
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }

  private void free(MemorySegment start) {
    try {
      free.invokeExact(start);
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }

  /// Ends the mapping of a file that an arena made and can no longer end. Does nothing where
  /// mappings are not made by `mmap`.
  ///
  /// @param start of the mapping, a segment of the global scope
  static void unmapFile(MemorySegment start, long bytes) {
    if (SYSTEM != null && SYSTEM.munmap != null && bytes > 0) {
      SYSTEM.unmap(start, bytes);
    }
  }

  /// What [#unmapFile] does, without classes of this library; for [CleaningAction].
  ///
  /// @param start as for [#unmapFile]
  static MethodHandle unmappingFile(MemorySegment start, long bytes) {
    return SYSTEM != null && SYSTEM.munmap != null && bytes > 0
        ? SYSTEM.unmapping(start, bytes)
        : CleaningAction.NOTHING;
  }

  /// Nobody is left to be told of a failure.
  private MethodHandle unmapping(MemorySegment start, long bytes) {
    return MethodHandles.insertArguments(MethodHandles.dropReturn(munmap), 0, start, bytes);
  }

  private void unmap(MemorySegment start, long bytes) {
    try {
      int status = (int) munmap.invokeExact(start, bytes);
      if (status != 0) {
        throw new IllegalStateException("munmap of " + bytes + " bytes failed");
      }
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }
}
