package dev.panoptim.rows;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.internal.parallel.ThreadProperties;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.table.FirstValues;
import dev.panoptim.internal.table.TableSteps;
import java.util.Objects;

/// The options that all tables have.
///
/// Not thread-safe. Subclasses exist only in this package.
///
/// @param <B> the type of the builder itself
public abstract class TableBuilder<B extends TableBuilder<B>> {
  private RowOptimizer optimizer;
  private Backend backend;
  private int threads = Math.min(Runtime.getRuntime().availableProcessors(), Backend.MOST_THREADS);
  private FirstValues firstValues = FirstValues.zero();

  TableBuilder() {}

  /// This builder with its own type: [B] is always the class of `this`.
  @SuppressWarnings("unchecked")
  private B self() {
    return (B) this;
  }

  /// How rows are updated.
  public final B optimizer(RowOptimizer value) {
    optimizer = Objects.requireNonNull(value, "optimizer is null");
    return self();
  }

  /// @param value a backend that works on the CPU; by default [Backends#auto]
  public final B backend(Backend value) {
    backend = Objects.requireNonNull(value, "backend is null");
    return self();
  }

  /// @param value the largest number of threads of a step, including the calling one; by default
  ///   the number of processors that this process may use. Backends in Java use one
  /// @throws IllegalArgumentException if it is not from 1 to [Backend#MOST_THREADS]
  public final B threads(int value) {
    threads = ThreadProperties.requireThreads(value);
    return self();
  }

  /// The first values of rows: uniform from `-bound` to `bound`, a hash of seed, id and column. The
  /// default is 0.
  ///
  /// @param bound a finite float of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B uniform(double bound, long seed) {
    firstValues = FirstValues.uniform(bound, seed);
    return self();
  }

  /// The first values of rows: normal with mean 0, a hash of seed, id and column.
  ///
  /// @param deviation the standard deviation, a finite float of 0 or more
  /// @throws IllegalArgumentException if it is not
  public final B normal(double deviation, long seed) {
    firstValues = FirstValues.normal(deviation, seed);
    return self();
  }

  /// @throws IllegalStateException if none has been given
  /// @throws IllegalArgumentException if its options do not fit together
  final RowOptimizer optimizer() {
    if (optimizer == null) {
      throw new IllegalStateException("optimizer is missing, such as RowOptimizer.adagrad(0.05)");
    }
    optimizer.requireConsistent();
    return optimizer;
  }

  /// @throws IllegalArgumentException if it works on a GPU
  final Backend backend() {
    Backend chosen = backend == null ? Backends.auto() : backend;
    if (!chosen.device().isCpu() || !chosen.stateDevice().isCpu()) {
      throw new IllegalArgumentException(
          "backend is %s, but tables of rows need one that works on the cpu"
              .formatted(chosen.name()));
    }
    return chosen;
  }

  final FirstValues firstValues() {
    return firstValues;
  }

  final TableSteps steps(Engine engine, TableLayout layout) {
    return new TableSteps(
        engine, layout, optimizer().hyperparameters(), optimizer().epsilon(), threads);
  }
}
