package dev.panoptim.server.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void percentilesAreNearestRanks() {
    Latencies latencies =
        new Latencies(LongStream.rangeClosed(1, 200).map(i -> 1_000_000 * (201 - i)).toArray());
    assertEquals(100, latencies.percentile(50));
    assertEquals(198, latencies.percentile(99));
    assertEquals(200, latencies.percentile(100));
    assertThrows(IllegalArgumentException.class, () -> latencies.percentile(0));
    assertThrows(IllegalArgumentException.class, () -> new Latencies(new long[0]));
    assertEquals(2.5, Latencies.median(4, 1, 2, 3));
  }

  @Test
  void mediansAndSumsAreShown() {
    Table table =
        new Table(
            List.of(round(1, 0), round(2, 0), round(9, 0)),
            List.of(round(2, 0), round(3, 1), round(4, 0)));
    String text = table.text();
    assertTrue(text.contains("| off | 1.000 | 2.000 | 1.00 | 2000 |"), text);
    assertTrue(text.contains("| on | 1.000 | 3.000 | 1.50 | 2000 |"), text);
    assertEquals(1, table.torn());
    assertEquals(0, table.failed());
  }

  private static Round round(double p99, long torn) {
    return new Round(1, p99, 2000, 40, 10, 0, torn, 0);
  }
}
