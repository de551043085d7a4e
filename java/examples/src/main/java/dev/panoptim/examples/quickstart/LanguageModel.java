package dev.panoptim.examples.quickstart;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Predicts the next byte: embeddings of the previous bytes, a rectified hidden layer, softmax over
/// all bytes. ([Bengio, Ducharme, Vincent and Jauvin
/// 2003](https://www.jmlr.org/papers/v3/bengio03a.html).)
///
/// @param context previous bytes that a prediction sees
/// @param width numbers in a byte's embedding
/// @param hidden size of the hidden layer
record LanguageModel(int context, int width, int hidden) {
  static final int BYTES = 256;

  LanguageModel {
    if (context < 1 || context * width % Matrices.LANES != 0 || hidden % Matrices.LANES != 0) {
      throw new IllegalArgumentException(
          "context %s times width %s and hidden %s must be multiples of %s"
              .formatted(context, width, hidden, Matrices.LANES));
    }
  }

  private int inputs() {
    return context * width;
  }

  /// New parameters with random values that depend on the seed alone.
  Parameters newParameters(long seed) {
    Parameters parameters = emptyParameters();
    SplittableRandom random = new SplittableRandom(seed);
    fill(parameters.get("embedding"), 1, random);
    // He et al. 2015: preserves the variance through a rectified layer.
    fill(parameters.get("hidden.weight"), Math.sqrt(2.0 / inputs()), random);
    // Small, so that training starts from equally likely bytes, at 8 bits each.
    fill(parameters.get("output.weight"), 0.1 * Math.sqrt(1.0 / hidden), random);
    return parameters;
  }

  /// New parameters that are all 0.
  Parameters emptyParameters() {
    return Parameters.builder()
        .add("embedding", (long) BYTES * width)
        .add("hidden.weight", inputs(), hidden)
        .add("hidden.bias", hidden)
        .add("output.weight", (long) hidden * BYTES)
        .add("output.bias", BYTES)
        .build();
  }

  private static void fill(Parameter parameter, double deviation, SplittableRandom random) {
    for (long i = 0; i < parameter.size(); i++) {
      parameter.data().setAtIndex(JAVA_FLOAT, i, (float) (random.nextGaussian() * deviation));
    }
  }

  /// Computes losses and gradients of one shard of a batch, in separate memory.
  ///
  /// Not thread-safe. Different workers may use the same parameters at the same time.
  final class Worker {
    private final int examples;
    private final Parameters parameters;
    private final Parameters sums = emptyParameters();
    private final MemorySegment input;
    private final MemorySegment activation;
    private final MemorySegment output;
    private final MemorySegment inputSlope;
    private final MemorySegment activationSlope;

    /// @param examples number of examples in a shard, a multiple of 4
    Worker(Parameters parameters, int examples, Arena arena) {
      this.examples = examples;
      this.parameters = parameters;
      input = matrix(arena, inputs());
      activation = matrix(arena, hidden);
      output = matrix(arena, BYTES);
      inputSlope = matrix(arena, inputs());
      activationSlope = matrix(arena, hidden);
    }

    private MemorySegment matrix(Arena arena, int columns) {
      return arena.allocate((long) examples * columns * Float.BYTES, 64);
    }

    private MemorySegment data(String name) {
      return parameters.get(name).data();
    }

    private MemorySegment sum(String name) {
      return sums.get(name).data();
    }

    /// The gradients of the last call of [#learn], summed over its examples; data, not gradients,
    /// of these parameters.
    Parameters sums() {
      return sums;
    }

    /// The sum of the losses, in nats, of predicting the bytes at some positions.
    double loss(byte[] text, int[] positions, int from) {
      forward(text, positions, from);
      double loss = 0;
      for (int e = 0; e < examples; e++) {
        loss += softmax(e, text[positions[from + e]] & 0xff);
      }
      return loss;
    }

    /// As [#loss], and sums the gradients.
    double learn(byte[] text, int[] positions, int from) {
      double loss = loss(text, positions, from);
      for (Parameter each : sums) {
        each.data().fill((byte) 0);
      }
      backward(text, positions, from);
      return loss;
    }

    /// The probabilities of the next byte after the last [#loss] for its first example.
    float probability(int next) {
      return output.getAtIndex(JAVA_FLOAT, next);
    }

