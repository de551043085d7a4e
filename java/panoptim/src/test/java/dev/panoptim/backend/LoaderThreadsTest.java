package dev.panoptim.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Applications load and drop the library in their own class loaders. The library's threads end,
/// and nothing keeps the class loaders alive.
@Timeout(120)
class LoaderThreadsTest {
  private static final long DEADLINE_NANOS = 60_000_000_000L;

  /// Creates a class loader for the library and the program that does not delegate to the tests'
  /// class loader.
  private static URLClassLoader loader() throws IOException {
    URL[] places = {
      Path.of("target/classes").toUri().toURL(), Path.of("target/test-classes").toUri().toURL()
    };
    return new URLClassLoader("application", places, null);
  }

  private static Set<Thread> helpers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().startsWith("panoptim-"))
        .collect(Collectors.toSet());
  }

  /// Runs the program in a class loader.
  ///
  /// @return the helper threads of that class loader
  private static List<Thread> use(ClassLoader loader) throws Exception {
    Set<Thread> before = helpers();
    Class<?> program = loader.loadClass(LoadedProgram.class.getName());
    assertEquals(loader, program.getClassLoader());
    program.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    Set<Thread> now = helpers();
    now.removeAll(before);
    assertTrue(!now.isEmpty(), "no thread has helped");
    return List.copyOf(now);
  }

  private static void assertCollected(WeakReference<?> loader) throws InterruptedException {
    long start = System.nanoTime();
    while (loader.get() != null && System.nanoTime() - start < DEADLINE_NANOS) {
      System.gc();
      Thread.sleep(10);
    }
    assertNull(loader.get(), "something keeps the class loader");
  }

  @Test
  void threadsEndOnRequest() throws Exception {
    assertCollected(
        used(
            (loader, threads) -> {
              Class<?> backends = loader.loadClass(Backends.class.getName());
              backends.getMethod("endThreads").invoke(null);
              for (Thread each : threads) {
                assertTrue(!each.isAlive(), each + " is still there");
              }
            }));
  }

  /// Helper threads end ten seconds after their last work.
  @Test
  void threadsEndByThemselves() throws Exception {
    assertCollected(
        used(
            (loader, threads) -> {
              for (Thread each : threads) {
                each.join(DEADLINE_NANOS / 1_000_000);
                assertTrue(!each.isAlive(), each + " is still there");
              }
            }));
  }

  private interface End {
    void of(ClassLoader loader, List<Thread> threads) throws Exception;
  }

  /// A class loader whose threads have ended. A separate method, so that none of its references
  /// stay on the stack.
  private static WeakReference<ClassLoader> used(End end) throws Exception {
    try (URLClassLoader loader = loader()) {
      end.of(loader, use(loader));
      return new WeakReference<>(loader);
    }
  }
}
