package dev.panoptim.checkpoint;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of a file of a table: `full-000000000001.safetensors` has all rows, and
/// `rows-000000000002.safetensors` those that have changed since the file with the number before.
///
/// @param number 1 or more
record TableFile(Path path, boolean full, long number) {
  private static final Pattern NAME = Pattern.compile("(full|rows)-(\\d{12})\\.safetensors");
  private static final Pattern TEMPORARY = Pattern.compile("\\.(full|rows)-\\d+\\.tmp");

  /// The largest number of a name.
  static final long MOST = 999_999_999_999L;

  static TableFile of(Path folder, boolean full, long number) {
    String name =
        String.format(Locale.ROOT, "%s-%012d.safetensors", full ? "full" : "rows", number);
    return new TableFile(folder.resolve(name), full, number);
  }

  /// The files of a folder by their numbers; empty if there is no such folder.
  static List<TableFile> list(Path folder) throws IOException {
    List<TableFile> all = new ArrayList<>();
    if (!Files.isDirectory(folder)) {
      return all;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path each : files) {
        Matcher name = NAME.matcher(each.getFileName().toString());
        if (name.matches() && Files.isRegularFile(each)) {
          all.add(new TableFile(each, name.group(1).equals("full"), Long.parseLong(name.group(2))));
        }
      }
    }
    all.sort(Comparator.comparingLong(TableFile::number));
    return all;
  }

  /// Deletes what dead processes have left. Only the owner of the lock may call this.
  static void deleteTemporaries(Path folder) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path each : files) {
        if (TEMPORARY.matcher(each.getFileName().toString()).matches()
            && Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS)) {
          Files.delete(each);
        }
      }
    }
  }

  /// A free name beside the file.
  Path temporary() {
    String start = full ? ".full-" : ".rows-";
    Path usual = path.resolveSibling(start + number + ".tmp");
    return Files.exists(usual, LinkOption.NOFOLLOW_LINKS)
        ? path.resolveSibling(start + (System.nanoTime() & Long.MAX_VALUE) + ".tmp")
        : usual;
  }
}
