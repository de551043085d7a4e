package dev.panoptim.optim;

import dev.panoptim.internal.lbfgs.Direction;
import dev.panoptim.internal.lbfgs.FlatParameters;
import dev.panoptim.internal.lbfgs.LbfgsVectors;
import dev.panoptim.internal.lbfgs.Point;
import dev.panoptim.internal.lbfgs.StrongWolfe;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.vector.VectorOperations;
import dev.panoptim.optim.LbfgsReport.End;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.DoubleSupplier;

/// The steps of L-BFGS, in the order of PyTorch's `torch.optim.LBFGS`.
///
/// Not thread-safe.
final class LbfgsSteps {
  private final LbfgsOptions options;
  private final FlatParameters parameters;
  private final LbfgsVectors vectors;
  private final VectorOperations operations;
  private final Direction direction;

  double learningRate;

  // What outlives a step, beside the vectors.

  /// Iterations of all steps.
  long iterations;

  /// Evaluations of all steps.
  long evaluations;

  /// How far the last iteration went, in lengths of the direction; 0 if it moved nothing.
  double stepLength;

  /// The scale of the first inverse Hessian.
  double scale = 1;

  // The step that is being made.

  private DoubleSupplier closure;
  private int calls;
  private double loss;
  private LbfgsReport report = new LbfgsReport(End.NONE, 0, 0, Double.NaN, Double.NaN);

  LbfgsSteps(
      LbfgsOptions options,
      FlatParameters parameters,
      LbfgsVectors vectors,
      VectorOperations operations) {
    this.options = options;
    this.parameters = parameters;
    this.vectors = vectors;
    this.operations = operations;
    learningRate = options.learningRate();
    direction = new Direction(vectors, operations);
  }

  LbfgsReport report() {
    return report;
  }

  /// Makes a step; see [Lbfgs#step].
  double make(DoubleSupplier function) {
    report = new LbfgsReport(End.NONE, 0, 0, Double.NaN, Double.NaN);
    parameters.requireReady();
    closure = function;
    calls = 0;
    try {
      double first = evaluate(vectors.gradient());
      loss = first;
      int done = 0;
      double largest = operations.largest(vectors.gradient());
      End end = null;
      if (!Double.isFinite(first) || !Double.isFinite(largest)) {
        end = End.NOT_FINITE;
      } else if (largest <= options.toleranceGrad()) {
        end = End.GRADIENT_TOLERANCE;
      }
      while (end == null) {
        done++;
        end = iterate(done == options.maxIterations());
      }
      report = new LbfgsReport(end, done, calls, first, loss);
      return first;
    } finally {
      closure = null;
    }
  }

  /// @param gradient a vector for the gradient
  private double evaluate(MemorySegment gradient) {
    double value = closure.getAsDouble();
    parameters.copyGradientsTo(gradient);
    calls++;
    evaluations++;
    return value;
  }

  /// @param last whether this is the last iteration of the step
  /// @return why the step ends; `null` if it goes on
  private End iterate(boolean last) {
    boolean first = iterations == 0;
    if (!first && stepLength != 0) {
      scale = direction.addPair(stepLength, scale);
      // If this iteration fails, the next one must not add the pair again.
      stepLength = 0;
    }
    vectors.previous().copyFrom(vectors.gradient());
    direction.compute(scale);
    double t =
        first
            ? Math.min(1, 1 / operations.sumAbsolute(vectors.gradient())) * learningRate
            : learningRate;
    double slope = operations.dot(vectors.gradient(), vectors.direction());
    if (!Double.isFinite(slope)) {
      return End.NOT_FINITE;
    }
    if (slope > -options.toleranceChange()) {
      iterations++;
      return End.NO_DESCENT;
    }
    double before = loss;
    parameters.copyDataTo(vectors.start());
    boolean moved;
    try {
      moved = options.strongWolfe() ? search(t, slope) : move(t, last);
    } catch (Throwable e) {
      CloseAll.after(e, List.of(() -> parameters.restoreData(vectors.start())));
      throw e;
    }
    if (!moved) {
      return End.NOT_FINITE;
    }
    iterations++;
    return endAfter(before, last);
  }

  private End endAfter(double before, boolean last) {
    if (last) {
      return End.ITERATIONS;
    }
    if (calls >= options.maxEvaluations()) {
      return End.EVALUATIONS;
    }
    if (operations.largest(vectors.gradient()) <= options.toleranceGrad()) {
      return End.GRADIENT_TOLERANCE;
    }
    double farthest = Math.abs((float) stepLength) * operations.largest(vectors.direction());
    return farthest <= options.toleranceChange()
            || Math.abs(loss - before) < options.toleranceChange()
        ? End.CHANGE_TOLERANCE
        : null;
  }

  /// Moves the parameters by a fixed step, and evaluates unless this is the last iteration: the
  /// next step evaluates there anyway.
  ///
  /// @return `false` if the loss or the gradient is not finite there; the parameters are back then
  private boolean move(double t, boolean last) {
    operations.add((float) t, vectors.direction(), vectors.start(), vectors.spare());
    parameters.copyDataFrom(vectors.spare());
    if (!last) {
      double value = evaluate(vectors.gradient());
      if (!Double.isFinite(value) || !Double.isFinite(operations.largest(vectors.gradient()))) {
        parameters.copyDataFrom(vectors.start());
        vectors.gradient().copyFrom(vectors.previous());
        return false;
      }
      loss = value;
    }
    stepLength = t;
    return true;
  }

  private boolean search(double first, double slope) {
    StrongWolfe search =
        new StrongWolfe(
            this::evaluateAt,
            new Point(0, loss, slope, vectors.previous()),
            vectors.gradient(),
            vectors.spare(),
            operations.largest(vectors.direction()),
            options.toleranceChange());
    Point found = search.search(first);
    if (found.gradient() == vectors.previous()) {
      vectors.gradient().copyFrom(vectors.previous());
    } else if (found.gradient() == vectors.spare()) {
      vectors.swapGradients();
    }
    if (found.t() == 0) {
      parameters.copyDataFrom(vectors.start());
    } else {
      operations.add((float) found.t(), vectors.direction(), vectors.start(), vectors.spare());
      parameters.copyDataFrom(vectors.spare());
    }
    loss = found.loss();
    stepLength = found.t();
    return true;
  }

  /// Evaluates a point of the line from the start along the direction.
  private Point evaluateAt(double t, MemorySegment gradient) {
    operations.add((float) t, vectors.direction(), vectors.start(), gradient);
    parameters.copyDataFrom(gradient);
    double value = evaluate(gradient);
    double slope = operations.dot(gradient, vectors.direction());
    // The direction is finite, so the slope is finite only if the gradient is.
    boolean finite = Double.isFinite(value) && Double.isFinite(slope);
    return new Point(t, finite ? value : Double.POSITIVE_INFINITY, slope, gradient);
  }
}
