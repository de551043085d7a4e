package dev.panoptim.internal.step;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CollectedMemory;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.rule.Update;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// Moves schedule-free parameters between two points: y, where gradients are computed and steps are
/// made, and x, the average of z, which predictions use:
///
///     x = y + (1 - 1 / beta1) * (z - y)
///     y = x + (1 - beta1) * (z - x)
///
/// Both are one fused multiply-add in float, whose factor is computed in double. [Rule#EVALUATION]
/// of each parameter says where it lies. (Schedule-free: [Defazio and others
/// 2024](https://arxiv.org/abs/2405.15682).)
///
/// Not thread-safe.
public final class Evaluation {
  /// The most elements that are moved at once: 4 MiB in each of the two buffers for a GPU.
  private static final long PIECE = 1L << 20;

  private final StateMemory memory;
  private final List<TrackedGroup> groups;

  /// @param groups a live view of the groups
  public Evaluation(StateMemory memory, List<TrackedGroup> groups) {
    this.memory = memory;
    this.groups = groups;
  }

  /// A parameter to be moved.
  ///
  /// @param factor the factor of the distance to z
  private record Move(TrackedParameter parameter, float factor) {}

  /// Moves all parameters to the average that are not there.
  ///
  /// @throws IllegalStateException if beta1 of a group is 0, or the arena of a parameter's data has
  ///   been closed; nothing has changed
  /// @throws WrongThreadException if such an arena is confined to another thread; nothing has
  ///   changed
  /// @throws IllegalArgumentException if data are no longer in the memory of a GPU; nothing has
  ///   changed
  public void begin() {
    for (int i = 0; i < groups.size(); i++) {
      if (isScheduleFree(groups.get(i)) && beta1(groups.get(i)) == 0) {
        throw new IllegalStateException(
            "beta1 of group %s is 0: its parameters are z itself, and their average is not kept"
                .formatted(i));
      }
    }
    move(true);
  }

  /// Moves all parameters back that [#begin] has moved; otherwise like it.
  public void end() {
    move(false);
  }

  /// Whether a parameter lies at the average.
  public boolean isOn() {
    // By index: an iterator would be garbage at each step.
    for (int i = 0; i < groups.size(); i++) {
      TrackedGroup group = groups.get(i);
      if (isScheduleFree(group)) {
        for (TrackedParameter each : group.parameters) {
          if (each.isEvaluated()) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /// @throws IllegalStateException if a parameter lies at the average
  public void requireEnded() {
    if (isOn()) {
      throw new IllegalStateException(
          "the parameters are in evaluation mode: call train() before a step");
    }
  }

  private static boolean isScheduleFree(TrackedGroup group) {
    return group.rule().update() == Update.SCHEDULE_FREE;
  }

  private static double beta1(TrackedGroup group) {
    return group.values().orZero(Hyperparameter.BETA1);
  }

  private void move(boolean toAverage) {
    List<Move> moves = new ArrayList<>();
    for (TrackedGroup group : groups) {
      if (isScheduleFree(group)) {
        double beta1 = beta1(group);
        float factor = (float) (toAverage ? 1 - 1 / beta1 : 1 - beta1);
        for (TrackedParameter each : group.parameters) {
          if (each.isEvaluated() != toAverage) {
            moves.add(new Move(each, factor));
          }
        }
      }
    }
    moves.forEach(each -> requireData(each.parameter));
    // Buffers for a GPU, made before the first change.
    MemorySegment data = buffer(moves, memory.format().device());
    MemorySegment states = buffer(moves, memory.format().stateDevice());
    for (Move each : moves) {
      move(each, data, states);
      each.parameter.setEvaluated(toAverage);
      if (each.parameter.halfPrecisionCopy() != null) {
        memory.writeHalfPrecisionCopy(each.parameter);
      }
    }
  }

  private void requireData(TrackedParameter each) {
    each.parameter.requireInPlace();
    TensorChecks.require(
        memory.format().device(),
        "data of '" + each.name() + "'",
        each.parameter.size(),
        each.parameter.data(),
        true);
  }

  /// @return `null` on the CPU, which needs none
  private static MemorySegment buffer(List<Move> moves, Device device) {
    long most = moves.stream().mapToLong(each -> each.parameter.parameter.size()).max().orElse(0);
    return device.isCpu()
        ? null
        : new CollectedMemory(MemoryKind.COPIES)
            .allocate(Math.min(PIECE, most) * Float.BYTES, Float.BYTES);
  }

  /// @param dataBuffer `null` if the data are on the CPU
  /// @param stateBuffer `null` if the states are on the CPU
  private void move(Move move, MemorySegment dataBuffer, MemorySegment stateBuffer) {
    TrackedParameter each = move.parameter;
    // Before the first step, z and the average are the parameter itself.
    if (each.steps() == 0) {
      return;
    }
    Device device = memory.format().device();
    Device stateDevice = memory.format().stateDevice();
    MemorySegment z = each.states().get(each.group().rule().stateNames().indexOf("z"));
    for (long start = 0; start < each.parameter.size(); start += PIECE) {
      long bytes = Math.min(PIECE, each.parameter.size() - start) * Float.BYTES;
      MemorySegment data = device.slice(each.parameter.data(), start * Float.BYTES, bytes);
      MemorySegment target = stateDevice.slice(z, start * Float.BYTES, bytes);
      MemorySegment moved = here(device, data, dataBuffer, bytes);
      move(moved, here(stateDevice, target, stateBuffer, bytes), move.factor);
      if (!device.isCpu()) {
        device.upload(moved, data);
      }
    }
  }

  /// The memory itself, or a copy in the buffer.
  private static MemorySegment here(
      Device device, MemorySegment memory, MemorySegment buffer, long bytes) {
    if (device.isCpu()) {
      return memory;
    }
    MemorySegment copy = buffer.asSlice(0, bytes);
    device.download(memory, copy);
    return copy;
  }

  private static void move(MemorySegment data, MemorySegment z, float factor) {
    long count = data.byteSize() / Float.BYTES;
    for (long i = 0; i < count; i++) {
      float before = data.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      float distance = z.getAtIndex(ValueLayout.JAVA_FLOAT, i) - before;
      float after = Math.fma(factor, distance, before);
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.isNaN(after) ? Float.NaN : after);
    }
  }
}
