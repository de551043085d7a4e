package dev.panoptim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The documents and the Java sources of the whole repository, as they are on the disk.
final class Repository {
  static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();

  /// A block of code in a document: its language and its text.
  static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");

  private static final Pattern CODE = Pattern.compile("`([^`\\n]+)`");
  private static final Pattern DECLARATION =
      Pattern.compile("\\b(?:class|record|enum|interface) ([A-Z]\\w*)");

  /// The text of each document by its path from the root, without `docs/benchmarks.md`. The tests
  /// of the report check that document.
  static final Map<String, String> DOCUMENTS = new LinkedHashMap<>();

  /// Text of Java sources by path from the root.
  static final Map<String, String> SOURCES = new LinkedHashMap<>();

  /// The names of all files.
  static final Set<String> FILE_NAMES = new HashSet<>();

  /// The sources that declare a class, by its simple name.
  static final Map<String, List<String>> DECLARING = new LinkedHashMap<>();

  static {
    try {
      read();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (DOCUMENTS.size() < 10 || SOURCES.size() < 100) {
      throw new IllegalStateException("there are too few files below " + ROOT);
    }
  }

  private Repository() {}

  private static void read() throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(ROOT)) {
      files = walk.filter(Repository::isSource).sorted().toList();
    }
    for (Path file : files) {
      String path = ROOT.relativize(file).toString();
      FILE_NAMES.add(file.getFileName().toString());
      if (path.endsWith(".md") && !path.equals("docs/benchmarks.md")) {
        DOCUMENTS.put(path, Files.readString(file));
      } else if (path.endsWith(".java")) {
        SOURCES.put(path, Files.readString(file));
      }
    }
    SOURCES.forEach(
        (path, text) ->
            DECLARATION
                .matcher(text)
                .results()
                .forEach(
                    each ->
                        DECLARING
                            .computeIfAbsent(each.group(1), name -> new ArrayList<>())
                            .add(path)));
  }

  private static boolean isSource(Path file) {
    for (Path name : ROOT.relativize(file)) {
      String text = name.toString();
      if (text.equals("target") || text.equals(".git")) {
        return false;
      }
    }
    return Files.isRegularFile(file);
  }

  /// A document without its blocks of code.
  static String prose(String document) {
    return BLOCK.matcher(document).replaceAll("");
  }

  /// The code within the lines of a document.
  static List<String> code(String document) {
    return CODE.matcher(prose(document)).results().map(each -> each.group(1)).toList();
  }

  /// The errors in all documents, each with the path of its document.
  ///
  /// @param find the errors in the text of a document
  static Set<String> inDocuments(Function<String, Stream<String>> find) {
    Set<String> found = new TreeSet<>();
    DOCUMENTS.forEach(
        (path, text) -> find.apply(text).forEach(each -> found.add(path + ": " + each)));
    return found;
  }

  /// The matches of a pattern in the documents that fail a check.
  static Set<String> matchesInDocuments(Pattern pattern, Function<MatchResult, Boolean> isRight) {
    return inDocuments(
        text ->
            pattern
                .matcher(text)
                .results()
                .filter(each -> !isRight.apply(each))
                .map(MatchResult::group));
  }
}
