package dev.panoptim.internal.bindings;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// The program that [HijackTest] runs as another user. It tries to have its own library loaded
/// instead of the right one. It knows the names and contents of extractions and uses all its
/// rights, in random order.
///
/// It uses only the JDK.
final class Attacker {
  private final Path shared;
  private final Path own;
  private final String directoryName;
  private final String libraryName;
  private final byte[] right;
  private final byte[] hostile;
  private final AtomicLong moves = new AtomicLong();
  private volatile boolean ended;

  private Attacker(Path shared, String directoryName, Path right, Path hostile) throws IOException {
    this.shared = shared;
    this.directoryName = directoryName;
    libraryName = right.getFileName().toString();
    this.right = Files.readAllBytes(right);
    this.hostile = Files.readAllBytes(hostile);
    own = Files.createTempDirectory(shared, "attacker");
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /// @param arguments the shared directory, the name to occupy in it, the files of the right
  ///   library and of the attacker's library, the maximum duration in milliseconds, and a seed. The
  ///   end of the standard input ends the attack earlier.
  public static void main(String[] arguments) throws Exception {
    Attacker attacker =
        new Attacker(
            Path.of(arguments[0]), arguments[1], Path.of(arguments[2]), Path.of(arguments[3]));
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[4]));
    SplittableRandom random = new SplittableRandom(Long.parseLong(arguments[5]));
    List<SplittableRandom> seeds = List.of(random.split(), random.split(), random.split());
    List<Thread> threads =
        seeds.stream()
            .map(each -> Thread.ofPlatform().start(() -> attacker.attack(each, end)))
            .toList();
    Thread.ofPlatform().daemon().start(attacker::endWithInput);
    for (Thread each : threads) {
      each.join();
    }
    System.out.println("MOVES " + attacker.moves);
  }

  private void endWithInput() {
    try {
      System.in.readAllBytes();
      ended = true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void attack(SplittableRandom random, long end) {
    while (System.nanoTime() < end && !ended) {
      try {
        move(random);
        moves.incrementAndGet();
      } catch (IOException | RuntimeException e) {
        // The operation is forbidden, or another thread was faster.
        continue;
      }
    }
  }

  private void move(SplittableRandom random) throws IOException {
    Path taken = shared.resolve(directoryName);
    Path library = taken.resolve(libraryName);
    switch (random.nextInt(13)) {
      case 0 -> Files.createDirectory(taken);
      case 1, 2 -> permit(taken, random);
      case 3, 4 -> replace(library, right, random);
      case 5, 6 -> replace(library, hostile, random);
      case 7 -> Files.move(taken, own.resolve("aside" + random.nextInt(4)));
      case 8 -> Files.move(own.resolve("aside" + random.nextInt(4)), taken);
      case 9 -> Files.createSymbolicLink(taken, own.resolve("aside" + random.nextInt(4)));
      case 10 -> removeLink(taken);
      case 11 -> replaceFilesIn(taken, random);
      default -> takeFreshDirectories(random);
    }
  }

  private static void permit(Path file, SplittableRandom random) throws IOException {
    String[] all = {"rwx------", "rwxr-xr-x", "rwxrwxrwx", "r-xr-xr-x"};
    Files.setPosixFilePermissions(
        file, PosixFilePermissions.fromString(all[random.nextInt(all.length)]));
  }

  private void replace(Path file, byte[] content, SplittableRandom random) throws IOException {
    if (random.nextBoolean() && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      Files.write(file, content, StandardOpenOption.WRITE);
      return;
    }
    Path prepared = Files.write(own.resolve("prepared" + random.nextLong()), content);
    permit(prepared, random);
    try {
      Files.move(
          prepared, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(prepared);
    }
  }

  /// Replaces files that a victim writes, such as a probe of the directory's owner, by the
  /// attacker's.
  private void replaceFilesIn(Path directory, SplittableRandom random) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path each : files) {
        replace(each, each.endsWith(libraryName) || random.nextBoolean() ? hostile : right, random);
      }
    }
  }

  private static void removeLink(Path taken) throws IOException {
    if (Files.isSymbolicLink(taken)) {
      Files.delete(taken);
    } else {
      Files.walkFileTree(
          taken,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException e)
                throws IOException {
              Files.delete(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    }
  }

  /// The names of fresh directories are visible when the directories exist.
  private void takeFreshDirectories(SplittableRandom random) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(shared, directoryName + "-*")) {
      for (Path each : all) {
        try {
          Files.move(each, own.resolve("moved" + random.nextLong()));
        } catch (IOException e) {
          replace(each.resolve(libraryName), hostile, random);
        }
      }
    }
  }
}
