package dev.panoptim.bench.report;

import dev.panoptim.backend.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What the benchmarks ran on.
final class Machine {
  private Machine() {}

  /// @param flags of the Java virtual machines that ran them
  static Document.Table describe(List<String> flags) {
    Document.Table table = Document.Table.of("machine", "");
    table.add(
        "processors",
        "%s of %s"
            .formatted(
                Runtime.getRuntime().availableProcessors(),
                first("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch"))));
    table.add("memory", first("/proc/meminfo", "MemTotal").orElse("unknown"));
    table.add(
        "system",
        String.join(
            " ",
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            System.getProperty("os.arch")));
    table.add("huge pages", hugePages());
    table.add(
        "JDK", System.getProperty("java.vm.vendor") + " " + System.getProperty("java.vm.version"));
    table.add("flags", flags.stream().collect(Collectors.joining(" ")));
    table.add("Panoptim", Backends.describe());
    return table;
  }

  private static Optional<String> first(String file, String key) {
    try (Stream<String> lines = Files.lines(Path.of(file))) {
      return lines
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException notLinux) {
      return Optional.empty();
    }
  }

  private static String hugePages() {
    try {
      return Files.readString(Path.of("/sys/kernel/mm/transparent_hugepage/enabled")).strip();
    } catch (IOException notLinux) {
      return "unknown";
    }
  }
}
