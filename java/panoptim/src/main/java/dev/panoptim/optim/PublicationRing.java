package dev.panoptim.optim;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.tensor.Layout;
import dev.panoptim.internal.tensor.Slab;
import dev.panoptim.memory.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/// The buffers that a publication rotates through.
///
/// One thread writes, any number of threads read. A reader acquires the newest buffer with one
/// atomic addition: the number of that buffer and the count of its acquisitions are in one word.
/// The writer takes a buffer that is neither the newest nor held.
final class PublicationRing {
  /// The word's lower bits count acquisitions; 56 bits cannot overflow in practice.
  private static final int COUNT_BITS = 56;

  private static final long COUNT = (1L << COUNT_BITS) - 1;

  /// The buffer number after the end of the ring, when there is no newest buffer.
  private static final int ENDED = 0xff;

  private final PublicationBuffer[] buffers;
  private final long elements;
  private final AtomicLong newest = new AtomicLong(word(ENDED));

  /// Allocates the buffers. There is nothing to read before the first [#publish].
  ///
  /// @param origin the creation site, for a warning if the buffers are not freed
  /// @throws OutOfMemoryError if the system's memory or `panoptim.memory.limit` does not suffice
  PublicationRing(List<Parameter> parameters, PublicationOptions options, Origin origin) {
    List<String> names = parameters.stream().map(Parameter::name).toList();
    long[] elements = parameters.stream().mapToLong(Parameter::size).toArray();
    long[] floats = elements.clone();
    if (options.halfPrecision() != null) {
      // Two 16-bit numbers fill one float.
      for (int i = 0; i < floats.length; i++) {
        floats[i] = Math.ceilDiv(floats[i], 2L);
      }
    }
    List<PublicationBuffer> made = new ArrayList<>();
    try {
      while (made.size() < options.buffers()) {
        made.add(
            new PublicationBuffer(
                Slab.allocate(
                    new Layout(names, floats, 0, 1), Device.cpu(), origin, MemoryKind.PUBLICATIONS),
                names,
                elements,
                options.halfPrecision(),
                options.averages()));
      }
    } catch (Throwable e) {
      made.forEach(PublicationBuffer::end);
      throw e;
    }
    buffers = made.toArray(PublicationBuffer[]::new);
    long sum = 0;
    for (long each : elements) {
      sum += each;
    }
    this.elements = sum;
  }

  private static long word(int number) {
    return (long) number << COUNT_BITS;
  }

  private static int number(long word) {
    return (int) (word >>> COUNT_BITS);
  }

  /// The elements of all parameters in a buffer.
  long elements() {
    return elements;
  }

  /// Bytes from the beginning of a buffer to a parameter's copy; all buffers have the same layout.
  long offset(String name) {
    return buffers[0].offset(name);
  }

  /// Acquires the newest buffer.
  ///
  /// @return the buffer, which must be released; `null` if the ring has ended
  PublicationBuffer acquire() {
    int number = number(newest.getAndIncrement());
    return number == ENDED ? null : buffers[number];
  }

  /// The step number of the newest buffer; -1 if the ring has ended.
  long newestStep() {
    int number = number(newest.get());
    while (number != ENDED) {
      long step = buffers[number].step();
      int now = number(newest.get());
      // If another buffer is the newest now, the step of this one may already be overwritten.
      if (now == number) {
        return step;
      }
      number = now;
    }
    return -1;
  }

  /// For the writer: a buffer that is neither held nor the newest.
  ///
  /// @return `null` if readers hold all of them
  PublicationBuffer free() {
    int current = number(newest.get());
    for (int i = 0; i < buffers.length; i++) {
      if (i != current && buffers[i].isFree()) {
        return buffers[i];
      }
    }
    return null;
  }

  /// For the writer: makes a buffer that [#free] returned the newest.
  void publish(PublicationBuffer written) {
    for (int i = 0; i < buffers.length; i++) {
      if (buffers[i] == written) {
        replaceNewest(i);
        return;
      }
    }
    throw new AssertionError("the buffer is of another ring");
  }

  private void replaceNewest(int number) {
    long before = newest.getAndSet(word(number));
    if (number(before) != ENDED) {
      buffers[number(before)].retire(before & COUNT);
    }
  }

  /// Frees all buffers; held ones are freed when their last reader releases them.
  void end() {
    replaceNewest(ENDED);
    for (PublicationBuffer each : buffers) {
      each.end();
    }
  }
}
