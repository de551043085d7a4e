package dev.panoptim.dl4j;

import java.util.SequencedMap;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/// What this package needs of a network. The updaters that a network gets implement it, one for
/// each class of networks.
///
/// Both updaters extend the library's own, because a `ComputationGraph` takes no other, and because
/// the division by the batch's size and the normalisation of gradients are there. The superclass's
/// constructor finds no layers, so that it allocates no states.
interface Host {
  /// The parameters of all layers, one after the other.
  INDArray parameters();

  /// The gradients in the order of the parameters, which each backward pass overwrites.
  INDArray gradients();

  /// The layers and vertices with parameters, in the order of the parameters, by their names.
  SequencedMap<String, Trainable> layers();

  NeuralNetConfiguration configuration();

  /// Whether gradients are divided by the number of examples of a batch.
  boolean dividesByBatch();

  /// Divides gradients by the number of examples, and normalises or clips them, both as the network
  /// is configured.
  void divideAndNormalise(
      Gradient gradient, int iteration, int epoch, int batch, LayerWorkspaceMgr workspaces);

  int iteration();

  int epoch();

  void setCounts(int iteration, int epoch);

  /// Whether another instance of this interface is the network's updater.
  boolean isTaken();

  /// Whether this is the network's updater.
  boolean isInstalled();

  /// Makes this the network's updater, which hands its calls to a step.
  void install(InPlaceStep step);

  /// The network gets an updater by its configuration when it needs one, unless it has another
  /// updater already. It subtracts gradients again, unless another instance is its updater.
  void uninstall();
}
