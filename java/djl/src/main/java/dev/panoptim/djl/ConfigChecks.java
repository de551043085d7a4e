package dev.panoptim.djl;

import ai.djl.Device;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.TrainingConfig;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Refuses what a DJL config says and this module would not do.
final class ConfigChecks {
  private static final String ENGINE = "PyTorch";

  private ConfigChecks() {}

  /// @throws IllegalArgumentException if it is not DJL's PyTorch engine
  static void requireEngine(String engine) {
    if (!engine.equals(ENGINE)) {
      throw new IllegalArgumentException(
          "the engine of the model is %s, but must be %s".formatted(engine, ENGINE));
    }
  }

  /// @throws IllegalArgumentException if the config trains on several devices or on a GPU, or has
  ///   an optimizer that would not be used
  static void require(TrainingConfig config) {
    requireOneCpu(config.getDevices());
    requireNoOptimizer(config.getOptimizer());
  }

  private static void requireOneCpu(Device[] devices) {
    if (devices.length != 1 || devices[0].isGpu() || !devices[0].equals(Device.cpu())) {
      throw new IllegalArgumentException(
          "devices of the config are %s, but must be the CPU alone: config.optDevices(new Device[] {Device.cpu()})"
              .formatted(Arrays.toString(devices)));
    }
  }

  /// The optimizer that every [DefaultTrainingConfig] has is accepted. Any other one was chosen by
  /// the user.
  private static void requireNoOptimizer(Optimizer optimizer) {
    if (optimizer == null) {
      return;
    }
    Optimizer standard = new DefaultTrainingConfig(Loss.l2Loss()).getOptimizer();
    List<String> differences = new ArrayList<>();
    if (optimizer.getClass() != standard.getClass()) {
      differences.add("is not Panoptim's");
    } else {
      for (Class<?> type = optimizer.getClass();
          type != Object.class;
          type = type.getSuperclass()) {
        for (Field field : type.getDeclaredFields()) {
          addDifference(field, optimizer, standard, differences);
        }
      }
    }
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          "the config has the optimizer %s of DJL, which would not be used (%s): remove optOptimizer, and give its settings to the builder of Panoptim's optimizer"
              .formatted(optimizer.getClass().getSimpleName(), String.join(", ", differences)));
    }
  }

  /// DJL's optimizers have no methods that read their settings.
  private static void addDifference(
      Field field, Optimizer optimizer, Optimizer standard, List<String> differences) {
    if (Modifier.isStatic(field.getModifiers()) || Map.class.isAssignableFrom(field.getType())) {
      return;
    }
    try {
      field.setAccessible(true);
      Object usual = field.get(standard);
      Object chosen = field.get(optimizer);
      if (!setting(chosen, usual).equals(setting(usual, usual))) {
        differences.add(field.getName() + " is " + setting(chosen, usual));
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      // Another version of DJL, or a closed module: the settings stay unknown.
      System.getLogger(PanoptimTrainer.class.getName())
          .log(
              System.Logger.Level.DEBUG,
              "the setting " + field.getName() + " of DJL's optimizer cannot be read",
              e);
    }
  }

  /// The value itself; of a tracker like the usual one, which is a constant, that constant.
  private static Object setting(Object value, Object usual) {
    return value instanceof Tracker tracker && value.getClass() == usual.getClass()
        ? tracker.getNewValue(1)
        : value;
  }
}
