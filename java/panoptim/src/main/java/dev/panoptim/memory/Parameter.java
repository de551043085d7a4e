package dev.panoptim.memory;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/// A tensor that an optimizer updates: a name, float data off-heap or on a GPU, and the gradient of
/// the loss, or none.
///
/// The memory is the caller's: a parameter keeps it reachable, but neither copies nor frees it.
/// [Parameters] makes parameters together with memory that is laid out for speed. Of the shape,
/// optimizers need only the number of elements; data and gradient have the same one.
///
/// On a GPU, data and gradient are segments of length 0, which Java cannot read or write: the
/// `copy` methods do, and work everywhere.
///
/// Not thread-safe: the thread that steps sets, removes and writes the gradient, between two steps
/// or in a hook before one, and so does whoever that thread waits for. Name, size and device may be
/// read by any thread; data that are read or copied beside a step may be half old and half new, for
/// which there is `dev.panoptim.optim.Publication`.
public final class Parameter {
  private final Device device;
  private final String name;
  private final long size;
  private final MemorySegment data;
  private MemorySegment gradient;

  private Parameter(
      Device device, String name, long size, MemorySegment data, MemorySegment gradient) {
    this.device = Objects.requireNonNull(device, "device is null");
    this.name = Objects.requireNonNull(name, "name is null, but must be a string");
    this.size = size;
    this.data = TensorChecks.require(device, "data of '" + name + "'", size, data, true);
    if (gradient != null) {
      setGradient(gradient);
    }
  }

  /// A parameter that has no gradient yet.
  ///
  /// @param name unique among the parameters of an optimizer. A checkpoint holds it only if it is
  ///   valid Unicode, and all names of a training, several times over, fit into 100,000,000 bytes
  /// @param size number of elements, 0 or more
  /// @param data `size` floats: off-heap, writable, aligned to 4 bytes
  /// @throws IllegalArgumentException if `data` is not such a segment
  /// @throws IllegalStateException if the arena of `data` has been closed
  public static Parameter of(String name, long size, MemorySegment data) {
    return new Parameter(Device.cpu(), name, size, data, null);
  }

  /// A parameter with its gradient.
  ///
  /// @param name unique among the parameters of an optimizer
  /// @param size number of elements, 0 or more
  /// @param data `size` floats: off-heap, writable, aligned to 4 bytes
  /// @param gradient `size` floats: off-heap, aligned to 4 bytes; may be read-only
  /// @throws IllegalArgumentException if `data` or `gradient` is not such a segment, or if the two
  ///   overlap
  /// @throws IllegalStateException if the arena of `data` or `gradient` has been closed
  public static Parameter of(String name, long size, MemorySegment data, MemorySegment gradient) {
    Objects.requireNonNull(gradient, "gradient is null, but must be a memory segment");
    return new Parameter(Device.cpu(), name, size, data, gradient);
  }

  /// A parameter on a device, which has no gradient yet; [#setGradient] gives it one.
  ///
  /// On a GPU, `data` may be what [Device#allocate] returned, or an address that a deep-learning
  /// framework gives: `MemorySegment.ofAddress(tensor.data_ptr())`. The framework's memory must
  /// live for as long as it is used, and be as large as `size` says, which is not checked.
  ///
  /// @param name unique among the parameters of an optimizer
  /// @param size number of elements, 0 or more
  /// @param data `size` floats in the device's memory, aligned to 4 bytes
  /// @throws IllegalArgumentException if `data` is not such a segment
  /// @throws IllegalStateException if the arena of `data` has been closed
  /// @throws CudaException if CUDA does not say whose memory it is
  public static Parameter onDevice(Device device, String name, long size, MemorySegment data) {
    return new Parameter(device, name, size, data, null);
  }

  public String name() {
    return name;
  }

  /// Where data and gradient lie.
  public Device device() {
    return device;
  }

  /// The number of elements.
  public long size() {
    return size;
  }

  private long bytes() {
    return size * Float.BYTES;
  }

  /// The live data: [#size()] floats; on a GPU, their address alone.
  public MemorySegment data() {
    return data;
  }

  public boolean hasGradient() {
    return gradient != null;
  }

  /// The live gradient: [#size()] floats; on a GPU, their address alone.
  ///
  /// @throws IllegalStateException if there is none
  public MemorySegment gradient() {
    if (gradient == null) {
      throw new IllegalStateException("parameter '" + name + "' has no gradient");
    }
    return gradient;
  }

