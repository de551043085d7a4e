package dev.panoptim.examples.bridges.javacpp;

import dev.panoptim.examples.bridges.ModelSize;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A multi-layer perceptron of libtorch.
final class Perceptron extends Module {
  private final List<LinearImpl> layers = new ArrayList<>();

  /// @param parameters the weight and the bias of each layer
  Perceptron(ModelSize size, List<float[]> parameters) {
    for (int i = 0; i < size.layers(); i++) {
      LinearImpl layer = new LinearImpl(size.inputs(i), size.outputs(i));
      copy(parameters.get(2 * i), layer.weight());
      copy(parameters.get(2 * i + 1), layer.bias());
      layers.add(register_module("layer" + i, layer));
    }
  }

  private static void copy(float[] from, Tensor to) {
    new FloatPointer(to.data_ptr_float()).put(from);
  }

  /// The scores of the classes.
  Tensor forward(Tensor pictures) {
    Tensor x = pictures;
    for (int i = 0; i < layers.size() - 1; i++) {
      x = torch.relu(layers.get(i).forward(x));
    }
    return layers.getLast().forward(x);
  }
}
