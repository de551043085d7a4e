package dev.panoptim;

import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The application that [UndeployedProbe] loads in new class loaders. It keeps objects in static
/// fields and never closes them.
public final class UndeployedApplication {
  /// The bytes that one application allocates and writes at least.
  static final long LEAST_BYTES = 32L << 20;

  /// Parameter, gradient and two states of one element take 16 bytes.
  private static final int ELEMENTS = (int) (LEAST_BYTES / 16);

  private static final List<Object> KEPT = new ArrayList<>();

  private UndeployedApplication() {}

  /// @param arguments the objects to keep, and a folder for files
  public static void main(String[] arguments) {
    Path folder = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "native" -> {
        // With a publication, and a table for the norm of the gradients.
        Parameters parameters = Parameters.builder().add("p", ELEMENTS).build();
        keep(
            AdamW.builder(parameters)
                .threads(1)
                .options(options -> options.clipGradNorm(1))
                .publish()
                .build());
        // The optimizer steps once and is closed; only its publication is kept.
        Parameters closed = Parameters.builder().add("p", 1000).build();
        Optimizer optimizer = AdamW.builder(closed).threads(1).publish().build();
        keep(optimizer);
        KEPT.add(optimizer.publication());
        optimizer.close();
      }
      case "small" -> {
        // Each of these is too small for a separate mapping.
        int count = 64;
        for (int i = 0; i < count; i++) {
          Parameters parameters = Parameters.builder().add("p", ELEMENTS / count).build();
          keep(AdamW.builder(parameters).threads(1).publish().build());
        }
      }
      case "shared" -> keep(shared(folder));
      case "finalized" -> KEPT.add(new Finalized(keep(shared(folder))));
      case "gpu" -> {
        Parameters parameters =
            Parameters.builder().device(Device.cuda(0)).add("p", ELEMENTS).build();
        Optimizer optimizer =
            keep(
                AdamW.builder(parameters)
                    .options(options -> options.skipNonFinite(true))
                    .publish()
                    .build());
        optimizer.await();
        Parameters onHost = Parameters.builder().add("p", 1000).build();
        onHost.get("p").data().fill((byte) 0);
        Device.cuda(0).upload(onHost.get("p").data(), parameters.get("p").data());
        KEPT.add(onHost);
      }
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static Optimizer shared(Path folder) {
    Parameters parameters =
        Parameters.builder().add("p", ELEMENTS).buildShared(folder.resolve("p"), fresh -> {});
    return AdamW.builder(parameters).threads(1).sharedStates(folder.resolve("s")).publish().build();
  }

  /// Steps an optimizer, and keeps it and its states.
  private static Optimizer keep(Optimizer optimizer) {
    optimizer.zeroGrad();
    optimizer.step();
    KEPT.add(optimizer);
    KEPT.add(optimizer.stateDict());
    return optimizer;
  }

  /// Closes an optimizer while its class loader is being collected. Weak references have been
  /// cleared by then.
  private static final class Finalized {
    private final Optimizer optimizer;

    Finalized(Optimizer optimizer) {
      this.optimizer = optimizer;
    }

    @Override
    @SuppressWarnings({"deprecation", "removal"})
    protected void finalize() {
      optimizer.close();
    }
  }
}
