package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Four threads read while one thread steps, and never get parameters of two different steps. After
/// each step all elements have the same value, which follows from the step's number.
///
/// Each case takes 10 seconds with `-Pexhaustive`.
@Timeout(600)
class TornReadsTest {
  private static final long MILLIS = Boolean.getBoolean("panoptim.exhaustive") ? 10_000 : 300;
  private static final int READERS = 4;

  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicLong readings = new AtomicLong();
  private final AtomicLong torn = new AtomicLong();
  private final AtomicLong backwards = new AtomicLong();

  /// A whole number that float arithmetic computes exactly.
  private static float valueAfter(long step) {
    return step * 7919 % 65_521;
  }

  @ParameterizedTest(name = "{0}, {1} elements, half a reader never lets go: {2}")
  @CsvSource({
    "native, 257, false", "native, 100000, true", "native, 1000000, false",
    "vector, 257, true", "vector, 100000, false", "vector, 1000000, true",
    "scalar, 257, false", "scalar, 100000, true", "scalar, 1000000, false",
  })
  void readersSeeWholeSteps(String backend, long elements, boolean oneKeepsItsLease)
      throws InterruptedException {
    List<Thread> readers = new ArrayList<>();
    try (Parameters p =
            Parameters.builder().add("a", elements / 2).add("b", elements - elements / 2).build();
        Optimizer optimizer =
            Sgd.builder(p)
                .learningRate(1)
                .backend(Backends.named(backend))
                .threads(2)
                .publish()
                .build()) {
      Publication publication = optimizer.publication();
      PublicationLease kept = oneKeepsItsLease ? publication.acquire() : null;
      for (int i = 0; i < READERS; i++) {
        boolean byLease = i % 2 == 1;
        readers.add(
            (i < READERS / 2 ? Thread.ofPlatform() : Thread.ofVirtual())
                .start(() -> readUntilDone(publication, byLease)));
      }
      long steps = learn(optimizer, p);
      done.set(true);
      for (Thread each : readers) {
        each.join();
      }
      String said = "%d steps, %d readings, %s".formatted(steps, readings.get(), publication);
      assertEquals(0, torn.get(), said);
      assertEquals(0, backwards.get(), said);
      assertTrue(readings.get() > 0 && publication.published() > 1, said);
      assertEquals(steps + 1, publication.published() + publication.skipped(), said);
      if (kept != null) {
        assertEquals(0, kept.parameters().step());
        assertTrue(isWhole(kept.parameters()));
        kept.close();
      }
    } finally {
      done.set(true);
    }
  }

  private static long learn(Optimizer optimizer, Parameters p) {
    long end = System.nanoTime() + MILLIS * 1_000_000;
    long step = 0;
    while (System.nanoTime() < end || step < 3) {
      float difference = valueAfter(step) - valueAfter(step + 1);
      for (Parameter each : p) {
        fill(each.gradient(), difference);
      }
      optimizer.step();
      step++;
    }
    return step;
  }

  private static void fill(MemorySegment floats, float value) {
    for (long i = 0; i < floats.byteSize() / Float.BYTES; i++) {
      floats.setAtIndex(JAVA_FLOAT, i, value);
    }
  }

  private void readUntilDone(Publication publication, boolean byLease) {
    long last = 0;
    while (!done.get()) {
      long step;
      if (byLease) {
        try (PublicationLease lease = publication.acquire()) {
          step = check(lease.parameters());
        }
      } else {
        step = publication.read(this::check);
      }
      if (step < last) {
        backwards.incrementAndGet();
      }
      last = step;
      readings.incrementAndGet();
      // Virtual threads share few carrier threads and must yield to each other.
      Thread.yield();
    }
  }

  private long check(PublishedParameters found) {
    if (!isWhole(found)) {
      torn.incrementAndGet();
    }
    return found.step();
  }

  private static boolean isWhole(PublishedParameters found) {
    float expected = valueAfter(found.step());
    return holdsOnly(expected, found.data("a")) && holdsOnly(expected, found.data("b"));
  }

  private static boolean holdsOnly(float expected, MemorySegment floats) {
    for (long i = 0; i < floats.byteSize() / Float.BYTES; i++) {
      if (floats.getAtIndex(JAVA_FLOAT, i) != expected) {
        return false;
      }
    }
    return true;
  }
}
