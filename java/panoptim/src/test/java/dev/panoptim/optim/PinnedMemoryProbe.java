package dev.panoptim.optim;

import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;

/// The program that [GpuMasterCopyPlansTest] runs in a separate process with a limit of 20 MiB. Its
/// slots take 12 MiB and its master copy 4 MiB, and then the master copy grows to 6 MiB.
final class PinnedMemoryProbe {
  private static final int MEBI = 1 << 20;

  private PinnedMemoryProbe() {}

  public static void main(String[] arguments) {
    Device gpu = Device.cuda(0);
    try (Parameters parameters =
            Parameters.builder().add("a", MEBI).add("b", MEBI / 2).device(gpu).build();
        Optimizer optimizer =
            Sgd.builder(parameters).backend(Backends.offloadWithMasterCopy(gpu)).build()) {
      Parameter b = parameters.get("b");
      MemorySegment gradient = b.gradient();
      b.removeGradient();
      optimizer.step();
      b.setGradient(gradient);
      optimizer.step();
      b.removeGradient();
      optimizer.step();
      System.out.println("STEPS " + optimizer.stepCount(b));
    }
  }
}
