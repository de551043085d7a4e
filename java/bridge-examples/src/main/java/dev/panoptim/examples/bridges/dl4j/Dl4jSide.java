package dev.panoptim.examples.bridges.dl4j;

import dev.panoptim.examples.bridges.Digits;
import dev.panoptim.examples.bridges.ModelSize;
import dev.panoptim.examples.bridges.TrainingSetup;
import dev.panoptim.examples.bridges.TrainingSide;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/// A perceptron of Deeplearning4j that `fit` trains, with the updater of its configuration or with
/// another one.
final class Dl4jSide implements TrainingSide {
  /// Measures from the gradients to the subtraction of the update.
  private static final class UpdateTime extends BaseTrainingListener {
    private long start;
    private long nanos;

    @Override
    public void onGradientCalculation(Model model) {
      start = System.nanoTime();
    }

    @Override
    public void iterationDone(Model model, int iteration, int epoch) {
      nanos += System.nanoTime() - start;
    }
  }

  private final MultiLayerNetwork net;
  private final Runnable closing;
  private final UpdateTime time = new UpdateTime();
  private final List<DataSet> batches = new ArrayList<>();

  /// @param installer sets the network's updater, or leaves it; returns what closes it
  Dl4jSide(TrainingSetup setup, Function<MultiLayerNetwork, Runnable> installer) {
    net = network(setup.size());
    net.setParams(flat(setup));
    net.setListeners(time);
    closing = installer.apply(net);
    Digits digits = setup.training();
    for (int i = 0; i < setup.batches(); i++) {
      int from = i * setup.batchSize();
      int to = from + setup.batchSize();
      batches.add(new DataSet(pictures(digits, from, to), labels(digits.labels(from, to))));
    }
  }

  private static MultiLayerNetwork network(ModelSize size) {
    var layers =
        new NeuralNetConfiguration.Builder()
            .updater(new Adam(size.learningRate(), 0.9, 0.999, 1e-8))
            .list();
    for (int i = 0; i < size.layers() - 1; i++) {
      layers.layer(
          new DenseLayer.Builder()
              .nIn(size.inputs(i))
              .nOut(size.outputs(i))
              .activation(Activation.RELU)
              .build());
    }
    int last = size.layers() - 1;
    layers.layer(
        new OutputLayer.Builder(LossFunction.MCXENT)
            .nIn(size.inputs(last))
            .nOut(size.outputs(last))
            .activation(Activation.SOFTMAX)
            .build());
    MultiLayerNetwork net = new MultiLayerNetwork(layers.build());
    net.init();
    return net;
  }

  /// All parameters in the order of the network: its weights are column-major, with one column for
  /// each output, which is the order of the setup.
  private static INDArray flat(TrainingSetup setup) {
    float[] all = new float[(int) setup.size().parameters()];
    int at = 0;
    for (float[] each : setup.parameters()) {
      System.arraycopy(each, 0, all, at, each.length);
      at += each.length;
    }
    return Nd4j.createFromArray(all);
  }

  private static INDArray pictures(Digits digits, int from, int to) {
    return Nd4j.createFromArray(digits.pixels(from, to)).reshape(to - from, Digits.PIXELS);
  }

  private static INDArray labels(int[] labels) {
    float[][] rows = new float[labels.length][Digits.CLASSES];
    for (int i = 0; i < labels.length; i++) {
      rows[i][labels[i]] = 1;
    }
    return Nd4j.createFromArray(rows);
  }

  @Override
  public void step(int batch) {
    net.fit(batches.get(batch));
  }

  @Override
  public long optimizerNanos() {
    return time.nanos;
  }

  @Override
  public double loss() {
    return net.score();
  }

  @Override
  public float[] scores(Digits digits) {
    return net.output(pictures(digits, 0, digits.count())).dup('c').data().asFloat();
  }

  @Override
  public void close() {
    closing.run();
  }
}
