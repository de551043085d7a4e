package dev.panoptim.examples.quickstart;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.BackendUnavailableException;
import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The initial parameters of a training and the gradients of its first steps, for a replay on every
/// backend.
///
/// Not thread-safe.
final class Recording implements AutoCloseable {
  /// The result of one backend.
  ///
  /// @param microseconds median time per step
  /// @param bits of all parameters and states at the end
  /// @param unavailable the reason why there is no result; `null` if there is one
  record Replay(String backend, double microseconds, List<int[]> bits, String unavailable) {
    boolean agreesWith(Replay other) {
      return Arrays.deepEquals(bits.toArray(), other.bits.toArray());
    }
  }

  private final Arena arena = Arena.ofShared();
  private final LanguageModel model;
  private final List<MemorySegment> start;
  private final List<List<MemorySegment>> gradients = new ArrayList<>();
  private final int longest;

  /// @param longest number of steps to record
  Recording(LanguageModel model, Parameters parameters, int longest) {
    this.model = model;
    this.longest = longest;
    this.start = parameters.all().stream().map(Parameter::data).map(this::copy).toList();
  }

  private MemorySegment copy(MemorySegment segment) {
    return arena.allocate(segment.byteSize(), Float.BYTES).copyFrom(segment);
  }

  /// Copies a step's gradients, unless enough steps have been recorded.
  void record(Parameters parameters) {
    if (gradients.size() < longest) {
      gradients.add(parameters.all().stream().map(Parameter::gradient).map(this::copy).toList());
    }
  }

  int steps() {
    return gradients.size();
  }

  /// Replays on native, vector and scalar, one after the other.
  List<Replay> replayAll(OptimizerChoice choice) {
    return List.of(replay("native", choice), replay("vector", choice), replay("scalar", choice));
  }

  private Replay replay(String name, OptimizerChoice choice) {
    Backend backend;
    try {
      backend = Backends.named(name);
    } catch (BackendUnavailableException e) {
      return new Replay(name, Double.NaN, List.of(), e.getMessage());
    }
    // The first replay lets the JVM compile the Java backends.
    replay(backend, choice);
    return replay(backend, choice);
  }

  private Replay replay(Backend backend, OptimizerChoice choice) {
    try (Parameters parameters = model.emptyParameters();
        Optimizer optimizer = choice.build(parameters, backend)) {
      List<Parameter> all = parameters.all();
      for (int i = 0; i < all.size(); i++) {
        all.get(i).data().copyFrom(start.get(i));
      }
      long[] nanos = new long[gradients.size()];
      for (int step = 0; step < nanos.length; step++) {
        for (int i = 0; i < all.size(); i++) {
          all.get(i).gradient().copyFrom(gradients.get(step).get(i));
        }
        long before = System.nanoTime();
        OptimizerChoice.step(optimizer, step + 1);
        nanos[step] = System.nanoTime() - before;
      }
      Arrays.sort(nanos);
      List<int[]> bits = new ArrayList<>();
      for (Parameter each : all) {
        bits.add(each.data().toArray(JAVA_INT));
        optimizer.state(each).values().forEach(state -> bits.add(state.toArray(JAVA_INT)));
      }
      return new Replay(backend.name(), nanos[nanos.length / 2] / 1e3, bits, null);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
