package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.GradientSource;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Gradients that a source finds in another library.
class GradientSourceTest {
  private static final int SIZE = 37;
  private static final int PARAMETERS = 5;

  /// A tensor of another library, whose gradient moves at each backward pass.
  private static final class Tensor implements GradientSource {
    final MemorySegment data;
    MemorySegment gradient;
    RuntimeException failure;
    boolean moved;

    Tensor(Arena arena) {
      data = arena.allocate(JAVA_FLOAT, SIZE);
    }

    void backward(Arena arena, SplittableRandom random) {
      gradient = arena.allocate(JAVA_FLOAT, SIZE);
      for (int i = 0; i < SIZE; i++) {
        gradient.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
      }
    }

    @Override
    public long gradientAddress() {
      if (failure != null) {
        throw failure;
      }
      return gradient == null ? NO_GRADIENT : gradient.address();
    }

    @Override
    public void dropGradient() {
      gradient = null;
    }

    @Override
    public void requireInPlace() {
      if (moved) {
        throw new IllegalStateException("the data have moved");
      }
    }
  }

  private final Arena arena = Arena.ofAuto();
  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Parameter> found = new ArrayList<>();

  /// Parameters with equal data, whose gradients the caller sets.
  private final List<Parameter> set = new ArrayList<>();

  GradientSourceTest() {
    for (int i = 0; i < PARAMETERS; i++) {
      Tensor tensor = new Tensor(arena);
      tensors.add(tensor);
      Parameter parameter = Parameter.ofAddress("w" + i, SIZE, tensor.data.address());
      parameter.setGradientSource(tensor);
      found.add(parameter);
      set.add(Parameter.of("w" + i, SIZE, arena.allocate(JAVA_FLOAT, SIZE)));
    }
  }

  /// A backward pass that leaves some tensors without a gradient.
  private void backward(SplittableRandom random) {
    for (int i = 0; i < PARAMETERS; i++) {
      if (random.nextInt(4) == 0) {
        tensors.get(i).gradient = null;
        set.get(i).removeGradient();
      } else {
        tensors.get(i).backward(arena, random);
        set.get(i).setGradient(tensors.get(i).gradient);
      }
    }
  }

  private void assertSameData() {
    for (int i = 0; i < PARAMETERS; i++) {
      assertEquals(-1, tensors.get(i).data.mismatch(set.get(i).data()), "w" + i);
    }
  }

  @Test
  void gradientsAreFoundAtEachStep() {
    try (Optimizer first = AdamW.builder(found).build();
        Optimizer second = AdamW.builder(set).build()) {
      SplittableRandom random = new SplittableRandom(3);
      for (int step = 0; step < 20; step++) {
        backward(random);
        first.step();
        second.step();
        assertSameData();
      }
      assertEquals(second.stepCount(set.get(0)), first.stepCount(found.get(0)));
    }
  }

  @Test
  void hooksSeeThePresentGradientAndMayMoveIt() {
    try (Optimizer first = AdamW.builder(found).build();
        Optimizer second = AdamW.builder(set).build()) {
      SplittableRandom random = new SplittableRandom(4);
      first.addStepPreHook(
          optimizer -> {
            for (int i = 0; i < PARAMETERS; i++) {
              assertEquals(tensors.get(i).gradient != null, found.get(i).hasGradient());
              if (found.get(i).hasGradient()) {
                assertEquals(tensors.get(i).gradient.address(), found.get(i).gradient().address());
              }
            }
            tensors.get(0).backward(arena, random);
          });
      for (int step = 0; step < 5; step++) {
        backward(random);
        first.step();
        set.get(0).setGradient(tensors.get(0).gradient);
        second.step();
        assertSameData();
      }
    }
  }

