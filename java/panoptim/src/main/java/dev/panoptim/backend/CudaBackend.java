package dev.panoptim.backend;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.ffi.PanoptimAbi;
import dev.panoptim.ffi.panoptim_cuda_plan;
import dev.panoptim.ffi.panoptim_plan;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.List;

/// The framework on a graphics card, in a stream: each call returns once the card has been told.
final class CudaBackend extends Backend {
  private enum Function {
    STEP,
    ADD_SQUARES,
    ZERO_GRADIENTS
  }

  private static final class Functions {
    /// The arenas of a call, and the stream.
    private static final MemoryLayout[] ANCHORS =
        Collections.nCopies(NativeTable.ANCHORS + 1, ValueLayout.ADDRESS)
            .toArray(MemoryLayout[]::new);

    static final MethodHandle STEP = PanoptimAbi.panoptim_cuda_step.makeInvoker(ANCHORS).handle();
    static final MethodHandle ADD_SQUARES =
        PanoptimAbi.panoptim_cuda_add_squares.makeInvoker(ANCHORS).handle();
    static final MethodHandle ZERO_GRADIENTS =
        PanoptimAbi.panoptim_cuda_zero_gradients.makeInvoker(ANCHORS).handle();
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
  public void requireReady(StepPlan plan) {
    super.requireReady(plan);
    stream.requireOpen();
  }

  @Override
  void makeReady(StepPlan plan, StepPlan before) {
    // From here on the old plan has no table, also if this fails: it would get a new one.
    try (StepPlan.Prepared old = before == null ? null : before.giveAwayTo(this)) {
      plan.keep(this, new CudaTable(plan, stream, (CudaTable) old));
    }
  }

  private CudaTable table(StepPlan plan) {
    if (!plan.isPreparedBy(this)) {
      prepare(plan, null);
    }
    return (CudaTable) plan.prepared();
  }

  @Override
  public Verdict newVerdict() {
    return new CudaVerdict(this, stream);
  }

  @Override
  void run(StepPlan plan, int threads, Verdict verdict) {
    step(plan, ((CudaVerdict) verdict).there());
  }

  @Override
  void run(StepPlan plan, int threads) {
    step(plan, MemorySegment.NULL);
  }

  private void step(StepPlan plan, MemorySegment verdict) {
    stream.requireOpen();
    List<CudaTable.Call> calls = table(plan).updatedCalls();
    for (int i = 0; i < calls.size(); i++) {
      panoptim_cuda_plan.verdict(calls.get(i).plan(), verdict);
      call(Function.STEP, calls.get(i));
    }
  }

  /// Adds the squares of a plan's gradients to a verdict's.
  ///
  /// @param begins whether these are 0 before
  void addSquares(StepPlan plan, CudaVerdict verdict, boolean begins) {
    stream.requireOpen();
    List<CudaTable.Call> calls = table(plan).calls();
    for (int i = 0; i < calls.size(); i++) {
      panoptim_cuda_plan.verdict(calls.get(i).plan(), verdict.there());
      panoptim_cuda_plan.begins(calls.get(i).plan(), begins && i == 0 ? 1 : 0);
      call(Function.ADD_SQUARES, calls.get(i));
    }
  }

  @Override
  void sumSquares(StepPlan plan, int threads) {
    try (CudaVerdict verdict = new CudaVerdict(this, stream)) {
      addSquares(plan, verdict, true);
      for (CudaTable.Call call : table(plan).calls()) {
        MemorySegment sums =
            plan.squareSums()
                .asSlice(call.of().firstChunk * Double.BYTES, call.chunks() * Double.BYTES);
        stream.copy(call.squareSums(), sums, sums.byteSize());
      }
      stream.await();
    }
  }

  @Override
  public void zeroGradients(StepPlan plan) {
    check(plan, 1);
    stream.requireOpen();
    for (CudaTable.Call call : table(plan).calls()) {
      call(Function.ZERO_GRADIENTS, call);
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

  private void call(Function function, CudaTable.Call call) {
    MemorySegment[] a = call.of().anchors;
    MemorySegment last = stream.handle();
    int status;
    try {
      // Each handle in a place of its own, where it is a constant.
      status =
          switch (function) {
            case STEP ->
                (int)
                    Functions.STEP.invokeExact(
                        call.plan(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], last);
            case ADD_SQUARES ->
                (int)
                    Functions.ADD_SQUARES.invokeExact(
                        call.plan(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], last);
            case ZERO_GRADIENTS ->
                (int)
                    Functions.ZERO_GRADIENTS.invokeExact(
                        call.plan(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], last);
          };
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