    private void forward(byte[] text, int[] positions, int from) {
      long embeddingBytes = (long) width * Float.BYTES;
      MemorySegment embedding = data("embedding");
      for (int e = 0; e < examples; e++) {
        for (int c = 0; c < context; c++) {
          int previous = text[positions[from + e] - context + c] & 0xff;
          MemorySegment.copy(
              embedding,
              previous * embeddingBytes,
              input,
              ((long) e * context + c) * embeddingBytes,
              embeddingBytes);
        }
        copyRow(data("hidden.bias"), activation, e, hidden);
        copyRow(data("output.bias"), output, e, BYTES);
      }
      Matrices.addProduct(input, data("hidden.weight"), activation, examples, inputs(), hidden);
      for (long i = 0; i < (long) examples * hidden; i++) {
        activation.setAtIndex(JAVA_FLOAT, i, Math.max(0, activation.getAtIndex(JAVA_FLOAT, i)));
      }
      Matrices.addProduct(activation, data("output.weight"), output, examples, hidden, BYTES);
    }

    private static void copyRow(MemorySegment from, MemorySegment to, int row, int columns) {
      long bytes = (long) columns * Float.BYTES;
      MemorySegment.copy(from, 0, to, row * bytes, bytes);
    }

    /// Turns an example's scores into probabilities and returns the loss of its true byte. The
    /// largest score is subtracted first, so that no exponential overflows.
    private double softmax(int example, int truth) {
      long row = (long) example * BYTES;
      float largest = Float.NEGATIVE_INFINITY;
      for (int i = 0; i < BYTES; i++) {
        largest = Math.max(largest, output.getAtIndex(JAVA_FLOAT, row + i));
      }
      double sum = 0;
      double score = output.getAtIndex(JAVA_FLOAT, row + truth) - largest;
      for (int i = 0; i < BYTES; i++) {
        float power = (float) Math.exp(output.getAtIndex(JAVA_FLOAT, row + i) - largest);
        output.setAtIndex(JAVA_FLOAT, row + i, power);
        sum += power;
      }
      float scale = (float) (1 / sum);
      for (int i = 0; i < BYTES; i++) {
        output.setAtIndex(JAVA_FLOAT, row + i, output.getAtIndex(JAVA_FLOAT, row + i) * scale);
      }
      return Math.log(sum) - score;
    }

    private void backward(byte[] text, int[] positions, int from) {
      // The derivative of the loss with respect to a score: its probability, less 1 for the true
      // byte.
      for (int e = 0; e < examples; e++) {
        long truth = (long) e * BYTES + (text[positions[from + e]] & 0xff);
        output.setAtIndex(JAVA_FLOAT, truth, output.getAtIndex(JAVA_FLOAT, truth) - 1);
      }
      Matrices.addProductOfTransposed(
          activation, output, sum("output.weight"), examples, hidden, BYTES);
      sumRows(output, sum("output.bias"), BYTES);
      Matrices.setProductWithTransposed(
          output, data("output.weight"), activationSlope, examples, hidden, BYTES);
      for (long i = 0; i < (long) examples * hidden; i++) {
        if (activation.getAtIndex(JAVA_FLOAT, i) == 0) {
          activationSlope.setAtIndex(JAVA_FLOAT, i, 0);
        }
      }
      Matrices.addProductOfTransposed(
          input, activationSlope, sum("hidden.weight"), examples, inputs(), hidden);
      sumRows(activationSlope, sum("hidden.bias"), hidden);
      Matrices.setProductWithTransposed(
          activationSlope, data("hidden.weight"), inputSlope, examples, inputs(), hidden);
      MemorySegment embedding = sum("embedding");
      for (int e = 0; e < examples; e++) {
        for (int c = 0; c < context; c++) {
          long target = (long) (text[positions[from + e] - context + c] & 0xff) * width;
          long source = ((long) e * context + c) * width;
          for (int i = 0; i < width; i++) {
            embedding.setAtIndex(
                JAVA_FLOAT,
                target + i,
                embedding.getAtIndex(JAVA_FLOAT, target + i)
                    + inputSlope.getAtIndex(JAVA_FLOAT, source + i));
          }
        }
      }
    }

    private void sumRows(MemorySegment matrix, MemorySegment sums, int columns) {
      for (int e = 0; e < examples; e++) {
        for (int i = 0; i < columns; i++) {
          sums.setAtIndex(
              JAVA_FLOAT,
              i,
              sums.getAtIndex(JAVA_FLOAT, i)
                  + matrix.getAtIndex(JAVA_FLOAT, (long) e * columns + i));
        }
      }
    }
  }
}
