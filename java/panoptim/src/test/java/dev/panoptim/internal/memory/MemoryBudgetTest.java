package dev.panoptim.internal.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Legal and illegal values of the system property `panoptim.memory.limit`.
class MemoryBudgetTest {
  @ParameterizedTest
  @CsvSource({
    "none, 9223372036854775807",
    "NONE, 9223372036854775807",
    "0, 0",
    "1, 1",
    "1k, 1024",
    "3K, 3072",
    "512m, 536870912",
    "2G, 2147483648",
    "1t, 1099511627776",
    "9223372036854775807, 9223372036854775807",
    "' 7 ', 7"
  })
  void numbersMayHaveASuffix(String text, long bytes) {
    assertEquals(bytes, MemoryBudget.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "k",
        "-1",
        "+1",
        "1.5g",
        "1gb",
        "1 g",
        "g1",
        "nothing",
        "\u0661k",
        "0x10",
        "9223372036854775808",
        "8388608t",
        "99999999999999999999"
      })
  void otherValuesAreRejectedByName(String text) {
    var e = assertThrows(IllegalArgumentException.class, () -> MemoryBudget.parse(text));
    assertTrue(
        e.getMessage()
            .startsWith("system property panoptim.memory.limit is '" + text + "', but must be "),
        e.getMessage());
  }

  @Test
  void impossibleAllocationsAreRejected() {
    long held = MemoryBudget.held();
    var e =
        assertThrows(
            OutOfMemoryError.class,
            () -> MemoryBudget.reserve(1L << 60, MemoryKind.STATES, MemoryKind.STATES));
    assertTrue(
        e.getMessage().startsWith("1152921504606846976 bytes for states are not allocated: "),
        e.getMessage());
    assertTrue(
        e.getMessage().contains("the limit is " + MemoryBudget.limit() + " bytes"), e.getMessage());
    assertTrue(e.getMessage().contains("panoptim.memory.limit"), e.getMessage());
    assertTrue(MemoryBudget.held() < held + (1L << 60));
  }
}
