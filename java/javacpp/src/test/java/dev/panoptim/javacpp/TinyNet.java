package dev.panoptim.javacpp;

import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A network of three linear layers: 8 inputs, 4 classes, 6 tensors.
final class TinyNet extends Module {
  static final int INPUTS = 8;
  static final int CLASSES = 4;
  private static final int HIDDEN = 24;

  final LinearImpl first = register_module("first", new LinearImpl(INPUTS, HIDDEN));
  final LinearImpl second = register_module("second", new LinearImpl(HIDDEN, HIDDEN));
  final LinearImpl third = register_module("third", new LinearImpl(HIDDEN, CLASSES));

  /// A network with weights that depend on nothing but the seed.
  static TinyNet ofSeed(long seed) {
    torch.manual_seed(seed);
    return new TinyNet();
  }

  /// The logarithms of the probabilities of the classes.
  Tensor forward(Tensor x) {
    Tensor hidden = torch.relu(first.forward(x));
    hidden = torch.relu(second.forward(hidden));
    return torch.log_softmax(third.forward(hidden), 1);
  }

  Tensor loss(Batch batch) {
    return torch.nll_loss(forward(batch.inputs()), batch.labels());
  }
}
