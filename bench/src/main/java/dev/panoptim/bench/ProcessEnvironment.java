package dev.panoptim.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Environment variables as native libraries see them that are loaded later. Java's own copy stays
/// as it is. JMH starts its processes with the environment of the one that runs it.
final class ProcessEnvironment {
  private static final MethodHandle SET =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("setenv"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_INT));

  private static final MethodHandle GET =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("getenv"),
              FunctionDescriptor.of(
                  ValueLayout.ADDRESS.withTargetLayout(
                      MemoryLayout.sequenceLayout(1 << 20, ValueLayout.JAVA_BYTE)),
                  ValueLayout.ADDRESS));

  private ProcessEnvironment() {}

  /// Not while another thread may read the environment.
  static void set(String name, String value) {
    try (Arena arena = Arena.ofConfined()) {
      int status = (int) SET.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1);
      if (status != 0) {
        throw new IllegalArgumentException("the system refuses " + name + "=" + value);
      }
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }

  /// What a native library sees; the variable must be there.
  static String get(String name) {
    try (Arena arena = Arena.ofConfined()) {
      return ((MemorySegment) GET.invokeExact(arena.allocateFrom(name))).getString(0);
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }
}
