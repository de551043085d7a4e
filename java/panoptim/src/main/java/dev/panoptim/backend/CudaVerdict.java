package dev.panoptim.backend;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceEvent;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.ffi.PanoptimAbi;
import dev.panoptim.ffi.panoptim_cuda_verdict;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A verdict on a card. A copy follows it to the host, which waits only if it wants to know before
/// that has come.
final class CudaVerdict extends Verdict {
  private final CudaBackend backend;
  private final DeviceStream stream;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment there;
  private final MemorySegment here;
  private final DeviceEvent arrival;
  private final MemorySegment error;
  private boolean begins;

  CudaVerdict(CudaBackend backend, DeviceStream stream) {
    this.backend = backend;
    this.stream = stream;
    Device device = stream.device();
    try {
      there = device.allocate(panoptim_cuda_verdict.sizeof(), arena);
      here = device.allocatePinned(panoptim_cuda_verdict.sizeof(), arena);
      arrival = new DeviceEvent(device, arena);
      error = arena.allocate(PanoptimAbi.PANOPTIM_TEXT());
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  boolean isOf(CudaBackend other) {
    return backend == other;
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
  public void judge(double scale, double limit, boolean skipNonFinite) {
    stream.requireOpen();
    int status =
        PanoptimAbi.panoptim_cuda_judge(
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
  }

  @Override
  public boolean isKnown() {
    return false;
  }

  @Override
  public double norm() {
    arrival.await();
    return panoptim_cuda_verdict.norm(here);
  }

  @Override
  public double clipFactor() {
    arrival.await();
    return panoptim_cuda_verdict.clip_factor(here);
  }

  @Override
  public boolean skips() {
    arrival.await();
    return panoptim_cuda_verdict.skips(here) != 0;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
