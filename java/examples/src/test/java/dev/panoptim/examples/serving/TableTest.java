package dev.panoptim.examples.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Tables for a console and for Markdown.
class TableTest {
  private static Table table() {
    Table table = new Table(List.of("mode", "p50 ms", "torn"));
    table.add(List.of("publication", "1.25", "0"));
    table.add(List.of("live", "100.00", "1,234"));
    return table;
  }

  @Test
  void columnsAreAligned() {
    assertEquals(
        """
        mode         p50 ms   torn
        publication    1.25      0
        live         100.00  1,234
        """,
        table().text());
  }

  @Test
  void markdownHasARowOfAlignments() {
    assertEquals(
        """
        | mode | p50 ms | torn |
        |---|---:|---:|
        | publication | 1.25 | 0 |
        | live | 100.00 | 1,234 |
        """,
        table().markdown());
  }

  @Test
  void aRowOfAnotherWidthIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> table().add(List.of("lock")));
  }
}
