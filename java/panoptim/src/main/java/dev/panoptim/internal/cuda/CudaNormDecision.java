package dev.panoptim.internal.cuda;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceEvent;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_cuda_decision;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A norm decision on a GPU. It is copied to the host asynchronously. The host waits only if it
/// needs the result before the copy has arrived.
///
/// Not thread-safe.
final class CudaNormDecision extends NormDecision {
  private final CudaBackend backend;
  private final DeviceStream stream;
  private final OwnedArena arena =
      OwnedArena.of(MemoryKind.TABLES, Origin.here("an optimizer's norm on a GPU"));
  private final MemorySegment there;
  private final MemorySegment here;
  private final DeviceEvent arrival;
  private final MemorySegment error;
  private boolean begins;

  /// Whether a decision is enqueued and its result has not been read.
  private boolean underWay;

  /// The error of the last read, or `null` if there was none.
  private CudaException failure;

  private double norm;
  private double clipFactor;
  private boolean skips;

  CudaNormDecision(CudaBackend backend, DeviceStream stream) {
    this.backend = backend;
    this.stream = stream;
    Device device = stream.device();
    try {
      there = device.allocate(panoptim_cuda_decision.sizeof(), arena);
      here = device.allocatePinned(panoptim_cuda_decision.sizeof(), arena);
      arrival = new DeviceEvent(device, arena);
      error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
    } catch (Throwable e) {
      CloseAll.after(e, List.of(arena::close));
      throw e;
    }
  }

  @Override
  public Engine backend() {
    return backend;
  }

  MemorySegment there() {
    return there;
  }

  @Override
  public void begin() {
    begins = true;
  }

  @Override
  public void add(StepPlan plan, int threads) {
    backend.check(plan, threads);
    backend.addSquares(plan, this, begins);
    begins = false;
  }

  @Override
  public void decide(double scale, double limit, boolean skipNonFinite) {
    stream.requireOpen();
    int status =
        PanoptimAbi.panoptim_cuda_decide(
            stream.device().index(),
            stream.handle(),
            there,
            scale,
            limit,
            skipNonFinite ? 1 : 0,
            here,
            arrival.handle(),
            error);
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      throw new CudaException(error.getString(0));
    }
    underWay = true;
  }

  @Override
  public boolean isOnHost() {
    return false;
  }

  private void arrive() {
    if (failure != null) {
      CudaException again = new CudaException(failure.getMessage());
      again.initCause(failure);
      throw again;
    }
    if (underWay) {
      arrival.await();
      norm = panoptim_cuda_decision.norm(here);
      clipFactor = panoptim_cuda_decision.clip_factor(here);
      skips = panoptim_cuda_decision.skips(here) != 0;
      underWay = false;
    }
  }

  @Override
  public double norm() {
    arrive();
    return norm;
  }

  @Override
  public double clipFactor() {
    arrive();
    return clipFactor;
  }

  @Override
  public boolean skips() {
    arrive();
    return skips;
  }

  @Override
  public void close() {
    if (arena.isOpen()) {
      CloseAll.all(List.of(this::arriveLast, arena::close));
    }
  }

  private void arriveLast() {
    try {
      arrive();
    } catch (CudaException e) {
      failure = e;
      throw e;
    }
  }
}
