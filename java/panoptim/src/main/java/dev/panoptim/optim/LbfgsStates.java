package dev.panoptim.optim;

import dev.panoptim.internal.lbfgs.FlatParameters;
import dev.panoptim.internal.lbfgs.LbfgsVectors;
import dev.panoptim.internal.lbfgs.Pair;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.LbfgsState.HistoryPair;
import dev.panoptim.optim.LbfgsState.ParameterShape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// Copies the state of L-BFGS to snapshots and from them.
///
/// Not thread-safe.
final class LbfgsStates {
  private final FlatParameters parameters;
  private final LbfgsVectors vectors;
  private final LbfgsSteps steps;
  private final int historySize;

  LbfgsStates(FlatParameters parameters, LbfgsVectors vectors, LbfgsSteps steps, int historySize) {
    this.parameters = parameters;
    this.vectors = vectors;
    this.steps = steps;
    this.historySize = historySize;
  }

  /// A copy of the whole state.
  LbfgsState snapshot() {
    CollectedMemory memory = new CollectedMemory(MemoryKind.COPIES);
    return state(
        live ->
            memory
                .allocate(Math.max(1, live.byteSize()), Float.BYTES)
                .asSlice(0, live.byteSize())
                .copyFrom(live));
  }

  /// The vectors themselves.
  LbfgsState live() {
    return state(live -> live);
  }

  private LbfgsState state(UnaryOperator<MemorySegment> taken) {
    List<HistoryPair> pairs = new ArrayList<>();
    for (int i = 0; i < vectors.pairs(); i++) {
      Pair each = vectors.pair(i);
      pairs.add(
          new HistoryPair(
              taken.apply(each.step()).asReadOnly(),
              taken.apply(each.change()).asReadOnly(),
              each.inverse()));
    }
    return new LbfgsState(
        shapes(),
        steps.learningRate,
        steps.iterations,
        steps.evaluations,
        steps.stepLength,
        steps.scale,
        taken.apply(vectors.direction()).asReadOnly(),
        taken.apply(vectors.previous()).asReadOnly(),
        pairs);
  }

  private List<ParameterShape> shapes() {
    return parameters.list().stream()
        .map(each -> new ParameterShape(each.name(), each.shape()))
        .toList();
  }

  /// All reasons why a state cannot be loaded, a sentence for each; empty if it can.
  List<String> differences(LbfgsState state) {
    List<String> all = new ArrayList<>();
    List<String> names = parameters.list().stream().map(Parameter::name).toList();
    List<String> saved = state.parameters().stream().map(ParameterShape::name).toList();
    if (!saved.equals(names)) {
      all.add("the state is of the parameters %s, not %s in this order".formatted(saved, names));
      return all;
    }
    for (int i = 0; i < names.size(); i++) {
      Parameter own = parameters.list().get(i);
      ParameterShape other = state.parameters().get(i);
      boolean several = own.shape().size() > 1 && other.shape().size() > 1;
      if (own.size() != other.size() || several && !own.shape().equals(other.shape())) {
        all.add(
            "'%s' has the shape %s in the state, not %s"
                .formatted(own.name(), other.shape(), own.shape()));
      }
    }
    if (state.pairs().size() > historySize) {
      all.add(
          "the state has a history of %s pairs, but historySize is %s"
              .formatted(state.pairs().size(), historySize));
    }
    return all;
  }

  /// Loads a state.
  ///
  /// @throws IllegalArgumentException if it does not fit; nothing has changed
  /// @throws IllegalStateException if the arena of a vector has been closed; nothing has changed
  /// @throws WrongThreadException if it is confined to another thread; nothing has changed
  /// @throws OutOfMemoryError if there is too little memory for the pairs; nothing has changed
  void load(LbfgsState state) {
    List<String> differences = differences(state);
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          "the state does not fit: " + String.join("; ", differences));
    }
    List<MemorySegment> own = vectors.all();
    requireVector("direction", state.direction(), own);
    requireVector("previousGradient", state.previousGradient(), own);
    for (HistoryPair each : state.pairs()) {
      requireVector("a step", each.step(), own);
      requireVector("a change", each.change(), own);
    }
    vectors.replacePairs(state.pairs().stream().map(HistoryPair::inverse).toList());
    for (int i = 0; i < vectors.pairs(); i++) {
      vectors.pair(i).step().copyFrom(state.pairs().get(i).step());
      vectors.pair(i).change().copyFrom(state.pairs().get(i).change());
    }
    vectors.direction().copyFrom(state.direction());
    vectors.previous().copyFrom(state.previousGradient());
    steps.learningRate = state.learningRate();
    steps.iterations = state.iterations();
    steps.evaluations = state.evaluations();
    steps.stepLength = state.stepLength();
    steps.scale = state.scale();
  }

  private void requireVector(String name, MemorySegment vector, List<MemorySegment> own) {
    TensorChecks.requireCopyable(
        name + " of the state", vector, parameters.length() * Float.BYTES, false);
    if (own.stream().anyMatch(each -> each.asOverlappingSlice(vector).isPresent())) {
      throw new IllegalArgumentException(
          name + " of the state lies in the memory of this optimizer: load a copy");
    }
  }
}
