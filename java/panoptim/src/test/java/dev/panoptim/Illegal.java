package dev.panoptim;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Assertions on rejected arguments and calls.
public final class Illegal {
  private Illegal() {}

  /// Asserts that an action throws an [IllegalArgumentException] whose message contains some words.
  public static void assertSays(String words, Runnable action) {
    assertSays(IllegalArgumentException.class, words, action);
  }

  /// Asserts that an action throws an exception of this class, or of a subclass, whose message
  /// contains some words.
  public static void assertSays(
      Class<? extends RuntimeException> kind, String words, Runnable action) {
    RuntimeException thrown = assertThrows(kind, action::run);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }
}
