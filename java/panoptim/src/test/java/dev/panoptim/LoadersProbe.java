package dev.panoptim;

import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/// The program that [LoadersTest] runs in a separate process. Several class loaders each load
/// Panoptim, on the class path or as a module in a layer.
final class LoadersProbe {
  private static final Path CLASSES = Path.of("target/classes").toAbsolutePath();
  private static final Path TEST_CLASSES = Path.of("target/test-classes").toAbsolutePath();
  private static final int LOADERS = 3;

  private LoadersProbe() {}

  /// The program of one class loader, and a reference to the class loader.
  private record Loaded(BiFunction<String, Object, Object> trainee, WeakReference<?> loader) {
    @SuppressWarnings("unchecked")
    static Loaded of(ClassLoader loader, ClassLoader library) throws ReflectiveOperationException {
      Object trainee =
          loader.loadClass("dev.panoptim.LoaderTrainee").getConstructor().newInstance();
      return new Loaded((BiFunction<String, Object, Object>) trainee, new WeakReference<>(library));
    }
  }

  /// @param arguments `classpath` or `layers`, and a folder for shared files
  public static void main(String[] arguments) throws Exception {
    List<WeakReference<?>> loaders = run(arguments[0].equals("layers"), Path.of(arguments[1]));
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (System.nanoTime() < end && (left(loaders) > 0 || isMapped())) {
      System.gc();
      Thread.sleep(20);
    }
    System.out.println("LEFT " + left(loaders));
    System.out.println("MAPPED " + isMapped());
  }

  /// Keeps no reference to the loaded classes after its end.
  private static List<WeakReference<?>> run(boolean layers, Path folder) throws Exception {
    List<Loaded> all = new ArrayList<>();
    for (int i = 0; i < LOADERS; i++) {
      all.add(layers ? ofLayer() : ofClassPath());
    }
    boolean same = true;
    for (Loaded each : all) {
      same &= Arrays.equals(train(all.getFirst(), "scalar"), train(each, "native"));
    }
    // All programs run again after all class loaders have loaded the library.
    for (Loaded each : all) {
      same &= Arrays.equals(train(all.getFirst(), "scalar"), train(each, "native"));
    }
    System.out.println("SAME " + same);
    System.out.println("WHILE LOADED " + isMapped());
    share(all, folder);
    return all.stream().<WeakReference<?>>map(Loaded::loader).toList();
  }

  private static float[] train(Loaded loaded, String backend) {
    return (float[]) loaded.trainee().apply("train", backend);
  }

  /// All class loaders create the same files at the same time, each with two threads.
  private static void share(List<Loaded> all, Path folder) throws Exception {
    int created = 0;
    int files = 30;
    try (ExecutorService threads = Executors.newFixedThreadPool(2 * LOADERS)) {
      for (int i = 0; i < files; i++) {
        Path file = folder.resolve("shared" + i);
        List<Future<Object>> made = new ArrayList<>();
        for (int k = 0; k < 2 * LOADERS; k++) {
          Loaded loaded = all.get(k % LOADERS);
          made.add(threads.submit(() -> loaded.trainee().apply("share", file)));
        }
        for (Future<Object> each : made) {
          created += (int) each.get();
        }
      }
    }
    System.out.println("CREATED " + created + " of " + files);
  }

  private static Loaded ofClassPath() throws Exception {
    URL[] path = {CLASSES.toUri().toURL(), TEST_CLASSES.toUri().toURL()};
    ClassLoader loader = new URLClassLoader(path, ClassLoader.getPlatformClassLoader());
    return Loaded.of(loader, loader);
  }

  private static Loaded ofLayer() throws Exception {
    ModuleLayer parent = ModuleLayer.boot();
    Configuration configuration =
        parent
            .configuration()
            .resolve(ModuleFinder.of(CLASSES), ModuleFinder.of(), Set.of("dev.panoptim"));
    ModuleLayer.Controller controller =
        ModuleLayer.defineModulesWithOneLoader(
            configuration, List.of(parent), ClassLoader.getPlatformClassLoader());
    controller.enableNativeAccess(controller.layer().findModule("dev.panoptim").orElseThrow());
    ClassLoader library = controller.layer().findLoader("dev.panoptim");
    URL[] path = {TEST_CLASSES.toUri().toURL()};
    return Loaded.of(new URLClassLoader(path, library), library);
  }

  private static long left(List<WeakReference<?>> loaders) {
    return loaders.stream().filter(each -> each.get() != null).count();
  }

  private static boolean isMapped() throws IOException {
    return Files.readString(Path.of("/proc/self/maps")).contains("libpanoptim.so");
  }
}
