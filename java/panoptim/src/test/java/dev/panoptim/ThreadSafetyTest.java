package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The documentation of every public class says whether the class is thread-safe.
class ThreadSafetyTest {
  private static final Pattern STATEMENT = Pattern.compile("[Tt]hread-safe|Immutable");

  @Test
  void everyPublicClassSaysWhetherItIsThreadSafe() throws IOException {
    List<JavaClass> classes =
        new ClassFileImporter()
            .importPath(Path.of("target/classes")).stream()
                .filter(each -> each.getModifiers().contains(JavaModifier.PUBLIC))
                .filter(each -> each.isTopLevelClass())
                .filter(each -> !Files.exists(source("src/generated/java", each)))
                .filter(each -> !each.isAssignableTo(Throwable.class))
                .toList();
    assertTrue(classes.size() > 30, classes.size() + " classes");
    for (JavaClass each : classes) {
      String text = Files.readString(source("src/main/java", each));
      assertTrue(
          STATEMENT.matcher(documentation(text, each.getSimpleName())).find(),
          each.getFullName() + " does not say whether it is thread-safe");
    }
  }

  private static Path source(String folder, JavaClass type) {
    return Path.of(folder, type.getFullName().replace('.', '/') + ".java");
  }

  @Test
  void theCheckFindsMissingStatements() {
    assertEquals("/// A class.\n", documentation("/// A class.\npublic enum X {", "X"));
    assertEquals("", documentation("/// Immutable.\n\npublic class X {", "X"));
    assertEquals("", documentation("/// @param <B> Immutable.\npublic class X {", "X"));
  }

  /// The comment before a type's declaration, up to its first tag.
  private static String documentation(String source, String type) {
    Matcher found =
        Pattern.compile(
                "((?:^///.*\n)*)(?:^@.*\n)*^public [a-z\\- ]*(?:class|enum|record|interface) "
                    + type
                    + "\\b",
                Pattern.MULTILINE)
            .matcher(source);
    assertTrue(found.find(), "no declaration of " + type);
    return found.group(1).replaceFirst("(?s)/// @.*", "");
  }
}
