package dev.panoptim.dl4j;

import dev.panoptim.memory.Parameter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.Regularization;

/// A weight, bias or other array of a layer, which is a part of the network's parameters.
///
/// @param name the layer's name, `_`, and the key: unique in the network
/// @param key the name in the layer, such as `W`
/// @param from the index of its first element among the network's parameters
/// @param size number of elements, above 0
/// @param kind what a step does with it
/// @param updater of the network's configuration
/// @param parameter without a gradient unless it is trained
record NetworkVariable(
    String name,
    Trainable layer,
    String key,
    long from,
    long size,
    Kind kind,
    IUpdater updater,
    Parameter parameter) {
  enum Kind {
    /// The optimizer updates it.
    TRAINED,
    /// It has no updater, so that the network subtracts what the layer gives as the gradient. Batch
    /// normalisation changes its means and variances in this way.
    SUBTRACTED,
    /// Training does not change it: the layer is frozen, or only pretraining changes it.
    LEFT
  }

  /// All variables of a network in the order of its parameters.
  ///
  /// @throws IllegalArgumentException if a variable has no updater, or is no contiguous part of the
  ///   parameters
  static List<NetworkVariable> of(Host host) {
    List<NetworkVariable> all = new ArrayList<>();
    long from = 0;
    for (Map.Entry<String, Trainable> layer : host.layers().entrySet()) {
      for (Map.Entry<String, INDArray> each : layer.getValue().paramTable(false).entrySet()) {
        long size = each.getValue().length();
        if (size > 0) {
          String name = layer.getKey() + "_" + each.getKey();
          all.add(of(name, layer.getValue(), each.getKey(), each.getValue(), from, host));
        }
        from += size;
      }
    }
    if (from != host.parameters().length()) {
      throw new IllegalArgumentException(
          "the layers have %s parameters, but the network has %s"
              .formatted(from, host.parameters().length()));
    }
    return List.copyOf(all);
  }

  private static NetworkVariable of(
      String name, Trainable layer, String key, INDArray array, long from, Host host) {
    IUpdater updater = layer.getConfig().getUpdaterByParam(key);
    if (updater == null) {
      throw new IllegalArgumentException("parameter '" + name + "' has no updater");
    }
    long offset = from * Float.BYTES;
    long[] shape = rowMajorShape(array);
    if (shape == null || address(array) != address(host.parameters()) + offset) {
      throw new IllegalArgumentException(
          "parameter '%s' is no contiguous part of the network's parameters".formatted(name));
    }
    Kind kind = kind(layer, key, updater);
    Parameter parameter =
        Parameter.ofAddress(name, array.length(), address(array)).withShape(shape);
    parameter.setGradientSource(
        new NetworkGradient(
            host.parameters(),
            host.gradients(),
            kind == Kind.TRAINED
                ? address(host.gradients()) + offset
                : NetworkGradient.NO_GRADIENT));
    parameter.updateGradient();
    return new NetworkVariable(name, layer, key, from, array.length(), kind, updater, parameter);
  }

  private static Kind kind(Trainable layer, String key, IUpdater updater) {
    if (isFrozen(layer) || layer.getConfig().isPretrainParam(key)) {
      return Kind.LEFT;
    }
    return updater instanceof NoOp ? Kind.SUBTRACTED : Kind.TRAINED;
  }

  /// The gradients of frozen layers are always 0.
  private static boolean isFrozen(Trainable layer) {
    if (layer instanceof GraphVertex vertex) {
      return vertex instanceof FrozenVertex || vertex.hasLayer() && isFrozen(vertex.getLayer());
    }
    return layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop;
  }

  boolean is(Kind kind) {
    return this.kind == kind;
  }

  /// Whether the network divides the gradient by the number of examples, if it divides any.
  boolean isDivided() {
    return layer.updaterDivideByMinibatch(key);
  }

  /// L1, L2, weight decay and others, as the layer is configured.
  List<Regularization> regularization() {
    List<Regularization> configured = layer.getConfig().getRegularizationByParam(key);
    return configured == null ? List.of() : configured;
  }

  /// The variable's part of an array of all parameters or gradients.
  INDArray partOf(INDArray all) {
    return part(all, from, from + size);
  }

  static INDArray part(INDArray all, long from, long to) {
    return all.reshape(all.length()).get(NDArrayIndex.interval(from, to));
  }

  /// The address of an array's first element.
  static long address(INDArray array) {
    return array.data().address() + array.offset() * array.dataType().width();
  }

  /// The extents above 1, from the largest stride to the smallest: weights of dense layers are
  /// column-major, and get their dimensions in reverse.
  ///
  /// @return `null` if the elements are not contiguous
  private static long[] rowMajorShape(INDArray array) {
    int[] dimensions =
        IntStream.range(0, array.rank())
            .filter(i -> array.size(i) > 1)
            .boxed()
            .sorted(Comparator.comparing(i -> -array.stride(i)))
            .mapToInt(Integer::intValue)
            .toArray();
    long expected = 1;
    for (int i = dimensions.length - 1; i >= 0; i--) {
      if (array.stride(dimensions[i]) != expected) {
        return null;
      }
      expected *= array.size(dimensions[i]);
    }
    long[] shape = IntStream.of(dimensions).mapToLong(array::size).toArray();
    return shape.length == 0 ? new long[] {1} : shape;
  }
}
