package dev.panoptim.server.recommender;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Scores an item for a user by the product of their vectors. Learns from choices: the score of the
/// chosen item rises, those of others fall (logistic loss).
///
/// Thread-safe for [#rank]; one thread at a time may call [#learn].
final class Recommender implements AutoCloseable {
  private final Embeddings embeddings;
  private final Arena arena = Arena.ofShared();
  private final int most;
  private final MemorySegment gradients;

  /// @param most the most items of a lesson
  Recommender(Embeddings embeddings, int most) {
    this.embeddings = embeddings;
    this.most = most;
    gradients = arena.allocate(JAVA_FLOAT, (most + 1L) * embeddings.width());
  }

  /// An item and its score.
  record Scored(int item, double score) {}

  /// Items with their scores, the best first.
  List<Scored> rank(int user, int[] items) {
    float[] vectors = vectors(ids(user, items));
    List<Scored> scored = new ArrayList<>();
    for (int i = 0; i < items.length; i++) {
      scored.add(new Scored(items[i], score(vectors, i + 1)));
    }
    scored.sort(Comparator.comparingDouble(Scored::score).reversed());
    return scored;
  }

  private static long[] ids(int user, int[] items) {
    long[] ids = new long[items.length + 1];
    ids[0] = Ids.user(user);
    for (int i = 0; i < items.length; i++) {
      ids[i + 1] = Ids.item(items[i]);
    }
    return ids;
  }

  private float[] vectors(long[] ids) {
    try (Arena own = Arena.ofConfined()) {
      MemorySegment target = own.allocate(JAVA_FLOAT, (long) ids.length * embeddings.width());
      embeddings.gather(ids, target);
      return target.toArray(JAVA_FLOAT);
    }
  }

  /// The product of the first vector, the user's, and another one.
  private double score(float[] vectors, int other) {
    int width = embeddings.width();
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += vectors[i] * vectors[other * width + i];
    }
    return sum;
  }

  /// Makes a step from a choice.
  ///
  /// @param items the chosen one first, then others
  /// @return the mean logistic loss before the step
  double learn(int user, int[] items) {
    if (items.length > most) {
      throw new IllegalArgumentException(
          "there are %s items, but must be at most %s".formatted(items.length, most));
    }
    long[] ids = ids(user, items);
    float[] vectors = vectors(ids);
    int width = embeddings.width();
    float[] slopes = new float[vectors.length];
    double loss = 0;
    for (int item = 1; item <= items.length; item++) {
      double score = score(vectors, item);
      double wanted = item == 1 ? 1 : 0;
      double probability = 1 / (1 + Math.exp(-score));
      loss += Math.log1p(Math.exp(item == 1 ? -score : score)) / items.length;
      float slope = (float) (probability - wanted);
      for (int i = 0; i < width; i++) {
        slopes[i] += slope * vectors[item * width + i];
        slopes[item * width + i] = slope * vectors[i];
      }
    }
    MemorySegment.copy(slopes, 0, gradients, JAVA_FLOAT, 0, slopes.length);
    embeddings.step(ids, gradients.asSlice(0, (long) slopes.length * Float.BYTES));
    return loss;
  }

  @Override
  public void close() {
    embeddings.close();
    arena.close();
  }
}