  /// The live gradient, or `null` where there is none.
  public MemorySegment gradientOrNull() {
    return gradient;
  }

  /// Makes a segment this parameter's gradient; it is read at each step from now on.
  ///
  /// May be called before each step, for gradients that lie elsewhere each time. As long as the
  /// same parameters have one, in the arenas that they were in before (segments made from an
  /// address are all in one, the global arena), the step that follows takes a fraction of a
  /// microsecond longer for each parameter; otherwise, and at the first step, more. On a GPU, CUDA
  /// is asked whose memory it is, here and at the step.
  ///
  /// @param gradient [#size()] floats where the data are: off-heap or on the same GPU, aligned to 4
  ///   bytes; may be read-only
  /// @throws IllegalArgumentException if it is not such a segment, or overlaps the data
  /// @throws IllegalStateException if its arena has been closed
  /// @throws WrongThreadException if its arena is confined to another thread
  /// @throws CudaException if CUDA does not say whose memory it is
  public void setGradient(MemorySegment gradient) {
    if (gradient != null && TensorChecks.areFloats(device, size, gradient) && !meets(gradient)) {
      // Without words for what is not wrong: some frameworks have other memory at each step.
      this.gradient = gradient;
      return;
    }
    String described = "gradient of '" + name + "'";
    MemorySegment checked = TensorChecks.require(device, described, size, gradient, false);
    TensorChecks.requireDisjoint(
        List.of(
            new TensorChecks.Named("data of '" + name + "'", data, bytes()),
            new TensorChecks.Named(described, checked, bytes())));
    this.gradient = device.isCpu() ? gradient : checked;
  }

  /// Whether memory of as many bytes shares some with the data.
  private boolean meets(MemorySegment other) {
    return Math.abs(other.address() - data.address()) < bytes();
  }

  /// Leaves this parameter without a gradient: steps pass it by until it has one again.
  public void removeGradient() {
    gradient = null;
  }

  /// Sets the data to what some memory holds that Java can reach. Waits for it; on a GPU, after the
  /// work of all streams that the default stream waits for. Whatever is refused is refused before
  /// the first byte.
  ///
  /// @param from [#size()] floats, on the heap or off it
  /// @throws IllegalArgumentException if it has another size, or says to be where no memory can be
  /// @throws IllegalStateException if its arena, or that of the data, has been closed
  /// @throws WrongThreadException if its arena, or that of the data, is confined to another thread
  /// @throws CudaException if CUDA refuses
  public void copyDataFrom(MemorySegment from) {
    copyFrom(from, "data", data);
  }

  /// Copies the data to memory that Java can reach; otherwise as [#copyDataFrom].
  ///
  /// @param to [#size()] floats, not read-only
  public void copyDataTo(MemorySegment to) {
    copyTo(to, "data", data);
  }

  /// Sets the gradient; otherwise as [#copyDataFrom].
  ///
  /// @param from [#size()] floats, on the heap or off it
  /// @throws IllegalArgumentException also if the gradient is read-only
  /// @throws IllegalStateException also if there is none
  public void copyGradientFrom(MemorySegment from) {
    copyFrom(from, "gradient", gradient());
  }

  /// Copies the gradient; otherwise as [#copyDataTo].
  ///
  /// @param to [#size()] floats, not read-only
  /// @throws IllegalStateException also if there is none
  public void copyGradientTo(MemorySegment to) {
    copyTo(to, "gradient", gradient());
  }

  private void copyFrom(MemorySegment from, String kind, MemorySegment own) {
    TensorChecks.requireCopyable(
        "the source of a copy to the " + kind + " of '" + name + "'", from, bytes(), false);
    TensorChecks.requireAlive(kind + " of '" + name + "'", own);
    Device.requireWritable(kind + " of '" + name + "'", own);
    device.upload(from, own);
  }

  private void copyTo(MemorySegment to, String kind, MemorySegment own) {
    TensorChecks.requireCopyable(
        "the target of a copy of the " + kind + " of '" + name + "'", to, bytes(), true);
    TensorChecks.requireAlive(kind + " of '" + name + "'", own);
    device.download(own, to);
  }

  @Override
  public String toString() {
    return "Parameter["
        + name
        + ", "
        + size
        + " elements"
        + (device.isCpu() ? "" : " on " + device)
        + (hasGradient() ? "]" : ", no gradient]");
  }
}
