package dev.panoptim.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Environment variables for native libraries that are loaded later. `System.getenv` is not
/// affected. JMH starts its processes with the environment of its own process, so they cannot be
/// set there.
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

  /// Must not run while another thread may read the environment.
  ///
  /// @throws IllegalArgumentException if the system refuses the name
  static void set(String name, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment nameBytes = arena.allocateFrom(name);
      MemorySegment valueBytes = arena.allocateFrom(value);
      int status = Downcall.run(() -> (int) SET.invokeExact(nameBytes, valueBytes, 1));
      if (status != 0) {
        throw new IllegalArgumentException("setenv has refused " + name + "=" + value);
      }
    }
  }

  /// The value as seen by native libraries. The variable must exist.
  static String get(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment nameBytes = arena.allocateFrom(name);
      return Downcall.run(() -> (MemorySegment) GET.invokeExact(nameBytes)).getString(0);
    }
  }
}
