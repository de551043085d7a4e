package dev.panoptim.metrics;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.Collected;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The program that [ForgottenTest] runs in a separate process. It makes optimizers and parameters
/// in several places without closing them, and waits until their memory has been freed. It prints
/// the held memory before, meanwhile and after.
final class ForgottenProbe {
  private static final int COUNT = 500;
  private static final int GPU_COUNT = 10;
  private static final int ELEMENTS = 72;

  /// Objects that stay reachable and must not be freed.
  private static Optimizer kept;

  /// Objects that are forgotten once their memory has been counted: a garbage collection may come
  /// at any time.
  private static final List<Object> UNCOUNTED = new ArrayList<>();

  private ForgottenProbe() {}

  public static void main(String[] arguments) throws Exception {
    keep();
    MemoryUse before = Metrics.snapshot().memory();
    int forgotten = forget(arguments);
    MemoryUse meanwhile = Metrics.snapshot().memory();
    UNCOUNTED.clear();
    System.out.printf(
        "HELD %d MAPPED %d ON DEVICES %d%n",
        meanwhile.total() - before.total(),
        meanwhile.mapped() - before.mapped(),
        meanwhile.onDevices() - before.onDevices());
    Collected.await(
        "all memory is freed",
        () -> {
          MetricsSnapshot now = Metrics.snapshot();
          return now.memory().equals(before)
              && now.openOptimizers() == 1
              && now.forgotten() == forgotten;
        });
    kept.step();
    System.out.println("STEPS " + Metrics.snapshot().steps());
    kept.close();
  }

  /// @return the number of allocations
  private static int forget(String[] arguments) {
    switch (arguments[0]) {
      case "optimizers":
        optimizers();
        // Parameters, states and copies for each optimizer, and states alone once.
        return 3 * COUNT + 1;
      case "shared":
        shared(Path.of(arguments[1]));
        // Data, gradients and states.
        return 3;
      case "gpu":
        gpu();
        // Parameters, states, tables and norm.
        return 4 * GPU_COUNT;
      default:
        throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void keep() {
    Parameters parameters = Parameters.builder().add("kept", 1000).build();
    kept = AdamW.builder(parameters).build();
    kept.step();
  }

  private static void optimizers() {
    for (int i = 0; i < COUNT; i++) {
      Parameters parameters = Parameters.builder().add("p", ELEMENTS).build();
      Optimizer optimizer =
          AdamW.builder(parameters).halfPrecisionCopy(HalfPrecision.FLOAT16).build();
      optimizer.step();
      UNCOUNTED.addAll(List.of(parameters, optimizer));
    }
    // A large allocation in another place. The parameters are closed, but the optimizer is not.
    try (Parameters parameters = Parameters.builder().add("p", 1_000_000).build()) {
      Optimizer optimizer =
          AdamW.builder(parameters).options(options -> options.clipGradNorm(1)).build();
      optimizer.step();
      UNCOUNTED.add(optimizer);
    }
  }

  private static void shared(Path folder) {
    Parameters parameters =
        Parameters.builder().add("p", ELEMENTS).buildShared(folder.resolve("p"), fresh -> {});
    Optimizer optimizer = AdamW.builder(parameters).sharedStates(folder.resolve("s")).build();
    optimizer.step();
    UNCOUNTED.addAll(List.of(parameters, optimizer));
  }

  private static void gpu() {
    for (int i = 0; i < GPU_COUNT; i++) {
      Parameters parameters =
          Parameters.builder().device(Device.cuda(0)).add("p", ELEMENTS).build();
      Optimizer optimizer =
          AdamW.builder(parameters).options(options -> options.skipNonFinite(true)).build();
      optimizer.step();
      optimizer.await();
      UNCOUNTED.addAll(List.of(parameters, optimizer));
    }
  }
}
