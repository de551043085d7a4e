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
/// Readers count themselves in at [PublicationRing] and out here. While the buffer is the newest,
/// the number here is how many have gone, below 0. Once another is the newest, those that came are
/// added to it: it is then how many readers are left.
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

  /// Where a step writes.
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

  /// Whether no reader holds it; only asked of a buffer that is not the newest.
  boolean isFree() {
    return readers.get() == 0;
  }

  /// Counts a reader out.
  void release() {
    if (readers.decrementAndGet() == 0 && ended) {
      free();
    }
  }

  /// Says that this buffer is no longer the newest.
  ///
  /// @param came readers that have counted themselves in since it became the newest
  void retire(long came) {
    if (readers.addAndGet(came) == 0 && ended) {
      free();
    }
  }

  /// Frees the memory, or has the last reader free it; only asked of a buffer that is not the
  /// newest.
  void end() {
    ended = true;
    if (isFree()) {
      free();
    }
  }

  /// Both the last reader and [#end] may come here.
  private void free() {
    if (freed.compareAndSet(false, true)) {
      boolean closed = false;
      try {
        slab.close();
        closed = true;
      } finally {
        // Refused while another thread's call of native code uses it: may be tried again.
        freed.set(closed);
      }
    }
  }
}
