package dev.panoptim.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.JavaProcess;
import dev.panoptim.TestLibraries;
import dev.panoptim.internal.bindings.NativeLibrary;
import dev.panoptim.internal.bindings.PanoptimAbi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The places where the native library is searched for, and the reasons for failures. Each case
/// runs in a separate process, because a process loads the library once.
@Execution(ExecutionMode.CONCURRENT)
class LoadingTest {
  private static final String VECTOR = "--add-modules=jdk.incubator.vector";

  /// Enables native access for a module that does not need it, and so disables it for all others.
  private static final String NO_NATIVE_ACCESS = "--enable-native-access=java.base";

  @TempDir private Path temporary;

  private static String run(String backend, String... options)
      throws IOException, InterruptedException {
    return JavaProcess.run(probe(backend, options));
  }

  private static ProcessBuilder probe(String backend, String... options) {
    List<String> all = new ArrayList<>(List.of(options));
    if (!all.contains(NO_NATIVE_ACCESS)) {
      all.add("--enable-native-access=ALL-UNNAMED");
    }
    return JavaProcess.of(BackendProbe.class, all, backend);
  }

  private static void assertContains(String output, String... all) {
    for (String each : all) {
      assertTrue(output.contains(each), () -> "no '" + each + "' in:\n" + output);
    }
  }

  private String notExtractable() throws IOException {
    // Not even root can create a folder inside a file.
    return "-Dpanoptim.extract.directory=" + Files.createFile(temporary.resolve("file"));
  }

