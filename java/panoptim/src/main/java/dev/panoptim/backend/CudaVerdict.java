package dev.panoptim.backend;

import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceEvent;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.ffi.panoptim_cuda_verdict;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A verdict on a card. A copy follows it to the host, which waits only if it wants to know before
/// that has come.
final class CudaVerdict extends Verdict {
  private final CudaBackend backend;
  private final DeviceStream stream;
  private final MemorySegment there;
  private final MemorySegment here;
  private final DeviceEvent arrival;

  CudaVerdict(CudaBackend backend, DeviceStream stream) {
    this.backend = backend;
    this.stream = stream;
    // Freed by the garbage collector once no step uses it.
    Arena arena = Arena.ofAuto();
    Device device = stream.device();
    there = device.allocate(panoptim_cuda_verdict.sizeof(), arena);
    here = device.allocatePinned(panoptim_cuda_verdict.sizeof(), arena);
    arrival = new DeviceEvent(device, arena);
  }

  MemorySegment there() {
    return there;
  }

  @Override
  public void begin() {
    stream.zero(there, panoptim_cuda_verdict.sizeof());
  }

  @Override
  public void add(StepPlan plan, int threads) {
    backend.check(plan, threads);
    backend.addSquares(plan, this);
  }

  @Override
  public void judge(double scale, double limit, boolean skipNonFinite) {
    backend.judge(this, scale, limit, skipNonFinite);
    stream.copy(there, here, panoptim_cuda_verdict.sizeof());
    arrival.record(stream);
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
}
