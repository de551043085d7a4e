package dev.panoptim.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.checkpoint.CheckpointFolder;
import dev.panoptim.checkpoint.Training;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.schedule.Scheduler;
import dev.panoptim.schedule.Schedules;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.DataSet;

@Tag("natives")
class RestoreTest {
  private static final int STEPS = 20;

  @TempDir Path folder;

  /// A network with batch normalisation and a schedule, as it is installed anew in each process.
  static PanoptimUpdater install(MultiLayerNetwork net) {
    PanoptimUpdater updater = PanoptimUpdater.install(net, Networks::panoptim);
    return updater.schedule(
        Scheduler.builder(updater.optimizer())
            .drive(Hyperparameter.LEARNING_RATE, Schedules.cosineAnnealing(2 * STEPS, 0))
            .build());
  }

  static List<DataSet> batches() {
    return Networks.batches(2 * STEPS, 9, 3);
  }

  static float[] uninterrupted() {
    MultiLayerNetwork net = Networks.normalised();
    try (var updater = install(net)) {
      batches().forEach(net::fit);
      return Networks.values(net.params());
    }
  }

  /// Continues at the iteration of the latest checkpoint.
  static float[] continued(CheckpointFolder checkpoints) {
    MultiLayerNetwork net = Networks.normalised();
    try (var updater = install(net)) {
      updater.restore(checkpoints.latest().orElseThrow());
      batches().subList(net.getIterationCount(), 2 * STEPS).forEach(net::fit);
      assertEquals(2 * STEPS, net.getIterationCount());
      return Networks.values(net.params());
    }
  }

  @Test
  void aRestoredTrainingEndsWithTheSameBits() {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
    MultiLayerNetwork net = Networks.normalised();
    try (var updater = install(net)) {
      batches().subList(0, STEPS).forEach(net::fit);
      net.incrementEpochCount();
      assertTrue(updater.save(checkpoints).toString().contains("20"));
    }
    assertArrayEquals(uninterrupted(), continued(checkpoints));
  }

  @Test
  void aStateThatIsRestoredInTheSameNetworkKeepsItsCount() {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 9);
    MultiLayerNetwork net = Networks.normalised();
    try (var updater = install(net)) {
      batches().subList(0, 4).forEach(net::fit);
      Path file = updater.save(checkpoints);
      net.fit(batches().get(4));
      updater.restore(file);
      assertEquals(4, net.getIterationCount());
      assertEquals(file, updater.save(checkpoints));
    }
  }

  @Test
  void aTrainingThatIsSavedInAListenerEndsWithTheSameBits() {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
    MultiLayerNetwork net = Networks.normalised();
    try (var updater = install(net)) {
      net.setListeners(
          new BaseTrainingListener() {
            @Override
            public void iterationDone(Model model, int iteration, int epoch) {
              updater.save(checkpoints);
            }
          });
      batches().subList(0, STEPS).forEach(net::fit);
    }
    assertArrayEquals(uninterrupted(), continued(checkpoints));
  }

  @Test
  void aKilledTrainingEndsWithTheSameBits() throws Exception {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
    Process killed = TraineeProgram.start(List.of(), folder);
    killed.getInputStream().transferTo(System.out);
    assertEquals(TraineeProgram.HALTED, killed.waitFor());
    assertArrayEquals(uninterrupted(), continued(checkpoints));
  }

  @Test
  void otherCheckpointsAreRefused() {
    CheckpointFolder checkpoints = CheckpointFolder.of(folder, 2);
    MultiLayerNetwork net = Networks.normalised();
    try (var updater = install(net)) {
      net.fit(batches().getFirst());
      Path foreign = checkpoints.save(Training.of(updater.optimizer()), 1, Map.of());
      Exception e = assertThrows(IllegalArgumentException.class, () -> updater.restore(foreign));
      assertTrue(e.getMessage().contains("not saved by PanoptimUpdater"), e.getMessage());
      Path saved = updater.save(CheckpointFolder.of(folder.resolve("other"), 1));
      try (var dense = PanoptimUpdater.install(Networks.dense(it -> it), Networks::panoptim)) {
        assertThrows(IllegalArgumentException.class, () -> dense.restore(saved));
      }
    }
  }

  @Test
  void modelSerializerSavesParametersOnly() throws Exception {
    File file = folder.resolve("model.zip").toFile();
    MultiLayerNetwork net = Networks.normalised();
    try (var updater = install(net)) {
      batches().forEach(net::fit);
      ModelSerializer.writeModel(net, file, true);
    }
    MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(file, true);
    assertArrayEquals(Networks.values(net.params()), Networks.values(restored.params()));
    assertNull(restored.getUpdater(false));
  }
}
