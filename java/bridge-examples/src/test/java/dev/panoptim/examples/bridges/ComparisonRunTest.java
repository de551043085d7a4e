package dev.panoptim.examples.bridges;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class ComparisonRunTest {
  @Command(name = "fake")
  static final class Program {
    @Mixin ComparisonOptions options;
  }

  @TempDir Path folder;

  private final ByteArrayOutputStream output = new ByteArrayOutputStream();

  private void run(String... arguments) {
    Program program = new Program();
    new CommandLine(program).parseArgs(arguments);
    assertEquals(
        0,
        new ComparisonRun(
                new FakeLibrary(),
                program.options,
                new PrintStream(output, true, StandardCharsets.UTF_8))
            .run("fake"));
  }

  @Test
  void reportsBothSizesAndDrawsTheirLosses() throws IOException {
    Path picture = folder.resolve("new").resolve("loss.png");
    run("--quick", "--out", picture.toString());
    String text = output.toString(StandardCharsets.UTF_8);
    for (String expected :
        new String[] {
          "Fake 1.0 trains on 400 pictures of digits: Fake's Adam and Panoptim's",
          "small model: 107,791 parameters in 20 tensors, batches of 8",
          "large model: 9,775,360 parameters in 100 tensors, batches of 16",
          "step: own / Panoptim            4.00 (quartiles 4.00 to 4.00)",
          "whole training: own / Panoptim",
          "A remark.",
          picture.toString()
        }) {
      assertTrue(text.contains(expected), () -> "no \"" + expected + "\" in:\n" + text);
    }
    assertTrue(text.matches("(?s).*  Fake's Adam +100.0 % .* 4.0 us\n.*"), text);
    assertEquals(1400, ImageIO.read(picture.toFile()).getWidth());
  }

  @Test
  void comparesTheChosenSize() throws IOException {
    Path picture = folder.resolve("loss.png");
    run("--quick", "--sizes", "SMALL", "--out", picture.toString());
    assertTrue(!output.toString(StandardCharsets.UTF_8).contains("large model"));
    assertEquals(700, ImageIO.read(picture.toFile()).getWidth());
  }

  @Test
  void refusesValuesOutOfRange() {
    assertThrows(IllegalArgumentException.class, () -> run("--batch", "401"));
    assertThrows(IllegalArgumentException.class, () -> run("--rounds", "0"));
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> run("--quick", "--sizes", "SMALL", "--out", folder.toString()));
    assertTrue(refused.getMessage().startsWith("--out "), refused.getMessage());
  }
}
