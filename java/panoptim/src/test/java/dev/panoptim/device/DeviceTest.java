package dev.panoptim.device;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.internal.bindings.PanoptimAbi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Memory of a GPU, copies, streams and events.
///
/// The test runs twice: on an emulated GPU, which runs the work of its streams only when a caller
/// waits; and on the machine's own GPU if there is one.
@Tag("gpu")
class DeviceTest {
  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  @Test
  void aDeviceHasItsNumber() {
    assertEquals(Device.cuda(0), Device.cuda(0));
    assertEquals("cuda:0", Device.cuda(0).name());
    assertTrue(Device.cuda(0).describe().contains("compute capability"));
    int count = Device.cudaCount();
    assertSays("index is " + count + ", but must be", () -> Device.cuda(count));
    assertSays("index is -1", () -> Device.cuda(-1));
    assertSays("must be a CUDA device", () -> DeviceStream.create(Device.cpu()));
    assertThrows(IllegalStateException.class, Device.cpu()::freeMemory);
  }

  @Test
  void copiesOfAnySizeAndFromAnyMemoryArrive() {
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared()) {
      int buffer = 4 << 20;
      for (int bytes : new int[] {0, 4, buffer - 4, buffer, buffer + 4, 2 * buffer, 9 << 20}) {
        byte[] random = new byte[bytes];
        new SplittableRandom(bytes).nextBytes(random);
        MemorySegment there = gpu.allocate(bytes, arena);
        byte[] back = new byte[bytes];
        gpu.download(there, MemorySegment.ofArray(back));
        assertArrayEquals(new byte[bytes], back);
        gpu.upload(MemorySegment.ofArray(random), there);
        gpu.download(there, MemorySegment.ofArray(back));
        assertArrayEquals(random, back);
        MemorySegment pinned = gpu.allocatePinned(bytes, arena);
        gpu.download(there, pinned);
        assertEquals(-1, pinned.mismatch(MemorySegment.ofArray(random)));
        gpu.fill(there, bytes / 4, 1.5f);
        gpu.upload(pinned, there);
        gpu.download(there, MemorySegment.ofArray(back));
        assertArrayEquals(random, back);
        gpu.fill(there, bytes / 4, 1.5f);
        for (float each : gpu.copyOf(there, bytes).toArray(JAVA_FLOAT)) {
          assertEquals(1.5f, each);
        }
      }
    }
  }

  @Test
  void copiesOfTheWrongMemoryAreRejected() {
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared();
        DeviceStream stream = DeviceStream.create(gpu)) {
      MemorySegment there = gpu.allocate(32, arena);
      MemorySegment here = arena.allocate(32, 4);
      MemorySegment heap = MemorySegment.ofArray(new byte[32]);
      assertSays("to takes 64 bytes", () -> gpu.upload(arena.allocate(64), there));
      assertSays("from takes 64 bytes", () -> gpu.download(there, arena.allocate(64)));
      assertSays("to takes 32 bytes", () -> gpu.upload(here, here));
      assertSays("to takes 0 bytes", () -> gpu.upload(there, heap));
      assertSays("from takes 0 bytes", () -> gpu.download(heap, there));
      assertSays("to is read-only", () -> gpu.download(there, here.asReadOnly()));
      assertSays("to is read-only", () -> gpu.upload(here, there.asReadOnly()));
      assertSays("memory takes 36 bytes", () -> gpu.fill(there, 9, 1));
      assertSays("count is -1", () -> gpu.fill(there, -1, 1));
      assertSays("count is 4611686018427387904", () -> gpu.fill(there, 1L << 62, 1));
      assertSays(
          "offset is 9223372036854775807 and bytes 1", () -> gpu.slice(there, Long.MAX_VALUE, 1));
      assertSays("memory is read-only", () -> gpu.fill(there.asReadOnly(), 8, 1));
      assertSays("memory takes 33 bytes", () -> gpu.slice(there, 1, 32));
      assertSays("offset is -1", () -> gpu.slice(there, -1, 1));
      assertSays("bytes is -1", () -> gpu.slice(there, 1, -1));
      assertSays("memory takes 1 bytes", () -> gpu.slice(here, 0, 1));
      assertSays(
          "from has 32 bytes off-heap, but must have 33", () -> stream.copy(here, there, 33));
      assertSays("from takes 33 bytes", () -> stream.copy(there, arena.allocate(33), 33));
      assertSays("from has 32 bytes on-heap", () -> stream.copy(heap, there, 32));
      assertSays("bytes is -1", () -> stream.copy(here, there, -1));
      assertSays("memory takes 33 bytes", () -> stream.zero(there, 33));
      assertSays("memory takes 32 bytes", () -> stream.zero(here, 32));
      for (byte each : here.toArray(JAVA_BYTE)) {
        assertEquals(0, each);
      }
    }
  }

  @Test
  void aSizeMayBeImpossible() {
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment there = gpu.allocate(32, arena);
      MemorySegment here = arena.allocate(32, 4);
      MemorySegment elsewhere = MemorySegment.ofAddress(4096);
      assertTrue(gpu.holds(there, 32));
      assertTrue(Device.cpu().holds(here, 32));
      for (long bytes :
          new long[] {33, Long.MAX_VALUE, Long.MAX_VALUE - 4095, -1, Long.MIN_VALUE}) {
        assertFalse(gpu.holds(there, bytes), () -> bytes + " bytes");
        assertFalse(gpu.heldWhenAsked(there, bytes), () -> bytes + " bytes");
        assertFalse(gpu.holds(elsewhere, bytes), () -> bytes + " bytes");
        assertFalse(gpu.heldWhenAsked(elsewhere, bytes), () -> bytes + " bytes");
        assertFalse(Device.cpu().holds(here, bytes), () -> bytes + " bytes");
        assertFalse(Cuda.areOneAllocation(there, bytes), () -> bytes + " bytes");
      }
    }
  }

  /// Ranges up to the last address, and drivers that know no ranges.
  @Test
  void rangesMayEndAtTheLastAddress() {
    Cuda.Range all = new Cuda.Range(PanoptimAbi.PANOPTIM_MEMORY_DEVICE(), 0, -8192, 8192);
    Cuda.Range unknown = new Cuda.Range(PanoptimAbi.PANOPTIM_MEMORY_PAGEABLE(), -1, 0, 0);
    LongFunction<Cuda.Range> rangeOf = address -> all.contains(address) ? all : unknown;
    assertTrue(Cuda.Range.cover(-8192, 8192, 0, rangeOf));
    assertTrue(Cuda.Range.cover(-1, 1, 0, rangeOf));
    assertFalse(Cuda.Range.cover(-8192, 8193, 0, rangeOf));
    assertFalse(Cuda.Range.cover(-1, Long.MAX_VALUE, 0, rangeOf));
    assertFalse(Cuda.Range.cover(-8193, 2, 0, rangeOf));
  }

  @Test
  void memoryThatAClosedArenaCannotAdoptIsFreed() {
    Device gpu = Device.cuda(0);
    Arena closed = Arena.ofShared();
    closed.close();
    GpuTests.Usage before = GpuTests.usage(gpu);
    // On the emulated GPU, the usage includes the free memory. A real GPU has no room for five
    // allocations of a quarter of its free memory, so a leak makes an allocation fail.
    long bytes = GpuTests.isEmulated(gpu) ? 1 << 20 : gpu.freeMemory() / 4;
    for (int i = 0; i < 5; i++) {
      assertThrows(IllegalStateException.class, () -> gpu.allocate(bytes, closed));
    }
    assertEquals(before, GpuTests.usage(gpu));
  }

  @Test
  void eventsAreOfOneDevice() {
    try (Arena arena = Arena.ofShared()) {
      assertSays("must be a CUDA device", () -> new DeviceEvent(Device.cpu(), arena));
      DeviceEvent event = new DeviceEvent(Device.cuda(0), arena);
      event.await();
      GpuTests.need(2);
      DeviceStream other = DeviceStream.defaultOf(Device.cuda(1));
      assertSays("stream is of cuda:1, but must be of cuda:0", () -> event.record(other));
    }
  }

  /// A stream of one GPU waits for an event of another GPU.
  @Test
  void streamsFollowEventsAcrossDevices() {
    GpuTests.need(2);
    Device first = Device.cuda(0);
    Device second = Device.cuda(1);
    try (Arena arena = Arena.ofShared();
        DeviceStream before = DeviceStream.create(first);
        DeviceStream after = DeviceStream.create(second)) {
      MemorySegment there = first.allocate(4, arena);
      MemorySegment between = first.allocatePinned(4, arena);
      MemorySegment end = second.allocate(4, arena);
      first.fill(there, 1, 1.5f);
      between.set(JAVA_FLOAT, 0, 0);
      DeviceEvent event = new DeviceEvent(first, arena);
      before.copy(there, between, 4);
      event.record(before);
      after.follow(event);
      after.copy(between, end, 4);
      after.await();
      assertEquals(1.5f, second.copyOf(end, 4).get(JAVA_FLOAT, 0));
    }
  }
}
