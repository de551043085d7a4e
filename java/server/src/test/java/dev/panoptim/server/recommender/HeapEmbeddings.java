package dev.panoptim.server.recommender;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;

/// Vectors in a map, under gradient descent: slow and simple, to test what uses vectors.
public final class HeapEmbeddings implements Embeddings {
  private final ConcurrentHashMap<Long, float[]> vectors = new ConcurrentHashMap<>();
  private final int width;
  private final float learningRate;

  public HeapEmbeddings(int width, double learningRate) {
    this.width = width;
    this.learningRate = (float) learningRate;
  }

  @Override
  public int width() {
    return width;
  }

  private float[] first(long id) {
    SplittableRandom random = new SplittableRandom(id);
    float[] vector = new float[width];
    for (int i = 0; i < width; i++) {
      vector[i] = (float) random.nextDouble(-0.3, 0.3);
    }
    return vector;
  }

  @Override
  public void gather(long[] ids, MemorySegment target) {
    for (int i = 0; i < ids.length; i++) {
      float[] vector = vectors.get(ids[i]);
      MemorySegment.copy(
          vector == null ? first(ids[i]) : vector,
          0,
          target,
          JAVA_FLOAT,
          (long) i * width * Float.BYTES,
          width);
    }
  }

  @Override
  public void step(long[] ids, MemorySegment gradients) {
    for (int i = 0; i < ids.length; i++) {
      float[] changed = vectors.getOrDefault(ids[i], first(ids[i])).clone();
      for (int k = 0; k < width; k++) {
        changed[k] -= learningRate * gradients.getAtIndex(JAVA_FLOAT, (long) i * width + k);
      }
      vectors.put(ids[i], changed);
    }
  }

  @Override
  public long size() {
    return vectors.size();
  }

  @Override
  public long bytes() {
    return 0;
  }

  @Override
  public void close() {
    vectors.clear();
  }
}
