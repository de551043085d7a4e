package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panoptim.GpuTests;
import dev.panoptim.backend.Backend;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Publishes parameters of a GPU to host memory. The test runs on an emulated GPU, and on the
/// machine's own GPU if there is one.
@Tag("gpu")
class PublicationGpuTest {
  @BeforeEach
  void needsAGpu() {
    GpuTests.need(1);
  }

  private static void fillGradients(Parameters parameters, SplittableRandom random) {
    for (Parameter each : parameters) {
      float[] numbers = new float[(int) each.size()];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = (float) random.nextDouble(-1, 1);
      }
      each.copyGradientFrom(MemorySegment.ofArray(numbers));
    }
  }

  private static byte[] expected(Optimizer optimizer, Parameter parameter, HalfPrecision narrow) {
    MemorySegment floats = MemorySegment.ofArray(new float[(int) parameter.size()]);
    if (optimizer.stepCount(parameter) == 0) {
      parameter.copyDataTo(floats);
    } else {
      floats.copyFrom(
          optimizer.stateDict().parameters().get(parameter.name()).states().get("average"));
    }
    if (narrow == null) {
      return floats.toArray(ValueLayout.JAVA_BYTE);
    }
    MemorySegment rounded = MemorySegment.ofArray(new short[(int) parameter.size()]);
    for (long i = 0; i < parameter.size(); i++) {
      rounded.setAtIndex(JAVA_SHORT, i, narrow.round(floats.getAtIndex(JAVA_FLOAT, i)));
    }
    return rounded.toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void readersGetTheResultOfTheLastStep() {
    for (Backend backend : Problem.gpuBackends()) {
      for (HalfPrecision narrow : new HalfPrecision[] {null, HalfPrecision.BFLOAT16}) {
        check(backend, narrow);
      }
    }
  }

  private static void check(Backend backend, HalfPrecision narrow) {
    SplittableRandom random = new SplittableRandom(5);
    try (Parameters p =
            Parameters.builder().add("a", 20_000).add("b", 3).device(backend.device()).build();
        Optimizer optimizer =
            AdamW.builder(p)
                .backend(backend)
                .averageParameters(0.5)
                .options(o -> o.skipNonFinite(true))
                .publish(
                    o -> {
                      o.every(2).averages(true);
                      if (narrow != null) {
                        o.halfPrecision(narrow);
                      }
                    })
                .build()) {
      for (int step = 0; step <= 6; step++) {
        if (step > 0) {
          fillGradients(p, random);
          optimizer.step();
        }
        if (step % 2 == 0) {
          assertEquals(step, optimizer.publication().step());
          for (Parameter each : p) {
            byte[] found =
                optimizer
                    .publication()
                    .read(published -> published.data(each).toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(expected(optimizer, each, narrow), found, backend + ", " + each);
          }
        }
      }
    }
  }

  @Test
  void aStepThatTheGpuSkipsPublishesNothing() {
    for (Backend backend : Problem.gpuBackends()) {
      try (Parameters p = Parameters.builder().add("a", 4).device(backend.device()).build();
          Optimizer optimizer =
              Sgd.builder(p)
                  .backend(backend)
                  .options(o -> o.skipNonFinite(true))
                  .publish()
                  .build()) {
        float[] bad = {1, Float.NaN, 1, 1};
        p.get("a").copyGradientFrom(MemorySegment.ofArray(bad));
        optimizer.step();
        assertEquals(1, optimizer.publication().published());
        p.get("a").copyGradientFrom(MemorySegment.ofArray(new float[4]));
        optimizer.step();
        assertEquals(2, optimizer.publication().published());
        assertEquals(1, optimizer.publication().step());
      }
    }
  }
}
