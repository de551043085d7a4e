package dev.panoptim.internal.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A failure, also an [Error], neither prevents the later actions nor replaces the first failure.
class CloseAllTest {
  private static final RuntimeException EXCEPTION = new IllegalStateException("first");
  private static final Error ERROR = new InternalError("second");

  private final List<Integer> closed = new ArrayList<>();

  private Runnable failing(Throwable failure) {
    return () -> {
      if (failure instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) failure;
    };
  }

  private List<Runnable> parts(Throwable first, Throwable second) {
    return List.of(
        () -> closed.add(1),
        failing(first),
        () -> closed.add(2),
        failing(second),
        failing(first),
        () -> closed.add(3));
  }

  @Test
  void theFirstFailureIsThrown() {
    for (List<Throwable> each :
        List.of(
            List.of(new IllegalStateException("a"), new InternalError("b")),
            List.of(new InternalError("c"), new IllegalStateException("d")))) {
      closed.clear();
      Throwable thrown =
          assertThrows(Throwable.class, () -> CloseAll.all(parts(each.getFirst(), each.getLast())));
      assertSame(each.getFirst(), thrown);
      assertArrayEquals(new Throwable[] {each.getLast()}, thrown.getSuppressed());
      assertEquals(List.of(1, 2, 3), closed);
    }
    CloseAll.all(List.of(() -> closed.add(4)));
    assertEquals(List.of(1, 2, 3, 4), closed);
  }

  @Test
  void laterFailuresAreSuppressed() {
    Throwable cause = new Exception("cause");
    CloseAll.after(cause, parts(ERROR, EXCEPTION));
    assertArrayEquals(new Throwable[] {ERROR, EXCEPTION, ERROR}, cause.getSuppressed());
    assertEquals(List.of(1, 2, 3), closed);
    CloseAll.after(ERROR, List.of(failing(ERROR)));
    assertEquals(0, ERROR.getSuppressed().length);
  }
}
