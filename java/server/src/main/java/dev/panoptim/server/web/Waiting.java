package dev.panoptim.server.web;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Waits for the learner.
final class Waiting {
  private static final long LONGEST_SECONDS = 10;

  private Waiting() {}

  /// The result of work that the learner has accepted. Exceptions of the work are passed on.
  static <T> T until(CompletableFuture<T> work) {
    try {
      return work.get(LONGEST_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new Refusal(
          Refusal.BUSY,
          "the learner has not done this within %s seconds, but will".formatted(LONGEST_SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refusal(Refusal.BUSY, "the server ends");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("the learner has failed", e.getCause());
    }
  }
}
