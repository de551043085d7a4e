package dev.panoptim.dl4j;

import dev.panoptim.dl4j.NetworkVariable.Kind;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.stepfunctions.NegativeDefaultStepFunction;
import org.deeplearning4j.nn.conf.stepfunctions.NegativeGradientStepFunction;
import org.deeplearning4j.nn.conf.stepfunctions.StepFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.learning.regularization.L1Regularization;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/// Checks that a step in place does what the network's configuration asks for. All methods throw an
/// [IllegalArgumentException] if it would not.
final class Refusals {
  private Refusals() {}

  static void requireCpu(ExecutionerType type) {
    if (type != ExecutionerType.NATIVE_CPU) {
      throw new IllegalArgumentException(
          "the backend of ND4J is %s, but must be NATIVE_CPU: use nd4j-native".formatted(type));
    }
  }

  static void requireFloats(INDArray parameters) {
    if (parameters == null) {
      throw new IllegalArgumentException(
          "the network has no parameters: call its init() first, and use layers with parameters");
    }
    if (parameters.dataType() != DataType.FLOAT) {
      throw new IllegalArgumentException(
          "the network's parameters are %s, but must be FLOAT: use dataType(DataType.FLOAT)"
              .formatted(parameters.dataType()));
    }
  }

  static void requireDescent(NeuralNetConfiguration configuration) {
    OptimizationAlgorithm algorithm = configuration.getOptimizationAlgo();
    if (algorithm != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
      throw new IllegalArgumentException(
          "the network's optimizationAlgo is %s, but must be %s"
              .formatted(algorithm, OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT));
    }
    StepFunction function = configuration.getStepFunction();
    if (function != null
        && !(function instanceof NegativeGradientStepFunction)
        && !(function instanceof NegativeDefaultStepFunction)) {
      throw new IllegalArgumentException(
          "the network's stepFunction is %s, but must be the default: a step subtracts"
              .formatted(function));
    }
  }

  static void requireOneUpdater(List<NetworkVariable> variables) {
    NetworkVariable first = null;
    for (NetworkVariable each : variables) {
      if (!each.is(Kind.TRAINED)) {
        continue;
      }
      if (first == null) {
        first = each;
      } else if (!each.updater().equals(first.updater())) {
        throw new IllegalArgumentException(
            ("'%s' has the updater %s and '%s' has %s, but one optimizer replaces them: give all"
                    + " layers the same updater, and use groups of the optimizer instead")
                .formatted(first.name(), first.updater(), each.name(), each.updater()));
      }
    }
    if (first == null) {
      throw new IllegalArgumentException("the network has no parameter to train");
    }
  }

  static void requireKnownRegularization(List<NetworkVariable> variables) {
    for (NetworkVariable each : variables) {
      for (Regularization regularization : each.regularization()) {
        boolean known =
            regularization instanceof L1Regularization
                || regularization instanceof L2Regularization;
        if (each.is(Kind.TRAINED) && !known) {
          throw new IllegalArgumentException(
              "the regularization of '%s' is %s, but only L1 and L2 are possible%s"
                  .formatted(
                      each.name(),
                      regularization.getClass().getSimpleName(),
                      regularization instanceof WeightDecay
                          ? ": use the weightDecay of Panoptim's AdamW instead"
                          : ""));
        }
      }
    }
  }

  static void requireAll(Optimizer optimizer, List<NetworkVariable> variables) {
    Set<Parameter> taken = Collections.newSetFromMap(new IdentityHashMap<>());
    optimizer.paramGroups().forEach(group -> taken.addAll(group.parameters()));
    for (NetworkVariable each : variables) {
      if (!taken.contains(each.parameter())) {
        throw new IllegalArgumentException(
            ("the optimizer does not have the parameter '%s', but must have all %s that the"
                    + " builder function got; freeze layers in the network instead")
                .formatted(each.name(), variables.size()));
      }
    }
  }
}
