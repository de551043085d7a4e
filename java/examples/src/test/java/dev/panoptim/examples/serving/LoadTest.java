package dev.panoptim.examples.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Requests at a fixed rate, their latencies and their counts.
@Timeout(120)
class LoadTest {
  private static final double RATE = 100;
  private static final long MILLI = 1_000_000;

  /// A stall of the server counts for every request that is due during the stall.
  @Test
  void aStallDelaysAllWaitingRequests() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    AtomicInteger calls = new AtomicInteger();
    try (PredictServer server =
        new PredictServer(
            x -> {
              lock.lock();
              try {
                if (calls.getAndIncrement() == 0) {
                  long end = System.nanoTime() + 500 * MILLI;
                  while (System.nanoTime() < end) {
                    LockSupport.parkNanos(end - System.nanoTime());
                  }
                }
              } finally {
                lock.unlock();
              }
              return new Prediction(x, 0, false);
            })) {
      Load.Result result = new Load(server.uri(), RATE, 50).run(1, () -> false, () -> {});
      assertEquals(50, calls.get());
      assertEquals(50, result.latencies().count());
      assertEquals(0, result.failed());
      // The request i is due after 10 i milliseconds, and none is answered in the first 500.
      assertTrue(result.latencies().percentile(500).orElseThrow() >= 250);
      assertTrue(result.seconds() >= 0.5);
      assertTrue(result.requestsPerSecond() <= RATE);
    }
  }

  @Test
  void tornAndFailedAnswersAreCounted() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    try (PredictServer server =
        new PredictServer(
            x -> {
              int call = calls.getAndIncrement();
              if (call % 10 == 0) {
                throw new IllegalStateException("no model");
              }
              return new Prediction(x, call, call % 5 == 1);
            })) {
      AtomicInteger sent = new AtomicInteger();
      Load.Result result =
          new Load(server.uri(), 1000, 100).run(1, () -> false, sent::incrementAndGet);
      assertEquals(100, sent.get());
      assertEquals(10, result.failed());
      assertEquals(20, result.torn());
    }
  }

  @Test
  void aCancelledLoadEndsEarly() throws Exception {
    AtomicInteger sent = new AtomicInteger();
    try (PredictServer server = new PredictServer(x -> new Prediction(x, 0, false))) {
      Load.Result result =
          new Load(server.uri(), RATE, 1_000_000)
              .run(1, () -> sent.get() == 3, sent::incrementAndGet);
      assertEquals(3, result.latencies().count());
      assertEquals(0, result.failed());
    }
  }
}
