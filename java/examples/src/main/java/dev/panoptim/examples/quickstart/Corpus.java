package dev.panoptim.examples.quickstart;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// Text as bytes, split into a part to train on and a tenth that is held out.
///
/// Every tenth block is held out, rather than the end of the text, so that the held-out text is of
/// the same kind.
record Corpus(byte[] training, byte[] validation) {
  /// The smallest number of bytes. A tenth of fewer is too short for a validation.
  static final int SHORTEST = 2000;

  private static final int PARTS = 10;
  private static final int LONGEST_BLOCK = 4096;
  private static final int FEWEST_BLOCKS = 20;

  private static final Pattern SOURCES = Pattern.compile("README\\.md|.*\\.(java|cpp|h)");

  /// Build products, hidden folders and generated bindings.
  private static final Pattern LEFT_OUT =
      Pattern.compile("target|\\..+|panoptim_.*\\.java|PanoptimAbi.*\\.java");

  /// @throws IllegalArgumentException if the text is shorter than [#SHORTEST]
  static Corpus of(byte[] text) {
    if (text.length < SHORTEST) {
      throw new IllegalArgumentException(
          "the text has %s bytes, but must have at least %s".formatted(text.length, SHORTEST));
    }
    int block = Math.min(LONGEST_BLOCK, text.length / FEWEST_BLOCKS);
    ByteArrayOutputStream training = new ByteArrayOutputStream();
    ByteArrayOutputStream validation = new ByteArrayOutputStream();
    for (int start = 0, number = 1; start < text.length; start += block, number++) {
      (number % PARTS == 0 ? validation : training)
          .write(text, start, Math.min(block, text.length - start));
    }
    return new Corpus(training.toByteArray(), validation.toByteArray());
  }

  /// A CRC-32 of the text, equal for runs over the same text.
  long checksum() {
    CRC32 crc = new CRC32();
    crc.update(training);
    crc.update(validation);
    return crc.getValue();
  }

  /// The project's own README, Java and C++ sources, below a folder.
  static byte[] sources(Path folder) {
    return contents(files(folder, SOURCES));
  }

  /// The given files, and all files of the given folders.
  ///
  /// @throws IllegalArgumentException if one does not exist, cannot be read or is empty
  static byte[] read(List<Path> paths) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Path path : paths) {
      if (!Files.exists(path)) {
        throw new IllegalArgumentException(path + " does not exist");
      }
      if (!Files.isReadable(path)) {
        throw new IllegalArgumentException(path + " cannot be read");
      }
      byte[] content =
          contents(Files.isDirectory(path) ? files(path, Pattern.compile(".*")) : List.of(path));
      if (content.length == 0) {
        throw new IllegalArgumentException(path + " is empty");
      }
      all.writeBytes(content);
    }
    return all.toByteArray();
  }

  /// Sorted by path, so that runs can be repeated.
  private static List<Path> files(Path folder, Pattern wanted) {
    try (Stream<Path> below = Files.walk(folder)) {
      return below
          .filter(Files::isRegularFile)
          .filter(path -> wanted.matcher(path.getFileName().toString()).matches())
          .filter(path -> !isLeftOut(folder.relativize(path)))
          .sorted()
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new IllegalArgumentException(folder + " cannot be read", e);
    }
  }

  private static boolean isLeftOut(Path path) {
    for (Path name : path) {
      if (LEFT_OUT.matcher(name.toString()).matches()) {
        return true;
      }
    }
    return false;
  }

  private static byte[] contents(List<Path> files) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Path file : files) {
      try {
        all.writeBytes(Files.readAllBytes(file));
      } catch (IOException e) {
        throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
      }
    }
    return all.toByteArray();
  }
}
