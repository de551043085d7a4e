package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.internal.factored.ElementMoment;
import dev.panoptim.internal.factored.FactoredMoment;
import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.factored.MomentForm;
import dev.panoptim.internal.step.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Adafactor with the directions of [FactoredMoment] and [ElementMoment], and with the rest of the
/// update in this test: its distance from float64, compared with that of the reference in float32.
class FactoredGoldenTest {
  private static final int STEPS = 40;

  /// The allowed ratio of the distances, because roundings differ.
  private static final double WORST = 1.05;

  /// One training. Its parameter is a matrix, or a vector if it has no rows.
  private static final class Training {
    private final MomentForm form;
    private final double weightDecay;
    private final FactoredMoment ofMatrix;
    private final ElementMoment ofVector;
    private final MemorySegment rows;
    private final MemorySegment columns;
    private final MemorySegment state;
    private final MemorySegment direction;
    final MemorySegment parameter;
    final MemorySegment gradient;
    private int step;

    Training(Arena arena, MomentForm form, double weightDecay, int rowCount, int columnCount) {
      this.form = form;
      this.weightDecay = weightDecay;
      boolean matrix = rowCount > 0;
      FactoredShape shape =
          matrix
              ? new FactoredShape(rowCount, columnCount, true)
              : FactoredShape.vector(columnCount);
      MemorySegment workspace = arena.allocate(shape.workspaceBytes(), FactoredShape.ALIGNMENT);
      FactoredOperations on = Engine.of(Backends.scalar()).factoredOperations(shape, workspace, 1);
      double epsilon = form == MomentForm.PYTORCH ? 0x1p-23 : 1e-30;
      ofMatrix = matrix ? new FactoredMoment(on, form, epsilon) : null;
      ofVector = matrix ? null : new ElementMoment(on, form, epsilon);
      rows = arena.allocate(JAVA_FLOAT, Math.max(1, rowCount));
      columns = arena.allocate(JAVA_FLOAT, columnCount);
      state = arena.allocate(JAVA_FLOAT, shape.elements());
      direction = arena.allocate(JAVA_FLOAT, shape.elements());
      parameter = arena.allocate(JAVA_FLOAT, shape.elements());
      gradient = arena.allocate(JAVA_FLOAT, shape.elements());
    }

    void step() {
      step++;
      double beta2 = 1 - Math.pow(step, -0.8);
      double scale = Math.max(1e-3, rootMeanSquare()) * Math.min(1e-2, Math.pow(step, -0.5));
      double mean =
          ofMatrix == null
              ? ofVector.update(1, beta2, gradient, state, direction)
              : ofMatrix.update(1, beta2, gradient, rows, columns, direction);
      // PyTorch decays by the learning rate, Transformers by the scaled one.
      float kept = (float) (1 - weightDecay * (form == MomentForm.PYTORCH ? 1e-2 : scale));
      float taken = (float) (-scale / Math.max(1, Math.sqrt(mean)));
      for (long i = 0; i < parameter.byteSize() / Float.BYTES; i++) {
        float p = parameter.getAtIndex(JAVA_FLOAT, i) * kept;
        parameter.setAtIndex(
            JAVA_FLOAT, i, Math.fma(taken, direction.getAtIndex(JAVA_FLOAT, i), p));
      }
    }

    private double rootMeanSquare() {
      double sum = 0;
      for (float each : parameter.toArray(JAVA_FLOAT)) {
        sum += (double) each * each;
      }
      return Math.sqrt(sum / (parameter.byteSize() / Float.BYTES));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "adafactor, PYTORCH, 0.1, 40, 50",
    "adafactor-vector, PYTORCH, 0, 0, 2000",
    "adafactor-transformers, TRANSFORMERS, 0, 40, 50"
  })
  void trajectoriesAreAsNearToFloat64AsTheReference(
      String name, MomentForm form, double weightDecay, int rows, int columns) {
    try (Arena arena = Arena.ofConfined()) {
      Training training = new Training(arena, form, weightDecay, rows, columns);
      GoldenTest.fill(training.parameter, 0, false);
      for (int step = 1; step <= STEPS; step++) {
        GoldenTest.fill(training.gradient, step, true);
        training.step();
      }
      double[] truth = Goldens.truth(name);
      assertEquals(truth.length, training.parameter.byteSize() / Float.BYTES);
      double sum = 0;
      for (int i = 0; i < truth.length; i++) {
        sum += Math.pow(training.parameter.getAtIndex(JAVA_FLOAT, i) - truth[i], 2);
      }
      double ratio = Math.sqrt(sum / truth.length) / Goldens.all().get(name).rms();
      System.out.printf("%-28s %.3f of the reference's distance from float64%n", name, ratio);
      assertTrue(ratio <= WORST, name + ": " + ratio);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "adafactor, PYTORCH, 0.1, 1",
    "adafactor-vector, PYTORCH, 0, 0",
    "adafactor-transformers, TRANSFORMERS, 0, 1"
  })
  void theFirstStepsOfASmallParameterAreTheReferences(
      String name, MomentForm form, double weightDecay, int rows) {
    try (Arena arena = Arena.ofConfined()) {
      Training training = new Training(arena, form, weightDecay, rows, 2);
      training.parameter.copyFrom(MemorySegment.ofArray(new float[] {1, -2}));
      float[] values = new float[3];
      float[][] gradients = {{0.5f, -1.5f}, {0.25f, -1}, {-1, 0.5f}};
      for (int i = 0; i < gradients.length; i++) {
        training.gradient.copyFrom(MemorySegment.ofArray(gradients[i]));
        training.step();
        values[i] = training.parameter.getAtIndex(JAVA_FLOAT, 0);
      }
      Goldens.Golden golden = Goldens.all().get(name);
      assertEquals(golden.first(), values[0], 1e-6);
      assertEquals(golden.third(), values[2], 1e-6);
    }
  }
}
