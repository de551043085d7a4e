package dev.panoptim.optim;

import static dev.panoptim.optim.PublicationTest.parameters;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Allocations;
import dev.panoptim.memory.Parameters;
import dev.panoptim.metrics.Metrics;
import dev.panoptim.metrics.MetricsSnapshot;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Buffers of a publication: leases keep their contents, and a publication without a free buffer is
/// skipped.
class PublicationBuffersTest {
  @Test
  void aLeaseKeepsItsContentsWhileStepsContinue() {
    try (Parameters p = Parameters.builder().add("p", 1000).build();
        Optimizer optimizer = Sgd.builder(p).learningRate(1).publish().build()) {
      p.get("p").gradient().fill((byte) 0x3c);
      Publication publication = optimizer.publication();
      PublicationLease lease = publication.acquire();
      byte[] before = lease.parameters().data("p").toArray(JAVA_BYTE);
      for (int i = 0; i < 10; i++) {
        optimizer.step();
      }
      assertEquals(0, publication.skipped());
      assertEquals(10, publication.step());
      assertEquals(0, lease.parameters().step());
      assertArrayEquals(before, lease.parameters().data("p").toArray(JAVA_BYTE));
      lease.close();
    }
  }

  @Test
  void aPublicationWithoutAFreeBufferIsSkippedAndRepeated() {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = Sgd.builder(p).publish(o -> o.buffers(2).every(2)).build()) {
      Publication publication = optimizer.publication();
      PublicationLease first = publication.acquire();
      optimizer.step();
      optimizer.step();
      // A reader holds the first buffer and the second one is the newest, so that the next
      // publication is skipped.
      for (int i = 0; i < 4; i++) {
        optimizer.step();
      }
      assertEquals(2, publication.step());
      assertEquals(3, publication.skipped());
      first.close();
      optimizer.step();
      assertEquals(7, publication.step());
      optimizer.step();
      assertEquals(7, publication.step());
      optimizer.step();
      assertEquals(9, publication.step());
    }
  }

  @Test
  void aLeaseMayBeClosedRepeatedlyAndByAnyThread() throws InterruptedException {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = Sgd.builder(p).publish(o -> o.buffers(2)).build()) {
      PublicationLease first = optimizer.publication().acquire();
      PublicationLease second = optimizer.publication().acquire();
      Thread.ofPlatform().start(first::close).join();
      first.close();
      first.close();
      optimizer.step();
      optimizer.step();
      // The second lease is still open, so its buffer has not been overwritten.
      assertEquals(1, optimizer.publication().skipped());
      assertEquals(0, second.parameters().step());
      second.close();
      assertThrows(IllegalStateException.class, second::parameters);
      optimizer.step();
      assertEquals(3, optimizer.publication().step());
    }
  }

  @Test
  void anActionThatThrowsReleasesItsBuffer() {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = Sgd.builder(p).publish(o -> o.buffers(2)).build()) {
      assertThrows(
          UnsupportedOperationException.class,
          () ->
              optimizer
                  .publication()
                  .read(
                      found -> {
                        throw new UnsupportedOperationException("by a reader");
                      }));
      optimizer.step();
      optimizer.step();
      assertEquals(0, optimizer.publication().skipped());
    }
  }

  @Test
  void aRefreshWithoutABufferIsRepeatedAtTheNextStep() {
    try (Parameters p = Parameters.builder().add("p", 4).build();
        Optimizer optimizer = Sgd.builder(p).publish(o -> o.buffers(2).every(100)).build()) {
      PublicationLease lease = optimizer.publication().acquire();
      optimizer.refreshPublication();
      optimizer.refreshPublication();
      assertEquals(1, optimizer.publication().skipped());
      lease.close();
      optimizer.step();
      assertEquals(1, optimizer.publication().step());
    }
  }

  @Test
  void afterCloseOnlyExistingLeasesAreValid() {
    try (Parameters p = Parameters.builder().add("p", 4).build()) {
      Optimizer optimizer = Sgd.builder(p).publish().build();
      Publication publication = optimizer.publication();
      PublicationLease older = publication.acquire();
      optimizer.step();
      PublicationLease newest = publication.acquire();
      MemorySegment held = newest.parameters().data("p");
      optimizer.close();
      optimizer.close();
      for (Runnable each :
          List.<Runnable>of(
              () -> publication.read(found -> null), publication::acquire, publication::step)) {
        var e = assertThrows(IllegalStateException.class, each::run);
        assertTrue(e.getMessage().contains("optimizer has been closed"), e.getMessage());
      }
      assertEquals(0, held.getAtIndex(JAVA_FLOAT, 0));
      assertTrue(held.scope().isAlive());
      newest.close();
      assertFalse(held.scope().isAlive());
      older.close();
    }
  }

  @Test
  void publicationsAndTheirMemoryAreCounted() {
    MetricsSnapshot before = Metrics.snapshot();
    try (Parameters p = Parameters.builder().add("p", 1000).build()) {
      Optimizer optimizer = Sgd.builder(p).publish(o -> o.buffers(2)).build();
      PublicationLease lease = optimizer.publication().acquire();
      optimizer.step();
      optimizer.step();
      MetricsSnapshot after = Metrics.snapshot();
      assertEquals(2, after.publications() - before.publications());
      assertEquals(1, after.skippedPublications() - before.skippedPublications());
      assertTrue(after.memory().publications() - before.memory().publications() >= 2 * 4000);
      optimizer.close();
      assertTrue(Metrics.snapshot().memory().publications() > before.memory().publications());
      lease.close();
      assertEquals(before.memory().publications(), Metrics.snapshot().memory().publications());
    }
  }

  /// Compiled code of publishing and reading allocates nothing.
  @Test
  void neitherPublishingNorReadingAllocates() {
    try (Parameters p = parameters();
        Optimizer optimizer = AdamW.builder(p).threads(1).publish().build()) {
      Publication publication = optimizer.publication();
      Allocations.assertNone(
          "publishing and reading",
          200,
          () -> {
            optimizer.step();
            publication.read(PublishedParameters::names);
          });
    }
  }
}
