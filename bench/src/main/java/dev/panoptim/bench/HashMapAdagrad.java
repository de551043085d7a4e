package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.rows.RowIds;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// Adagrad over rows in plain Java: a hash map from ids to arrays. An array has the weights, their
/// sums of squares, and the sum of the step's gradients, so a step looks each id up once.
///
/// Not thread-safe.
final class HashMapAdagrad {
  private static final int WIDTH = RowBatches.WIDTH;
  private static final float RATE = 0.05f;
  private static final float FIRST_SUM = 0.1f;
  private static final float EPSILON = 1e-10f;

  /// The place in an array of the number of the row's last step.
  private static final int STEP = 3 * WIDTH;

  private final Map<Long, float[]> rows = new HashMap<>();

  /// The rows of the present step.
  private final float[][] changed = new float[RowBatches.IDS][];

  private float steps;

  /// @param start the weights of the ids from 0 on
  HashMapAdagrad(MemorySegment start) {
    long bytes = (long) WIDTH * Float.BYTES;
    for (long id = 0; id < start.byteSize() / bytes; id++) {
      float[] row = new float[STEP + 1];
      MemorySegment.copy(start, JAVA_FLOAT, id * bytes, row, 0, WIDTH);
      Arrays.fill(row, WIDTH, 2 * WIDTH, FIRST_SUM);
      rows.put(id, row);
    }
  }

  /// @param gradients a gradient for each id
  void step(RowIds ids, float[] gradients) {
    // The floats of small integers are exact; beyond, a step would be taken for the one before.
    steps = steps < 1 << 23 ? steps + 1 : 1;
    int count = 0;
    for (int i = 0; i < ids.count(); i++) {
      float[] row = rows.get(ids.get(i));
      if (row[STEP] != steps) {
        row[STEP] = steps;
        System.arraycopy(gradients, i * WIDTH, row, 2 * WIDTH, WIDTH);
        changed[count++] = row;
      } else {
        for (int k = 0; k < WIDTH; k++) {
          row[2 * WIDTH + k] += gradients[i * WIDTH + k];
        }
      }
    }
    for (int i = 0; i < count; i++) {
      update(changed[i]);
    }
  }

  private static void update(float[] row) {
    for (int k = 0; k < WIDTH; k++) {
      float gradient = row[2 * WIDTH + k];
      float sum = row[WIDTH + k] + gradient * gradient;
      row[WIDTH + k] = sum;
      row[k] -= RATE * gradient / ((float) Math.sqrt(sum) + EPSILON);
    }
  }

  /// Copies the weights of the ids from 0 on.
  void read(MemorySegment target) {
    long bytes = (long) WIDTH * Float.BYTES;
    for (long id = 0; id < target.byteSize() / bytes; id++) {
      MemorySegment.copy(rows.get(id), 0, target, JAVA_FLOAT, id * bytes, WIDTH);
    }
  }
}
