package dev.panoptim.bench.report;

import dev.panoptim.backend.BackendStatus;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Describes the machine that runs the benchmarks.
final class Machine {
  private static final long KIB_OF_A_GIB = 1 << 20;

  private static final Pattern COMPILER = Pattern.compile("built with ([^;)]+)");

  private Machine() {}

  /// Properties by name. No path is among them, so that they can be committed.
  ///
  /// @param jvmOptions of the Java virtual machines that ran the benchmarks
  static Map<String, String> describe(List<String> jvmOptions) {
    Map<String, String> machine = new LinkedHashMap<>();
    machine.put("CPU", first("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch")));
    machine.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    machine.put("memory", first("/proc/meminfo", "MemTotal").map(Machine::gib).orElse("unknown"));
    machine.put("huge pages", hugePages());
    machine.put(
        "operating system",
        String.join(
            " ",
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            System.getProperty("os.arch")));
    machine.put(
        "JDK", System.getProperty("java.vm.vendor") + " " + System.getProperty("java.vm.version"));
    machine.put("JVM options", String.join(" ", jvmOptions));
    machine.put("backend", backend());
    return machine;
  }

  private static String backend() {
    BackendStatus status = Backends.status();
    String text = status.name() + status.tier().map(Tier::label).map(" "::concat).orElse("");
    // The details also name the file of the library, which depends on the user.
    Matcher compiler = COMPILER.matcher(status.details());
    return compiler.find() ? text + ", " + compiler.group() : text;
  }

  private static String gib(String kib) {
    return Numbers.format("%.1f GiB", Double.parseDouble(kib.split(" ")[0]) / KIB_OF_A_GIB);
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
