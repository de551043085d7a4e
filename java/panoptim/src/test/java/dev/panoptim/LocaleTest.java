package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.Optimizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Text is the same in every locale: file names and other text for programs, and messages, which
/// people search for and programs parse.
///
/// Java's formats use the default locale and its digits unless another locale is given. The source
/// code at a call does not show whether a program reads the text, so all formats that depend on a
/// locale must name `Locale.ROOT`. `%s`, `%x`, `%n` and `%%` do not depend on the locale and are
/// allowed.
class LocaleTest {
  private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();

  /// Conversions that write digits or letters of the locale.
  private static final Pattern OF_LOCALE =
      Pattern.compile("%(\\d+\\$)?[-#+ 0,(]*\\d*(\\.\\d+)?[dfeEgGaAtTcCXSHB]");

  private static final Pattern LITERAL =
      Pattern.compile(
          "\"\"\"(?:[^\\\\]|\\\\.)*?\"\"\"|\"(?:[^\"\\\\\\n]|\\\\.)*\"", Pattern.DOTALL);

  private static final Pattern COMMENT_OR_LITERAL =
      Pattern.compile("//[^\\n]*|/\\*.*?\\*/|'(?:[^'\\\\]|\\\\.)+'|" + LITERAL, Pattern.DOTALL);

  /// Calls that use the default locale unless a locale is the first argument.
  private static final Pattern FORMAT_CALL =
      Pattern.compile("(String\\s*\\.\\s*format|\\.\\s*printf)\\s*\\(\\s*+(?!Locale\\.ROOT\\b)");

  private static final Pattern OTHER_CALL =
      Pattern.compile(
          "\\.to(Lower|Upper)Case\\(\\s*\\)|new\\s+(Formatter|DecimalFormat|Scanner|MessageFormat)\\b"
              + "|\\b(NumberFormat|DateTimeFormatter|MessageFormat|Collator|BreakIterator)\\s*\\.");

  private static List<Path> sources() throws IOException {
    List<Path> all = new ArrayList<>();
    for (String part : List.of("java", "bench")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(part))) {
        files
            .filter(each -> each.toString().endsWith(".java"))
            .filter(each -> each.toString().contains("/src/main/"))
            // The generated bindings are not checked.
            .filter(each -> !each.getFileName().toString().startsWith("PanoptimAbi"))
            .forEach(all::add);
      }
    }
    return all;
  }

  @Test
  void formatsThatDependOnALocaleNameTheRoot() throws IOException {
    List<String> found = new ArrayList<>();
    List<Path> sources = sources();
    assertTrue(sources.size() > 150, sources.size() + " sources");
    for (Path each : sources) {
      for (String violation : violations(Files.readString(each))) {
        found.add(ROOT.relativize(each) + ": " + violation);
      }
    }
    assertEquals(List.of(), found);
  }

  /// Checks the rule itself, because a pattern that matches nothing would accept every source.
  @Test
  void theRuleFindsViolations() {
    String three = "\"\"\"";
    for (String bad :
        List.of(
            "x = \"step-%012d\".formatted(step);",
            "throw new E(\n \"%s has %d\"\n .formatted(a, b));",
            "x = (\"a\" + \"%,d\").formatted(a);",
            "x = " + three + "\n a \"%.1f\" b\n" + three + ".formatted(a);",
            "x = String.format(\"%d\", a);",
            "x = String.format(format, a);",
            "x = String.format(\n Locale.getDefault(), format, a);",
            "System.out.printf(\"%s\", a);",
            "x = \"%04X\".formatted(a);",
            "x = \"%1$d\".formatted(a);",
            "x = a.toLowerCase();",
            "x = a.toUpperCase( );",
            "x = new DecimalFormat(\"#\");",
            "x = NumberFormat.getInstance();")) {
      assertEquals(1, violations(bad).size(), bad);
    }
    for (String good :
        List.of(
            "x = \"%s has 0x%x%n%%\".formatted(a, b);",
            "x = String.format(Locale.ROOT, \"%d\", a);",
            "x = String.format(\n  Locale.ROOT,\n  \"%d\", a);",
            "out.printf(Locale.ROOT, \"%.1f\", a);",
            "// x = \"%d\".formatted(a);",
            "x = \"a.toLowerCase()\";",
            "x = a % d + '\"' + b;",
            "x = a.toLowerCase(Locale.ROOT);",
            "x = format(\"%.1f\", a); y = \"%s\".formatted(b);")) {
      assertEquals(List.of(), violations(good), good);
    }
  }

  /// The statements of a source that violate the rule.
  private static List<String> violations(String source) {
    List<String> found = new ArrayList<>();
    for (String statement : statements(source)) {
      String code = LITERAL.matcher(statement).replaceAll("\"\"");
      Matcher call = FORMAT_CALL.matcher(code);
      Matcher other = OTHER_CALL.matcher(code);
      if (call.find() || other.find() || formatsByLocale(statement, code)) {
        found.add(statement.strip());
      }
    }
    return found;
  }

  /// `formatted` has no parameter for a locale, so its format must not depend on one.
  private static boolean formatsByLocale(String statement, String code) {
    return code.contains(".formatted(")
        && !code.contains("Locale.ROOT")
        && LITERAL
            .matcher(statement)
            .results()
            .anyMatch(each -> OF_LOCALE.matcher(each.group()).find());
  }

  /// Splits a source into statements without comments.
  private static List<String> statements(String source) {
    List<String> all = new ArrayList<>();
    StringBuilder statement = new StringBuilder();
    Matcher next = COMMENT_OR_LITERAL.matcher(source);
    int at = 0;
    while (at < source.length()) {
      boolean more = next.find(at);
      int end = more ? next.start() : source.length();
      for (char c : source.substring(at, end).toCharArray()) {
        statement.append(c);
        if (c == ';' || c == '{' || c == '}') {
          all.add(statement.toString());
          statement.setLength(0);
        }
      }
      at = more ? next.end() : end;
      if (more && next.group().startsWith("\"")) {
        statement.append(next.group());
      }
    }
    all.add(statement.toString());
    return all;
  }

  /// Messages contain the digits that people type into a search.
  @ParameterizedTest
  @ValueSource(
      strings = {"ar-EG-u-nu-arab", "fa-IR", "hi-IN-u-nu-deva", "th-TH-u-nu-thai", "tr-TR"})
  void messagesAreTheSameInEveryLocale(String tag) {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag(tag));
    try (Arena arena = Arena.ofConfined();
        Parameters all = Parameters.builder().add("w", 12).build();
        Optimizer optimizer = Adam.builder(all).build()) {
      var size =
          assertThrows(
              IllegalArgumentException.class, () -> Parameter.of("w", 4, arena.allocate(12, 4)));
      assertEquals("data of 'w' has 12 bytes, but must have 16 for 4 elements", size.getMessage());
      var copy =
          assertThrows(
              IllegalArgumentException.class, () -> all.get("w").copyDataTo(arena.allocate(12, 4)));
      assertTrue(
          copy.getMessage().endsWith("has 12 bytes, but must have 48 for the 12 elements"),
          copy.getMessage());
      assertEquals("StepReport[1 parameters]", optimizer.step().toString());
      assertTrue(optimizer.toString().contains("1 parameters in 1 groups"), optimizer::toString);
      optimizer.options().clipGradNorm(2);
      assertEquals(
          "StepReport[1 parameters, norm 0.0, clip factor 1.0]", optimizer.step().toString());
    } finally {
      Locale.setDefault(before);
    }
  }
}
