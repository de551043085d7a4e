package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.device.Device;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;

/// A random training that updates sometimes all parameters, sometimes some of them. Gradients move,
/// come and go; groups are added, states are loaded, and the learning rate changes.
///
/// @param seed the seed of all choices and numbers
/// @param extras whether steps scale and clip gradients, zero them, and write averages and copies
record PartialTraining(long seed, boolean extras) {
  private static final long[] SIZES = {301, 0, 17, 20_000, 1, 64, 33, 64, 5000};
  private static final int FIRST_GROUP = 4;
  private static final int ROUNDS = 24;
  private static final int PLACES = 3;

  /// The bits that steps of all parameters give, where the others have no gradient.
  Map<String, int[]> reference(Case tested) {
    return run(tested, Backends.scalar(), 1, false);
  }

  /// The bits that steps of some parameters give.
  Map<String, int[]> run(Case tested, Backend backend, int threads) {
    return run(tested, backend, threads, true);
  }

  private Map<String, int[]> run(Case tested, Backend backend, int threads, boolean partial) {
    Problem problem = new Problem(SIZES, 0, seed, ROUNDS, true);
    SplittableRandom numbers = new SplittableRandom(seed);
    Random choices = new Random(seed);
    try (Arena arena = Arena.ofShared();
        Arena other = Arena.ofShared()) {
      Device device = backend.device();
      List<Parameter> all = problem.parameters(arena, numbers, device);
      List<MemorySegment[]> places = new ArrayList<>();
      for (Parameter each : all) {
        long bytes = each.size() * Float.BYTES;
        // A move to the last place needs new plans.
        places.add(
            new MemorySegment[] {
              each.gradient(), device.allocate(bytes, arena), device.allocate(bytes, other)
            });
        each.removeGradient();
      }
      CommonOptions<?> builder = tested.grouped(all.subList(0, 2), all.subList(2, FIRST_GROUP));
      builder.backend(backend).threads(threads);
      if (extras) {
        builder
            .averageParameters(0.9)
            .halfPrecisionCopy(HalfPrecision.BFLOAT16)
            .options(o -> o.gradientScale(0.5).clipGradValue(2).zeroGrad(true));
      }
      List<Integer> updated = new ArrayList<>();
      try (Optimizer optimizer = builder.build()) {
        int count = FIRST_GROUP;
        for (int round = 0; round < ROUNDS; round++) {
          if (round == 6 || round == 12) {
            int end = round == 6 ? count + 2 : all.size();
            tested.addGroup(optimizer, all.subList(count, end));
            count = end;
          } else if (round == 9 || round == 18) {
            optimizer.loadStateDict(optimizer.stateDict());
          } else if (round == 15) {
            optimizer.paramGroups().getFirst().setLearningRate(0.03);
          }
          for (List<Parameter> step : steps(all.subList(0, count), choices)) {
            for (Parameter each : step) {
              int place = choices.nextInt(PLACES + 1);
              if (place == PLACES) {
                each.removeGradient();
              } else {
                each.setGradient(places.get(all.indexOf(each))[place]);
                problem.fillGradient(each, numbers);
              }
            }
            boolean isWhole = step.size() == count && choices.nextBoolean();
            StepReport report =
                partial && !isWhole
                    ? optimizer.step(step.toArray(Parameter[]::new))
                    : stepAlone(optimizer, step, all);
            updated.add(report.updatedParameters());
          }
        }
        return bits(optimizer, all, updated);
      }
    }
  }

  /// The parameters of each step of a round: all, one, some, or each alone.
  private static List<List<Parameter>> steps(List<Parameter> all, Random choices) {
    List<Parameter> shuffled = new ArrayList<>(all);
    Collections.shuffle(shuffled, choices);
    return switch (choices.nextInt(4)) {
      case 0 -> List.of(shuffled);
      case 1 -> List.of(shuffled.subList(0, 1));
      case 2 -> {
        int first = choices.nextInt(all.size() - 1) + 1;
        yield List.of(shuffled.subList(0, first), shuffled.subList(first, all.size()));
      }
      default -> shuffled.stream().map(List::of).toList();
    };
  }

  /// Makes a step while only some parameters have a gradient.
  private static StepReport stepAlone(
      Optimizer optimizer, List<Parameter> some, List<Parameter> all) {
    List<MemorySegment> gradients = all.stream().map(Parameter::gradientOrNull).toList();
    all.stream().filter(each -> !some.contains(each)).forEach(Parameter::removeGradient);
    StepReport report = optimizer.step();
    for (int i = 0; i < all.size(); i++) {
      if (gradients.get(i) != null) {
        all.get(i).setGradient(gradients.get(i));
      }
    }
    return report;
  }

  private Map<String, int[]> bits(Optimizer optimizer, List<Parameter> all, List<Integer> updated) {
    Map<String, int[]> bits = Problem.bits(optimizer, all);
    bits.put("updated", updated.stream().mapToInt(Integer::intValue).toArray());
    bits.put("steps", all.stream().mapToInt(each -> (int) optimizer.stepCount(each)).toArray());
    for (Parameter each : all) {
      if (each.hasGradient()) {
        int[] gradient = new int[(int) each.size()];
        each.copyGradientTo(MemorySegment.ofArray(gradient));
        bits.put(each.name() + " gradient", gradient);
      }
      if (extras && optimizer.stepCount(each) > 0) {
        MemorySegment copy =
            each.device().copyOf(optimizer.halfPrecisionCopy(each), each.size() * Short.BYTES);
        short[] numbers = copy.toArray(JAVA_SHORT);
        int[] widened = new int[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
          widened[i] = numbers[i];
        }
        bits.put(each.name() + " copy", widened);
      }
    }
    return bits;
  }
}
