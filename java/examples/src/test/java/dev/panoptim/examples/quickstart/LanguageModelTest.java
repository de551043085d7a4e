package dev.panoptim.examples.quickstart;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LanguageModelTest {
  private static final LanguageModel SMALL = new LanguageModel(4, 8, 16);
  private static final OptimizerChoice ADAMW =
      new OptimizerChoice(OptimizerChoice.Kind.adamw, null, 0.01, 2);

  private static final byte[] TEXT =
      "to be or not to be, that is the question. ".repeat(80).getBytes();

  /// Compares each gradient with a difference quotient of the loss.
  @Test
  void gradientsAreTheDerivativesOfTheLoss() {
    try (Parameters parameters = SMALL.newParameters(3);
        Arena arena = Arena.ofConfined()) {
      SplittableRandom random = new SplittableRandom(5);
      for (Parameter each : parameters) {
        for (long i = 0; i < each.size(); i++) {
          each.data().setAtIndex(JAVA_FLOAT, i, (float) (random.nextGaussian() * 0.3));
        }
      }
      LanguageModel.Worker worker = SMALL.new Worker(parameters, 4, arena);
      int[] positions = {10, 57, 101, 333};
      worker.learn(TEXT, positions, 0);
      int compared = 0;
      for (Parameter each : parameters) {
        for (int trial = 0; trial < 40; trial++) {
          long i = random.nextLong(each.size());
          float gradient = worker.sums().get(each.name()).data().getAtIndex(JAVA_FLOAT, i);
          float value = each.data().getAtIndex(JAVA_FLOAT, i);
          float step = 1e-3f;
          each.data().setAtIndex(JAVA_FLOAT, i, value + step);
          double above = worker.loss(TEXT, positions, 0);
          each.data().setAtIndex(JAVA_FLOAT, i, value - step);
          double below = worker.loss(TEXT, positions, 0);
          each.data().setAtIndex(JAVA_FLOAT, i, value);
          // The loss is about 25, computed from floats. The error of the difference is about 1e-5,
          // that of the quotient about 5e-3.
          assertEquals((above - below) / (2 * step), gradient, 1e-2, each.name() + "[" + i + "]");
          compared += gradient == 0 ? 0 : 1;
        }
      }
      assertTrue(compared > 50, "only " + compared + " gradients other than 0");
    }
  }

  @Test
  void theSameSeedGivesTheSameBitsWithAnyNumberOfThreads() {
    assertArrayEquals(trained(1, 20), trained(2, 20));
  }

  private static int[] trained(int threads, int steps) {
    try (Parameters parameters = SMALL.newParameters(1);
        Optimizer optimizer = ADAMW.build(parameters, Backends.auto());
        Trainer trainer =
            new Trainer(SMALL, parameters, Training.of(optimizer), Corpus.of(TEXT), 1, threads)) {
      for (int i = 0; i < steps; i++) {
        trainer.step(i + 1);
      }
      return parameters.get("hidden.weight").data().toArray(JAVA_INT);
    }
  }

  @Test
  void learnsARepeatedText() {
    try (Parameters parameters = SMALL.newParameters(1);
        Optimizer optimizer = ADAMW.build(parameters, Backends.auto());
        Trainer trainer =
            new Trainer(SMALL, parameters, Training.of(optimizer), Corpus.of(TEXT), 1, 2)) {
      assertEquals(8, trainer.validationLoss(), 0.1);
      for (int i = 0; i < 400; i++) {
        trainer.step(i + 1);
      }
      assertTrue(trainer.validationLoss() < 0.6, "bits per byte: " + trainer.validationLoss());
      assertEquals(50, trainer.generate(50, 1).length);
    }
  }

  @Test
  void aValidationLeavesNoTrace() {
    for (OptimizerChoice.Kind kind :
        List.of(
            OptimizerChoice.Kind.adamw,
            OptimizerChoice.Kind.schedulefreesgd,
            OptimizerChoice.Kind.schedulefreeadamw)) {
      try (Parameters parameters = SMALL.newParameters(1);
          Optimizer optimizer = OptimizerChoice.tuned(kind, 2).build(parameters, Backends.auto());
          Trainer trainer =
              new Trainer(SMALL, parameters, Training.of(optimizer), Corpus.of(TEXT), 1, 2)) {
        for (int i = 0; i < 20; i++) {
          trainer.step(i + 1);
        }
        int[] before = parameters.get("hidden.weight").data().toArray(JAVA_INT);
        double loss = trainer.validationLoss();
        assertArrayEquals(
            before, parameters.get("hidden.weight").data().toArray(JAVA_INT), kind.toString());
        optimizer.eval();
        boolean moved =
            !Arrays.equals(before, parameters.get("hidden.weight").data().toArray(JAVA_INT));
        assertEquals(kind != OptimizerChoice.Kind.adamw, moved, kind.toString());
        assertEquals(loss, trainer.validationLoss(), kind.toString());
      }
    }
  }

  @Test
  void theHessianOfSophiaIsMeasured() {
    OptimizerChoice choice = OptimizerChoice.tuned(OptimizerChoice.Kind.sophia, 2);
    try (Parameters parameters = SMALL.newParameters(1);
        Optimizer optimizer = choice.build(parameters, Backends.auto());
        Trainer trainer =
            new Trainer(SMALL, parameters, Training.of(optimizer), Corpus.of(TEXT), 1, 2)) {
      Parameter weights = parameters.get("output.weight");
      int[][] hessians = new int[21][];
      for (int step = 1; step <= 20; step++) {
        trainer.step(step);
        hessians[step] = optimizer.state(weights).get("secondMoment").toArray(JAVA_INT);
      }
      assertTrue(Arrays.stream(hessians[1]).anyMatch(bits -> bits != 0));
      assertArrayEquals(hessians[1], hessians[10]);
      assertFalse(Arrays.equals(hessians[10], hessians[11]));
      assertArrayEquals(hessians[11], hessians[20]);
    }
  }

  @Test
  void aRecordingReplaysToTheSameBitsOnEveryBackend() {
    for (OptimizerChoice.Kind kind : OptimizerChoice.Kind.values()) {
      OptimizerChoice choice = OptimizerChoice.tuned(kind, 2);
      try (Parameters parameters = SMALL.newParameters(1);
          Optimizer optimizer = choice.build(parameters, Backends.auto());
          Trainer trainer =
              new Trainer(SMALL, parameters, Training.of(optimizer), Corpus.of(TEXT), 1, 2);
          Recording recording = new Recording(SMALL, parameters, 7)) {
        for (int i = 0; i < 9; i++) {
          trainer.step(i + 1);
          recording.record(parameters);
        }
        assertEquals(7, recording.steps());
        List<Recording.Replay> replays = recording.replayAll(choice);
        assertEquals(3, replays.size());
        for (Recording.Replay each : replays) {
          assertTrue(each.agreesWith(replays.getFirst()), kind + " on " + each.backend());
        }
      }
    }
  }
}
