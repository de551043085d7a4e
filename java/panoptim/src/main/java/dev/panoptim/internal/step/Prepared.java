package dev.panoptim.internal.step;

/// What an engine made of a plan's rows and values, so that steps need no more memory: native or
/// GPU tables, buffers for slices, or the loops of the JVM.
///
/// All engines share one life cycle. [Engine#prepare] makes it, [#gradientsMoved] follows moved
/// gradients, and [#close] ends it.
///
/// Not thread-safe.
public abstract class Prepared implements AutoCloseable {
  private final Engine engine;
  private final Rows rows;
  private SquareSums squareSums;
  private Measures measures;

  /// @param engine the engine that makes this
  /// @param plan the plan that this is made of
  protected Prepared(Engine engine, StepPlan plan) {
    this.engine = engine;
    rows = plan.rows();
    if (rows.rule().isMeasured()) {
      measures = new Measures(rows);
    }
  }

  /// The engine that made this, and that alone can use it.
  public final Engine engine() {
    return engine;
  }

  /// Room for a sum for each chunk; allocated at the first use.
  public final SquareSums squareSums() {
    if (squareSums == null) {
      squareSums = new SquareSums(rows);
    }
    return squareSums;
  }

  /// Room for the measures of each chunk; allocated at the first use, if the rule is not measured.
  public final Measures measures() {
    if (measures == null) {
      measures = new Measures(rows);
    }
    return measures;
  }

  /// The rows' gradients have moved. Throws nothing: what may fail is left to the next step.
  public abstract void gradientsMoved();

  /// The threads that were asked to help with the last step over these rows, 0 or more. Each of
  /// them may or may not have come in time.
  public abstract int helpers();

  /// Frees what the garbage collector does not free. Closing twice has no effect.
  @Override
  public abstract void close();
}
