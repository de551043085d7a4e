package dev.panoptim.optim;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.RowFormat;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A segment may claim any address. Where memory cannot exist, every method rejects the segment by
/// name, because an access would crash the process.
class AddressTest {
  private static final int SIZE = 4;
  private static final long BYTES = SIZE * Float.BYTES;

  /// Addresses in the first page, and ranges across 2^63 or 2^64.
  static List<Long> badAddresses() {
    return List.of(0L, 4L, 8L, 1024L, 4092L, Long.MAX_VALUE - 7, Long.MAX_VALUE - 11, -8L, -12L);
  }

  private static MemorySegment at(long address) {
    return at(address, BYTES);
  }

  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  private static void refused(String name, Runnable action) {
    assertSays(name, action);
    assertSays("but memory must be between", action);
  }

  @Test
  void onlyTheFirstPageAndWrappingRangesAreImpossible() {
    assertFalse(Segments.canBeAt(0, 1));
    assertFalse(Segments.canBeAt(4095, 1));
    assertTrue(Segments.canBeAt(4096, 1));
    assertTrue(Segments.canBeAt(4096, Long.MAX_VALUE - 4095));
    assertFalse(Segments.canBeAt(4096, Long.MAX_VALUE - 4094));
    assertTrue(Segments.canBeAt(Long.MAX_VALUE, 1));
    assertFalse(Segments.canBeAt(Long.MAX_VALUE, 2));
    assertTrue(Segments.canBeAt(-8, 8), "up to the last byte: other processors tag addresses so");
    assertFalse(Segments.canBeAt(-8, 9));
    assertFalse(Segments.canBeAt(-8, Long.MAX_VALUE));
    for (long anywhere : new long[] {0, 1, 4095, -1, Long.MIN_VALUE}) {
      assertTrue(Segments.canBeAt(anywhere, 0));
    }
  }

  @ParameterizedTest
  @MethodSource("badAddresses")
  void parametersRejectBadAddresses(long address) {
    try (Arena arena = Arena.ofConfined()) {
      refused("data of 'w' has 16 bytes", () -> Parameter.of("w", SIZE, at(address)));
      refused(
          "gradient of 'w' has 16 bytes",
          () -> Parameter.of("w", SIZE, arena.allocate(BYTES, 4), at(address)));
      Parameter p = Parameter.of("w", SIZE, arena.allocate(BYTES, 4));
      refused("gradient of 'w'", () -> p.setGradient(at(address)));
      assertFalse(p.hasGradient());
      refused("data of 'w'", () -> Parameter.onDevice(Device.cpu(), "w", SIZE, at(address)));
    }
  }

  @Test
  void emptyRangesMayBeAnywhere() {
    for (long address : badAddresses()) {
      Parameter p = Parameter.of("w", 0, at(address, 0), at(address, 0));
      try (Optimizer optimizer = Adam.builder(List.of(p)).build()) {
        optimizer.step();
        assertEquals(1, optimizer.stepCount(p));
      }
    }
  }

  /// Sizes whose bytes overflow, or extend beyond the last address.
  @Test
  void sizesBeyondMemoryAreRejected() {
    long most = Long.MAX_VALUE / Float.BYTES;
    assertSays("but must be from 0 to", () -> Parameter.of("w", most + 1, at(4096)));
    assertSays("but must be from 0 to", () -> Parameter.of("w", 1L << 62, at(4096, 0)));
    refused("data of 'w'", () -> Parameter.of("w", most, at(8192, most * Float.BYTES)));
  }

  @ParameterizedTest
  @MethodSource("badAddresses")
  void plansRejectBadAddressesOfEveryOperand(long address) {
    Rule rule = Rule.builder().firstMoment(FirstMoment.MOVING_AVERAGE).build();
    RowFormat format = RowFormat.onCpu(rule, true, HalfPrecision.BFLOAT16);
    try (Arena arena = Arena.ofConfined()) {
      Map<String, Row> rows = new LinkedHashMap<>();
      for (String place :
          List.of("data", "gradient", "firstMoment", "average", "half-precision copy")) {
        List<MemorySegment> streams = new ArrayList<>();
        for (String each : List.of("data", "gradient", "firstMoment", "average")) {
          streams.add(each.equals(place) ? at(address) : arena.allocate(BYTES, 4));
        }
        MemorySegment halfPrecisionCopy =
            place.equals("half-precision copy")
                ? at(address, BYTES / 2)
                : arena.allocate(BYTES / 2, 2);
        rows.put(
            place,
            new Row(
                "w",
                SIZE,
                streams.get(0),
                streams.get(1),
                List.of(streams.get(2)),
                streams.get(3),
                halfPrecisionCopy));
      }
      rows.forEach(
          (place, row) -> {
            boolean fits =
                place.equals("half-precision copy") && Segments.canBeAt(address, BYTES / 2);
            if (!fits) {
              refused(place + " of 'w'", () -> StepPlan.of(format, List.of(List.of(row))));
            }
          });
    }
  }

