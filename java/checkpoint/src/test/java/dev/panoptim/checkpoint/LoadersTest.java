package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import dev.panoptim.optim.Optimizer;
import dev.panoptim.safetensors.SafetensorsFile;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.core.json.JsonFactory;

/// Several class loaders in one process save into one folder, as in a server with several
/// applications.
class LoadersTest {
  private static final int LOADERS = 2;
  private static final int THREADS_OF_EACH = 2;
  private static final int SAVINGS = 15;

  @TempDir private Path temporary;

  @Test
  void loadersThatSaveIntoOneFolderTakeTurns() throws Exception {
    // The folder does not exist; the first save creates it.
    Path folder = temporary.resolve("a/b");
    List<BiFunction<Path, Integer, Integer>> savers = new ArrayList<>();
    for (int i = 0; i < LOADERS; i++) {
      savers.add(load());
    }
    assertNotSame(savers.get(0).getClass(), savers.get(1).getClass());
    int saved = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(LOADERS * THREADS_OF_EACH)) {
      List<Future<Integer>> all = new ArrayList<>();
      for (int i = 0; i < LOADERS * THREADS_OF_EACH; i++) {
        BiFunction<Path, Integer, Integer> saver = savers.get(i % LOADERS);
        all.add(threads.submit(() -> saver.apply(folder, SAVINGS)));
      }
      for (Future<Integer> each : all) {
        saved += each.get();
      }
    }
    assertEquals(LOADERS * THREADS_OF_EACH * SAVINGS, saved);
    Path latest = CheckpointFolder.of(folder, 2).latest().orElseThrow();
    try (Checkpoint checkpoint = Checkpoint.open(latest)) {
      assertEquals(1, checkpoint.step());
    }
  }

  @SuppressWarnings("unchecked")
  private static BiFunction<Path, Integer, Integer> load() throws Exception {
    List<URL> path = new ArrayList<>();
    for (Class<?> each :
        List.of(
            CheckpointFolder.class, Optimizer.class, SafetensorsFile.class, JsonFactory.class)) {
      path.add(each.getProtectionDomain().getCodeSource().getLocation());
    }
    path.add(Path.of("target/test-classes").toUri().toURL());
    // The class loader has no parent. The JDK's own class loaders would find the modules of this
    // test too.
    ClassLoader loader = new URLClassLoader(path.toArray(URL[]::new), null);
    return (BiFunction<Path, Integer, Integer>)
        loader.loadClass(LoaderSaver.class.getName()).getConstructor().newInstance();
  }
}
