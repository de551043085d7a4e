package dev.panoptim.internal.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class WriteWatchTest {
  private static MemorySegment at(long address) {
    return MemorySegment.ofAddress(address);
  }

  private static List<Integer> taken(WriteWatch watch, int count) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (watch.takeWritten(i)) {
        all.add(i);
      }
    }
    return all;
  }

  @Test
  void rangesThatAWriteOverlapsAreWritten() {
    List<WriteWatch.Range> ranges =
        List.of(
            new WriteWatch.Range(at(300), 100),
            new WriteWatch.Range(at(100), 50),
            new WriteWatch.Range(at(400), 10));
    try (WriteWatch watch = WriteWatch.of(ranges);
        WriteWatch other = WriteWatch.of(ranges)) {
      assertEquals(List.of(0, 1, 2), taken(watch, 3));
      assertEquals(List.of(), taken(watch, 3));
      WriteWatch.note(at(150), 150);
      assertEquals(List.of(), taken(watch, 3));
      WriteWatch.note(at(149), 1);
      assertEquals(List.of(1), taken(watch, 3));
      WriteWatch.note(at(149), 152);
      assertEquals(List.of(0, 1), taken(watch, 3));
      WriteWatch.note(at(399), 2);
      assertEquals(List.of(0, 2), taken(watch, 3));
      WriteWatch.note(at(0), 1000, watch);
      assertEquals(List.of(), taken(watch, 3));
      assertEquals(List.of(0, 1, 2), taken(other, 3));
      watch.close();
      watch.close();
      WriteWatch.note(at(0), 1000);
      assertEquals(List.of(), taken(watch, 3));
      watch.writeAll();
      assertEquals(List.of(0, 1, 2), taken(watch, 3));
    }
  }

  @Test
  void aRangeIsReadWithoutAReset() {
    try (WriteWatch watch = WriteWatch.of(List.of(new WriteWatch.Range(at(100), 50)))) {
      assertTrue(watch.isWritten(0));
      assertEquals(List.of(0), taken(watch, 1));
      assertFalse(watch.isWritten(0));
      watch.write(0);
      assertTrue(watch.isWritten(0));
      assertEquals(List.of(0), taken(watch, 1));
    }
  }

  /// An optimizer that is never closed costs nothing once it has been collected.
  @Test
  void aWatchThatIsNeverClosedEnds() throws InterruptedException {
    WriteWatch watch = WriteWatch.of(List.of(new WriteWatch.Range(at(100), 50)));
    assertFalse(WriteWatch.isUnused());
    Reference.reachabilityFence(watch);
    watch = null;
    Collected.await("no memory is watched", WriteWatch::isUnused);
    WriteWatch.note(at(100), 1);
  }

  /// No write is lost while other threads begin and end watches.
  @Test
  void writesAreNotedWhileWatchesChange() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    Thread changes =
        new Thread(
            () -> {
              while (!done.get()) {
                WriteWatch.of(List.of(new WriteWatch.Range(at(100), 50))).close();
              }
            });
    changes.start();
    try (WriteWatch watch = WriteWatch.of(List.of(new WriteWatch.Range(at(300), 50)))) {
      for (int i = 0; i < 10_000; i++) {
        watch.takeWritten(0);
        WriteWatch.note(at(310), 1);
        assertTrue(watch.isWritten(0));
      }
    } finally {
      done.set(true);
      changes.join();
    }
  }

  @Test
  void randomWritesAreFoundInRandomRanges() {
    long seed = System.nanoTime();
    System.out.println("WriteWatchTest: seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      List<WriteWatch.Range> ranges = new ArrayList<>();
      long address = 1000;
      int count = random.nextInt(0, 10);
      for (int i = 0; i < count; i++) {
        long bytes = random.nextLong(1, 20);
        ranges.add(random.nextInt(0, ranges.size() + 1), new WriteWatch.Range(at(address), bytes));
        address += bytes + random.nextInt(0, 3);
      }
      try (WriteWatch watch = WriteWatch.of(ranges)) {
        taken(watch, count);
        long start = random.nextLong(980, address + 20);
        long bytes = random.nextLong(0, 50);
        WriteWatch.note(at(start), bytes);
        List<Integer> expected = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          long first = ranges.get(i).memory().address();
          if (Math.max(first, start) < Math.min(first + ranges.get(i).bytes(), start + bytes)) {
            expected.add(i);
          }
        }
        assertEquals(expected, taken(watch, count), "a write of " + bytes + " from " + start);
      }
    }
  }
}
