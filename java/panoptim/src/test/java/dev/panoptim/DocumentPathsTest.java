package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The documents of the repository name only what exists: files, headings, classes, members, system
/// properties, profiles. A document that is out of date fails here.
class DocumentPathsTest {
  private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();

  /// Abbreviations that `docs/architecture.md` and `CONTRIBUTING.md` declare.
  private static final Map<String, String> ABBREVIATIONS =
      Map.of(
          "dev/panoptim/", "java/panoptim/src/main/java/dev/panoptim/",
          "test/", "java/panoptim/src/test/java/dev/panoptim/");

  /// Recipes stand for names that do not exist yet.
  private static final Pattern PLACEHOLDER = Pattern.compile("NAME|PACKAGE");

  private static final Set<String> FOLDERS =
      Set.of(".ci", "bench", "dev", "docs", "java", "native", "scripts", "test");

  /// Names of others that documents compare with, and the program that the README shows.
  private static final Set<String> FOREIGN =
      Set.of(
          "ChainedScheduler",
          "ConstantLR",
          "CosineAnnealingLR",
          "CosineAnnealingWarmRestarts",
          "CyclicLR",
          "ExponentialLR",
          "Infinity",
          "LambdaLR",
          "Line",
          "LinearLR",
          "MultiStepLR",
          "MultiplicativeLR",
          "NaN",
          "OneCycleLR",
          "PolynomialLR",
          "ReduceLROnPlateau",
          "SequentialLR",
          "ServletContextListener",
          "StepLR");

  /// Methods of queues and loggers that examples call.
  private static final Set<String> FOREIGN_METHODS = Set.of("offer", "warning");

  private static final List<String> JDK_PACKAGES =
      List.of(
          "java.lang",
          "java.lang.foreign",
          "java.nio.file",
          "java.time",
          "java.util",
          "java.util.concurrent",
          "java.util.concurrent.locks",
          "java.util.function");

