package dev.panoptim.backend;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.ffi.PanoptimAbi;
import dev.panoptim.ffi.panoptim_cuda_plan;
import dev.panoptim.ffi.panoptim_plan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.List;

/// The framework on a graphics card, in a stream: each call returns once the card has been told.
final class CudaBackend extends Backend {
  private static final class Functions {
    /// The arenas of a call, and the stream.
    private static final MemoryLayout[] ANCHORS =
        Collections.nCopies(NativeTable.ANCHORS + 1, ValueLayout.ADDRESS)
            .toArray(MemoryLayout[]::new);

    static final MethodHandle STEP = PanoptimAbi.panoptim_cuda_step.makeInvoker(ANCHORS).handle();
    static final MethodHandle ADD_SQUARES =
        PanoptimAbi.panoptim_cuda_add_squares.makeInvoker(ANCHORS).handle();
  }

  private final DeviceStream stream;

  CudaBackend(DeviceStream stream) {
    stream.requireOpen();
    this.stream = stream;
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Device device() {
    return stream.device();
  }

  @Override
  public Device stateDevice() {
    return stream.device();
  }

  @Override
  public String describe() {
    return stream.device().describe();
  }

  @Override
  public void prepare(StepPlan plan) {
    plan.cudaTable();
  }

  @Override
  public Verdict newVerdict() {
    return new CudaVerdict(this, stream);
  }

  @Override
  public void step(StepPlan plan, int threads, Verdict verdict) {
    check(plan, threads);
    step(plan, ((CudaVerdict) verdict).there());
  }

  @Override
  void run(StepPlan plan, int threads) {
    step(plan, MemorySegment.NULL);
  }

  private void step(StepPlan plan, MemorySegment verdict) {
    stream.requireOpen();
    List<CudaTable.Call> calls = plan.cudaTable().calls(stream);
    for (int i = 0; i < calls.size(); i++) {
      panoptim_cuda_plan.verdict(calls.get(i).plan(), verdict);
      call(false, calls.get(i));
    }
  }

  /// Adds the squares of a plan's gradients to a verdict's.
  void addSquares(StepPlan plan, CudaVerdict verdict) {
    stream.requireOpen();
    List<CudaTable.Call> calls = plan.cudaTable().callsForSums(stream);
    for (int i = 0; i < calls.size(); i++) {
      panoptim_cuda_plan.verdict(calls.get(i).plan(), verdict.there());
      call(true, calls.get(i));
    }
  }

  @Override
  void sumSquares(StepPlan plan, int threads) {
    addSquares(plan, new CudaVerdict(this, stream));
    for (CudaTable.Call call : plan.cudaTable().callsForSums(stream)) {
      MemorySegment sums =
          plan.squareSums()
              .asSlice(call.of().firstChunk * Double.BYTES, call.chunks() * Double.BYTES);
      stream.copy(call.squareSums(), sums, sums.byteSize());
    }
    stream.await();
  }

  void judge(CudaVerdict verdict, double scale, double limit, boolean skipNonFinite) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
      int status =
          PanoptimAbi.panoptim_cuda_judge(
              device().index(),
              stream.handle(),
              verdict.there(),
              scale,
              limit,
              skipNonFinite ? 1 : 0,
              error);
      if (status != PanoptimAbi.PANOPTIM_OK()) {
        throw new CudaException(error.getString(0));
      }
    }
  }

  @Override
  public void zero(MemorySegment memory, long bytes) {
    stream.zero(memory, bytes);
  }

  @Override
  public void await() {
    stream.await();
  }

  private void call(boolean sums, CudaTable.Call call) {
    MemorySegment[] a = call.of().anchors;
    MemorySegment last = stream.handle();
    int status;
    try {
      // Each handle in a place of its own, where it is a constant.
      status =
          sums
              ? (int)
                  Functions.ADD_SQUARES.invokeExact(
                      call.plan(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], last)
              : (int)
                  Functions.STEP.invokeExact(
                      call.plan(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], last);
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      String error = panoptim_plan.error(call.of().plan).getString(0);
      if (status == PanoptimAbi.PANOPTIM_CUDA_FAILED()) {
        throw new CudaException(error);
      }
      throw new IllegalStateException(
          "the native call failed with status " + status + ": " + error);
    }
  }
}
