package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Assertions on rejected arguments.
public final class Illegal {
  private Illegal() {}

  /// Asserts that an action throws an [IllegalArgumentException] whose message contains some words.
  public static void assertSays(String words, Runnable action) {
    RuntimeException thrown = assertThrows(IllegalArgumentException.class, action::run);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }
}
