package dev.panoptim.server.digits;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.checkpoint.Checkpoint;
import dev.panoptim.checkpoint.CheckpointFolder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DigitModelTest {
  private static final LearningSettings ADAMW = LearningSettings.usual(OptimizerKind.ADAMW);

  @Test
  void aTrainedNetworkReadsNewDrawings() {
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      new Teacher(model, 1, () -> {}).train(250, step -> {});
      DigitGenerator others = new DigitGenerator(99);
      int right = 0;
      for (int i = 0; i < 500; i++) {
        String digit = Integer.toString(i % 10);
        float[] pixels = Raster.pixels(others.draw(i % 10), Raster.USUAL_THICKNESS);
        right += model.predict(pixels).best().equals(digit) ? 1 : 0;
      }
      assertTrue(right > 450, "right: " + right + " of 500");
    }
  }

  /// Old outputs relative to each other, parameters and states do not change in a bit.
  @Test
  void aNewClassLeavesTheOthersAlone() {
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      new Teacher(model, 1, () -> {}).train(20, step -> {});
      float[] pixels = new DigitGenerator(2).pixels(3);
      Map<String, float[]> states = states(model);
      float[] before = model.predict(pixels).probabilities();

      model.addClass("star");

      Prediction after = model.predict(pixels);
      assertEquals(11, after.probabilities().length);
      assertEquals("star", after.labels().getLast());
      double rest = 1 - after.probabilities()[10];
      assertTrue(after.probabilities()[10] < 0.05, "a new class is improbable");
      for (int i = 0; i < before.length; i++) {
        assertEquals(before[i] * rest, after.probabilities()[i], 1e-6);
      }
      Map<String, float[]> grown = states(model);
      states.forEach((name, values) -> assertArrayEquals(values, grown.get(name), name));
    }
  }

  /// Copies of all states and parameters.
  private static Map<String, float[]> states(DigitModel model) {
    Map<String, float[]> copies = new TreeMap<>();
    var optimizer = model.training().optimizer();
    for (var group : optimizer.paramGroups()) {
      for (var parameter : group.parameters()) {
        copies.put(parameter.name(), floats(parameter.data()));
        optimizer
            .state(parameter)
            .forEach((name, values) -> copies.put(parameter.name() + "/" + name, floats(values)));
      }
    }
    return copies;
  }

  private static float[] floats(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void aNewClassIsLearntInAFewLessons() {
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      Teacher teacher = new Teacher(model, 1, () -> {});
      teacher.train(100, step -> {});
      model.addClass("star");
      // A shape that no digit has.
      float[] star = new float[Raster.PIXELS];
      for (int i = 4; i < 24; i++) {
        star[i * Raster.SIDE + i] = 1;
        star[i * Raster.SIDE + 27 - i] = 1;
        star[14 * Raster.SIDE + i] = 1;
      }
      int label = model.labels().indexOf("star");
      for (int i = 0; i < 20; i++) {
        teacher.teach(new Example(star, label));
      }
      assertEquals("star", model.predict(star).best());
    }
  }

  @Test
  void labelsAreUniqueAndBounded() {
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      assertThrows(IllegalArgumentException.class, () -> model.addClass("3"));
      for (int i = model.labels().size(); i < DigitModel.MOST_CLASSES; i++) {
        model.addClass("class " + i);
      }
      assertThrows(IllegalArgumentException.class, () -> model.addClass("one more"));
      assertEquals(
          DigitModel.MOST_CLASSES,
          model.predict(new DigitGenerator(1).pixels(1)).probabilities().length);
    }
  }

  @Test
  void everyOptimizerGoesOnFromTheSameParameters() {
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      Teacher teacher = new Teacher(model, 1, () -> {});
      teacher.train(10, step -> {});
      float[] pixels = new DigitGenerator(2).pixels(5);
      for (OptimizerKind kind : OptimizerKind.values()) {
        float[] before = model.predict(pixels).probabilities();
        model.change(new LearningSettings(kind, kind.usualLearningRate(), 1));
        assertArrayEquals(before, model.predict(pixels).probabilities(), kind.title());
        teacher.train(3, step -> {});
        Prediction after = model.predict(pixels);
        assertFalse(Arrays.equals(before, after.probabilities()), kind.title());
        assertFalse(after.torn(), kind.title());
      }
    }
  }

  @Test
  void publicationsAreCountedOverAllOptimizers() {
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      Teacher teacher = new Teacher(model, 1, () -> {});
      teacher.train(5, step -> {});
      long before = model.publications();
      model.change(LearningSettings.usual(OptimizerKind.SGD));
      teacher.train(5, step -> {});
      assertTrue(model.publications() >= before + 5);
    }
  }

  @Test
  void aCheckpointBringsBackBitsAndClasses(@TempDir Path folder) {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      Teacher teacher = new Teacher(model, 1, () -> {});
      model.addClass("star");
      teacher.train(10, step -> {});
      float[] pixels = new DigitGenerator(2).pixels(5);
      float[] saved = model.predict(pixels).probabilities();
      checkpoints.save(model.training(), 10, model.extras());

      model.change(LearningSettings.usual(OptimizerKind.LION));
      model.addClass("moon");
      teacher.train(10, step -> {});
      assertFalse(Arrays.equals(saved, model.predict(pixels).probabilities()));

      try (Checkpoint checkpoint = Checkpoint.open(checkpoints.latest().orElseThrow())) {
        model.restore(checkpoint);
      }
      Prediction restored = model.predict(pixels);
      assertArrayEquals(saved, restored.probabilities());
      assertEquals("star", restored.labels().getLast());
      assertEquals(OptimizerKind.ADAMW, model.settings().kind());
      teacher.train(1, step -> {});
    }
  }

  @Test
  void aGradientThatIsNotFiniteChangesNothing() {
    try (DigitModel model = new DigitModel(ADAMW, 1)) {
      float[] broken = new DigitGenerator(2).pixels(5);
      float[] before = model.predict(broken).probabilities();
      model.addGradients(new Example(broken, 1), Float.NaN);
      assertTrue(model.step());
      assertArrayEquals(before, model.predict(broken).probabilities());
    }
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    for (double rate : new double[] {-1, 2, Double.NaN}) {
      assertThrows(
          IllegalArgumentException.class, () -> new LearningSettings(OptimizerKind.SGD, rate, 1));
    }
    for (double clip : new double[] {-1, 0, 1e9, Double.NaN}) {
      assertThrows(
          IllegalArgumentException.class, () -> new LearningSettings(OptimizerKind.SGD, 0.1, clip));
    }
    assertThrows(IllegalArgumentException.class, () -> OptimizerKind.of("best"));
  }
}
