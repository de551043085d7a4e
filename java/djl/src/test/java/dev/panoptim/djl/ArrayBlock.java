package dev.panoptim.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;

/// A block whose parameters have arrays from the beginning, as those of a `SymbolBlock`: a linear
/// layer with the weight `weight`, and other parameters whose squares are added to each score.
final class ArrayBlock extends AbstractBlock {
  private final Parameter weight;
  private final List<Parameter> others = new ArrayList<>();

  /// @param weight as many rows as there are classes, and a column for each input
  ArrayBlock(NDArray weight) {
    this.weight = with("weight", weight);
  }

  /// A parameter of an array.
  static Parameter parameter(String name, NDArray array, boolean requiresGradient) {
    return Parameter.builder()
        .setName(name)
        .setType(Parameter.Type.OTHER)
        .optArray(array)
        .optInitializer(Initializer.ONES)
        .optRequiresGrad(requiresGradient)
        .build();
  }

  private Parameter with(String name, NDArray array) {
    Parameter added = parameter(name, array, true);
    addParameter(added);
    return added;
  }

  ArrayBlock add(Parameter parameter) {
    others.add(addParameter(parameter));
    return this;
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> arguments) {
    NDArray input = inputs.singletonOrThrow();
    NDArray scores = input.matMul(store.getValue(weight, input.getDevice(), training).transpose());
    for (Parameter each : others) {
      NDArray array = store.getValue(each, input.getDevice(), training);
      if (array.getShape().size() > 0) {
        // Classes get different multiples, so that the gradient is not 0.
        NDArray classes = array.getManager().arange((float) TinyModel.CLASSES);
        scores = scores.add(classes.mul(array.toType(DataType.FLOAT32, false).square().sum()));
      }
    }
    return new NDList(scores);
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {new Shape(inputs[0].get(0), TinyModel.CLASSES)};
  }
}
