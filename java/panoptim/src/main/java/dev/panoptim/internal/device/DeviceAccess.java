package dev.panoptim.internal.device;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.memory.WriteWatch;
import java.lang.foreign.MemorySegment;

/// The methods of [Device] and [DeviceStream] that steps need and that are not part of the API.
/// [Device] implements them, and offers its implementation when it is initialized.
///
/// CUDA is asked for the owner of memory that [Device#allocate] has not allocated. Gradients may
/// move at each step, and one query for each of them would take too long. These methods therefore
/// ask only once for each allocation between two calls of [#forgetRanges]. An answer is out of date
/// if the allocation has been freed meanwhile, so that a step forgets the ranges before it checks
/// the gradients that have moved.
///
/// Thread-safe.
public abstract class DeviceAccess {
  private static volatile DeviceAccess offered;

  private static final class Holder {
    static final DeviceAccess ACCESS;

    static {
      // Initializes the class Device, which offers the implementation.
      Device.cpu();
      ACCESS = offered;
    }
  }

  /// The implementation.
  public static DeviceAccess get() {
    return Holder.ACCESS;
  }

  /// Sets the implementation. Called once.
  public static void offer(DeviceAccess access) {
    offered = access;
  }

  /// Like [Device#holds], but CUDA is asked only for memory that is not in a known range.
  ///
  /// @throws CudaException if CUDA reports an error
  public abstract boolean heldWhenAsked(Device device, MemorySegment memory, long bytes);

  /// Forgets the ranges of a device's memory, so that CUDA is asked again. No effect for the CPU.
  public abstract void forgetRanges(Device device);

  /// Checks that a range of addresses lies in a GPU's memory, as far as [Device#holds] can tell.
  /// This method forgets all ranges first.
  ///
  /// @throws IllegalArgumentException if it does not; the message begins with the name
  /// @throws CudaException if CUDA reports an error
  public abstract void requireOnDevice(
      Device device, String name, MemorySegment memory, long bytes);

  /// Whether a range of GPU addresses lies within one allocation of [Device#allocate]. A copy must
  /// not cross allocations, even if they are adjacent.
  public abstract boolean areOneAllocation(Device device, MemorySegment memory, long bytes);

  /// Like [DeviceStream#copy], but addresses are checked with [#heldWhenAsked].
  ///
  /// @param owner the watch for which the write does not count; `null` for none
  public abstract void copyHeld(
      DeviceStream stream, MemorySegment from, MemorySegment to, long bytes, WriteWatch owner);

  /// Like [DeviceStream#zero], but addresses are checked with [#heldWhenAsked].
  public abstract void zeroHeld(DeviceStream stream, MemorySegment memory, long bytes);
}
