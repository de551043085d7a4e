package dev.panoptim.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The program as a user calls it: what it refuses, and that it leaves a picture.
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
    refused("threads is 1000000, but must be from 1 to 1024", "--threads=1000000", file);
    refused("--threads is -2", "--threads=-2", file);
    refused("expected one of [sgd, adagrad, ", "--optimizer", "lbfgs", file);
    refused("backend is 'cuda'", "--backend", "cuda", file);
    refused("'x' is not", "--steps", "x", file);
    refused("Unknown option: '--nonsense'", "--nonsense", file);
  }

  @Test
  void badTextsAreRefusedInOneLine() throws Exception {
    refused("nowhere does not exist", "nowhere");
    refused("is empty", Files.createFile(temporary.resolve("empty")).toString());
    refused("is empty", Files.createDirectory(temporary.resolve("folder")).toString());
    refused("the text has 100 bytes, but must have at least 2000", text(100).toString());
  }

  @Test
  void aShortRunLeavesAPicture() throws Exception {
    Path picture = temporary.resolve("new").resolve("loss.png");
    int status =
        Quickstart.commandLine()
            .execute("--steps", "3", "--threads", "1", "--out", "" + picture, "" + text(5000));
    assertEquals(0, status);
    assertEquals(1200, ImageIO.read(picture.toFile()).getWidth());
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
  void foldersAreReadInOrderWithoutWhatIsBuilt() throws Exception {
    Files.writeString(temporary.resolve("b.java"), "B");
    Files.writeString(temporary.resolve("a.cpp"), "A");
    Files.writeString(temporary.resolve("picture.png"), "P");
    Files.createDirectory(temporary.resolve("target"));
    Files.writeString(temporary.resolve("target").resolve("c.java"), "C");
    assertEquals("AB", new String(Corpus.sources(temporary)));
    assertEquals("ABP", new String(Corpus.read(List.of(temporary))));
  }
}