  @Test
  void gradientsAreZeroedAndDroppedWhereTheyAreNow() {
    try (Optimizer optimizer = AdamW.builder(found).build()) {
      SplittableRandom random = new SplittableRandom(5);
      tensors.forEach(each -> each.backward(arena, random));
      optimizer.step();
      List<MemorySegment> before = tensors.stream().map(each -> each.gradient).toList();
      tensors.forEach(each -> each.backward(arena, random));
      byte[] untouched = before.get(0).toArray(JAVA_BYTE);
      optimizer.zeroGrad();
      assertEquals(-1, MemorySegment.ofArray(untouched).mismatch(before.get(0)));
      for (Tensor each : tensors) {
        assertEquals(-1, each.gradient.mismatch(MemorySegment.ofArray(new float[SIZE])));
      }
      optimizer.zeroGrad(true);
      tensors.forEach(each -> assertSame(null, each.gradient));
      found.forEach(each -> assertFalse(each.hasGradient()));
      optimizer.step();
      assertEquals(1, optimizer.stepCount(found.get(0)));
    }
  }

  @Test
  void gradientsAreClippedWhereTheyAreNow() {
    SplittableRandom random = new SplittableRandom(6);
    tensors.forEach(each -> each.backward(arena, random));
    double norm = Gradients.clipGradNorm(found, 0.5);
    assertTrue(norm > 0.5);
    tensors.get(1).backward(arena, random);
    Gradients.clipGradValue(found, 0.25);
    for (Tensor each : tensors) {
      for (int i = 0; i < SIZE; i++) {
        assertTrue(Math.abs(each.gradient.getAtIndex(JAVA_FLOAT, i)) <= 0.25);
      }
    }
  }

  /// A source fails if the data of its parameter have moved.
  @Test
  void movedDataAreNotUsed() {
    try (Optimizer optimizer =
        AdamW.builder(found).publish().halfPrecisionCopy(HalfPrecision.BFLOAT16).build()) {
      tensors.forEach(each -> each.backward(arena, new SplittableRandom(8)));
      optimizer.step();
      tensors.getFirst().moved = true;
      MemorySegment copy = arena.allocate(JAVA_FLOAT, SIZE);
      Parameter moved = found.getFirst();
      assertThrows(IllegalStateException.class, () -> moved.copyDataTo(copy));
      assertThrows(IllegalStateException.class, () -> moved.copyDataFrom(copy));
      assertThrows(IllegalStateException.class, optimizer::refreshPublication);
      assertThrows(IllegalStateException.class, optimizer::refreshHalfPrecisionCopies);
      assertThrows(
          IllegalStateException.class, () -> AdamW.builder(found).publish().build().close());
    }
  }

  /// A library that keeps its gradients refuses to drop one.
  @Test
  void aRefusedRemovalKeepsTheGradient() {
    Parameter parameter = found.getFirst();
    tensors.getFirst().backward(arena, new SplittableRandom(9));
    parameter.updateGradient();
    parameter.setGradientSource(
        new GradientSource() {
          @Override
          public long gradientAddress() {
            return tensors.getFirst().gradientAddress();
          }

          @Override
          public void dropGradient() {
            throw new UnsupportedOperationException("gradients are kept");
          }
        });
    assertThrows(UnsupportedOperationException.class, parameter::removeGradient);
    assertTrue(parameter.hasGradient());
  }

  @Test
  void aFailureOfASourceChangesNothing() {
    try (Optimizer optimizer = AdamW.builder(found).build()) {
      SplittableRandom random = new SplittableRandom(7);
      tensors.forEach(each -> each.backward(arena, random));
      optimizer.step();
      byte[] before = tensors.get(0).data.toArray(JAVA_BYTE);
      tensors.getLast().failure = new IllegalStateException("the gradient is of type double");
      assertSame(
          tensors.getLast().failure, assertThrows(IllegalStateException.class, optimizer::step));
      assertSame(
          tensors.getLast().failure,
          assertThrows(IllegalStateException.class, optimizer::zeroGrad));
      assertEquals(-1, MemorySegment.ofArray(before).mismatch(tensors.get(0).data));
      assertEquals(1, optimizer.stepCount(found.get(0)));
      tensors.getLast().failure = null;
      optimizer.step();
      assertEquals(2, optimizer.stepCount(found.get(0)));
    }
  }
}
