package dev.panoptim.internal.memory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// How much memory this process may hold off-heap before the kernel ends it, as Linux tells it.
///
/// The process may use what the machine has, and no more than its control group and those above it
/// allow: `memory.max` of version 2, `memory.limit_in_bytes` of version 1. Of that, a sixteenth is
/// left to the rest of the Java machine, and the largest heap to Java's objects. What remains is
/// the limit, but at least a quarter: a heap is often allowed to be larger than it ever becomes.
final class SystemMemoryLimit {
  /// Version 1 says "no limit" by a number near 2^63.
  private static final long NO_LIMIT = 1L << 60;

  private SystemMemoryLimit() {}

  /// @param root of the file system, `/` but for tests
  /// @param heap the bytes to which Java's heap may grow
  /// @return in bytes; [Long#MAX_VALUE] where the system does not tell
  static long of(Path root, long heap) {
    long allowed = allowed(root);
    if (allowed == Long.MAX_VALUE) {
      return allowed;
    }
    return Math.max(allowed / 4, allowed - allowed / 16 - Math.min(heap, allowed));
  }

  /// The bytes that this process may use in all.
  private static long allowed(Path root) {
    long least = physical(root);
    List<String> mounts = lines(root.resolve("proc/self/mountinfo"));
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      // Its number, its controllers, and its path, which may contain colons.
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

  /// The least limit of a group and those above it.
  private static long least(
      Path root, List<String> mounts, String type, String group, String file) {
    long least = Long.MAX_VALUE;
    for (String line : mounts) {
      // Number, parent, device, root, mount point, options, ... - type, source, super options
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
        // A name that this file system does not know: there is no such group here.
        continue;
      }
    }
    return least;
  }

  /// Where a group is below the mount point; in a container, whose groups may be named as the host
  /// sees them, the mount point itself.
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
