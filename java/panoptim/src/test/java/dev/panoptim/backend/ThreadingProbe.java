package dev.panoptim.backend;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// The program that [ThreadingTest] runs in a separate process. It steps, optionally after the
/// system refuses new threads, and prints the kind of threading.
final class ThreadingProbe {
  private ThreadingProbe() {}

  /// @param arguments the threading to request, or `default`; then optionally `refused`
  public static void main(String[] arguments) throws Throwable {
    try (Parameters parameters = Parameters.builder().add("p", 200_000).build()) {
      AdamW.Builder builder = AdamW.builder(parameters).threads(4);
      if (!arguments[0].equals("default")) {
        builder.threading(Threading.valueOf(arguments[0]));
      }
      try (var optimizer = builder.build()) {
        if (arguments.length > 1) {
          refuseThreads();
        }
        parameters.get("p").gradient().fill((byte) 0x3f);
        for (int i = 0; i < 3; i++) {
          optimizer.step();
        }
        int[] bits = parameters.get("p").data().toArray(ValueLayout.JAVA_INT);
        boolean loaded = Files.readString(Path.of("/proc/self/maps")).contains("panoptim_openmp");
        System.out.printf(
            "STEPPED by %s, OpenMP %s, bits %d, reason: %s%n%s%n",
            optimizer.threading(),
            loaded ? "loaded" : "absent",
            Arrays.hashCode(bits),
            Threading.OPENMP.unavailableReason().orElse("none"),
            optimizer.backend().describe());
      }
    } catch (IllegalArgumentException e) {
      System.out.printf("REFUSED %s%n", e.getMessage());
    }
  }

  /// Sets a limit that counts all threads of the user. It cannot be set from another process, which
  /// would need a thread more.
  private static void refuseThreads() throws Throwable {
    int rlimitNproc = 6;
    MethodHandle setrlimit =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("setrlimit"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment softAndHard = arena.allocateFrom(ValueLayout.JAVA_LONG, 1, 1);
      int status = (int) setrlimit.invokeExact(rlimitNproc, softAndHard);
      if (status != 0) {
        throw new IllegalStateException("the limit cannot be set");
      }
    }
  }
}
