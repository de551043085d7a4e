package dev.panoptim.dl4j;

import dev.panoptim.dl4j.NetworkVariable.Kind;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.StepOptions;
import dev.panoptim.schedule.Scheduler;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.regularization.Regularization;

/// Updates the parameters in the network's memory where the library's own updater would rewrite the
/// gradients, and sets the gradients to 0. The network then has nothing more to subtract, whether
/// `fit` or user code subtracts.
///
/// Gradients that only need to be divided by the number of examples are divided in the optimizer's
/// pass. All else is done before, by the library's own operations.
///
/// Not thread-safe.
final class InPlaceStep {
  /// Elements that are subtracted, from the first to the one after the last.
  private record Range(long from, long to, boolean isDivided) {}

  private final Host host;
  private final List<NetworkVariable> variables;
  private final Optimizer optimizer;
  private final List<Range> subtracted;
  private final List<NetworkVariable> regularized;

  /// Kept reachable, because the optimizer only has their addresses.
  private final INDArray parameters;

  private final INDArray gradients;

  /// Whether the optimizer's pass can divide all gradients that the network is to divide.
  private final boolean onlyDivided;

  private Scheduler scheduler;
  private boolean made;
  private int lastIteration = -1;

  InPlaceStep(Host host, List<NetworkVariable> variables, Optimizer optimizer) {
    this.host = host;
    this.variables = variables;
    this.optimizer = optimizer;
    parameters = host.parameters();
    gradients = host.gradients();
    subtracted = ranges(variables);
    regularized =
        variables.stream()
            .filter(each -> each.is(Kind.TRAINED) && !each.regularization().isEmpty())
            .toList();
    onlyDivided =
        regularized.isEmpty()
            && variables.stream().noneMatch(InPlaceStep::isNormalised)
            && variables.stream().allMatch(each -> each.isDivided() || !each.is(Kind.TRAINED));
  }

  private static List<Range> ranges(List<NetworkVariable> variables) {
    List<Range> ranges = new ArrayList<>();
    for (NetworkVariable each : variables) {
      if (!each.is(Kind.SUBTRACTED)) {
        continue;
      }
      Range last = ranges.isEmpty() ? null : ranges.getLast();
      boolean continues =
          last != null && last.to() == each.from() && last.isDivided() == each.isDivided();
      long from = continues ? ranges.removeLast().from() : each.from();
      ranges.add(new Range(from, each.from() + each.size(), each.isDivided()));
    }
    return List.copyOf(ranges);
  }

  private static boolean isNormalised(NetworkVariable variable) {
    GradientNormalization kind = variable.layer().getConfig().getGradientNormalization();
    return kind != null && kind != GradientNormalization.None;
  }

  Host host() {
    return host;
  }

  Optimizer optimizer() {
    return optimizer;
  }

  List<NetworkVariable> variables() {
    return variables;
  }

  Scheduler scheduler() {
    return scheduler;
  }

  void setScheduler(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  /// Makes a step.
  ///
  /// @param batch number of examples
  /// @throws IllegalStateException if the network's parameters or gradients are elsewhere now
  /// @throws IllegalArgumentException if the gradients are not the network's
  void make(Gradient gradient, int iteration, int epoch, int batch, LayerWorkspaceMgr workspaces) {
    requireSameMemory();
    INDArray given = gradient.gradient();
    if (given.length() != gradients.length()
        || NetworkVariable.address(given) != NetworkVariable.address(gradients)) {
      throw new IllegalArgumentException(
          "the gradients were computed in other memory than the network's flattened gradients");
    }
    if (!onlyDivided) {
      host.divideAndNormalise(gradient, iteration, epoch, batch, workspaces);
      regularize(iteration, epoch);
    }
    int divisor = onlyDivided && host.dividesByBatch() ? batch : 1;
    // First: the optimizer may refuse the step.
    step(1.0 / divisor);
    for (Range each : subtracted) {
      INDArray change = NetworkVariable.part(gradients, each.from(), each.to());
      if (each.isDivided() && divisor > 1) {
        change.divi(divisor);
      }
      NetworkVariable.part(parameters, each.from(), each.to()).subi(change);
      change.assign(0);
    }
    made = true;
    lastIteration = iteration;
  }

  private void regularize(int iteration, int epoch) {
    for (NetworkVariable each : regularized) {
      for (Regularization regularization : each.regularization()) {
        // L1 and L2 do not use the learning rate.
        regularization.apply(
            each.partOf(parameters), each.partOf(gradients), Double.NaN, iteration, epoch);
      }
    }
  }

  private void step(double scale) {
    StepOptions options = optimizer.options();
    double scaleOfUser = options.gradientScale();
    options.gradientScale(scaleOfUser * scale);
    try {
      optimizer.step();
    } finally {
      options.gradientScale(scaleOfUser);
    }
    if (scheduler != null) {
      scheduler.step();
    }
  }

  /// @throws IllegalStateException if the network's memory has moved or been freed
  void requireSameMemory() {
    if (parameters.wasClosed() || gradients.wasClosed()) {
      throw new IllegalStateException("the network has been closed");
    }
    if (NetworkVariable.address(host.parameters()) != NetworkVariable.address(parameters)
        || NetworkVariable.address(host.gradients()) != NetworkVariable.address(gradients)) {
      throw new IllegalStateException(
          "the network has other memory since the updater was installed: close the updater and"
              + " install it again");
    }
  }

  /// Called where the network would subtract gradients.
  ///
  /// @throws IllegalStateException if no step was made since the last call
  void requireMade() {
    if (!made) {
      throw new IllegalStateException(
          "the network has another updater than PanoptimUpdater, which setUpdater or"
              + " setLearningRate has set: close the PanoptimUpdater, or set hyperparameters of its"
              + " optimizer instead");
    }
    made = false;
  }

  /// Sets the network's counts, after another state has been loaded.
  void continueAt(int iteration, int epoch) {
    host.setCounts(iteration, epoch);
    lastIteration = -1;
  }

  /// The number of steps as the network counts them. It counts a step after its listeners.
  int iterations() {
    int counted = host.iteration();
    return counted == lastIteration ? counted + 1 : counted;
  }
}
