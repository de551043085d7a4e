package dev.panoptim.internal.step;

import dev.panoptim.internal.factored.AdaptiveClipping;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.memory.Parameter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Clips the rows of all gradients of a step by [AdaptiveClipping].
///
/// Not thread-safe.
final class RowClipping {
  private final Engine engine;
  private final int threads;
  private final SharedWorkspace workspace;
  private final TrackedParameters parameters;

  /// By the numbers of rows and columns.
  private final Map<List<Long>, AdaptiveClipping> known = new HashMap<>();

  /// @param threads the most threads of a step, including the calling one
  /// @param parameters all parameters of the optimizer
  /// @param origin the owner, for warnings
  RowClipping(Engine engine, int threads, TrackedParameters parameters, Origin origin) {
    this.engine = engine;
    this.threads = threads;
    this.parameters = parameters;
    workspace = new SharedWorkspace(origin);
  }

  /// Checks all that [#clip] can be refused for, and makes what it needs.
  ///
  /// @throws IllegalStateException if the engine works on a GPU
  /// @throws IllegalArgumentException if a gradient is read-only
  /// @throws OutOfMemoryError if that would exceed the limit of memory
  void requireReady(List<GroupPlan> groups, StepSettings settings) {
    if (!engine.device().isCpu()) {
      throw new IllegalStateException(
          "clipGradAdaptive is %s, but backend %s cannot clip rows of gradients: that needs a backend of the cpu"
              .formatted(settings.clipGradAdaptive, engine.name()));
    }
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      if (settings.needsNorm()) {
        // The norm is taken after gradients have changed.
        engine.prepareNorm(group.plan);
      }
      for (int row = 0; row < group.rows.length; row++) {
        TrackedParameter parameter = group.rows[row];
        if (group.plan.gradient(row).isReadOnly()) {
          Segments.requireWritable(
              "gradient of '" + parameter.name() + "'", group.plan.gradient(row));
        }
        if (parameter.clipping == null) {
          parameter.clipping = clippingOf(parameter.parameter);
        }
      }
    }
  }

  /// Clips the gradients in place.
  ///
  /// @param groups the plans of the step, which have been checked
  void clip(List<GroupPlan> groups, StepSettings settings) {
    float scale = (float) settings.gradientScale;
    for (int i = 0; i < groups.size(); i++) {
      GroupPlan group = groups.get(i);
      for (int row = 0; row < group.rows.length; row++) {
        TrackedParameter parameter = group.rows[row];
        parameter.clipping.clip(
            settings.clipGradAdaptive,
            settings.clipGradAdaptiveEpsilon,
            scale,
            parameter.parameter.data(),
            group.plan.gradient(row));
      }
    }
  }

  private AdaptiveClipping clippingOf(Parameter parameter) {
    FactoredShape shape = shape(parameter);
    return known.computeIfAbsent(
        List.of(shape.rows(), shape.columns()),
        extents ->
            new AdaptiveClipping(
                engine.factoredOperations(shape, workspace.of(this::workspaceBytes), threads)));
  }

  private static FactoredShape shape(Parameter parameter) {
    if (parameter.shape().size() < 2) {
      return FactoredShape.vector(parameter.size());
    }
    MatrixShape shape = MatrixShape.of(parameter);
    return new FactoredShape(shape.rows(), shape.columns(), false);
  }

  /// Of the largest parameter.
  private long workspaceBytes() {
    long most = 1;
    for (TrackedParameter each : parameters.all()) {
      most = Math.max(most, shape(each.parameter).workspaceBytes());
    }
    return most;
  }

  /// Frees the memory. The next call of [#requireReady] allocates what [#clip] needs.
  void free() {
    parameters.all().forEach(each -> each.clipping = null);
    known.clear();
    workspace.free();
  }
}
