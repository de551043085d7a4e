package dev.panoptim.optim;

import dev.panoptim.internal.step.PublishTarget;
import dev.panoptim.internal.tensor.Slab;
import dev.panoptim.memory.HalfPrecision;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/// One copy of all parameters that are published, and how many readers hold it.
///
/// Acquisitions are counted in [PublicationRing], releases here. While the buffer is the newest,
/// the count here is minus the number of releases. When another buffer becomes the newest, the
/// number of acquisitions is added: the count is then the number of readers.
final class PublicationBuffer {
  private final Slab slab;
  private final PublishTarget target;
  private final Map<String, MemorySegment> copies;
  private final PublishedParameters view = new PublishedParameters(this);
  private final AtomicLong readers = new AtomicLong();

  private final AtomicBoolean freed = new AtomicBoolean();

  /// Written before the buffer becomes the newest.
  private volatile long step;

  /// Whether the last reader frees the memory.
  private volatile boolean ended;

  /// @param slab one stream with a tensor for each name
  /// @param elements of each tensor
  PublicationBuffer(
      Slab slab, List<String> names, long[] elements, HalfPrecision narrow, boolean averages) {
    this.slab = slab;
    target = new PublishTarget(slab.memory(), narrow, averages);
    int bytes = narrow == null ? Float.BYTES : Short.BYTES;
    Map<String, MemorySegment> found = new LinkedHashMap<>();
    for (int i = 0; i < elements.length; i++) {
      MemorySegment copy = slab.streams()[0][i].asSlice(0, elements[i] * bytes);
      found.put(names.get(i), copy.asReadOnly());
    }
    copies = Collections.unmodifiableMap(found);
  }

  /// The memory that a step writes.
  PublishTarget target() {
    return target;
  }

  /// Bytes from the beginning of the target's memory to a parameter's copy.
  long offset(String name) {
    return copies.get(name).address() - slab.memory().address();
  }

  Map<String, MemorySegment> copies() {
    return copies;
  }

  Optional<HalfPrecision> halfPrecision() {
    return Optional.ofNullable(target.narrow());
  }

  PublishedParameters view() {
    return view;
  }

  long step() {
    return step;
  }

  void setStep(long value) {
    step = value;
  }

  /// Whether no reader holds this buffer, which must not be the newest.
  boolean isFree() {
    return readers.get() == 0;
  }

  /// Counts a release.
  void release() {
    if (readers.decrementAndGet() == 0 && ended) {
      free();
    }
  }

  /// Marks that this buffer is no longer the newest.
  ///
  /// @param acquired acquisitions since this buffer became the newest
  void retire(long acquired) {
    if (readers.addAndGet(acquired) == 0 && ended) {
      free();
    }
  }

  /// Frees the memory now, or when the last reader releases this buffer, which must not be the
  /// newest.
  void end() {
    ended = true;
    if (isFree()) {
      free();
    }
  }

  /// May be called by both the last reader and [#end].
  private void free() {
    if (freed.compareAndSet(false, true)) {
      boolean closed = false;
      try {
        slab.close();
        closed = true;
      } finally {
        // Closing fails while another thread's native code uses the memory; it may be tried again.
        freed.set(closed);
      }
    }
  }
}
