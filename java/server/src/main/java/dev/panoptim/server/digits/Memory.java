package dev.panoptim.server.digits;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// The newest examples that were taught. Later steps repeat some of them, so that the network does
/// not forget them.
///
/// Not thread-safe.
final class Memory {
  private final int most;
  private final List<Example> examples = new ArrayList<>();
  private int oldest;

  Memory(int most) {
    this.most = most;
  }

  void add(Example example) {
    if (examples.size() < most) {
      examples.add(example);
    } else {
      examples.set(oldest, example);
      oldest = (oldest + 1) % most;
    }
  }

  boolean isEmpty() {
    return examples.isEmpty();
  }

  Example any(SplittableRandom random) {
    return examples.get(random.nextInt(examples.size()));
  }

  void clear() {
    examples.clear();
    oldest = 0;
  }
}
