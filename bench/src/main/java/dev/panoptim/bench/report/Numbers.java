package dev.panoptim.bench.report;

import java.util.Locale;

/// Numbers as text, the same in every locale.
final class Numbers {
  private Numbers() {}

  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /// Such as `33,554,432`.
  static String count(long count) {
    return format("%,d", count);
  }

  /// Such as `5,000 x 1,000` for `5000x1000`: the number of tensors and the elements of each.
  static String tensors(String sizes) {
    String[] parts = sizes.split("x");
    return count(Long.parseLong(parts[0])) + " x " + count(Long.parseLong(parts[1]));
  }

  /// Such as `1 thread` or `2 threads`.
  static String threads(long count) {
    return count + (count == 1 ? " thread" : " threads");
  }
}
