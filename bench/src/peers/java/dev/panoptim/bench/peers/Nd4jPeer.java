package dev.panoptim.bench.peers;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Environment;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/// ND4J. Its updater is called for each parameter, as in SameDiff: it turns the gradient into an
/// update, which is then subtracted from the parameter. AdamW is Adam's updater followed by weight
/// decay.
///
/// Only updaters with the formula of `torch.optim` are used. ND4J has momentum only in Nesterov's
/// form, and its NAdam lacks PyTorch's momentum schedule.
final class Nd4jPeer implements PeerProgram.Training {
  private static final double LEARNING_RATE = 1e-3;

  private final List<INDArray> parameters;
  private final List<INDArray> gradients;
  private final List<INDArray> updates;
  private final List<GradientUpdater<?>> updaters;
  private final List<Regularization> regularizations;
  private int iteration;

  private Nd4jPeer(String optimizer, List<FloatBuffer> data, List<FloatBuffer> gradients) {
    parameters = data.stream().map(Nd4jPeer::copy).toList();
    this.gradients = gradients.stream().map(Nd4jPeer::copy).toList();
    updates = this.gradients.stream().map(INDArray::dup).toList();
    IUpdater updater =
        switch (optimizer) {
          case "sgd_nesterov" -> new Nesterovs(1e-3, 0.9);
          case "adagrad" -> new AdaGrad(1e-2, 1e-10);
          case "rmsprop" -> new RmsProp(1e-2, 0.99, 1e-8);
          case "adadelta" -> new AdaDelta(0.9, 1e-6);
          case "adam", "adamw" -> new Adam(LEARNING_RATE, 0.9, 0.999, 1e-8);
          case "adam_amsgrad" -> new AMSGrad(1e-3, 0.9, 0.999, 1e-8);
          case "adamax" -> new AdaMax(2e-3, 0.9, 0.999, 1e-8);
          default -> throw new IllegalArgumentException("no such optimizer: " + optimizer);
        };
    updaters = parameters.stream().<GradientUpdater<?>>map(each -> updater(updater, each)).toList();
    regularizations = optimizer.equals("adamw") ? List.of(new WeightDecay(0.01, true)) : List.of();
  }

  public static void main(String[] arguments) throws IOException {
    PeerProgram.run(
        arguments,
        (optimizer, threads, data, gradients) -> {
          Environment environment = Nd4j.getEnvironment();
          environment.setMaxThreads(threads);
          environment.setMaxMasterThreads(threads);
          return new Nd4jPeer(optimizer, data, gradients);
        });
  }

  @Override
  public String library() throws IOException {
    String version = Loader.getVersion("org.nd4j", "nd4j-native");
    return "ND4J " + version + " (JavaCPP " + Loader.getVersion() + ")";
  }

  /// Each step overwrites the updater's input.
  @Override
  public void prepare() {
    for (int i = 0; i < updates.size(); i++) {
      updates.get(i).assign(gradients.get(i));
    }
  }

  @Override
  public void step() {
    for (int i = 0; i < updates.size(); i++) {
      INDArray parameter = parameters.get(i);
      INDArray update = updates.get(i);
      updaters.get(i).applyUpdater(update, iteration, 0);
      for (Regularization each : regularizations) {
        each.apply(parameter, update, LEARNING_RATE, iteration, 0);
      }
      parameter.subi(update);
    }
    iteration++;
  }

  @Override
  public void read(int tensor, FloatBuffer into) {
    into.put(parameters.get(tensor).data().asNioFloat());
  }

  private static INDArray copy(FloatBuffer tensor) {
    INDArray array = Nd4j.createUninitialized(DataType.FLOAT, 1, tensor.capacity());
    array.data().asNioFloat().put(tensor);
    return array;
  }

  /// An updater whose states start at 0, as in PyTorch. ND4J would start sums of squares at an
  /// epsilon.
  private static GradientUpdater<?> updater(IUpdater kind, INDArray parameter) {
    INDArray states = Nd4j.zeros(DataType.FLOAT, 1, kind.stateSize(parameter.length()));
    GradientUpdater<?> updater = kind.instantiate(states, false);
    updater.setStateViewArray(states, parameter.shape(), parameter.ordering(), false);
    return updater;
  }
}
