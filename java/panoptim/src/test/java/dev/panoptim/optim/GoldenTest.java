package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// How far float32 trajectories end from PyTorch's in float64, beside how far PyTorch's own in
/// float32 do; `make.py` beside the golden files says how those came about.
class GoldenTest {
  private static final Path FOLDER = Path.of("src/test/goldens");
  private static final int ELEMENTS = 2000;
  private static final int STEPS = 40;

  /// The luck of the roundings.
  private static final double WORST = 1.05;

  private static final Map<String, Function<Parameters, OptimizerBuilder<?>>> CASES =
      new LinkedHashMap<>();

  static {
    CASES.put("sgd", p -> Sgd.builder(p).learningRate(0.1));
    CASES.put("sgd-weight-decay", p -> Sgd.builder(p).learningRate(0.1).weightDecay(0.1));
    CASES.put("sgd-maximize", p -> Sgd.builder(p).learningRate(0.1).maximize(true));
    CASES.put("sgd-momentum", p -> Sgd.builder(p).learningRate(0.1).momentum(0.9));
    CASES.put(
        "sgd-momentum-dampening",
        p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).dampening(0.5));
    CASES.put(
        "sgd-nesterov",
        p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).nesterov(true).weightDecay(0.1));
    CASES.put("adagrad", p -> Adagrad.builder(p).learningRate(0.1));
    CASES.put("adagrad-lr-decay", p -> Adagrad.builder(p).learningRate(0.1).learningRateDecay(0.1));
    CASES.put(
        "adagrad-initial",
        p -> Adagrad.builder(p).learningRate(0.1).initialAccumulator(0.5).epsilon(1e-3));
    CASES.put(
        "adagrad-weight-decay",
        p -> Adagrad.builder(p).learningRate(0.1).weightDecay(0.1).maximize(true));
    CASES.put("rmsprop", p -> RmsProp.builder(p));
    CASES.put("rmsprop-alpha", p -> RmsProp.builder(p).alpha(0.9).epsilon(1e-3).weightDecay(0.1));
    CASES.put("rmsprop-momentum", p -> RmsProp.builder(p).momentum(0.9));
    CASES.put("rmsprop-centered", p -> RmsProp.builder(p).centered(true));
    CASES.put(
        "rmsprop-centered-momentum",
        p -> RmsProp.builder(p).centered(true).momentum(0.9).maximize(true));
    CASES.put("adadelta", p -> Adadelta.builder(p));
    CASES.put(
        "adadelta-rho",
        p -> Adadelta.builder(p).learningRate(0.5).rho(0.8).epsilon(1e-3).weightDecay(0.1));
    CASES.put("adadelta-maximize", p -> Adadelta.builder(p).maximize(true));
    CASES.put("adam", p -> Adam.builder(p).learningRate(0.01));
    CASES.put("adam-betas", p -> Adam.builder(p).learningRate(0.01).betas(0.8, 0.9).epsilon(1e-3));
    CASES.put("adam-weight-decay", p -> Adam.builder(p).learningRate(0.01).weightDecay(0.1));
    CASES.put("adam-amsgrad", p -> Adam.builder(p).learningRate(0.01).amsgrad(true).maximize(true));
    CASES.put("adamw", p -> AdamW.builder(p).learningRate(0.01));
    CASES.put(
        "adamw-weight-decay",
        p -> AdamW.builder(p).learningRate(0.01).weightDecay(0.5).betas(0.8, 0.9));
    CASES.put(
        "adamw-amsgrad", p -> AdamW.builder(p).learningRate(0.01).amsgrad(true).maximize(true));
    CASES.put("nadam", p -> NAdam.builder(p).learningRate(0.01));
    CASES.put(
        "nadam-momentum-decay",
        p -> NAdam.builder(p).learningRate(0.01).momentumDecay(0.1).betas(0.8, 0.9).epsilon(1e-3));
    CASES.put("nadam-weight-decay", p -> NAdam.builder(p).learningRate(0.01).weightDecay(0.1));
    CASES.put(
        "nadam-decoupled",
        p ->
            NAdam.builder(p)
                .learningRate(0.01)
                .weightDecay(0.1)
                .decoupledWeightDecay(true)
                .maximize(true));
    CASES.put("radam", p -> RAdam.builder(p).learningRate(0.01));
    CASES.put(
        "radam-betas", p -> RAdam.builder(p).learningRate(0.01).betas(0.8, 0.95).epsilon(1e-3));
    CASES.put("radam-weight-decay", p -> RAdam.builder(p).learningRate(0.01).weightDecay(0.1));
    CASES.put(
        "radam-decoupled",
        p ->
            RAdam.builder(p)
                .learningRate(0.01)
                .weightDecay(0.1)
                .decoupledWeightDecay(true)
                .maximize(true));
    CASES.put("adamax", p -> Adamax.builder(p).learningRate(0.01));
    CASES.put(
        "adamax-betas",
        p -> Adamax.builder(p).learningRate(0.01).betas(0.8, 0.9).epsilon(1e-3).weightDecay(0.1));
    CASES.put("adamax-maximize", p -> Adamax.builder(p).learningRate(0.01).maximize(true));
    CASES.put("lion", p -> Lion.builder(p).learningRate(0.01));
    CASES.put(
        "lion-weight-decay",
        p -> Lion.builder(p).learningRate(0.01).betas(0.8, 0.9).weightDecay(0.1));
    CASES.put("sgd-sequence", p -> Sgd.builder(p).learningRate(0.1).momentum(0.9));
    CASES.put("adagrad-sequence", p -> Adagrad.builder(p).learningRate(0.1).learningRateDecay(0.1));
    CASES.put("rmsprop-sequence", p -> RmsProp.builder(p).momentum(0.9));
    CASES.put("adadelta-sequence", p -> Adadelta.builder(p));
    CASES.put("adamw-sequence", p -> AdamW.builder(p).learningRate(0.01));
    CASES.put("nadam-sequence", p -> NAdam.builder(p).learningRate(0.01));
    CASES.put("radam-sequence", p -> RAdam.builder(p).learningRate(0.01));
    CASES.put("adamax-sequence", p -> Adamax.builder(p).learningRate(0.01));
  }

  /// SplitMix64, seeded with the stream, as multiples of 2^-23 from -1 to 1.
  private static void fill(MemorySegment segment, long stream, boolean gradient) {
    for (int i = 0; i < ELEMENTS; i++) {
      long z = stream + (i + 1) * 0x9E3779B97F4A7C15L;
      z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      z = z ^ z >>> 31;
      float value = ((z >>> 40) - (1 << 23)) * 0x1p-23f;
      segment.setAtIndex(JAVA_FLOAT, i, gradient ? Math.scalb(value, -(i % 8)) : value);
    }
  }

  /// A gradient is missing at each third step of a sequence, and the learning rate is halved from
  /// step 20 on.
  private static double rootMeanSquareError(String name) throws IOException {
    boolean sequence = name.endsWith("-sequence");
    try (Parameters parameters = Parameters.builder().add("p", ELEMENTS).build();
        Optimizer optimizer = CASES.get(name).apply(parameters).build()) {
      Parameter p = parameters.get("p");
      MemorySegment gradient = p.gradient();
      fill(p.data(), 0, false);
      for (int step = 1; step <= STEPS; step++) {
        fill(gradient, step, true);
        if (sequence && step % 3 == 0) {
          p.removeGradient();
        } else {
          p.setGradient(gradient);
        }
        ParameterGroup group = optimizer.paramGroups().getFirst();
        if (sequence && step == 20) {
          group.setLearningRate(group.learningRate() * 0.5);
        }
        optimizer.step();
      }
      MemorySegment truth =
          MemorySegment.ofArray(Files.readAllBytes(FOLDER.resolve(name + ".f64")));
      var littleEndian = JAVA_DOUBLE.withByteAlignment(1).withOrder(ByteOrder.LITTLE_ENDIAN);
      assertEquals(ELEMENTS * Double.BYTES, truth.byteSize());
      double sum = 0;
      for (int i = 0; i < ELEMENTS; i++) {
        double off = p.data().getAtIndex(JAVA_FLOAT, i) - truth.get(littleEndian, i * 8L);
        sum += off * off;
      }
      return Math.sqrt(sum / ELEMENTS);
    }
  }

  private static Map<String, Double> errorsOfPyTorch() throws IOException {
    return Files.readAllLines(FOLDER.resolve("errors.csv")).stream()
        .skip(1)
        .map(line -> line.split(","))
        .collect(
            Collectors.toMap(
                row -> row[0], row -> Double.parseDouble(row[1]), (a, b) -> a, LinkedHashMap::new));
  }

  @Test
  void everyCaseIsAsNearToFloat64AsPyTorch() throws IOException {
    Map<String, Double> theirs = errorsOfPyTorch();
    assertEquals(CASES.keySet(), theirs.keySet());
    Map<String, Double> ratios = new LinkedHashMap<>();
    System.out.printf("%-28s %12s %12s %8s%n", "off float64 by", "Panoptim", "PyTorch", "ratio");
    for (String name : CASES.keySet()) {
      double ours = rootMeanSquareError(name);
      ratios.put(name, ours / theirs.get(name));
      System.out.printf(
          "%-28s %12.3e %12.3e %8.3f%n", name, ours, theirs.get(name), ratios.get(name));
    }
    double median =
        ratios.values().stream().sorted().skip(ratios.size() / 2).findFirst().orElseThrow();
    System.out.printf("%-28s %34.3f%n", "median", median);
    Set<String> tooFar =
        ratios.keySet().stream()
            .filter(name -> !(ratios.get(name) <= WORST))
            .collect(Collectors.toSet());
    assertEquals(Set.of(), tooFar);
    assertTrue(median <= 1, "median " + median);
  }
}
