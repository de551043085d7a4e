package dev.panoptim.internal.table;

import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.TableBatch;
import dev.panoptim.internal.step.TableKernel;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.step.TableValues;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Hyperparameters;
import java.lang.foreign.MemorySegment;

/// The steps of a table: their count, their hyperparameters, and the kernel that makes them.
///
/// Not thread-safe.
public final class TableSteps {
  /// More would take longer than anybody waits: a step takes a microsecond or more.
  private static final long MOST_STEPS = (1L << TableValues.GAPS) - 1;

  private final Engine engine;
  private final TableLayout layout;
  private final Hyperparameters hyperparameters;
  private final double rowWiseEpsilon;
  private final int threads;
  private final TableBatch batch = new TableBatch();
  private TableValues values;
  private TableKernel kernel;
  private long count;

  /// @param rowWiseEpsilon added to the root of a row's sum, if the layout is row-wise
  /// @param threads the most threads of a step, including the calling one
  /// @throws UnsupportedOperationException if the engine works on a GPU
  public TableSteps(
      Engine engine,
      TableLayout layout,
      Hyperparameters hyperparameters,
      double rowWiseEpsilon,
      int threads) {
    this.engine = engine;
    this.layout = layout;
    this.hyperparameters = hyperparameters;
    this.rowWiseEpsilon = rowWiseEpsilon;
    this.threads = threads;
    restore(0, new double[0]);
  }

  /// Continues after a number of steps.
  ///
  /// @param rates the learning rates of the last steps; see [#learningRates]
  /// @throws IllegalArgumentException if the number of steps is out of range
  public void restore(long steps, double[] rates) {
    requireCount(steps);
    values = new TableValues(layout, hyperparameters, rowWiseEpsilon);
    values.restore(steps, rates);
    kernel = engine.tableKernel(layout);
    count = steps;
  }

  private static void requireCount(long steps) {
    if (steps < 0 || steps > MOST_STEPS) {
      throw new IllegalArgumentException(
          "the number of steps is %s, but must be from 0 to %s".formatted(steps, MOST_STEPS));
    }
  }

  /// The batch of the next step, which the caller fills.
  public TableBatch batch() {
    return batch;
  }

  /// Checks the gradients of a step.
  ///
  /// @param gradients the number of gradients
  /// @throws IllegalArgumentException as [TensorChecks#require(String, long, MemorySegment,
  ///   boolean)]
  /// @throws IllegalStateException if their arena has been closed
  /// @throws WrongThreadException if their arena is confined to another thread
  public void requireGradients(MemorySegment memory, int gradients) {
    TensorChecks.require("gradients", (long) gradients * layout.memory().width(), memory, false);
  }

  /// Makes a step over the batch.
  public void step(MemorySegment gradients) {
    values.begin(count + 1);
    kernel.step(batch, gradients, values, threads);
    count++;
  }

  /// Makes the steps that the rows of the batch have missed so far. They have no gradients.
  public void catchUp() {
    values.begin(count + 1);
    kernel.step(batch, MemorySegment.NULL, values, threads);
  }

  /// The number of steps.
  public long count() {
    return count;
  }

  public double learningRate() {
    return hyperparameters.get(Hyperparameter.LEARNING_RATE);
  }

  /// @throws IllegalArgumentException if it is out of range
  public void learningRate(double value) {
    hyperparameters.set(Hyperparameter.LEARNING_RATE, value);
  }

  /// Checks what [#restore] and [#learningRate(double)] will be given.
  ///
  /// @throws IllegalArgumentException if a number is out of range, or there are too few or too many
  ///   learning rates; nothing has changed
  public void requireRestorable(long steps, double now, double[] rates) {
    requireCount(steps);
    int length = (int) Math.min(steps, layout.replayed());
    if (rates.length != length) {
      throw new IllegalArgumentException(
          "there are %s learning rates of the last steps, but must be %s"
              .formatted(rates.length, length));
    }
    double before = learningRate();
    try {
      learningRate(now);
      for (double each : rates) {
        learningRate(each);
      }
    } finally {
      learningRate(before);
    }
  }

  /// The learning rates of the steps that rows may still have to make, the last one at the end.
  public double[] learningRates() {
    int length = (int) Math.min(count, layout.replayed());
    double[] rates = new double[length];
    for (int i = 0; i < length; i++) {
      rates[i] = values.learningRate(count - length + 1 + i);
    }
    return rates;
  }
}
