package dev.panoptim.internal.matrix;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The operands of [Product]s of several matrices of one shape.
///
/// Immutable and thread-safe.
///
/// @param left matrices of rows x depth
/// @param right matrices of depth x columns; `null` for a symmetric product, whose right operand is
///   the transposed left one
/// @param added matrices of rows x columns, which may be those of the output; `null` if no product
///   adds any. A symmetric product reads the elements on the diagonal and right of it, and takes
///   them for those left of it too
/// @param output matrices of rows x columns; apart from `added`, they overlap no other matrix
public record Operands(Matrices left, Matrices right, Matrices added, Matrices output) {
  /// @throws IllegalArgumentException if the shapes do not fit together, or an output is read-only
  ///   or overlaps another matrix
  public Operands {
    long columns = right == null ? left.rows() : right.columns();
    if (right != null && (right.rows() != left.columns() || right.count() != left.count())) {
      throw new IllegalArgumentException(
          "left has %s, but right has %s".formatted(left.shape(), right.shape()));
    }
    requireShape("output", output, left, columns);
    if (added != null) {
      requireShape("added", added, left, columns);
    }
    if (output.memory().stream().anyMatch(MemorySegment::isReadOnly)) {
      throw new IllegalArgumentException("output is read-only, but will be written");
    }
    requireApart(left, right, added, output);
  }

  private static void requireShape(String name, Matrices actual, Matrices left, long columns) {
    if (actual.rows() != left.rows()
        || actual.columns() != columns
        || actual.count() != left.count()) {
      throw new IllegalArgumentException(
          "%s has %s, but must have %s of %s x %s"
              .formatted(name, actual.shape(), left.count(), left.rows(), columns));
    }
  }

  private record Range(String name, boolean written, long start, long end) {}

  private static void requireApart(Matrices left, Matrices right, Matrices added, Matrices output) {
    List<Range> ranges = new ArrayList<>();
    add(ranges, "left", left, null);
    add(ranges, "right", right, null);
    add(ranges, "added", added, output);
    add(ranges, "output", output, null);
    ranges.sort((a, b) -> Long.compareUnsigned(a.start, b.start));
    Range last = null;
    Range lastWritten = null;
    for (Range each : ranges) {
      Range before = each.written ? last : lastWritten;
      if (before != null && Long.compareUnsigned(each.start, before.end) < 0) {
        throw new IllegalArgumentException(
            "a matrix of %s overlaps one of %s, but an output must be apart"
                .formatted(before.name, each.name));
      }
      last = further(last, each);
      lastWritten = each.written ? further(lastWritten, each) : lastWritten;
    }
  }

  private static Range further(Range a, Range b) {
    Comparator<Range> byEnd = (x, y) -> Long.compareUnsigned(x.end, y.end);
    return a == null || byEnd.compare(a, b) < 0 ? b : a;
  }

  /// Adds the ranges of some matrices, except those that are the same as another's.
  private static void add(List<Range> ranges, String name, Matrices matrices, Matrices other) {
    if (matrices == null || matrices.bytes() == 0) {
      return;
    }
    for (int i = 0; i < matrices.count(); i++) {
      long start = matrices.memory().get(i).address();
      boolean same =
          other != null
              && other.memory().get(i).address() == start
              && other.stride() == matrices.stride();
      if (!same) {
        ranges.add(new Range(name, name.equals("output"), start, start + matrices.bytes()));
      }
    }
  }

  public boolean symmetric() {
    return right == null;
  }

  public int count() {
    return left.count();
  }

  public long rows() {
    return left.rows();
  }

  public long columns() {
    return output.columns();
  }

  public long depth() {
    return left.columns();
  }

  public ProductShape shape() {
    return new ProductShape(symmetric(), count(), rows(), columns(), depth());
  }

  /// The segments of all matrices.
  List<MemorySegment> memory() {
    List<MemorySegment> all = new ArrayList<>(left.memory());
    if (right != null) {
      all.addAll(right.memory());
    }
    if (added != null) {
      all.addAll(added.memory());
    }
    all.addAll(output.memory());
    return all;
  }

  /// Checks a factor of the added matrices.
  ///
  /// @throws IllegalArgumentException if it is not 0, but there are no added matrices
  void requireFactor(float beta) {
    if (beta != 0 && added == null) {
      throw new IllegalArgumentException(
          "beta is " + beta + ", but must be 0 because there are no added matrices");
    }
  }
}
