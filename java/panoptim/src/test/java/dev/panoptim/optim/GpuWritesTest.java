package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Master copies notice each write by this library to a parameter, also if another optimizer uses
/// the same memory.
@Tag("gpu")
class GpuWritesTest {
  private static final int SIZE = 40;

  /// The methods that write GPU memory; `GpuMasterCopyTest` calls each of them.
  private static final Set<String> WRITES =
      Set.of("Device.upload", "Device.fill", "DeviceStream.copy", "DeviceStream.zero");

  private static final Set<String> READS =
      Set.of("Device.download", "Device.copyOf", "Device.readable", "Device.slice", "Device.holds");

  @Test
  void eachPublicMethodThatTakesMemoryIsKnown() {
    Set<String> found =
        Stream.of(Device.class, DeviceStream.class)
            .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .filter(
                method -> Arrays.asList(method.getParameterTypes()).contains(MemorySegment.class))
            .map(GpuWritesTest::name)
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> known = new TreeSet<>(WRITES);
    known.addAll(READS);
    assertEquals(known, found);
  }

  private static String name(Method method) {
    return method.getDeclaringClass().getSimpleName() + "." + method.getName();
  }

  /// The memory of an optimizer on the GPU.
  private static Map<String, MemorySegment> memory(Optimizer optimizer, Parameter p) {
    Map<String, MemorySegment> all = new LinkedHashMap<>();
    all.put("data", p.data());
    all.put("gradient", p.gradient());
    all.put("half-precision copy", optimizer.halfPrecisionCopy(p));
    all.put("average", optimizer.average(p));
    all.putAll(optimizer.state(p));
    // States and averages of an offloaded optimizer lie in the memory of the host.
    all.values().removeIf(each -> each.byteSize() > 0);
    // States are read-only for users.
    all.replaceAll((name, each) -> MemorySegment.ofAddress(each.address()));
    return all;
  }

  /// Memory that one optimizer writes is a parameter of another optimizer.
  @Test
  void memoryThatAStepWritesIsNoticed() {
    GpuTests.need(1);
    for (Backend backend : Problem.gpuBackends()) {
      Device gpu = backend.device();
      try (Parameters parameters = Parameters.builder().add("p", SIZE).device(gpu).build();
          Optimizer writer =
              AdamW.builder(parameters)
                  .learningRate(0.5)
                  .backend(backend)
                  .averageParameters(0.5)
                  .halfPrecisionCopy(HalfPrecision.BFLOAT16)
                  .options(options -> options.zeroGrad(true))
                  .build()) {
        Parameter p = parameters.get("p");
        writer.step();
        memory(writer, p)
            .forEach(
                (name, memory) -> {
                  String told = name + " on " + backend;
                  long bytes = SIZE * (name.startsWith("half") ? 2 : 4);
                  assertNoticed(told, p, memory, bytes, writer::step);
                  if (name.equals("gradient")) {
                    assertNoticed("zeroed " + told, p, memory, bytes, writer::zeroGrad);
                    MemorySegment moved = gpu.allocate(bytes, Arena.ofAuto());
                    p.setGradient(moved);
                    assertNoticed("zeroed moved " + told, p, moved, bytes, writer::zeroGrad);
                  }
                });
      }
    }
  }

  /// @param write changes the memory
  private static void assertNoticed(
      String name, Parameter p, MemorySegment memory, long bytes, Runnable write) {
    Device gpu = p.device();
    try (Arena arena = Arena.ofShared()) {
      Parameter watched = Parameter.onDevice(gpu, "q", bytes / 4, memory);
      watched.setGradient(gpu.allocate(bytes, arena));
      try (Optimizer optimizer =
          Sgd.builder(List.of(watched)).backend(Backends.offloadWithMasterCopy(gpu)).build()) {
        float[] ones = new float[SIZE];
        Arrays.fill(ones, 1);
        p.copyGradientFrom(MemorySegment.ofArray(ones));
        // The gradients are 0, so that the parameter keeps its values.
        optimizer.step();
        MemorySegment before = gpu.copyOf(memory, bytes);
        write.run();
        MemorySegment written = gpu.copyOf(memory, bytes);
        assertNotEquals(-1, before.mismatch(written), name + " is not written");
        optimizer.step();
        assertEquals(-1, written.mismatch(gpu.copyOf(memory, bytes)), name);
      }
    }
  }
}
