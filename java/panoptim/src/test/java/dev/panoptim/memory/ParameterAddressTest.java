package dev.panoptim.memory;

import static dev.panoptim.Illegal.assertSays;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import dev.panoptim.backend.Backends;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Parameters and gradients that are given as addresses.
class ParameterAddressTest {
  private static final long[] SIZES = {0, 1, 7, 8, 9, 4097};
  private static final int STEPS = 5;

  /// A training whose gradients swap between two places, given as addresses or as segments.
  private static List<String> train(String backend, boolean addresses) {
    try (Arena arena = Arena.ofShared()) {
      List<Parameter> parameters = new ArrayList<>();
      List<MemorySegment[]> gradients = new ArrayList<>();
      SplittableRandom random = new SplittableRandom(5);
      for (long size : SIZES) {
        MemorySegment data = random(arena, size, random);
        String name = "w" + size;
        parameters.add(
            addresses
                ? Parameter.ofAddress(name, size, data.address())
                : Parameter.of(name, size, data));
        gradients.add(
            new MemorySegment[] {random(arena, size, random), random(arena, size, random)});
      }
      try (Optimizer optimizer =
          AdamW.builder(parameters).backend(Backends.named(backend)).build()) {
        for (int step = 0; step < STEPS; step++) {
          for (int i = 0; i < parameters.size(); i++) {
            MemorySegment gradient = gradients.get(i)[step % 2];
            if (addresses) {
              parameters.get(i).setGradientAddress(gradient.address());
            } else {
              parameters.get(i).setGradient(gradient);
            }
          }
          optimizer.step();
        }
      }
      List<String> bits = new ArrayList<>();
      for (Parameter each : parameters) {
        for (long i = 0; i < each.size(); i++) {
          bits.add(
              Integer.toHexString(Float.floatToRawIntBits(each.data().getAtIndex(JAVA_FLOAT, i))));
        }
      }
      return bits;
    }
  }

  private static MemorySegment random(Arena arena, long size, SplittableRandom random) {
    MemorySegment segment = arena.allocate(JAVA_FLOAT, size);
    for (long i = 0; i < size; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return segment;
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "vector", "scalar"})
  void addressesAndSegmentsReachTheSameBits(String backend) {
    assertEquals(train(backend, false), train(backend, true));
  }

  @Test
  void aParameterWithAGradientIsMadeOfTwoAddresses() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate(JAVA_FLOAT, 3);
      MemorySegment gradient = arena.allocate(JAVA_FLOAT, 3);
      Parameter parameter = Parameter.ofAddress("w", 3, data.address(), gradient.address());
      assertEquals(data.address(), parameter.data().address());
      assertEquals(12, parameter.data().byteSize());
      assertEquals(gradient.address(), parameter.gradient().address());
      assertEquals(12, parameter.gradient().byteSize());
    }
  }

  @Test
  void thePresentAddressIsKept() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment gradient = arena.allocate(JAVA_FLOAT, 3);
      MemorySegment other = arena.allocate(JAVA_FLOAT, 3);
      Parameter parameter = Parameter.of("w", 3, arena.allocate(JAVA_FLOAT, 3), gradient);
      // The arena of the segment before must not be held any more.
      parameter.setGradientAddress(gradient.address());
      MemorySegment ofAddress = parameter.gradient();
      assertNotSame(gradient, ofAddress);
      assertEquals(MemorySegment.NULL.scope(), ofAddress.scope());
      parameter.setGradientAddress(gradient.address());
      assertSame(ofAddress, parameter.gradient());
      parameter.setGradientAddress(other.address());
      assertEquals(other.address(), parameter.gradient().address());
      parameter.removeGradient();
      assertFalse(parameter.hasGradient());
      parameter.setGradientAddress(other.address());
      assertTrue(parameter.hasGradient());
      parameter.setGradient(gradient);
      assertSame(gradient, parameter.gradient());
    }
  }

  @Test
  void anImpossibleAddressIsRefusedAndChangesNothing() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate(JAVA_FLOAT, 3);
      MemorySegment gradient = arena.allocate(JAVA_FLOAT, 3);
      Parameter parameter = Parameter.ofAddress("w", 3, data.address(), gradient.address());
      MemorySegment before = parameter.gradient();
      for (long bad : new long[] {0, 4, 4092, -4, -8, Long.MAX_VALUE - 3, gradient.address() + 2}) {
        assertSays("gradient of 'w'", () -> parameter.setGradientAddress(bad));
        assertSays("data of 'v'", () -> Parameter.ofAddress("v", 3, bad));
      }
      assertSays("share 4 bytes", () -> parameter.setGradientAddress(data.address() + 8));
      assertSame(before, parameter.gradient());
      for (long size : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE / 4 + 1}) {
        assertSays("size of 'v' is " + size, () -> Parameter.ofAddress("v", size, data.address()));
      }
    }
  }

  /// Without native access no address can be used; the exception is Java's own.
  static final class Denied {
    public static void main(String[] arguments) {
      for (int i = 0; i < 2; i++) {
        try {
          Parameter.ofAddress("w", 1, 4096);
        } catch (IllegalCallerException e) {
          System.out.println("refused");
        }
      }
    }
  }

  @Test
  void anAddressNeedsNativeAccess() throws Exception {
    String output =
        JavaProcess.run(
            Denied.class,
            List.of("--illegal-native-access=deny", "--enable-native-access=java.base"));
    assertEquals(2, output.lines().filter("refused"::equals).count(), output);
  }

  /// Libraries give an empty tensor the address 0.
  @Test
  void anEmptyParameterMayLieAnywhere() {
    Parameter parameter = Parameter.ofAddress("w", 0, 0, 0);
    try (Optimizer optimizer = AdamW.builder(List.of(parameter)).build()) {
      optimizer.step();
      assertEquals(1, optimizer.stepCount(parameter));
    }
  }
}
