package dev.panoptim.examples.bridges.dl4j;

import dev.panoptim.dl4j.PanoptimUpdater;
import dev.panoptim.examples.bridges.ComparedLibrary;
import dev.panoptim.examples.bridges.TrainingSetup;
import dev.panoptim.examples.bridges.TrainingSide;
import dev.panoptim.optim.Adam;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.factory.Nd4j;

/// Deeplearning4j, whose own optimizer is its updater Adam.
final class Dl4jLibrary implements ComparedLibrary {
  @Override
  public String name() {
    return "Deeplearning4j 1.0.0-M2.1";
  }

  @Override
  public String ownOptimizer() {
    return "DL4J's Adam";
  }

  @Override
  public TrainingSide own(TrainingSetup setup) {
    return new Dl4jSide(setup, _ -> () -> {});
  }

  @Override
  public TrainingSide panoptim(TrainingSetup setup) {
    double rate = setup.size().learningRate();
    return new Dl4jSide(setup, net -> install(net, rate)::close);
  }

  private static PanoptimUpdater install(MultiLayerNetwork net, double rate) {
    return PanoptimUpdater.install(
        net, p -> Adam.builder(p).learningRate(rate).epsilonBeforeCorrection(true).build());
  }

  @Override
  public List<String> remarks() {
    return List.of(
        "Backend of ND4J: %s; OMP_NUM_THREADS: %s"
            .formatted(
                Nd4j.getBackend().getClass().getSimpleName(), System.getenv("OMP_NUM_THREADS")));
  }
}
