package dev.panoptim.internal.memory;

import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// Counts the off-heap bytes of the library by kind, and rejects allocations beyond the limit.
///
/// The limit is the system property `panoptim.memory.limit`: a number of bytes, optionally followed
/// by `k`, `m`, `g` or `t` for powers of 1024, or `none`. The default is computed by
/// [SystemMemoryLimit]. The property is read at the first allocation. GPU memory and mapped files
/// are counted, but not limited.
///
/// Thread-safe.
public final class MemoryBudget {
  /// The name of the system property.
  static final String LIMIT_PROPERTY = "panoptim.memory.limit";

  /// How many times an allocation beyond the limit waits for the garbage collector.
  private static final int MOST_WAITS = 10;

  private static final MemoryKind[] KINDS = MemoryKind.values();

  private static final AtomicLong TOTAL = new AtomicLong();
  private static final AtomicLongArray BY_KIND = new AtomicLongArray(KINDS.length);
  private static final AtomicLong ON_DEVICES = new AtomicLong();
  private static final AtomicLong MAPPED = new AtomicLong();

  /// `null` until the first use.
  private static volatile Long limit;

  private MemoryBudget() {}

  /// The bytes held of one kind.
  public static long held(MemoryKind kind) {
    return BY_KIND.get(kind.ordinal());
  }

  /// The bytes held of all kinds.
  public static long held() {
    return TOTAL.get();
  }

  /// The bytes held in GPU memory.
  public static long onDevices() {
    return ON_DEVICES.get();
  }

  /// The mapped bytes of files.
  public static long mapped() {
    return MAPPED.get();
  }

  /// The limit of the bytes of all kinds together; [Long#MAX_VALUE] if there is no limit.
  ///
  /// @throws IllegalArgumentException if the system property is malformed
  public static long limit() {
    Long known = limit;
    if (known == null) {
      String wanted = System.getProperty(LIMIT_PROPERTY);
      known =
          wanted == null
              ? SystemMemoryLimit.of(Path.of("/"), Runtime.getRuntime().maxMemory())
              : parse(wanted);
      limit = known;
    }
    return known;
  }

  static long parse(String value) {
    String text = value.strip().toLowerCase(Locale.ROOT);
    if (text.equals("none")) {
      return Long.MAX_VALUE;
    }
    int shift = text.isEmpty() ? -1 : "kmgt".indexOf(text.charAt(text.length() - 1));
    String digits = shift < 0 ? text : text.substring(0, text.length() - 1);
    // Long.parseLong would also accept a sign and digits of other scripts.
    if (digits.isEmpty() || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw illegal(value);
    }
    try {
      return Math.multiplyExact(Long.parseLong(digits), 1L << 10 * (shift + 1));
    } catch (NumberFormatException | ArithmeticException tooLarge) {
      throw illegal(value);
    }
  }

  private static IllegalArgumentException illegal(String value) {
    return new IllegalArgumentException(
        "system property %s is '%s', but must be none or a number of bytes below 2^63, with k, m, g or t for powers of 1024"
            .formatted(LIMIT_PROPERTY, value));
  }

  /// Counts bytes before they are allocated.
  ///
  /// @param bytes the number of bytes
  /// @param kinds at least one kind; the bytes are divided evenly among them
  /// @throws OutOfMemoryError if the bytes would exceed the limit; nothing has been counted
  /// @throws IllegalArgumentException as [#limit()]
  public static void reserve(long bytes, MemoryKind... kinds) {
    if (!tryReserve(bytes) && !reserveOnceCollected(bytes)) {
      throw new OutOfMemoryError(
          "%s bytes for %s are not allocated: %s bytes are held off-heap, and the limit is %s bytes (system property %s%s)"
              .formatted(
                  bytes,
                  words(kinds),
                  TOTAL.get(),
                  limit(),
                  LIMIT_PROPERTY,
                  System.getProperty(LIMIT_PROPERTY) == null
                      ? "; by default what the container or the machine allows"
                      : ""));
    }
    count(bytes, kinds);
  }

  private static String words(MemoryKind... kinds) {
    StringBuilder words = new StringBuilder();
    for (int i = 0; i < kinds.length; i++) {
      if (i == 0 || kinds[i] != kinds[i - 1]) {
        words.append(i == 0 ? "" : " and ").append(kinds[i]);
      }
    }
    return words.toString();
  }

  private static boolean tryReserve(long bytes) {
    long most = limit();
    long held = TOTAL.get();
    while (bytes <= most - held) {
      if (TOTAL.compareAndSet(held, held + bytes)) {
        return true;
      }
      held = TOTAL.get();
    }
    return false;
  }

  /// Waits until the garbage collector has freed memory of owners that were never closed.
  private static boolean reserveOnceCollected(long bytes) {
    if (bytes > limit()) {
      return false;
    }
    boolean interrupted = false;
    try {
      for (int i = 0; i < MOST_WAITS; i++) {
        if (i % 4 == 0) {
          System.gc();
        }
        try {
          Thread.sleep(1L << Math.min(i, 6));
        } catch (InterruptedException e) {
          interrupted = true;
        }
        if (tryReserve(bytes)) {
          return true;
        }
      }
      return false;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// Subtracts bytes that have been freed.
  ///
  /// @param bytes the number of bytes
  /// @param kinds as for [#reserve]
  public static void release(long bytes, MemoryKind... kinds) {
    TOTAL.addAndGet(-bytes);
    count(-bytes, kinds);
  }

  private static void count(long bytes, MemoryKind... kinds) {
    long share = bytes / kinds.length;
    BY_KIND.addAndGet(kinds[0].ordinal(), bytes - share * (kinds.length - 1));
    for (int i = 1; i < kinds.length; i++) {
      BY_KIND.addAndGet(kinds[i].ordinal(), share);
    }
  }

  /// Adds allocated bytes of GPU memory; a negative number subtracts freed bytes.
  public static void countOnDevices(long bytes) {
    ON_DEVICES.addAndGet(bytes);
  }

  /// Adds mapped bytes of a file; a negative number subtracts unmapped bytes.
  static void countMapped(long bytes) {
    MAPPED.addAndGet(bytes);
  }
}
