package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A training that continues from a checkpoint on another device, CPU or GPU, has the same bits.
@Tag("gpu")
class GpuTest {
  @TempDir Path temporary;

  @BeforeEach
  void needsAGpu() {
    if (Boolean.getBoolean("panoptim.gpu.needed")) {
      assertTrue(Device.cudaCount() > 0, Device::whyNoCuda);
    }
    assumeTrue(Device.cudaCount() > 0, Device::whyNoCuda);
  }

  static Set<String> kinds() {
    Set<String> kinds = new LinkedHashSet<>(Trainee.KINDS.keySet());
    // GPU backends refuse them.
    kinds.removeAll(Set.of("muon", "adafactor", "adafactor-momentum"));
    return kinds;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void checkpointsMoveBetweenDevices(String kind) throws Exception {
    var builder = Trainee.KINDS.get(kind);
    CheckpointFolder folder = CheckpointFolder.of(temporary.resolve("checkpoints"), 1);
    try (Trainee uninterrupted = new Trainee(builder, 33, 0, 70_000, 1);
        Trainee start = new Trainee(builder, 33, 0, 70_000, 1)) {
      uninterrupted.trainTo(24);
      start.trainTo(4);
      Path file = folder.save(start.training(), 4, Map.of());
      long step = 4;
      for (Backend backend :
          List.of(
              Backends.cuda(0),
              Backends.offload(Device.cuda(0)),
              Backends.offloadWithMasterCopy(Device.cuda(0)),
              Backends.cuda(0))) {
        try (Trainee there = new Trainee(start, builder, backend);
            Checkpoint checkpoint = Checkpoint.open(file)) {
          there.resume(checkpoint);
          step += 4;
          there.trainTo(step);
          file =
              step == 8
                  ? folder.save(there.training(), step, Map.of())
                  : folder.saveInBackground(there.training(), step, Map.of()).get();
        }
      }
      try (Trainee end = new Trainee(start, builder);
          Checkpoint checkpoint = Checkpoint.open(file)) {
        end.resume(checkpoint);
        end.trainTo(24);
        assertEquals(uninterrupted.bits(), end.bits());
      }
    }
  }
}
