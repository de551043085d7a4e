package dev.panoptim.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.JavaProcess;
import dev.panoptim.internal.bindings.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The choice of threads, each case in a separate process.
@Timeout(600)
@Execution(ExecutionMode.CONCURRENT)
class ThreadingTest {
  private static final String OPENMP = "-Dpanoptim.threading=openmp";

  @TempDir private Path temporary;

  private static ProcessBuilder probe(List<String> options, String... arguments) {
    List<String> all = new ArrayList<>(options);
    all.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Dpanoptim.threads=4"));
    return JavaProcess.of(ThreadingProbe.class, all, arguments);
  }

  private static String run(List<String> options, String... arguments) throws Exception {
    return JavaProcess.run(probe(options, arguments));
  }

  private static void assertContains(String output, String... all) {
    for (String each : all) {
      assertTrue(output.contains(each), () -> "no '" + each + "' in:\n" + output);
    }
  }

  /// The bits of the pool, which all others must have. One process computes them for all tests.
  private static final class OfThePool {
    static final String BITS = computed();

    private OfThePool() {}

    private static String computed() {
      try {
        return bits(run(List.of(), "default"));
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  private static String bits(String output) {
    return output.replaceFirst("(?s).*bits (-?[0-9]+).*", "$1");
  }

  /// The packaged library, or an empty one if it was not built.
  private static byte[] library() throws IOException {
    try (InputStream content =
        NativeLibrary.class.getResourceAsStream("linux-x86_64/libpanoptim_openmp.so")) {
      assumeTrue(content != null, "the OpenMP library was not built");
      return content.readAllBytes();
    }
  }

  @Test
  void thePoolIsTheDefaultAndNothingElseIsLoaded() throws Exception {
    assertContains(run(List.of(), "default"), "STEPPED by POOL, OpenMP absent");
  }

  @Test
  void thePropertyOrTheBuilderAsksForOpenMp() throws Exception {
    library();
    for (String output :
        List.of(run(List.of(OPENMP), "default"), run(List.of(), Threading.OPENMP.name()))) {
      assertContains(
          output,
          "STEPPED by OPENMP, OpenMP loaded",
          "reason: none",
          "threads by OpenMP from the pack");
      assertEquals(OfThePool.BITS, bits(output));
    }
    assertContains(run(List.of(OPENMP), Threading.POOL.name()), "STEPPED by POOL");
  }

  @Test
  void anotherValueIsRejectedBeforeAnythingIsDone() throws Exception {
    for (String bad : List.of("tbb", "", "open-mp")) {
      assertContains(
          run(List.of("-Dpanoptim.threading=" + bad), "default"),
          "REFUSED system property panoptim.threading is '" + bad + "', but must be one of pool,");
    }
  }

  /// A library whose runtime is missing, as on a system without libgomp.
  @Test
  void withoutTheRuntimeThePoolIsUsed() throws Exception {
    byte[] content = library();
    String text = new String(content, StandardCharsets.ISO_8859_1);
    int at = text.indexOf("libgomp.so.1");
    assumeTrue(at >= 0, "it was built with another runtime");
    content[at + 3] = 'n';
    Path file = Files.write(temporary.resolve("libpanoptim_openmp.so"), content);
    String output = run(List.of(OPENMP, "-Dpanoptim.openmp.library=" + file), "default");
    assertContains(
        output,
        "STEPPED by POOL",
        "reason: the OpenMP library could not be loaded: the system property",
        "libnomp.so.1: cannot open shared object file",
        "; threads by the pool, not OpenMP because the OpenMP library could not be loaded");
    assertEquals(OfThePool.BITS, bits(output));
    assertEquals(2, output.split("WARNING: no OpenMP, steps use the pool: ", -1).length, output);
  }

  @Test
  void aMissingOrForeignLibraryIsReported() throws Exception {
    Path text = Files.writeString(temporary.resolve("text"), "not a library");
    for (String file : List.of("/nowhere/libpanoptim_openmp.so", text.toString())) {
      assertContains(
          run(List.of("-Dpanoptim.openmp.library=" + file), Threading.OPENMP.name()),
          "STEPPED by POOL",
          "WARNING: no OpenMP, steps use the pool: the OpenMP library could not be loaded: the"
              + " system property panoptim.openmp.library, "
              + file);
    }
  }

  /// The OpenMP runtime would end the process if a thread cannot be started. The test runs as
  /// another user, because root has no limit.
  @Test
  void ifThreadsCannotStartThePoolIsUsed() throws Exception {
    byte[] content = library();
    ProcessBuilder probe =
        probe(
            List.of(
                "-XX:+UseSerialGC",
                "-Dpanoptim.openmp.library=" + readable("libpanoptim_openmp.so", content),
                "-Dpanoptim.library=" + readable("libpanoptim.so", processorLibrary())),
            Threading.OPENMP.name(),
            "refused");
    if (isRoot()) {
      assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "there is no setpriv");
      asNobody(probe);
    }
    String output = JavaProcess.run(probe);
    assertContains(
        output,
        "STEPPED by POOL",
        "reason: the system grants 0 of 11 threads more: error 11, memory or a limit",
        "threads by the pool, not OpenMP because the system grants 0 of 11 threads more");
    assertEquals(2, output.split("WARNING: no OpenMP, steps use the pool: ", -1).length, output);
    assertEquals(OfThePool.BITS, bits(output));
  }

  private static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  /// Other users may not have access to this project's directories or to the temporary directory.
  private void asNobody(ProcessBuilder probe) throws IOException {
    List<String> command = new ArrayList<>(probe.command());
    int classPath = command.indexOf("-cp") + 1;
    Path classes = readableTree();
    command.set(classPath, classes.toString());
    command.addAll(
        0, List.of("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    probe.command(command).directory(classes.toFile());
  }

  /// A copy of the classes of this module and its tests that every user can read.
  private Path readableTree() throws IOException {
    Path all = open(temporary.resolve("classes"));
    for (String from : List.of("target/classes", "target/test-classes")) {
      Path source = Path.of(from);
      try (var files = Files.walk(source)) {
        for (Path each : files.filter(file -> file.toString().endsWith(".class")).toList()) {
          Path target = all.resolve(source.relativize(each));
          Files.createDirectories(target.getParent());
          Files.copy(each, target, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
    return all;
  }

  private static byte[] processorLibrary() throws IOException {
    try (InputStream content =
        NativeLibrary.class.getResourceAsStream("linux-x86_64/libpanoptim.so")) {
      return content.readAllBytes();
    }
  }

  private Path readable(String name, byte[] content) throws IOException {
    open(temporary);
    return Files.write(temporary.resolve(name), content);
  }

  private static Path open(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    return directory;
  }
}
