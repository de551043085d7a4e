package dev.panoptim.internal.memory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Computes how much off-heap memory this process may hold, from what Linux reports.
///
/// The process may use at most the machine's memory and the limits of its control group and all
/// parent groups: `memory.max` in version 2, `memory.limit_in_bytes` in version 1. The smallest of
/// these is the allowed memory. A sixteenth of it is reserved for the rest of the JVM, and the
/// maximum heap size for Java objects. The limit is the remainder, but at least a quarter of the
/// allowed memory, because a heap's maximum is often larger than the heap ever becomes.
///
/// Thread-safe.
final class SystemMemoryLimit {
  /// Version 1 reports a number near 2^63 if there is no limit.
  private static final long NO_LIMIT = 1L << 60;

  private SystemMemoryLimit() {}

  /// @param root the root of the file system; `/` except in tests
  /// @param heap the maximum size of the Java heap in bytes
  /// @return the limit in bytes; [Long#MAX_VALUE] if the system reports no limit
  static long of(Path root, long heap) {
    long allowed = allowed(root);
    if (allowed == Long.MAX_VALUE) {
      return allowed;
    }
    return Math.max(allowed / 4, allowed - allowed / 16 - Math.min(heap, allowed));
  }

  /// The bytes that this process may use altogether.
  private static long allowed(Path root) {
    long least = physical(root);
    List<String> mounts = lines(root.resolve("proc/self/mountinfo"));
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      // The fields of a line are a number, the controllers, and a path, which may contain colons.
      String[] group = line.split(":", 3);
      if (group.length < 3) {
        continue;
      }
      if (group[1].isEmpty()) {
        least = Math.min(least, least(root, mounts, "cgroup2", group[2], "memory.max"));
      } else if (Arrays.asList(group[1].split(",")).contains("memory")) {
        least = Math.min(least, least(root, mounts, "cgroup", group[2], "memory.limit_in_bytes"));
      }
    }
    return least;
  }

  private static long physical(Path root) {
    for (String line : lines(root.resolve("proc/meminfo"))) {
      String[] words = line.split("\\s+");
      if (words.length >= 2 && words[0].equals("MemTotal:")) {
        long kilobytes = number(words[1]);
        return kilobytes == Long.MAX_VALUE ? kilobytes : kilobytes * 1024;
      }
    }
    return Long.MAX_VALUE;
  }

  /// The smallest limit of a group and its parents.
  private static long least(
      Path root, List<String> mounts, String type, String group, String file) {
    long least = Long.MAX_VALUE;
    for (String line : mounts) {
      // The fields of a line are: number, parent, device, root, mount point, options, ... - type,
      // source, super options.
      String[] halves = line.split(" - ", 2);
      String[] mount = halves[0].split(" ");
      String[] kind = halves.length < 2 ? new String[0] : halves[1].split(" ");
      if (mount.length < 5 || kind.length < 3 || !kind[0].equals(type)) {
        continue;
      }
      if (type.equals("cgroup") && !Arrays.asList(kind[2].split(",")).contains("memory")) {
        continue;
      }
      try {
        Path point = root.resolve(Path.of("/").relativize(Path.of(mount[4])));
        Path inside = inside(Path.of(mount[3]), Path.of(group));
        for (Path at = point.resolve(inside); at.startsWith(point); at = at.getParent()) {
          least = Math.min(least, limit(at.resolve(file)));
        }
      } catch (InvalidPathException e) {
        // The path is not valid in this file system, so the group does not exist here.
        continue;
      }
    }
    return least;
  }

  /// The path of a group relative to the mount point. In a container the groups may have the names
  /// of the host; then the path is empty, for the mount point itself.
  private static Path inside(Path mounted, Path group) {
    Path whole = group.normalize();
    return whole.isAbsolute() && whole.startsWith(mounted)
        ? mounted.relativize(whole)
        : Path.of("");
  }

  private static long limit(Path file) {
    List<String> lines = lines(file);
    long number = lines.isEmpty() ? Long.MAX_VALUE : number(lines.getFirst().strip());
    return number >= NO_LIMIT ? Long.MAX_VALUE : number;
  }

  private static long number(String text) {
    try {
      long number = Long.parseLong(text);
      return number < 0 ? Long.MAX_VALUE : number;
    } catch (NumberFormatException max) {
      return Long.MAX_VALUE;
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1).lines().toList();
    } catch (IOException | SecurityException notThere) {
      return List.of();
    }
  }
}
