package dev.panoptim.optim;

import dev.panoptim.internal.observe.Publications;
import dev.panoptim.memory.Parameters;
import java.util.function.Function;

/// Consistent, numbered copies of an optimizer's parameters, for threads that read during training:
///
/// ```java
/// try (var optimizer = AdamW.builder(parameters).publish(p -> p.every(10)).build()) {
///   Publication publication = optimizer.publication();
///   // in the threads that serve:
///   float[] answer = publication.read(published -> predict(published.data("weight"), request));
/// }
/// ```
///
/// A reader gets the newest copy: all parameters after the same step. Reading takes no lock, never
/// waits and, with [#read], allocates nothing. A copy is not written while a reader holds it. The
/// optimizer does not wait either: if readers hold all buffers when a publication is due, it is
/// skipped and counted, and retried at the next step. Readers then still get the copy before.
///
/// On the CPU, copies are written in the same pass over memory as the update. Parameters without a
/// gradient are copied after the step. Parameters on a GPU are copied to the CPU's memory after the
/// step, which waits for the GPU.
///
/// If other processes train the same parameters ([Parameters.Builder#buildShared]), a copy may
/// contain part of another process's step.
///
/// The first copy is made when the optimizer is built. Copies are freed when the optimizer is
/// closed and no reader holds them.
///
/// Thread-safe: any number of threads may read, including virtual threads.
public final class Publication {
  private volatile PublicationRing ring;

  /// Written by the thread that steps, one at a time.
  private volatile long published;

  private volatile long skipped;

  Publication() {}

  /// Runs an action on the newest copy, and holds the copy until the action returns.
  ///
  /// @param action must not keep the copy or its segments
  /// @return the result of the action; its exceptions are passed on
  /// @throws IllegalStateException if the optimizer has been closed
  public <R> R read(Function<? super PublishedParameters, ? extends R> action) {
    PublicationBuffer held = take();
    try {
      return action.apply(held.view());
    } finally {
      held.release();
    }
  }

  /// Holds the newest copy until the lease is closed. For readers that cannot be written as an
  /// action; [#read] always releases the copy and allocates nothing.
  ///
  /// @throws IllegalStateException if the optimizer has been closed
  public PublicationLease acquire() {
    return new PublicationLease(take());
  }

  private PublicationBuffer take() {
    PublicationRing found = ring;
    PublicationBuffer held = found.acquire();
    while (held == null) {
      PublicationRing now = ring;
      if (now == found) {
        throw new IllegalStateException(
            "nothing is published any more: the optimizer has been closed");
      }
      found = now;
      held = found.acquire();
    }
    return held;
  }

  /// The step number of the newest copy; see [PublishedParameters#step].
  ///
  /// @throws IllegalStateException if the optimizer has been closed
  public long step() {
    long step = ring.newestStep();
    return step >= 0 ? step : read(PublishedParameters::step);
  }

  /// The number of publications, including the one when the optimizer was built.
  public long published() {
    return published;
  }

  /// The number of publications that were due but skipped, because readers held all buffers.
  public long skipped() {
    return skipped;
  }

  /// Makes a buffer of the present ring the newest.
  void publish(PublicationBuffer written) {
    ring.publish(written);
    count(ring);
  }

  /// @param step the number of the step that is not published
  void skip(long step) {
    skipped++;
    Publications.publicationSkipped(step);
  }

  private void count(PublicationRing to) {
    published++;
    Publications.published(to.newestStep(), to.elements());
  }

  /// Replaces the ring that readers use. The new ring must already have a published buffer.
  void replace(PublicationRing fresh) {
    PublicationRing before = ring;
    ring = fresh;
    count(fresh);
    if (before != null) {
      before.end();
    }
  }

  /// `null` before the first [#replace].
  PublicationRing ring() {
    return ring;
  }

  @Override
  public String toString() {
    return "Publication[%s published, %s skipped]".formatted(published, skipped);
  }
}
