package dev.panoptim.internal.cuda;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.bindings.Downcall;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_cuda_plan;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.device.DeviceAccess;
import dev.panoptim.internal.ffm.NativeTable;
import dev.panoptim.internal.memory.WriteWatch;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.Measures;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.Row;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.List;

/// Runs steps on a GPU, in a CUDA stream. Each call returns when its work is enqueued.
///
/// Thread-safe.
public final class CudaBackend extends Engine {
  private enum Function {
    STEP,
    ADD_SQUARES,
    MEASURE,
    ZERO_GRADIENTS
  }

  private static final class Functions {
    /// The layouts of a call's arenas and of its stream.
    private static final MemoryLayout[] HOLDS =
        Collections.nCopies(NativeTable.HOLDS + 1, ValueLayout.ADDRESS)
            .toArray(MemoryLayout[]::new);

    static final MethodHandle STEP = PanoptimAbi.panoptim_cuda_step.makeInvoker(HOLDS).handle();
    static final MethodHandle ADD_SQUARES =
        PanoptimAbi.panoptim_cuda_add_squares.makeInvoker(HOLDS).handle();
    static final MethodHandle MEASURE =
        PanoptimAbi.panoptim_cuda_measure.makeInvoker(HOLDS).handle();
    static final MethodHandle ZERO_GRADIENTS =
        PanoptimAbi.panoptim_cuda_zero_gradients.makeInvoker(HOLDS).handle();
  }

  private final DeviceStream stream;

  public CudaBackend(DeviceStream stream) {
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
  protected Prepared make(StepPlan plan, Prepared before) {
    return new CudaTable(this, plan, stream, (CudaTable) before);
  }

  private CudaTable table(StepPlan plan) {
    return (CudaTable) prepared(plan);
  }

  @Override
  public NormDecision newNormDecision() {
    return new CudaNormDecision(this, stream);
  }

  @Override
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    MemorySegment followed =
        decision == null ? MemorySegment.NULL : ((CudaNormDecision) decision).there();
    stream.requireOpen();
    List<CudaTable.Call> calls = table(plan).updatedCalls();
    try {
      for (int i = 0; i < calls.size(); i++) {
        panoptim_cuda_plan.decision(calls.get(i).plan(), followed);
        call(Function.STEP, calls.get(i));
      }
    } finally {
      // Even if a call failed: the earlier calls are enqueued and write the memory.
      noteStep(plan);
    }
  }

  /// Notes all memory that a step over a plan writes.
  private static void noteStep(StepPlan plan) {
    if (WriteWatch.isUnused()) {
      return;
    }
    for (Row each : plan.rows().list()) {
      long bytes = each.size() * Float.BYTES;
      WriteWatch.note(each.data(), bytes);
      for (MemorySegment state : each.states()) {
        WriteWatch.note(state, bytes);
      }
      if (each.average() != null) {
        WriteWatch.note(each.average(), bytes);
      }
      if (each.halfPrecisionCopy() != null) {
        WriteWatch.note(each.halfPrecisionCopy(), each.size() * Short.BYTES);
      }
    }
    if (plan.values().zeroes()) {
      noteGradients(plan);
    }
  }

  private static void noteGradients(StepPlan plan) {
    if (!WriteWatch.isUnused()) {
      for (int i = 0; i < plan.rows().count(); i++) {
        WriteWatch.note(plan.gradient(i), plan.rows().get(i).size() * Float.BYTES);
      }
    }
  }

  /// Adds the sum of a plan's squared gradients to a decision.
  ///
  /// @param begins whether the sum starts at 0
  void addSquares(StepPlan plan, CudaNormDecision decision, boolean begins) {
    stream.requireOpen();
    List<CudaTable.Call> calls = table(plan).calls();
    for (int i = 0; i < calls.size(); i++) {
      panoptim_cuda_plan.decision(calls.get(i).plan(), decision.there());
      panoptim_cuda_plan.begins(calls.get(i).plan(), begins && i == 0 ? 1 : 0);
      call(Function.ADD_SQUARES, calls.get(i));
    }
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    try (CudaNormDecision decision = new CudaNormDecision(this, stream)) {
      addSquares(plan, decision, true);
      CudaTable table = table(plan);
      for (CudaTable.Call call : table.calls()) {
        MemorySegment sums =
            table
                .squareSums()
                .memory()
                .asSlice(call.of().firstChunk * Double.BYTES, call.chunks() * Double.BYTES);
        stream.copy(call.squareSums(), sums, sums.byteSize());
      }
      stream.await();
    }
  }

  @Override
  protected void fillMeasures(StepPlan plan, int threads) {
    stream.requireOpen();
    CudaTable table = table(plan);
    for (CudaTable.Call call : table.updatedCalls()) {
      call(Function.MEASURE, call);
      MemorySegment measures =
          table
              .measures()
              .memory()
              .asSlice(
                  call.of().firstChunk * Measures.COUNT * Double.BYTES,
                  call.chunks() * Measures.COUNT * Double.BYTES);
      stream.copy(call.measures(), measures, measures.byteSize());
    }
    stream.await();
  }

  @Override
  public void zeroGradients(StepPlan plan) {
    check(plan, 1);
    stream.requireOpen();
    List<CudaTable.Call> calls = table(plan).calls();
    try {
      for (CudaTable.Call call : calls) {
        call(Function.ZERO_GRADIENTS, call);
      }
    } finally {
      noteGradients(plan);
    }
  }

  @Override
  public void zero(MemorySegment memory, long bytes) {
    DeviceAccess.get().zeroHeld(stream, memory, bytes);
  }

  @Override
  public void await() {
    stream.await();
  }

  private void call(Function function, CudaTable.Call call) {
    MemorySegment[] a = call.of().holds;
    MemorySegment last = stream.handle();
    int status;
    try {
      // Each handle has its own call site, where it is a constant.
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
            case MEASURE ->
                (int)
                    Functions.MEASURE.invokeExact(
                        call.plan(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], last);
            case ZERO_GRADIENTS ->
                (int)
                    Functions.ZERO_GRADIENTS.invokeExact(
                        call.plan(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], last);
          };
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      String error = panoptim_plan.error(call.of().plan).getString(0);
      if (status == PanoptimAbi.PANOPTIM_CUDA_FAILED()) {
        throw new CudaException(error);
      }
      throw Downcall.failed("the native call", status, error);
    }
  }
}
