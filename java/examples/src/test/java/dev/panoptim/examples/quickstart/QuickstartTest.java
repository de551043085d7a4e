package dev.panoptim.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The command line: wrong options and input, the loss curve, and resumed runs.
class QuickstartTest {
  @TempDir private Path temporary;

  private static void refused(String words, String... arguments) {
    StringWriter errors = new StringWriter();
    CommandLine command = Quickstart.commandLine().setErr(new PrintWriter(errors, true));
    assertEquals(2, command.execute(arguments));
    assertEquals(1, errors.toString().lines().count(), errors.toString());
    assertTrue(errors.toString().contains(words), errors.toString());
  }

  private Path text(int bytes) throws Exception {
    return Files.writeString(temporary.resolve("text"), "abcdefghij".repeat(bytes / 10));
  }

  @Test
  void badOptionsAreRefusedInOneLine() throws Exception {
    String file = text(4000).toString();
    refused("learningRate is NaN", "--learning-rate", "NaN", file);
    refused("learningRate is -1.0", "--learning-rate=-1", file);
    refused("weightDecay is -1.0", "--weight-decay=-1", file);
    refused("--steps is 0", "--steps", "0", file);
    refused("--out is the folder /", "--out", "/", file);
    refused("--out /dev/null/x/loss.png cannot be written", "--out=/dev/null/x/loss.png", file);
    refused("--threads is 1000000, but must be from 1 to 1024", "--threads=1000000", file);
    refused("--threads is -2", "--threads=-2", file);
    refused("expected one of [sgd, sgdw, ", "--optimizer", "lbfgs", file);
    refused("backend is 'tpu'", "--backend", "tpu", file);
    refused("'x' is not", "--steps", "x", file);
    refused("Unknown option: '--nonsense' (--help lists the options)", "--nonsense", file);
  }

  @Test
  void badTextsAreRefusedInOneLine() throws Exception {
    refused("nowhere does not exist", "nowhere");
    refused("is empty", Files.createFile(temporary.resolve("empty")).toString());
    refused("is empty", Files.createDirectory(temporary.resolve("folder")).toString());
    refused("the text has 100 bytes, but must have at least 2000", text(100).toString());
  }

  @Test
  void aShortRunWritesTheLossCurve() throws Exception {
    Path picture = temporary.resolve("new").resolve("loss.png");
    int status =
        Quickstart.commandLine()
            .execute("--steps", "3", "--threads", "1", "--out", "" + picture, "" + text(5000));
    assertEquals(0, status);
    assertEquals(1200, ImageIO.read(picture.toFile()).getWidth());
  }

  /// Arguments of a run of 300 steps with checkpoints.
  private List<String> run(String directory, String... more) throws Exception {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--steps=300", "--schedule=cosine", "--warmup=5", "--every=7"));
    arguments.add("--checkpoint=" + temporary.resolve(directory));
    arguments.add("--out=" + temporary.resolve("loss curve.png"));
    arguments.addAll(List.of(more));
    arguments.add(text(5000).toString());
    return arguments;
  }

  private static int execute(List<String> arguments) {
    return Quickstart.commandLine().execute(arguments.toArray(String[]::new));
  }

  private byte[] last(String directory) throws Exception {
    return Files.readAllBytes(
        temporary.resolve(directory).resolve("step-000000000300.safetensors"));
  }

  /// The resumed run has another backend and another number of threads.
  @Test
  void anInterruptedRunEndsWithTheSameBitsWhenResumed() throws Exception {
    assertEquals(0, execute(run("whole")));
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(List.of("-Djava.awt.headless=true", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-cp"));
    command.add(
        System.getProperty("jdk.module.path", "")
            + System.getProperty("path.separator")
            + System.getProperty("java.class.path"));
    command.add(Quickstart.class.getName());
    command.addAll(run("halves"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    Path early = temporary.resolve("halves").resolve("step-000000000021.safetensors");
    while (process.isAlive() && !Files.exists(early)) {
      Thread.sleep(2);
    }
    // By its handle, because Process.destroy() would also close the stream.
    process.toHandle().destroy();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(143, process.waitFor(), output);
    assertTrue(output.contains("Interrupted after step "), output);
    assertTrue(output.contains("-Dquickstart.args=\"--steps=300 --schedule=cosine"), output);
    assertTrue(output.contains("loss curve.png' "), output);
    assertTrue(output.contains(" --resume\""), output);
    assertEquals(0, execute(run("halves", "--resume", "--backend=scalar", "--threads=1")), output);
    assertEquals(-1, Arrays.mismatch(last("whole"), last("halves")));
  }

  @Test
  void runsThatCannotBeResumedAreRefusedInOneLine() throws Exception {
    String file = text(4000).toString();
    String directory = "--checkpoint=" + temporary.resolve("saved");
    String out = "--out=" + temporary.resolve("loss.png");
    refused("--resume needs --checkpoint", "--resume", file);
    refused("--every is 0", "--every=0", file);
    refused("--warmup is 3, but must be from 0 to 2", "--steps=3", "--warmup=3", file);
    refused("expected one of [constant, linear, ", "--schedule=zigzag", file);
    // Without a checkpoint, it starts at step 1.
    assertEquals(0, execute(List.of("--steps=2", directory, out, "--resume", file)));
    refused("exists already: continue from it with --resume", "--steps=2", directory, out, file);
    refused("its seed is 1, but this run's 2", "--seed=2", directory, out, "--resume", file);
    refused("its optimizer is adamw, ", "--optimizer=sgd", directory, out, "--resume", file);
    refused("its schedule is ", "--schedule=linear", directory, out, "--resume", file);
    refused("its text is ", directory, out, "--resume", text(6000).toString());
    // A resumed run without remaining steps is no error.
    text(4000);
    assertEquals(0, execute(List.of("--steps=2", directory, out, "--resume", file)));
    Path saved = temporary.resolve("saved").resolve("step-000000000002.safetensors");
    byte[] bytes = Files.readAllBytes(saved);
    bytes[bytes.length - 1] ^= 1;
    Files.write(saved, bytes);
    refused("is no intact checkpoint", "--steps=2", directory, out, "--resume", file);
  }

  @Test
  void everyTenthBlockIsHeldOut() {
    byte[] text = new byte[40_000];
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) (i / 2000 % 10);
    }
    Corpus corpus = Corpus.of(text);
    assertEquals(36_000, corpus.training().length);
    byte[] expected = new byte[4000];
    Arrays.fill(expected, (byte) 9);
    assertArrayEquals(expected, corpus.validation());
    assertThrows(IllegalArgumentException.class, () -> Corpus.of(new byte[1999]));
  }

  @Test
  void foldersAreReadInOrderWithoutBuildProducts() throws Exception {
    Files.writeString(temporary.resolve("b.java"), "B");
    Files.writeString(temporary.resolve("a.cpp"), "A");
    Files.writeString(temporary.resolve("picture.png"), "P");
    Files.createDirectory(temporary.resolve("target"));
    Files.writeString(temporary.resolve("target").resolve("c.java"), "C");
    assertEquals("AB", new String(Corpus.sources(temporary)));
    assertEquals("ABP", new String(Corpus.read(List.of(temporary))));
  }
}
