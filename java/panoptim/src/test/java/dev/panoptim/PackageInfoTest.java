package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Each package of the repository has Javadoc that says whether the package is API.
class PackageInfoTest {
  /// A package that its module exports to all modules is API, and so is each package of a library
  /// that is an automatic module. Any other package is internal.
  @Test
  void everyPackageSaysWhetherItIsApi() {
    Map<String, Set<String>> exports = new HashMap<>();
    Set<String> packages = new TreeSet<>();
    Repository.SOURCES.forEach(
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
      boolean exported =
          exports.getOrDefault(each.substring(0, root), Set.of()).contains(name)
              || isAutomaticModule(each.substring(0, each.indexOf("/src/")));
      String text = Repository.SOURCES.getOrDefault(each + "/package-info.java", "");
      if (!text.startsWith(exported ? "/// API: " : "/// Internal: ")
          || !text.contains("\npackage " + name + ";")) {
        wrong.add(each);
      }
    }
    assertEquals(Set.of(), wrong);
  }

  private static boolean isAutomaticModule(String folder) {
    try {
      return Files.readString(Repository.ROOT.resolve(folder).resolve("pom.xml"))
          .contains("<Automatic-Module-Name>");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
