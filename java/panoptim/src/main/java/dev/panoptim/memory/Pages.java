package dev.panoptim.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/// Zeroed memory, on huge pages where it is large and the system has them.
///
/// An arena's own allocation writes its zeros at once, and pages that have been touched stay small;
/// so large memory comes from `mmap`, and the advice is given before the first touch. Where that
/// cannot be had (another system, no native access), the arena allocates.
///
/// Huge pages save address translations, and page faults when memory is first touched. A step walks
/// its streams in order, which needs few translations: on a virtual machine of two Zen 4 cores
/// AdamW over 32M parameters takes 0.99 to 1.04 times as long on small ones (`-Pbench
/// -Dbench.args="ConstantsBenchmark -p changed=hugePages=0"`).
final class Pages {
  /// The size of a huge page on x86-64 and on most ARM systems.
  static final long HUGE = 2L << 20;

  /// The size of any other page, or less.
  static final long SMALL = 4096;

  private static final int READ_AND_WRITE = 3;
  private static final int PRIVATE_AND_ANONYMOUS = 0x22;
  private static final int USE_HUGE_PAGES = 14;
  private static final long FAILED = -1;

  private static final Pages SYSTEM = find();

  private final MethodHandle mmap;
  private final MethodHandle munmap;
  private final MethodHandle madvise;

  private Pages(Linker linker) {
    var address = ValueLayout.ADDRESS;
    var size = ValueLayout.JAVA_LONG;
    var number = ValueLayout.JAVA_INT;
    mmap =
        handle(
            linker,
            "mmap",
            FunctionDescriptor.of(address, address, size, number, number, number, size));
    munmap = handle(linker, "munmap", FunctionDescriptor.of(number, address, size));
    madvise = handle(linker, "madvise", FunctionDescriptor.of(number, address, size, number));
  }

  private static MethodHandle handle(Linker linker, String name, FunctionDescriptor type) {
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
  }

  private static Pages find() {
    if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")) {
      return null;
    }
    try {
      return new Pages(Linker.nativeLinker());
    } catch (IllegalCallerException | UnsupportedOperationException notAllowed) {
      return null;
    }
  }

  /// Zeroed memory that lives as long as the arena, aligned to [#SMALL], or to [#HUGE] if it is at
  /// least as large.
  ///
  /// @throws OutOfMemoryError if the system refuses
  static MemorySegment allocate(Arena arena, long bytes) {
    if (SYSTEM == null || bytes < HUGE) {
      return arena.allocate(bytes, bytes < HUGE ? SMALL : HUGE);
    }
    return SYSTEM.map(arena, bytes);
  }

  private MemorySegment map(Arena arena, long bytes) {
    // mmap aligns to small pages only: ask for one huge page more, and begin at the first huge
    // boundary.
    long mapped = Math.addExact(bytes, HUGE);
    try {
      MemorySegment start =
          (MemorySegment)
              mmap.invokeExact(
                  MemorySegment.NULL, mapped, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
      if (start.address() == FAILED) {
        throw new OutOfMemoryError("the system has no " + mapped + " bytes of memory left");
      }
      MemorySegment whole = start.reinterpret(mapped, arena, unused -> unmap(start, mapped));
      MemorySegment aligned = whole.asSlice(-start.address() & (HUGE - 1), bytes);
      // Advice: a kernel without huge pages may refuse it, and the memory is as good as before.
      int ignored = (int) madvise.invokeExact(aligned, bytes, USE_HUGE_PAGES);
      return aligned;
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
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
