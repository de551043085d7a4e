package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What bad arguments are answered with.
public final class Illegal {
  private Illegal() {}

  /// Checks that an action throws an [IllegalArgumentException] with some words in its message.
  public static void assertSays(String words, Runnable action) {
    RuntimeException thrown = assertThrows(IllegalArgumentException.class, action::run);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }
}