  private static final Pattern FENCE = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");
  private static final Pattern CODE = Pattern.compile("`([^`\\n]+)`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
  private static final Pattern PATH = Pattern.compile("[\\w.-]+(/[\\w.-]+)+/?|[\\w.-]+/");
  private static final Pattern FILE = Pattern.compile("[\\w.-]+\\.(java|h|cpp|py|sh|jextract|txt)");

  /// A class, and perhaps a member of it.
  private static final Pattern CLASS =
      Pattern.compile("([A-Z][A-Z0-9]*[a-z]\\w*)(?:\\.([A-Za-z]\\w*))?([.(].*)?");

  private static final Pattern DECLARATION =
      Pattern.compile("\\b(?:class|record|enum|interface) ([A-Z]\\w*)");

  private static final Pattern PROPERTY = Pattern.compile("\\bpanoptim(?:\\.[a-z]+)+\\b");

  /// Text by path from the root, of the documents and of all sources.
  private static final Map<String, String> DOCUMENTS = new LinkedHashMap<>();

  private static final Map<String, String> SOURCES = new LinkedHashMap<>();

  private static final Set<String> FILE_NAMES = new HashSet<>();

  /// The sources that declare a class, by its simple name.
  private static final Map<String, List<String>> DECLARING = new LinkedHashMap<>();

  @BeforeAll
  static void read() throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(ROOT)) {
      files = walk.filter(DocumentPathsTest::isSource).sorted().toList();
    }
    for (Path file : files) {
      String path = ROOT.relativize(file).toString();
      FILE_NAMES.add(file.getFileName().toString());
      if (path.endsWith(".md")) {
        // What the report writes is its own test's matter.
        if (!path.equals("docs/benchmarks.md")) {
          DOCUMENTS.put(path, Files.readString(file));
        }
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
    assertTrue(DOCUMENTS.size() >= 10 && SOURCES.size() >= 100, "too few files below " + ROOT);
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

  /// The code within the lines of a document; blocks are left out.
  private static List<String> codeOf(String document) {
    return CODE.matcher(FENCE.matcher(document).replaceAll(""))
        .results()
        .map(each -> each.group(1))
        .toList();
  }

  @Test
  void linksLeadToFilesAndHeadings() {
    Set<String> broken = new TreeSet<>();
    DOCUMENTS.forEach(
        (path, text) -> {
          for (MatchResult link : LINK.matcher(text).results().toList()) {
            String target = link.group(1);
            if (!target.contains("://")
                && !target.startsWith("dev.panoptim")
                && !leads(path, target)) {
              broken.add(path + ": " + target);
            }
          }
        });
    assertEquals(Set.of(), broken);
  }

  private static boolean leads(String from, String target) {
    int hash = target.indexOf('#');
    String file = hash < 0 ? target : target.substring(0, hash);
    Path to = file.isEmpty() ? ROOT.resolve(from) : ROOT.resolve(from).resolveSibling(file);
    if (!Files.exists(to)) {
      return false;
    }
    String path = ROOT.relativize(to.normalize()).toString();
    return hash < 0
        // The report writes it, and its headings.
        || path.equals("docs/benchmarks.md")
        || DOCUMENTS.containsKey(path)
            && headings(DOCUMENTS.get(path)).contains(target.substring(hash + 1));
  }

  /// As GitHub makes anchors of headings.
  private static Set<String> headings(String document) {
    return HEADING
        .matcher(FENCE.matcher(document).replaceAll(""))
        .results()
        .map(each -> each.group(1).toLowerCase(Locale.ROOT))
        .map(each -> each.replaceAll("[^\\w\\- ]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  @Test
  void pathsExist() {
    Set<String> missing = new TreeSet<>();
    DOCUMENTS.forEach(
        (document, text) ->
            codeOf(text).stream()
                .filter(each -> !PLACEHOLDER.matcher(each).find())
                .filter(each -> isPath(each) && !exists(each))
                .forEach(each -> missing.add(document + ": " + each)));
    assertEquals(Set.of(), missing);
  }

  private static boolean isPath(String code) {
    return PATH.matcher(code).matches()
            && FOLDERS.contains(code.substring(0, code.indexOf('/')))
            && !code.contains("/target/")
        || FILE.matcher(code).matches() && !FOREIGN.contains(code.replaceFirst("\\..*", ""));
  }

  private static boolean exists(String path) {
    if (!path.contains("/")) {
      return FILE_NAMES.contains(path);
    }
    for (Map.Entry<String, String> each : ABBREVIATIONS.entrySet()) {
      if (path.startsWith(each.getKey())) {
        return Files.exists(ROOT.resolve(each.getValue() + path.substring(each.getKey().length())));
      }
    }
    return Files.exists(ROOT.resolve(path));
  }

  @Test
  void classesAndTheirMembersExist() {
    Set<String> missing = new TreeSet<>();
    DOCUMENTS.forEach(
        (document, text) ->
            codeOf(text).stream()
                .map(CLASS::matcher)
                .filter(each -> each.matches() && !FILE.matcher(each.group()).matches())
                .filter(each -> !isDeclared(each.group(1), each.group(2)))
                .forEach(each -> missing.add(document + ": " + each.group())));
    assertEquals(Set.of(), missing);
  }

  /// @param member `null` for none
  private static boolean isDeclared(String type, String member) {
    if (FOREIGN.contains(type)) {
      return true;
    }
    if (DECLARING.containsKey(type)) {
      Pattern word = member == null ? null : Pattern.compile("\\b" + member + "\\b");
      return DECLARING.get(type).stream()
          .anyMatch(path -> word == null || word.matcher(SOURCES.get(path)).find());
    }
    // Events of the flight recorder are named without the word.
    return DECLARING.containsKey(type + "Event") || isOfTheJdk(type);
  }

  private static boolean isOfTheJdk(String type) {
    for (String each : JDK_PACKAGES) {
      try {
        Class.forName(each + "." + type, false, null);
        return true;
      } catch (ClassNotFoundException e) {
        // Perhaps it is in the next package.
      }
    }
    return false;
  }

  @Test
  void methodsOfExamplesExist() {
    String sources = String.join("\n", SOURCES.values());
    Pattern call = Pattern.compile("\\.(\\w+)\\(");
    Set<String> missing = new TreeSet<>();
    DOCUMENTS.forEach(
        (document, text) ->
            FENCE
                .matcher(text)
                .results()
                .filter(each -> each.group(1).equals("java"))
                .flatMap(each -> call.matcher(each.group(2)).results())
                .filter(each -> !FOREIGN_METHODS.contains(each.group(1)))
                .filter(each -> !sources.contains(each.group(1) + "("))
                .forEach(each -> missing.add(document + ": " + each.group())));
    assertEquals(Set.of(), missing);
  }

  @Test
  void systemPropertiesAreDocumentedAndDocumentedOnesAreRead() {
    Pattern quoted = Pattern.compile("\"(panoptim(?:\\.[a-z]+)+)\"");
    Set<String> read =
        SOURCES.entrySet().stream()
            .filter(each -> each.getKey().startsWith("java/panoptim/src/main/"))
            .flatMap(each -> quoted.matcher(each.getValue()).results())
            .map(each -> each.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    String table = DOCUMENTS.get("docs/backends.md");
    Set<String> documented =
        PROPERTY
            .matcher(table.substring(table.indexOf("| property |")))
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(read, documented);
  }

  @Test
  void testsAndBenchmarksOfCommandsExist() {
    Pattern named = Pattern.compile("-D(?:test='?|bench\\.args=\"|bench\\.args=')([A-Z]\\w*)");
    Set<String> missing = new TreeSet<>();
    DOCUMENTS.forEach(
        (document, text) ->
            named
                .matcher(text)
                .results()
                .filter(each -> !DECLARING.containsKey(each.group(1)))
                .forEach(each -> missing.add(document + ": " + each.group())));
    assertEquals(Set.of(), missing);
  }

  @Test
  void snippetsExist() {
    Pattern snippet = Pattern.compile("@snippet file=\"([^\"]+)\" region=\"([^\"]+)\"");
    Set<String> missing = new TreeSet<>();
    DOCUMENTS.forEach(
        (document, text) ->
            snippet
                .matcher(text)
                .results()
                .filter(
                    each ->
                        !SOURCES
                            .getOrDefault("java/panoptim/src/test/java/" + each.group(1), "")
                            .contains("@start region=\"" + each.group(2) + "\""))
                .forEach(each -> missing.add(document + ": " + each.group())));
    assertEquals(Set.of(), missing);
  }

  @Test
  void profilesExist() throws IOException {
    String pom = Files.readString(ROOT.resolve("pom.xml"));
    Set<String> missing = new TreeSet<>();
    DOCUMENTS.forEach(
        (document, text) ->
            Pattern.compile("mvn [^`\\n]*-P([a-z-]+)")
                .matcher(text)
                .results()
                .filter(each -> !pom.contains("<id>" + each.group(1) + "</id>"))
                .forEach(each -> missing.add(document + ": -P" + each.group(1))));
    assertEquals(Set.of(), missing);
  }

  /// A package that its module exports to everybody is API, any other is internal.
  @Test
  void everyPackageSaysWhetherItIsApi() {
    Map<String, Set<String>> exports = new HashMap<>();
    Set<String> packages = new TreeSet<>();
    SOURCES.forEach(
        (path, text) -> {
          int root = path.indexOf("/java/", path.indexOf("/src/")) + "/java/".length();
          if (path.endsWith("/module-info.java")) {
            exports.put(
                path.substring(0, root),
                Pattern.compile("exports ([\\w.]+);")
                    .matcher(text)
                    .results()
                    .map(each -> each.group(1))
                    .collect(Collectors.toSet()));
          } else if (path.matches(".*/src/(main|peers)/java/.*")) {
            packages.add(path.substring(0, path.lastIndexOf('/')));
          }
        });
    assertTrue(packages.size() >= 20, "too few packages: " + packages);
    Set<String> wrong = new TreeSet<>();
    for (String each : packages) {
      int root = each.indexOf("/java/", each.indexOf("/src/")) + "/java/".length();
      String name = each.substring(root).replace('/', '.');
      boolean exported = exports.getOrDefault(each.substring(0, root), Set.of()).contains(name);
      String text = SOURCES.getOrDefault(each + "/package-info.java", "");
      if (!text.startsWith(exported ? "/// API: " : "/// Internal: ")
          || !text.contains("\npackage " + name + ";")) {
        wrong.add(each);
      }
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  void theReadmeIsShort() {
    long lines = DOCUMENTS.get("README.md").lines().count();
    assertTrue(lines <= 150, "README.md has " + lines + " lines, but should have at most 150");
  }

  @Test
  void theProgramOfTheReadmeRunsAsGiven(@TempDir Path folder)
      throws IOException, InterruptedException {
    String readme = DOCUMENTS.get("README.md");
    String program =
        FENCE
            .matcher(readme)
            .results()
            .filter(each -> each.group(2).contains("void main()"))
            .map(each -> each.group(2))
            .findFirst()
            .orElseThrow();
    Path file = Files.writeString(folder.resolve("Line.java"), program);
    String output =
        JavaProcess.run(
            new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                "target/classes",
                file.toString()));
    String printed = output.lines().toList().getLast();
    assertTrue(readme.contains("prints `" + printed + "`"), output);
  }
}