  @ParameterizedTest
  @MethodSource("badAddresses")
  void copiesRejectBadAddresses(long address) {
    try (Parameters all = Parameters.builder().add("w", SIZE).build()) {
      Parameter p = all.get("w");
      p.data().fill((byte) 7);
      refused("a copy to the data of 'w'", () -> p.copyDataFrom(at(address)));
      refused("a copy of the data of 'w'", () -> p.copyDataTo(at(address)));
      refused("a copy to the gradient of 'w'", () -> p.copyGradientFrom(at(address)));
      refused("a copy of the gradient of 'w'", () -> p.copyGradientTo(at(address)));
      Device cpu = Device.cpu();
      refused("from", () -> cpu.upload(at(address), p.data()));
      refused("to", () -> cpu.upload(p.data(), at(address)));
      refused("from", () -> cpu.download(at(address), p.data()));
      refused("to", () -> cpu.download(p.data(), at(address)));
      refused("from", () -> cpu.copyOf(at(address), BYTES));
      refused("memory", () -> cpu.fill(at(address), SIZE, 1));
      refused("memory", () -> Engine.of(Backends.scalar()).zero(at(address), BYTES));
      refused("data", () -> HalfPrecision.BFLOAT16.write(at(address), p.gradient(), 0, SIZE));
      refused(
          "half-precision copy", () -> HalfPrecision.FLOAT16.write(p.data(), at(address), 0, SIZE));
      refused("x", () -> TensorChecks.requireCopyable("x", at(address), BYTES, true));
      assertEquals(Float.intBitsToFloat(0x07070707), p.data().getAtIndex(JAVA_FLOAT, 3));
    }
  }

  @ParameterizedTest
  @MethodSource("badAddresses")
  void stateDictsRejectBadAddresses(long address) {
    try (Parameters all = Parameters.builder().add("a", SIZE).add("w", SIZE).build();
        Optimizer optimizer = Sgd.builder(all).momentum(0.9).build()) {
      all.forEach(each -> each.gradient().fill((byte) 0x3f));
      optimizer.step();
      StateDict good = optimizer.stateDict();
      optimizer.step();
      StateDict before = optimizer.stateDict();
      StateDict.ParameterState w = good.parameters().get("w");
      Map<String, StateDict.ParameterState> bad = new LinkedHashMap<>(good.parameters());
      bad.put(
          "w",
          new StateDict.ParameterState(
              w.rule(),
              SIZE,
              1,
              Map.of(),
              w.hyperparameters(),
              Map.of("firstMoment", at(address))));
      refused(
          "the state dict's firstMoment of 'w'", () -> optimizer.loadStateDict(new StateDict(bad)));
      before
          .parameters()
          .forEach(
              (name, state) ->
                  assertEquals(
                      -1,
                      state
                          .states()
                          .get("firstMoment")
                          .mismatch(
                              optimizer
                                  .stateDict()
                                  .parameters()
                                  .get(name)
                                  .states()
                                  .get("firstMoment"))));
    }
  }

  /// A segment of GPU memory has no size, so the number of elements is checked.
  @Test
  void gpuMemoryAtBadAddressesIsRejected() {
    GpuTests.need(1);
    Device gpu = Device.cuda(0);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment there = gpu.allocate(BYTES, arena);
      for (long address : badAddresses()) {
        MemorySegment bad = MemorySegment.ofAddress(address);
        refused("data of 'w'", () -> Parameter.onDevice(gpu, "w", SIZE, bad));
        refused("data of 'w'", () -> Parameter.onDevice(gpu, "w", SIZE, at(address)));
        Parameter p = Parameter.onDevice(gpu, "w", SIZE, there);
        refused("gradient of 'w'", () -> p.setGradient(bad));
        refused("a copy to the data of 'w'", () -> p.copyDataFrom(at(address)));
        refused("a copy of the data of 'w'", () -> p.copyDataTo(at(address)));
        refused("memory", () -> gpu.fill(bad, SIZE, 1));
        refused("memory", () -> gpu.slice(bad, 0, BYTES));
        refused("from", () -> gpu.upload(at(address), there));
        DeviceStream stream = DeviceStream.defaultOf(gpu);
        refused("from", () -> stream.copy(at(address), there, BYTES));
        refused("to", () -> stream.copy(there, at(address), BYTES));
        refused("memory", () -> stream.zero(bad, BYTES));
      }
    }
  }

  /// All backends reject such a segment; with two of them, an access would crash the process.
  @Test
  void backendsRejectImpossibleAddresses() {
    for (Backend backend : Problem.backends()) {
      try (Parameters all = Parameters.builder().add("first", SIZE).add("last", SIZE).build();
          Optimizer optimizer =
              Sgd.builder(List.of(all.get("first")))
                  .group(List.of(all.get("last")), Map.of())
                  .backend(backend)
                  .build()) {
        optimizer.step();
        refused("gradient of 'last'", () -> all.get("last").setGradient(at(0)));
        optimizer.step();
        assertEquals(2, optimizer.stepCount(all.get("last")));
      }
    }
  }
}
