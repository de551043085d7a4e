package dev.panoptim.dl4j;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.Optimizer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/// Small networks and data for tests.
final class Networks {
  static final double RATE = 0.01;
  static final int INPUTS = 7;
  static final int CLASSES = 3;
  private static final int UNITS = 13;

  private Networks() {}

  /// The library's own Adam.
  static org.nd4j.linalg.learning.config.Adam adam() {
    return new org.nd4j.linalg.learning.config.Adam(RATE, 0.9, 0.999, 1e-8);
  }

  /// Panoptim's Adam with the same formula.
  static Optimizer panoptim(Iterable<Parameter> parameters) {
    return Adam.builder(parameters)
        .learningRate(RATE)
        .betas(0.9, 0.999)
        .epsilon(1e-8)
        .epsilonBeforeCorrection(true)
        .build();
  }

  static NeuralNetConfiguration.Builder base() {
    return new NeuralNetConfiguration.Builder()
        .seed(5)
        .updater(adam())
        .weightInit(WeightInit.XAVIER)
        .activation(Activation.TANH);
  }

  static MultiLayerNetwork dense(UnaryOperator<NeuralNetConfiguration.Builder> changes) {
    var net =
        new MultiLayerNetwork(
            changes
                .apply(base())
                .list()
                .layer(new DenseLayer.Builder().nIn(INPUTS).nOut(UNITS).build())
                .layer(new DenseLayer.Builder().nIn(UNITS).nOut(UNITS).build())
                .layer(output())
                .build());
    net.init();
    return net;
  }

  static MultiLayerNetwork normalised() {
    var net =
        new MultiLayerNetwork(
            base()
                .list()
                .layer(new DenseLayer.Builder().nIn(INPUTS).nOut(UNITS).build())
                .layer(new BatchNormalization.Builder().nIn(UNITS).nOut(UNITS).build())
                .layer(new DenseLayer.Builder().nIn(UNITS).nOut(UNITS).build())
                .layer(output())
                .build());
    net.init();
    return net;
  }

  static ComputationGraph graph() {
    var net =
        new ComputationGraph(
            base()
                .graphBuilder()
                .addInputs("in")
                .addLayer("a", new DenseLayer.Builder().nIn(INPUTS).nOut(UNITS).build(), "in")
                .addLayer("b", new BatchNormalization.Builder().nIn(UNITS).nOut(UNITS).build(), "a")
                .addLayer("c", new DenseLayer.Builder().nIn(UNITS).nOut(UNITS).build(), "b")
                .addLayer("out", output(), "c")
                .setOutputs("out")
                .build());
    net.init();
    return net;
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(LossFunction.MCXENT)
        .nIn(UNITS)
        .nOut(CLASSES)
        .activation(Activation.SOFTMAX)
        .build();
  }

  /// Examples whose class is the largest of the first inputs.
  static List<DataSet> batches(int count, int examples, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return IntStream.range(0, count).mapToObj(_ -> batch(examples, random)).toList();
  }

  private static DataSet batch(int examples, SplittableRandom random) {
    float[][] inputs = new float[examples][INPUTS];
    float[][] labels = new float[examples][CLASSES];
    for (int i = 0; i < examples; i++) {
      int best = 0;
      for (int j = 0; j < INPUTS; j++) {
        inputs[i][j] = (float) random.nextGaussian();
        best = j < CLASSES && inputs[i][j] > inputs[i][best] ? j : best;
      }
      labels[i][best] = 1;
    }
    return new DataSet(Nd4j.createFromArray(inputs), Nd4j.createFromArray(labels));
  }

  static float[] values(INDArray array) {
    return array.dup().data().asFloat();
  }

  static double largestDifference(INDArray one, INDArray other) {
    float[] a = values(one);
    float[] b = values(other);
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = Math.abs((double) a[i] - b[i]);
      // NaN is the largest.
      largest = difference <= largest ? largest : difference;
    }
    return largest;
  }
}
