package dev.panoptim.dl4j;

import java.io.NotSerializableException;
import java.io.Serial;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.MultiLayerUpdater;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/// The updater of a [MultiLayerNetwork].
final class MultiLayerHost extends MultiLayerUpdater implements Host {
  @Serial private static final long serialVersionUID = 1;

  /// False while the superclass's constructor runs.
  private final transient boolean constructed;

  private transient InPlaceStep step;

  MultiLayerHost(MultiLayerNetwork network) {
    super(network);
    constructed = true;
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
    Trainable[] all = getOrderedLayers();
    for (int i = 0; i < all.length; i++) {
      if (all[i].numParams() > 0) {
        layers.put(Integer.toString(i), all[i]);
      }
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
    network.setIterationCount(iteration);
    network.setEpochCount(epoch);
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
