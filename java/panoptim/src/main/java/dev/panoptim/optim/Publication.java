package dev.panoptim.optim;

import dev.panoptim.internal.observe.Publications;
import dev.panoptim.memory.Parameters;
import java.util.function.Function;

/// Whole, numbered copies of an optimizer's parameters, for threads that read while it learns:
///
/// ```java
/// try (var optimizer = AdamW.builder(parameters).publish(p -> p.every(10)).build()) {
///   Publication publication = optimizer.publication();
///   // in the threads that serve:
///   float[] answer = publication.read(published -> predict(published.data("weight"), request));
/// }
/// ```
///
/// A reader gets the newest copy: the parameters as one step left them, all of the same step, never
/// half old and half new. It takes no lock, waits for nobody and, with [#read], allocates nothing.
/// What it holds is not written while it holds it. The optimizer does not wait either: if readers
/// hold all buffers when it is to publish, it skips that, counts it, and tries again at the next
/// step. Readers then still find what was published last.
///
/// On the CPU, copies are written in the same pass over memory as the update. Of parameters on a
/// GPU, and of those that had no gradient at a step, they are made after it; of parameters on a GPU
/// this waits for the step, and the copies lie in the CPU's memory.
///
/// Of parameters that other processes train too ([Parameters.Builder#buildShared]), a copy is what
/// this process has seen at one of its steps; of theirs it may hold a half.
///
/// The first copy is that of the parameters as they are when the optimizer is built. Copies are
/// freed when the optimizer is closed, those that are held once they are let go.
///
/// Thread-safe: any number of threads may read, virtual ones too.
public final class Publication {
  private volatile PublicationRing ring;

  /// Written by the thread that steps, one at a time.
  private volatile long published;

  private volatile long skipped;

  Publication() {}

  /// Hands the newest copy to an action, and holds it until that returns.
  ///
  /// @param action must keep nothing of what it is given
  /// @return what the action returned; what it throws passes through
  /// @throws IllegalStateException if the optimizer has been closed
  public <R> R read(Function<? super PublishedParameters, ? extends R> action) {
    PublicationBuffer held = take();
    try {
      return action.apply(held.view());
    } finally {
      held.release();
    }
  }

  /// Holds the newest copy until the lease is closed. For readers that no action can enclose;
  /// [#read] cannot be forgotten to be closed, and allocates nothing.
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

  /// The number of the step that the newest copy is of; see [PublishedParameters#step].
  ///
  /// @throws IllegalStateException if the optimizer has been closed
  public long step() {
    long step = ring.newestStep();
    return step >= 0 ? step : read(PublishedParameters::step);
  }

  /// How often something has been published, the copy from when the optimizer was built included.
  public long published() {
    return published;
  }

  /// At how many steps a copy was due that was not made, because readers held all buffers.
  public long skipped() {
    return skipped;
  }

  /// Lets readers find a buffer of the ring that they read now.
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

  /// Has readers read another ring from now on, in which something is published already.
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
