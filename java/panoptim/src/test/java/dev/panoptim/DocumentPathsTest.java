package dev.panoptim;

import static dev.panoptim.Repository.BLOCK;
import static dev.panoptim.Repository.DECLARING;
import static dev.panoptim.Repository.DOCUMENTS;
import static dev.panoptim.Repository.FILE_NAMES;
import static dev.panoptim.Repository.ROOT;
import static dev.panoptim.Repository.SOURCES;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Every file, heading, class, member, system property and profile that a document names exists. A
/// document that is out of date fails this test.
class DocumentPathsTest {
  /// Abbreviations that `docs/architecture.md` and `CONTRIBUTING.md` declare.
  private static final Map<String, String> ABBREVIATIONS =
      Map.of(
          "dev/panoptim/", "java/panoptim/src/main/java/dev/panoptim/",
          "test/", "java/panoptim/src/test/java/dev/panoptim/");

  /// Placeholders in recipes, for names that do not exist yet.
  private static final Pattern PLACEHOLDER = Pattern.compile("NAME|PACKAGE");

  private static final Set<String> FOLDERS =
      Set.of(".ci", "bench", "dev", "docs", "java", "native", "scripts", "test");

  /// Names of other libraries that documents mention, and the class of the README's program.
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
          "ParallelWrapper",
          "PolynomialLR",
          "ReduceLROnPlateau",
          "SequentialLR",
          "ServletContextListener",
          "StepLR",
          "SymbolBlock");

  /// Classes of other libraries that sources import.
  private static final Set<String> IMPORTED =
      SOURCES.values().stream()
          .flatMap(
              text ->
                  Pattern.compile("(?m)^import (?:ai|org)\\.[\\w.]+\\.(\\w+);")
                      .matcher(text)
                      .results())
          .map(each -> each.group(1))
          .collect(Collectors.toSet());

  /// Methods of queues, loggers and libtorch that examples call.
  private static final Set<String> FOREIGN_METHODS =
      Set.of("getCurrentCUDAStream", "offer", "warning");

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

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
  private static final Pattern PATH = Pattern.compile("[\\w.-]+(/[\\w.-]+)+/?|[\\w.-]+/");
  private static final Pattern FILE = Pattern.compile("[\\w.-]+\\.(java|h|cpp|py|sh|jextract|txt)");

  /// A class, and perhaps a member of it.
  private static final Pattern CLASS =
      Pattern.compile("([A-Z][A-Z0-9]*[a-z]\\w*)(?:\\.([A-Za-z]\\w*))?([.(].*)?");

  private static final Pattern PROPERTY = Pattern.compile("\\bpanoptim(?:\\.[a-z]+)+\\b");

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
        // This document is generated, and DOCUMENTS does not contain it.
        || path.equals("docs/benchmarks.md")
        || DOCUMENTS.containsKey(path)
            && headings(DOCUMENTS.get(path)).contains(target.substring(hash + 1));
  }

  /// The anchors of a document's headings, as GitHub makes them.
  private static Set<String> headings(String document) {
    return HEADING
        .matcher(Repository.prose(document))
        .results()
        .map(each -> each.group(1).toLowerCase(Locale.ROOT))
        .map(each -> each.replaceAll("[^\\w\\- ]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  @Test
  void pathsExist() {
    assertEquals(
        Set.of(),
        Repository.inDocuments(
            text ->
                Repository.code(text).stream()
                    .filter(each -> !PLACEHOLDER.matcher(each).find())
                    .filter(each -> isPath(each) && !exists(each))));
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
    assertEquals(
        Set.of(),
        Repository.inDocuments(
            text ->
                Repository.code(text).stream()
                    .map(CLASS::matcher)
                    .filter(each -> each.matches() && !FILE.matcher(each.group()).matches())
                    .filter(each -> !isDeclared(each.group(1), each.group(2)))
                    .map(each -> each.group())));
  }

  /// @param member `null` for none
  private static boolean isDeclared(String type, String member) {
    if (FOREIGN.contains(type) || IMPORTED.contains(type) && !DECLARING.containsKey(type)) {
      return true;
    }
    if (DECLARING.containsKey(type)) {
      Pattern word = member == null ? null : Pattern.compile("\\b" + member + "\\b");
      return DECLARING.get(type).stream()
          .anyMatch(path -> word == null || word.matcher(SOURCES.get(path)).find());
    }
    // Documents name events of the flight recorder without the suffix `Event`.
    return DECLARING.containsKey(type + "Event") || isOfTheJdk(type);
  }

  private static boolean isOfTheJdk(String type) {
    for (String each : JDK_PACKAGES) {
      try {
        Class.forName(each + "." + type, false, null);
        return true;
      } catch (ClassNotFoundException e) {
        // The class may be in the next package.
      }
    }
    return false;
  }

  @Test
  void methodsOfExamplesExist() {
    String sources = String.join("\n", SOURCES.values());
    Pattern call = Pattern.compile("\\.(\\w+)\\(");
    assertEquals(
        Set.of(),
        Repository.inDocuments(
            text ->
                BLOCK
                    .matcher(text)
                    .results()
                    .filter(each -> each.group(1).equals("java"))
                    .flatMap(each -> call.matcher(each.group(2)).results())
                    .map(each -> each.group(1))
                    .filter(each -> !FOREIGN_METHODS.contains(each))
                    .filter(each -> !sources.contains(each + "("))));
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
    assertEquals(
        Set.of(),
        Repository.matchesInDocuments(named, each -> DECLARING.containsKey(each.group(1))));
  }

  @Test
  void snippetsExist() {
    Pattern snippet = Pattern.compile("@snippet file=\"([^\"]+)\" region=\"([^\"]+)\"");
    assertEquals(
        Set.of(),
        Repository.matchesInDocuments(
            snippet,
            each ->
                SOURCES
                    .getOrDefault("java/panoptim/src/test/java/" + each.group(1), "")
                    .contains("@start region=\"" + each.group(2) + "\"")));
  }

  @Test
  void profilesExist() throws IOException {
    String pom = Files.readString(ROOT.resolve("pom.xml"));
    assertEquals(
        Set.of(),
        Repository.matchesInDocuments(
            Pattern.compile("mvn [^`\\n]*-P([a-z0-9-]+)"),
            each -> pom.contains("<id>" + each.group(1) + "</id>")));
  }
}
