package dev.panoptim.internal.lbfgs;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.tensor.Layout;
import dev.panoptim.internal.tensor.Slab;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// The vectors of L-BFGS: five, and two more for each pair of the history.
///
/// The history is a ring: a new pair takes the place of the oldest one. Vectors change their roles
/// instead of being copied. Memory for a pair is allocated when the pair is first needed. All of it
/// counts as states.
///
/// Not thread-safe.
public final class LbfgsVectors implements AutoCloseable {
  private static final int ROLES = 5;

  private final long length;
  private final int most;
  private final Origin origin = Origin.here("an L-BFGS optimizer");
  private final List<Slab> slabs = new ArrayList<>();
  private final List<Pair> ring = new ArrayList<>();

  /// The place of the oldest pair in the ring.
  private int oldest;

  /// Allocated pairs that hold nothing.
  private final Deque<Pair> free = new ArrayDeque<>();

  private MemorySegment gradient;
  private MemorySegment spare;
  private MemorySegment start;
  private final MemorySegment previous;
  private final MemorySegment direction;

  /// @param length the elements of a vector
  /// @param most the most pairs
  /// @throws OutOfMemoryError if the memory would exceed the limit, or the system has too little
  public LbfgsVectors(long length, int most) {
    this.length = length;
    this.most = most;
    MemorySegment[] vectors = allocate(0, ROLES);
    gradient = vectors[0];
    spare = vectors[1];
    start = vectors[2];
    previous = vectors[3];
    direction = vectors[4];
  }

  /// @param first the number of the first vector, for the layout
  private MemorySegment[] allocate(int first, int count) {
    Slab slab =
        Slab.allocate(
            new Layout(List.of("the vectors of L-BFGS"), new long[] {length}, first, count),
            Device.cpu(),
            origin,
            MemoryKind.STATES);
    slabs.add(slab);
    MemorySegment[] vectors = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      vectors[i] = slab.streams()[i][0];
    }
    return vectors;
  }

  /// The gradient where the parameters are.
  public MemorySegment gradient() {
    return gradient;
  }

  /// A vector for intermediate results.
  public MemorySegment spare() {
    return spare;
  }

  /// The data of the parameters at the start of an iteration.
  public MemorySegment start() {
    return start;
  }

  /// The gradient at the start of the last iteration.
  public MemorySegment previous() {
    return previous;
  }

  public MemorySegment direction() {
    return direction;
  }

  /// Exchanges [#gradient()] and [#spare()].
  public void swapGradients() {
    MemorySegment before = gradient;
    gradient = spare;
    spare = before;
  }

  /// The number of pairs.
  public int pairs() {
    return ring.size();
  }

  /// @param index 0 for the oldest pair
  public Pair pair(int index) {
    return ring.get((oldest + index) % ring.size());
  }

  /// Makes [#start()] and [#spare()] the step and the change of a new pair. Other vectors take
  /// these two roles, with any values.
  ///
  /// @param inverse see [Pair]
  /// @throws OutOfMemoryError as the constructor; nothing has changed
  public void addPair(double inverse) {
    boolean full = ring.size() == most;
    Pair replaced = full ? ring.get(oldest) : take();
    Pair added = new Pair(start, spare, inverse);
    if (full) {
      ring.set(oldest, added);
      oldest = (oldest + 1) % most;
    } else {
      // The ring starts at place 0 until it is full.
      ring.add(added);
    }
    start = replaced.step();
    spare = replaced.change();
  }

  private Pair take() {
    if (!free.isEmpty()) {
      return free.pop();
    }
    MemorySegment[] vectors = allocate(ROLES, 2);
    return new Pair(vectors[0], vectors[1], 0);
  }

  /// Replaces the history by pairs with undefined vectors, which the caller fills.
  ///
  /// @param inverses one for each pair, the oldest first; at most as many as the history holds
  /// @throws OutOfMemoryError as the constructor; nothing has changed
  public void replacePairs(List<Double> inverses) {
    while (ring.size() + free.size() < inverses.size()) {
      MemorySegment[] vectors = allocate(ROLES, 2);
      free.add(new Pair(vectors[0], vectors[1], 0));
    }
    free.addAll(ring);
    ring.clear();
    oldest = 0;
    for (double inverse : inverses) {
      Pair memory = free.pop();
      ring.add(new Pair(memory.step(), memory.change(), inverse));
    }
  }

  /// All vectors.
  public List<MemorySegment> all() {
    List<MemorySegment> all = new ArrayList<>();
    slabs.forEach(
        slab -> {
          for (MemorySegment[] stream : slab.streams()) {
            all.add(stream[0]);
          }
        });
    return all;
  }

  /// Frees all memory. Closing twice has no effect.
  @Override
  public void close() {
    List<Runnable> parts = new ArrayList<>();
    slabs.forEach(slab -> parts.add(slab::close));
    CloseAll.all(parts);
  }
}
