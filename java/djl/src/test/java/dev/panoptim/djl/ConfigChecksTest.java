package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import org.junit.jupiter.api.Test;

class ConfigChecksTest {
  private static DefaultTrainingConfig config(Device... devices) {
    return new DefaultTrainingConfig(Loss.l2Loss()).optDevices(devices);
  }

  private static String refusal(DefaultTrainingConfig config) {
    return assertThrows(IllegalArgumentException.class, () -> ConfigChecks.require(config))
        .getMessage();
  }

  @Test
  void oneCpuIsAccepted() {
    assertDoesNotThrow(() -> ConfigChecks.require(config(Device.cpu())));
  }

  @Test
  void otherDevicesAreRefused() {
    assertEquals(
        "devices of the config are [gpu(0)], but must be the CPU alone:"
            + " config.optDevices(new Device[] {Device.cpu()})",
        refusal(config(Device.gpu())));
    assertTrue(refusal(config(Device.cpu(), Device.gpu())).contains("[cpu(), gpu(0)]"));
    assertTrue(refusal(config()).contains("[]"));
  }

  @Test
  void theStandardOptimizerIsAccepted() {
    assertDoesNotThrow(
        () -> ConfigChecks.require(config(Device.cpu()).optOptimizer(Optimizer.adam().build())));
    assertDoesNotThrow(() -> ConfigChecks.require(config(Device.cpu()).optOptimizer(null)));
  }

  @Test
  void anotherOptimizerIsRefused() {
    assertEquals(
        "the config has the optimizer Sgd of DJL, which would not be used (is not Panoptim's):"
            + " remove optOptimizer, and give its settings to the builder of Panoptim's optimizer",
        refusal(
            config(Device.cpu())
                .optOptimizer(
                    Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1f)).build())));
  }

  @Test
  void changedSettingsOfTheStandardOptimizerAreRefused() {
    assertRefused(
        "(learningRateTracker is 0.01)",
        Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.01f)));
    assertRefused("(beta1 is 0.8)", Optimizer.adam().optBeta1(0.8f));
    assertRefused("(clipGrad is 5.0)", Optimizer.adam().optClipGrad(5));
    assertRefused("(weightDecays is 0.5)", Optimizer.adam().optWeightDecays(0.5f));
    assertRefused("(rescaleGrad is 0.25)", Optimizer.adam().setRescaleGrad(0.25f));
    assertRefused("(beginNumUpdate is 3)", Optimizer.adam().optBeginNumUpdate(3));
    assertRefused(
        "learningRateTracker is ",
        Optimizer.adam()
            .optLearningRateTracker(Tracker.factor().setBaseValue(0.001f).setFactor(0.5f).build()));
  }

  private static void assertRefused(String reason, ai.djl.training.optimizer.Adam.Builder adam) {
    String message = refusal(config(Device.cpu()).optOptimizer(adam.build()));
    assertTrue(message.contains(reason), message);
  }

  @Test
  void otherEnginesAreRefused() {
    assertDoesNotThrow(() -> ConfigChecks.requireEngine("PyTorch"));
    assertEquals(
        "the engine of the model is MXNet, but must be PyTorch",
        assertThrows(IllegalArgumentException.class, () -> ConfigChecks.requireEngine("MXNet"))
            .getMessage());
  }
}
