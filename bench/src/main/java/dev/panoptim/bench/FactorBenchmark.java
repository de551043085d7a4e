package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adafactor;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Lamb;
import dev.panoptim.optim.Lars;
import dev.panoptim.optim.Mars;
import dev.panoptim.optim.NovoGrad;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.StableAdamW;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// A step of an optimizer whose factor depends on sums over a whole parameter, and a step of AdamW,
/// in turn over the same parameter and gradient. Each has its states.
///
/// Divide the times of a pair: other tenants of the machine change both.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
public class FactorBenchmark {
  /// Optimizers with such a factor.
  public enum Kind {
    LAMB(Lamb::builder),
    LARS(p -> Lars.builder(p).momentum(0.9)),
    NOVOGRAD(NovoGrad::builder),
    STABLE_ADAMW(StableAdamW::builder),
    MARS(Mars::builder),
    ADAMW_CAUTIOUS(p -> AdamW.builder(p).cautious(true)),
    ADAFACTOR(Adafactor::builder);

    private final Function<Iterable<Parameter>, OptimizerBuilder<?>> builder;

    Kind(Function<Iterable<Parameter>, OptimizerBuilder<?>> builder) {
      this.builder = builder;
    }
  }

  @Param public Kind kind;

  /// The parameter is a matrix of so many rows and columns.
  @Param("4096")
  public int rows;

  @Param("8192")
  public int columns;

  @Param("2")
  public int threads;

  private Parameters parameters;
  private Optimizer optimizer;
  private Optimizer adamW;

  @Setup
  public void setUp() {
    parameters = Parameters.builder().add("p", rows, columns).build();
    Parameter p = parameters.get("p");
    SplittableRandom random = new SplittableRandom(1);
    for (long i = 0; i < p.size(); i++) {
      p.data().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
      p.gradient().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(0.001, 0.01));
    }
    optimizer = configured(kind.builder.apply(parameters));
    adamW = configured(AdamW.builder(parameters));
  }

  private Optimizer configured(OptimizerBuilder<?> builder) {
    return builder.backend(Backends.nativeCode()).threads(threads).weightDecay(0.01).build();
  }

  @Benchmark
  public void pair(Pair pair) {
    long start = System.nanoTime();
    optimizer.step();
    long between = System.nanoTime();
    adamW.step();
    pair.stepNanos += between - start;
    pair.otherNanos += System.nanoTime() - between;
  }

  /// The parameter, whose elements both optimizers change.
  Parameter parameter() {
    return parameters.get("p");
  }

  @TearDown
  public void tearDown() {
    optimizer.close();
    adamW.close();
    parameters.close();
  }
}