  @Test
  void autoChoosesThePackagedLibraryAndLogsOnce() throws Exception {
    String output = run("auto", VECTOR, "-Dpanoptim.extract.directory=" + temporary);
    assertContains(
        output, "RAN native: tier", "loaded from the packaged ", "extracted to " + temporary);
    assertEquals(2, output.split("backend native \\(tier", -1).length, output);
    try (var extracted = Files.list(temporary)) {
      Path directory = extracted.findFirst().orElseThrow();
      assertEquals(
          "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
    }
  }

  @Test
  void anExtractedLibraryThatWasTamperedWithIsReplaced() throws Exception {
    String option = "-Dpanoptim.extract.directory=" + temporary;
    run("native", option);
    Path extracted;
    try (var files = Files.walk(temporary)) {
      extracted = files.filter(Files::isRegularFile).findFirst().orElseThrow();
    }
    byte[] good = Files.readAllBytes(extracted);
    Files.write(extracted, new byte[] {1, 2, 3});
    assertContains(run("native", option), "RAN native");
    assertTrue(Arrays.equals(good, Files.readAllBytes(extracted)));
  }

  @Test
  void aDirectoryThatOthersCanWriteIsNotTrusted() throws Exception {
    String option = "-Dpanoptim.extract.directory=" + temporary;
    run("native", option);
    Path directory;
    try (var extracted = Files.list(temporary)) {
      directory = extracted.findFirst().orElseThrow();
    }
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path hostile = directory.resolve(System.mapLibraryName("panoptim"));
    Files.copy(
        TestLibraries.find("panoptim_hostile"), hostile, StandardCopyOption.REPLACE_EXISTING);
    ProcessBuilder probe = probe("native", option);
    probe.environment().put("PANOPTIM_TEST_MARK", temporary.resolve("mark").toString());
    assertContains(
        JavaProcess.run(probe),
        "RAN native",
        "extracted to " + directory + "-",
        "because " + directory + " can be written by other users");
    try (var files = Files.list(temporary)) {
      assertEquals(List.of(directory), files.toList(), "the fresh directory is gone, and no mark");
    }
  }

  /// Checks the mark that the previous test and the tests of attacks rely on.
  @Test
  void aHostileLibraryThatIsLoadedLeavesItsMark() throws Exception {
    ProcessBuilder probe =
        probe("native", "-Dpanoptim.library=" + TestLibraries.find("panoptim_hostile"));
    Path mark = temporary.resolve("mark");
    probe.environment().put("PANOPTIM_TEST_MARK", mark.toString());
    assertContains(JavaProcess.run(probe), "REFUSED", "the library has ABI version 666");
    assertTrue(Files.exists(mark));
  }

  @Test
  void onANoexecMountTheReasonIsGiven() throws Exception {
    String mount = "mount -t tmpfs -o noexec none " + temporary;
    assumeTrue(
        new ProcessBuilder("unshare", "--mount", "sh", "-c", mount).start().waitFor() == 0,
        "no right to mount");
    ProcessBuilder probe = probe("native", "-Dpanoptim.extract.directory=" + temporary);
    String command = String.join(" ", probe.command());
    assertContains(
        JavaProcess.run(
            new ProcessBuilder("unshare", "--mount", "sh", "-c", mount + " && " + command)),
        "REFUSED",
        "failed to map segment",
        "noexec",
        "panoptim.extract.directory");
  }

  @Test
  void ifExtractionFailsThePropertyIsNamed() throws Exception {
    assertContains(
        run("native", notExtractable()), "REFUSED", "panoptim.extract.directory can name another");
  }

  @Test
  void aPropertyNamesTheLibrary() throws Exception {
    Path library = TestLibraries.find("panoptim");
    assertContains(
        run("native", "-Dpanoptim.library=" + library),
        "RAN native",
        "loaded from the system property panoptim.library, " + library);
  }

  @Test
  void theLibraryPathIsSearchedLast() throws Exception {
    Path library = TestLibraries.find("panoptim");
    assertContains(
        run("native", notExtractable(), "-Djava.library.path=" + library.getParent()),
        "RAN native",
        "loaded from java.library.path, " + library);
  }

  @Test
  void aMissingLibraryIsReportedWithTheLinkersMessage() throws Exception {
    assertContains(
        run("native", "-Dpanoptim.library=/nowhere/libpanoptim.so"),
        "REFUSED the native backend is unavailable",
        "the system property panoptim.library, /nowhere/libpanoptim.so: ",
        "Can't load library");
  }

  @Test
  void aFileThatIsNoLibraryIsReportedWithTheLinkersMessage() throws Exception {
    Path text = Files.writeString(temporary.resolve("libpanoptim.so"), "not a library");
    assertContains(run("native", "-Dpanoptim.library=" + text), "REFUSED", "file too short");
  }

  @Test
  void anotherVersionOfTheAbiIsRejected() throws Exception {
    assertContains(
        run("native", "-Dpanoptim.library=" + TestLibraries.find("panoptim_of_another_version")),
        "REFUSED",
        "the library has ABI version 999, but this version of Panoptim needs "
            + PanoptimAbi.PANOPTIM_ABI_VERSION());
  }

  @Test
  void anotherLibraryIsRejected() throws Exception {
    assertContains(
        run("native", "-Dpanoptim.library=" + TestLibraries.find("panoptim_of_another_kind")),
        "REFUSED",
        "the library has no function panoptim_abi_version");
  }

  @Test
  void everyAttemptIsListed() throws Exception {
    assertContains(
        run("native", notExtractable(), "-Djava.library.path=/nowhere"),
        "REFUSED",
        "the packaged ",
        "java.library.path: no libpanoptim.so in /nowhere");
  }

  @Test
  void autoDegradesToVectorWithTheReason() throws Exception {
    String output = run("auto", VECTOR, "-Dpanoptim.library=/nowhere/libpanoptim.so");
    assertContains(output, "RAN vector", "WARNING: backend vector", "not native because");
  }

  @Test
  void autoDegradesToScalarWithBothReasons() throws Exception {
    String output = run("auto", "-Dpanoptim.library=/nowhere/libpanoptim.so");
    assertContains(output, "RAN scalar", "not native because", "not vector because the module");
  }

  @Test
  void theVectorBackendNeedsItsModule() throws Exception {
    assertContains(run("vector"), "REFUSED the vector backend is unavailable", "--add-modules");
    assertContains(run("vector", VECTOR), "RAN vector");
  }

  @Test
  void aPropertyChoosesTheTier() throws Exception {
    for (Tier tier : Backends.tiers()) {
      assertContains(
          run("auto", "-Dpanoptim.tier=" + tier.label()), "RAN native: tier " + tier.label());
    }
    assertContains(
        run("native", "-Dpanoptim.tier=sse9"),
        "REFUSED system property panoptim.tier is 'sse9', but must be one of baseline, avx2,"
            + " avx512");
    for (Tier tier : Tier.values()) {
      if (!Backends.tiers().contains(tier)) {
        assertContains(
            run("auto", "-Dpanoptim.tier=" + tier.label()),
            "REFUSED the native backend's tier " + tier.label() + " is unavailable: ");
      }
    }
  }

  @Test
  void aPropertyChoosesTheBackend() throws Exception {
    assertContains(run("auto", "-Dpanoptim.backend=scalar"), "RAN scalar");
    assertContains(
        run("auto", "-Dpanoptim.backend=tpu"),
        "REFUSED system property panoptim.backend is 'tpu', but must be auto, native");
    String output =
        run("auto", "-Dpanoptim.backend=native", "-Dpanoptim.library=/nowhere/libpanoptim.so");
    assertContains(output, "REFUSED the native backend is unavailable");
  }

  @Test
  void withoutTheCudaLibraryTheReasonIsGiven() throws Exception {
    String missing = "-Dpanoptim.cuda.library=/nowhere/libpanoptim_cuda.so";
    assertContains(
        run("cuda", missing),
        "REFUSED the cuda backend is unavailable: the CUDA library could not be loaded: ",
        "the system property panoptim.cuda.library, /nowhere/libpanoptim_cuda.so: ",
        "Can't load library");
    assertContains(
        run("auto", missing, "-Dpanoptim.backend=cuda"), "REFUSED the cuda backend is unavailable");
    assertContains(run("auto", missing), "RAN native");
    assertContains(
        run("cuda", "-Dpanoptim.cuda.library=" + TestLibraries.find("panoptim")),
        "REFUSED the cuda backend is unavailable",
        "the library has no function panoptim_cuda_abi_version");
  }

  /// The packaged library of this build, if there is one.
  @Test
  void withoutAGpuTheReasonIsGiven() throws Exception {
    assumeFalse(Files.exists(Path.of("/dev/nvidiactl")), "there is a GPU");
    boolean packaged = NativeLibrary.class.getResource("linux-x86_64/libpanoptim_cuda.so") != null;
    assertContains(
        run("cuda"),
        "REFUSED the cuda backend is unavailable: ",
        packaged
            ? "no GPU is usable; an NVIDIA GPU of compute capability 7.5 or more"
            : "this build is for other systems, or was made without nvcc");
  }

  @Test
  void aGpuThatIsTooOldIsRejected() throws Exception {
    ProcessBuilder probe =
        probe("cuda", "-Dpanoptim.cuda.library=" + TestLibraries.find("panoptim_cuda_emulated"));
    probe.environment().put("PANOPTIM_EMULATED_CAPABILITY", "61");
    assertContains(
        JavaProcess.run(probe),
        "REFUSED the cuda backend is unavailable: no GPU is usable",
        "GPU 0, an emulated device, has compute capability 6.1, but must have 7.5 or more");
  }

  @Test
  void anOldDriverIsRejected() throws Exception {
    for (String version : List.of("0", "12080")) {
      ProcessBuilder probe =
          probe("cuda", "-Dpanoptim.cuda.library=" + TestLibraries.find("panoptim_cuda_emulated"));
      probe.environment().put("PANOPTIM_EMULATED_DRIVER", version);
      assertContains(
          JavaProcess.run(probe),
          "REFUSED the cuda backend is unavailable: no GPU is usable; an NVIDIA GPU of compute"
              + " capability 7.5 or more and NVIDIA's driver are needed",
          "(cudaErrorInsufficientDriver); CUDA 13.0 needs NVIDIA's driver 580 or later, but ",
          version.equals("0")
              ? "but no driver is installed"
              : "but the installed driver is for CUDA 12.8");
    }
  }

  @Test
  void aGpuNeedsParametersInItsMemory() throws Exception {
    assertContains(
        run("cuda", "-Dpanoptim.cuda.library=" + TestLibraries.find("panoptim_cuda_emulated")),
        "REFUSED parameter 'p' is on cpu, but backend cuda works on cuda:0");
    assertContains(
        run(
            "auto",
            "-Dpanoptim.backend=cuda",
            "-Dpanoptim.cuda.library=" + TestLibraries.find("panoptim_cuda_emulated")),
        "REFUSED system property panoptim.backend is 'cuda', which is for parameters on a GPU");
  }

  @Test
  void withoutNativeAccessTheReasonIsGiven() throws Exception {
    String output = run("auto", NO_NATIVE_ACCESS, "--illegal-native-access=deny");
    assertContains(output, "RAN scalar", "native access is not enabled, start Java with");
    assertContains(
        run("native", NO_NATIVE_ACCESS, "--illegal-native-access=deny"),
        "REFUSED the native backend is unavailable",
        "native access is not enabled, start Java with --enable-native-access=ALL-UNNAMED");
  }
}
