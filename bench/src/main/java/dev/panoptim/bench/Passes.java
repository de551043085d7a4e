package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The operations of a fused step around the update, as separate native passes over one tensor.
///
/// @param length number of elements
record Passes(
    MemorySegment data,
    MemorySegment gradient,
    MemorySegment average,
    MemorySegment bfloat16,
    long length,
    int threads) {
  private static final MethodHandle SCALE =
      BenchLibrary.find(
          "panoptim_pass_scale",
          FunctionDescriptor.ofVoid(ADDRESS, JAVA_FLOAT, JAVA_LONG, JAVA_INT));
  private static final MethodHandle NORM =
      BenchLibrary.find(
          "panoptim_pass_norm", FunctionDescriptor.of(JAVA_DOUBLE, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle AVERAGE =
      BenchLibrary.find(
          "panoptim_pass_average",
          FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, JAVA_FLOAT, JAVA_LONG, JAVA_INT));
  private static final MethodHandle BFLOAT16 =
      BenchLibrary.find(
          "panoptim_pass_bfloat16",
          FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle ZERO =
      BenchLibrary.find(
          "panoptim_pass_zero", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_INT));

  /// @param update the optimizer's step, between the passes over the gradient and the others
  void run(float scale, double clipNorm, double averageDecay, Runnable update) {
    Downcall.run(
        () -> {
          SCALE.invokeExact(gradient, scale, length, threads);
          double norm = (double) NORM.invokeExact(gradient, length, threads);
          if (norm > clipNorm) {
            SCALE.invokeExact(gradient, (float) (clipNorm / norm), length, threads);
          }
          update.run();
          AVERAGE.invokeExact(data, average, (float) (1 - averageDecay), length, threads);
          BFLOAT16.invokeExact(data, bfloat16, length, threads);
          ZERO.invokeExact(gradient, length, threads);
          return null;
        });
  }
}
