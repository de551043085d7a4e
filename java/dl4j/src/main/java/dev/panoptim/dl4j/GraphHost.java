package dev.panoptim.dl4j;

import java.io.NotSerializableException;
import java.io.Serial;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.updater.graph.ComputationGraphUpdater;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/// The updater of a [ComputationGraph].
final class GraphHost extends ComputationGraphUpdater implements Host {
  @Serial private static final long serialVersionUID = 1;

  /// False while the superclass's constructor runs.
  private final transient boolean constructed;

  private transient InPlaceStep step;

  GraphHost(ComputationGraph network) {
    super(network);
    constructed = true;
    for (Trainable each : getOrderedLayers()) {
      layersByName.put(each.getConfig().getLayerName(), each);
    }
  }

  @Override
  protected Trainable[] getOrderedLayers() {
    return constructed ? super.getOrderedLayers() : new Trainable[0];
  }

  @Override
  public synchronized void update(
      Gradient gradient, int iteration, int epoch, int batch, LayerWorkspaceMgr workspaces) {
    step.make(gradient, iteration, epoch, batch, workspaces);
  }

  @Override
  public void divideAndNormalise(
      Gradient gradient, int iteration, int epoch, int batch, LayerWorkspaceMgr workspaces) {
    super.update(gradient, iteration, epoch, batch, workspaces);
  }

  @Override
  public INDArray parameters() {
    return network.params();
  }

  @Override
  public INDArray gradients() {
    return getFlattenedGradientsView();
  }

  @Override
  public SequencedMap<String, Trainable> layers() {
    SequencedMap<String, Trainable> layers = new LinkedHashMap<>();
    for (Trainable each : getOrderedLayers()) {
      layers.put(((GraphVertex) each).getVertexName(), each);
    }
    return layers;
  }

  @Override
  public NeuralNetConfiguration configuration() {
    return network.conf();
  }

  @Override
  public boolean dividesByBatch() {
    return isMiniBatch();
  }

  @Override
  public int iteration() {
    return network.getIterationCount();
  }

  @Override
  public int epoch() {
    return network.getEpochCount();
  }

  @Override
  public void setCounts(int iteration, int epoch) {
    network.getConfiguration().setIterationCount(iteration);
    network.getConfiguration().setEpochCount(epoch);
  }

  @Override
  public boolean isTaken() {
    return network.getUpdater(false) instanceof Host;
  }

  @Override
  public boolean isInstalled() {
    return network.getUpdater(false) == this;
  }

  @Override
  public void install(InPlaceStep step) {
    this.step = step;
    network.setUpdater(this);
    network.setGradientsAccumulator(new NoSubtraction(step));
  }

  @Override
  public void uninstall() {
    if (isInstalled()) {
      network.setUpdater(null);
    }
    if (!isTaken()) {
      network.setGradientsAccumulator(null);
    }
  }

  @Serial
  private Object writeReplace() throws NotSerializableException {
    throw new NotSerializableException(PanoptimUpdater.class.getName());
  }
}
