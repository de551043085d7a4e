package dev.panoptim.internal.ffm;

import dev.panoptim.internal.bindings.Downcall;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.parallel.PooledWork;
import dev.panoptim.internal.parallel.WorkSplit;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A native call that the calling thread shares with helpers of the pool, by elements.
///
/// Not thread-safe.
abstract class SharedElements extends PooledWork {
  private final MemorySegment table;
  private final long shareOffset;
  private final long sharingOffset;
  private final long errorOffset;
  private long elements;

  /// @param table the structure of the call
  /// @param shareOffset of its field `share` in bytes; the others likewise
  SharedElements(MemorySegment table, long shareOffset, long sharingOffset, long errorOffset) {
    this.table = table;
    this.shareOffset = shareOffset;
    this.sharingOffset = sharingOffset;
    this.errorOffset = errorOffset;
  }

  /// Runs the call; returns when every thread is done.
  ///
  /// @param threads the most threads that take part, including the calling one
  final void run(long count, int threads) {
    elements = count;
    int most = WorkSplit.helpers(count, threads);
    if (most == 0) {
      lead();
    } else {
      share(most, WorkSplit.isLong(count));
    }
  }

  /// Makes the downcall, which ends when all work is done.
  ///
  /// @return the status
  abstract int call() throws Throwable;

  /// Opens the call to helpers, which wait until the downcall begins.
  @Override
  protected final void begin(int helpers) {
    if (helpers > 0) {
      table.set(ValueLayout.JAVA_LONG, shareOffset, WorkSplit.share(elements, helpers + 1));
      table.set(ValueLayout.JAVA_INT, sharingOffset, PanoptimAbi.PANOPTIM_ANNOUNCED());
    }
  }

  @Override
  protected final void lead() {
    int status;
    try {
      status = call();
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      throw Downcall.failed("the native call", status, table.getString(errorOffset));
    }
  }

  /// If the downcall failed before it began, helpers still wait for it.
  @Override
  protected final void end() {
    table.set(ValueLayout.JAVA_INT, sharingOffset, PanoptimAbi.PANOPTIM_CLOSED());
  }
}
