package dev.panoptim;

import dev.panoptim.internal.memory.Collected;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;

/// The program that [UndeployedTest] runs in a separate process. It deploys [UndeployedApplication]
/// several times, each time in a new class loader that it then drops.
final class UndeployedProbe {
  private static final int ROUNDS = Boolean.getBoolean("panoptim.exhaustive") ? 6 : 4;

  private UndeployedProbe() {}

  /// @param arguments the kind of application, and a folder for its files
  public static void main(String[] arguments) throws Exception {
    long start = resident();
    boolean inUse = true;
    for (int i = 0; i < ROUNDS; i++) {
      long before = resident();
      WeakReference<?> loader = deploy(arguments);
      // Resident pages of a mapped file count too.
      inUse &= i > 0 || resident() - before >= UndeployedApplication.LEAST_BYTES;
      Collected.await("the class loader's end", () -> loader.get() == null);
      Collected.await("the mappings' end", () -> !isMapped(arguments[1]));
    }
    System.out.println("IN USE " + inUse);
    System.out.println("COLLECTED true");
    // If every round leaked all its memory, the process would have twice as much.
    long most = start + ROUNDS * UndeployedApplication.LEAST_BYTES / 2;
    Collected.await("the freeing of memory", () -> resident() < most);
    System.out.println("FREED true, but for " + (resident() - start) + " bytes");
    Collected.await("the library's end", () -> !isMapped("libpanoptim.so"));
    System.out.println("UNMAPPED true");
  }

  /// A separate method, so that none of its references stay on the stack.
  private static WeakReference<?> deploy(String[] arguments) throws Exception {
    URL[] path = {
      Path.of("target/classes").toUri().toURL(), Path.of("target/test-classes").toUri().toURL()
    };
    try (URLClassLoader loader =
        new URLClassLoader("application", path, ClassLoader.getPlatformClassLoader())) {
      Class<?> program = loader.loadClass(UndeployedApplication.class.getName());
      if (program.getClassLoader() != loader) {
        throw new AssertionError("the application has been loaded by " + program.getClassLoader());
      }
      program.getMethod("main", String[].class).invoke(null, (Object) arguments);
      return new WeakReference<>(loader);
    }
  }

  private static boolean isMapped(String part) {
    return read("maps").contains(part);
  }

  /// The resident bytes of this process.
  private static long resident() {
    return Long.parseLong(read("statm").split(" ")[1]) * 4096;
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of("/proc/self", file));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
