package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.FirstMoment;
import dev.panoptim.rule.Rule;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Thread-safe objects give every thread the same results as a single thread would get.
@Timeout(120)
class ConcurrentUseTest {
  private static final int CALLERS = 16;

  /// So large that helpers join, and of several chunks.
  private static final Problem PROBLEM = new Problem(new long[] {70_001, 3}, 0, 4711, 6, true);

  /// Runs the same action on many threads at the same time.
  private static <T> List<T> atOnce(ExecutorService threads, Callable<T> action)
      throws InterruptedException, ExecutionException {
    CountDownLatch ready = new CountDownLatch(CALLERS);
    List<Future<T>> running = new ArrayList<>();
    try (threads) {
      for (int i = 0; i < CALLERS; i++) {
        running.add(
            threads.submit(
                () -> {
                  ready.countDown();
                  ready.await();
                  return action.call();
                }));
      }
    }
    List<T> results = new ArrayList<>();
    for (Future<T> each : running) {
      results.add(each.get());
    }
    return results;
  }

  static Stream<Arguments> callersAndBackends() {
    return Stream.<Supplier<ExecutorService>>of(
            Executors::newCachedThreadPool, Executors::newVirtualThreadPerTaskExecutor)
        .flatMap(
            threads -> Problem.backends().stream().map(backend -> Arguments.of(threads, backend)));
  }

  /// All threads share one backend and one rule.
  @ParameterizedTest
  @MethodSource("callersAndBackends")
  void optimizersThatStepAtOnceReachTheirOwnBits(Supplier<ExecutorService> threads, Backend backend)
      throws Exception {
    Rule rule = Rule.builder().firstMoment(FirstMoment.MOVING_AVERAGE).build();
    Case shared =
        new Case(
            "shared rule", p -> Optimizer.builder(rule, p).learningRate(0.01), rule.stateNames());
    for (Case tested : List.of(shared, MixedCases.cases().getFirst())) {
      Map<String, int[]> alone = PROBLEM.run(tested, Backends.scalar(), 1);
      for (Map<String, int[]> each : atOnce(threads.get(), () -> PROBLEM.run(tested, backend, 2))) {
        assertNull(Problem.difference(alone, each), tested::toString);
      }
    }
  }

  /// A separate process, because this one may have chosen a backend already.
  @Test
  void manyThreadsChooseOneBackend() throws Exception {
    String output =
        JavaProcess.run(
            FirstChoice.class,
            List.of("--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"));
    assertTrue(output.endsWith("1 backend, 1 description\n"), output);
  }

  /// The program of that process.
  static final class FirstChoice {
    public static void main(String[] arguments) throws Exception {
      long backends =
          atOnce(Executors.newCachedThreadPool(), Backends::auto).stream().distinct().count();
      long descriptions =
          atOnce(Executors.newCachedThreadPool(), Backends::describe).stream().distinct().count();
      System.out.printf("%d backend, %d description%n", backends, descriptions);
    }
  }

  /// Many optimizers continue from one state dict and step.
  @Test
  void aStateDictIsReadByMany() throws Exception {
    try (Parameters parameters = Parameters.builder().add("p", 40_000).build();
        Optimizer optimizer = AdamW.builder(parameters).build()) {
      parameters.get("p").gradient().fill((byte) 0x3c);
      optimizer.step();
      StateDict state = optimizer.stateDict();
      List<MemorySegment> expected = List.copyOf(optimizer.state(parameters.get("p")).values());
      atOnce(
          Executors.newCachedThreadPool(),
          () -> {
            try (Parameters others = Parameters.builder().add("p", 40_000).build();
                Optimizer other = AdamW.builder(others).build()) {
              other.loadStateDict(state);
              assertEquals(1, other.stepCount(others.get("p")));
              List<MemorySegment> loaded = List.copyOf(other.state(others.get("p")).values());
              for (int i = 0; i < expected.size(); i++) {
                assertEquals(-1, loaded.get(i).mismatch(expected.get(i)));
              }
              other.step();
              return null;
            }
          });
    }
  }

  @Test
  void gradientsAreClippedByManyAtOnce() throws Exception {
    List<Double> norms =
        atOnce(
            Executors.newVirtualThreadPerTaskExecutor(),
            () -> {
              try (Parameters parameters = Parameters.builder().add("p", 40_000).build()) {
                Parameter parameter = parameters.get("p");
                for (long i = 0; i < parameter.size(); i++) {
                  parameter.gradient().setAtIndex(JAVA_FLOAT, i, 3);
                }
                double norm = Gradients.clipGradNorm(parameters, 60);
                assertEquals(0.3f, parameter.gradient().getAtIndex(JAVA_FLOAT, 39_999));
                return norm;
              }
            });
    norms.forEach(each -> assertEquals(600, each));
  }

  /// A close during a step fails, so that it takes effect before or after the step.
  @Test
  void memoryIsNotFreedDuringAStep() throws Exception {
    for (int round = 0; round < 20; round++) {
      Parameters parameters = Parameters.builder().add("p", 200_000).build();
      try (Optimizer optimizer = AdamW.builder(parameters).threads(2).build()) {
        optimizer.step();
        CountDownLatch begun = new CountDownLatch(1);
        Thread closing =
            Thread.ofPlatform()
                .start(
                    () -> {
                      begun.countDown();
                      boolean closed = false;
                      while (!closed) {
                        try {
                          parameters.close();
                          closed = true;
                        } catch (IllegalStateException inUse) {
                          Thread.onSpinWait();
                        }
                      }
                    });
        begun.await();
        boolean freed = false;
        while (!freed) {
          try {
            optimizer.step();
          } catch (IllegalStateException gone) {
            assertTrue(gone.getMessage().contains("closed"), gone.getMessage());
            freed = true;
          }
        }
        closing.join();
      }
    }
  }
}
