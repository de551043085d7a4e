package dev.panoptim.internal.ffm;

import dev.panoptim.internal.bindings.PanoptimAbi;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.Objects;

/// Downcalls whose arguments after the plan are segments: one of each arena that the linker keeps
/// open until the call returns.
///
/// There are handles for 0, 1, 2, 4 and 8 segments, because each argument takes time, even if it is
/// NULL, and most calls need one or two. Making a handle takes milliseconds, so each one is in a
/// class that is initialised at the first use. For steps, [#prepareStep] is the first use, so that
/// no step can fail between two calls.
///
/// The library must be loaded. Thread-safe.
final class HeldCalls {
  private HeldCalls() {}

  private static MemoryLayout[] holds(int count) {
    return Collections.nCopies(count, ValueLayout.ADDRESS).toArray(MemoryLayout[]::new);
  }

  private static MethodHandle step(int holds) {
    return PanoptimAbi.panoptim_step.makeInvoker(holds(holds)).handle();
  }

  private static MethodHandle sumSquares(int holds) {
    return PanoptimAbi.panoptim_sum_squares.makeInvoker(holds(holds)).handle();
  }

  private static MethodHandle measure(int holds) {
    return PanoptimAbi.panoptim_measure.makeInvoker(holds(holds)).handle();
  }

  private static final class Step0 {
    static final MethodHandle HANDLE = step(0);
  }

  private static final class Step1 {
    static final MethodHandle HANDLE = step(1);
  }

  private static final class Step2 {
    static final MethodHandle HANDLE = step(2);
  }

  private static final class Step4 {
    static final MethodHandle HANDLE = step(4);
  }

  private static final class Step8 {
    static final MethodHandle HANDLE = step(8);
  }

  private static final class SumSquares0 {
    static final MethodHandle HANDLE = sumSquares(0);
  }

  private static final class SumSquares1 {
    static final MethodHandle HANDLE = sumSquares(1);
  }

  private static final class SumSquares2 {
    static final MethodHandle HANDLE = sumSquares(2);
  }

  private static final class SumSquares4 {
    static final MethodHandle HANDLE = sumSquares(4);
  }

  private static final class SumSquares8 {
    static final MethodHandle HANDLE = sumSquares(8);
  }

  private static final class Measure0 {
    static final MethodHandle HANDLE = measure(0);
  }

  private static final class Measure1 {
    static final MethodHandle HANDLE = measure(1);
  }

  private static final class Measure2 {
    static final MethodHandle HANDLE = measure(2);
  }

  private static final class Measure4 {
    static final MethodHandle HANDLE = measure(4);
  }

  private static final class Measure8 {
    static final MethodHandle HANDLE = measure(8);
  }

  /// The smallest number of segments that has handles and is not below `holds`.
  ///
  /// @param holds from 0 to [NativeTable#HOLDS]
  static int arguments(int holds) {
    return holds <= 2 ? holds : holds <= 4 ? 4 : NativeTable.HOLDS;
  }

  /// Makes the handle of steps with a number of segments, if it does not exist.
  ///
  /// @param arguments the result of [#arguments]
  static void prepareStep(int arguments) {
    Objects.requireNonNull(
        switch (arguments) {
          case 0 -> Step0.HANDLE;
          case 1 -> Step1.HANDLE;
          case 2 -> Step2.HANDLE;
          case 4 -> Step4.HANDLE;
          default -> Step8.HANDLE;
        });
  }

  /// Makes a step.
  ///
  /// @param a the segments, filled up with NULL to the number that [#arguments] returned
  /// @return the status
  static int step(MemorySegment plan, MemorySegment[] a) throws Throwable {
    return switch (a.length) {
      case 0 -> (int) Step0.HANDLE.invokeExact(plan);
      case 1 -> (int) Step1.HANDLE.invokeExact(plan, a[0]);
      case 2 -> (int) Step2.HANDLE.invokeExact(plan, a[0], a[1]);
      case 4 -> (int) Step4.HANDLE.invokeExact(plan, a[0], a[1], a[2], a[3]);
      default ->
          (int) Step8.HANDLE.invokeExact(plan, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    };
  }

  /// Sums squares; otherwise as [#step].
  static int sumSquares(MemorySegment plan, MemorySegment[] a) throws Throwable {
    return switch (a.length) {
      case 0 -> (int) SumSquares0.HANDLE.invokeExact(plan);
      case 1 -> (int) SumSquares1.HANDLE.invokeExact(plan, a[0]);
      case 2 -> (int) SumSquares2.HANDLE.invokeExact(plan, a[0], a[1]);
      case 4 -> (int) SumSquares4.HANDLE.invokeExact(plan, a[0], a[1], a[2], a[3]);
      default ->
          (int)
              SumSquares8.HANDLE.invokeExact(plan, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    };
  }

  /// Measures; otherwise as [#step].
  static int measure(MemorySegment plan, MemorySegment[] a) throws Throwable {
    return switch (a.length) {
      case 0 -> (int) Measure0.HANDLE.invokeExact(plan);
      case 1 -> (int) Measure1.HANDLE.invokeExact(plan, a[0]);
      case 2 -> (int) Measure2.HANDLE.invokeExact(plan, a[0], a[1]);
      case 4 -> (int) Measure4.HANDLE.invokeExact(plan, a[0], a[1], a[2], a[3]);
      default ->
          (int) Measure8.HANDLE.invokeExact(plan, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    };
  }
}
