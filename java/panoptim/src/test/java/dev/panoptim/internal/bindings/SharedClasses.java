package dev.panoptim.internal.bindings;

import dev.panoptim.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A copy of the classes that every user can read, for programs of other users.
///
/// @param directory the directory of the copy
record SharedClasses(Path directory) {
  static SharedClasses copyTo(Path directory) throws IOException {
    for (String each : List.of("classes", "test-classes")) {
      Path from = Path.of("target", each);
      try (Stream<Path> files = Files.walk(from)) {
        for (Path file : files.toList()) {
          Path copy = directory.resolve(each).resolve(from.relativize(file).toString());
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
          Files.setPosixFilePermissions(
              copy,
              PosixFilePermissions.fromString(Files.isDirectory(copy) ? "rwxr-xr-x" : "rw-r--r--"));
        }
      }
    }
    return new SharedClasses(directory);
  }

  /// The command of a program that another user runs.
  ProcessBuilder program(int user, Class<?> program, String... arguments) {
    List<String> command = new ArrayList<>(command(program));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(OtherUsers.as(user, command)).directory(directory.toFile());
  }

  /// The command of a program that this user runs.
  ProcessBuilder program(Class<?> program, String... arguments) {
    List<String> command = new ArrayList<>(command(program));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).directory(directory.toFile());
  }

  private static List<String> command(Class<?> program) {
    return JavaProcess.of(program, List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"))
        .command()
        .stream()
        .map(each -> each.replace("target/", ""))
        .toList();
  }
}
