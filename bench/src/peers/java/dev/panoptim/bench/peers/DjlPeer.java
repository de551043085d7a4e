package dev.panoptim.bench.peers;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;

/// DJL on its PyTorch engine. Its optimizer is called for each parameter, as DJL's trainer does,
/// but without the trainer's copy of the gradient. Its Adam and AdamW have the defaults of
/// `torch.optim`. It has no Adagrad and RMSprop on this engine.
final class DjlPeer implements PeerProgram.Training {
  private static final String ENGINE = "PyTorch";

  private final NDManager manager = NDManager.newBaseManager(ENGINE);
  private final List<NDArray> parameters;
  private final List<NDArray> gradients;
  private final Optimizer optimizer;

  private DjlPeer(String optimizer, List<FloatBuffer> data, List<FloatBuffer> gradients) {
    parameters = copy(data);
    this.gradients = copy(gradients);
    this.optimizer =
        switch (optimizer) {
          case "adam" -> Optimizer.adam().build();
          case "adamw" -> Optimizer.adamW().build();
          case "sgd_momentum" ->
              Optimizer.sgd()
                  .setLearningRateTracker(Tracker.fixed(1e-3f))
                  .optMomentum(0.9f)
                  .build();
          default -> throw new IllegalArgumentException("no such optimizer: " + optimizer);
        };
  }

  public static void main(String[] arguments) throws IOException {
    // Both are read when the engine is loaded. Without the first, DJL looks for a cloud service to
    // report to.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("ai.djl.pytorch.num_threads", arguments[1]);
    PeerProgram.run(
        arguments,
        (optimizer, threads, data, gradients) -> new DjlPeer(optimizer, data, gradients));
  }

  @Override
  public String library() {
    Engine engine = Engine.getEngine(ENGINE);
    return "DJL " + Engine.getDjlVersion() + " (PyTorch " + engine.getVersion() + ")";
  }

  @Override
  public void step() {
    for (int i = 0; i < parameters.size(); i++) {
      optimizer.update(Integer.toString(i), parameters.get(i), gradients.get(i));
    }
  }

  @Override
  public void read(int tensor, FloatBuffer into) {
    into.put(parameters.get(tensor).toFloatArray());
  }

  private List<NDArray> copy(List<FloatBuffer> tensors) {
    return tensors.stream().map(this::copy).toList();
  }

  private NDArray copy(FloatBuffer tensor) {
    // An array made from a buffer stays in the JVM's memory. Its duplicate is in PyTorch's memory.
    try (NDArray java = manager.create(tensor, new Shape(tensor.capacity()), DataType.FLOAT32)) {
      return java.duplicate();
    }
  }
}
