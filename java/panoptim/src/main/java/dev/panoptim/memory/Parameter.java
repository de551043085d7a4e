package dev.panoptim.memory;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.Segments;
import dev.panoptim.internal.memory.WriteWatch;
import dev.panoptim.internal.tensor.Shapes;
import dev.panoptim.internal.tensor.TensorChecks;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/// A tensor that an optimizer updates. It has a name, float32 data off-heap or on a GPU, and
/// optionally a shape and the gradient of the loss.
///
/// The caller owns the memory: a parameter keeps it reachable, but neither copies nor frees it.
/// [Parameters] creates parameters with memory in a fast layout. Data and gradient have the same
/// number of elements, without gaps, in row-major order. All optimizers work elementwise: the shape
/// is for checkpoints and for the reader.
///
/// On a GPU, data and gradient are segments of length 0, which Java cannot read or write. The
/// `copy` methods work on every device.
///
/// Not thread-safe: only the stepping thread, or a thread that it waits for, may set, remove or
/// write the gradient. It may do so between two steps or in a hook before a step. Any thread may
/// read name, size and device. Data that are read or copied during a step may be a mixture of old
/// and new values; `dev.panoptim.optim.Publication` gives consistent ones.
public final class Parameter {
  private final Device device;
  private final String name;
  private final long size;
  private final List<Long> shape;
  private final MemorySegment data;
  private MemorySegment gradient;

  /// Whether the gradient was set by its address.
  private boolean gradientOfAddress;

  /// `null` if the caller sets the gradient.
  private GradientSource gradientSource;

  private Parameter(
      Device device, String name, long size, MemorySegment data, MemorySegment gradient) {
    this.device = Objects.requireNonNull(device, "device is null");
    this.name = Objects.requireNonNull(name, "name is null, but must be a string");
    this.size = size;
    this.shape = List.of(size);
    this.data = TensorChecks.require(device, "data of '" + name + "'", size, data, true);
    if (gradient != null) {
      setGradient(gradient);
    }
  }

  private Parameter(Parameter other, List<Long> shape) {
    device = other.device;
    name = other.name;
    size = other.size;
    data = other.data;
    gradient = other.gradient;
    gradientOfAddress = other.gradientOfAddress;
    gradientSource = other.gradientSource;
    this.shape = shape;
  }

  /// Creates a parameter without a gradient.
  ///
  /// @param name the name, unique among the parameters of an optimizer. For a checkpoint it must be
  ///   valid Unicode, and all names of a training, several times over, must fit into 100,000,000
  ///   bytes
  /// @param size the number of elements, 0 or more
  /// @param data `size` floats: off-heap, writable, aligned to 4 bytes
  /// @throws IllegalArgumentException if `data` is not such a segment
  /// @throws IllegalStateException if the arena of `data` has been closed
  /// @throws WrongThreadException if the arena of `data` is confined to another thread
  public static Parameter of(String name, long size, MemorySegment data) {
    return new Parameter(Device.cpu(), name, size, data, null);
  }

  /// Creates a parameter with a gradient.
  ///
  /// @param name the name, unique among the parameters of an optimizer
  /// @param size the number of elements, 0 or more
  /// @param data `size` floats: off-heap, writable, aligned to 4 bytes
  /// @param gradient `size` floats: off-heap, aligned to 4 bytes; may be read-only
  /// @throws IllegalArgumentException if `data` or `gradient` is not such a segment, or if the two
  ///   overlap
  /// @throws IllegalStateException if the arena of `data` or `gradient` has been closed
  /// @throws WrongThreadException if the arena of `data` or `gradient` is confined to another
  ///   thread
  public static Parameter of(String name, long size, MemorySegment data, MemorySegment gradient) {
    Objects.requireNonNull(gradient, "gradient is null, but must be a memory segment");
    return new Parameter(Device.cpu(), name, size, data, gradient);
  }

  /// Creates a parameter at an address of host memory, as another library gives it, without a
  /// gradient; [#setGradientAddress] sets one. User code needs no restricted method for it.
  ///
  /// The memory must have `size` floats, be writable, and live as long as the parameter is used;
  /// none of this is checked.
  ///
  /// @param name the name, unique among the parameters of an optimizer
  /// @param size the number of elements, 0 or more
  /// @param data the address of `size` floats, a multiple of 4. Any multiple is accepted if `size`
  ///   is 0
  /// @throws IllegalArgumentException if the size is negative, or memory of that size cannot exist
  ///   at the address
  /// @throws IllegalCallerException if native access is denied to the module dev.panoptim
  public static Parameter ofAddress(String name, long size, long data) {
    return of(name, size, Segments.ofAddress(data, TensorChecks.bytes(name, size)));
  }

  /// Creates a parameter with a gradient, both at an address; otherwise as [#ofAddress(String,
  /// long, long)].
  ///
  /// @param gradient the address of `size` floats, a multiple of 4
  /// @throws IllegalArgumentException also if the gradient overlaps the data
  public static Parameter ofAddress(String name, long size, long data, long gradient) {
    Parameter created = ofAddress(name, size, data);
    created.setGradientAddress(gradient);
    return created;
  }

  /// Creates a parameter on a device, without a gradient; [#setGradient] sets one.
  ///
  /// On a GPU, `data` may be the result of [Device#allocate], or an address from a deep-learning
  /// framework: `MemorySegment.ofAddress(tensor.data_ptr())`. Memory of a framework must live as
  /// long as it is used and must have `size` elements; neither is checked.
  ///
  /// @param device the device of the data
  /// @param name the name, unique among the parameters of an optimizer
  /// @param size the number of elements, 0 or more
  /// @param data `size` floats in the device's memory, aligned to 4 bytes
  /// @throws IllegalArgumentException if `data` is not such a segment
  /// @throws IllegalStateException if the arena of `data` has been closed
  /// @throws CudaException if CUDA fails to report the owner of the memory
  public static Parameter onDevice(Device device, String name, long size, MemorySegment data) {
    return new Parameter(device, name, size, data, null);
  }

  /// The name, unique among the parameters of an optimizer.
  public String name() {
    return name;
  }

  /// The device of data and gradient.
  public Device device() {
    return device;
  }

  /// The number of elements.
  public long size() {
    return size;
  }

  /// The extent of each dimension, the last of which is contiguous; `[size]` unless [#withShape]
  /// has set another one. Immutable.
  public List<Long> shape() {
    return shape;
  }

  /// A parameter with the same name, device, data and gradient, and another shape. Use it instead
  /// of this one: each of the two has its own reference to a gradient from now on.
  ///
  /// Checkpoints save the shape. A state dict is refused if its parameter and this one have several
  /// dimensions each and the shapes differ.
  ///
  /// @param shape the extent of each dimension, the last of which is contiguous; their product is
  ///   [#size()]. No dimension at all is the shape of a single number
  /// @throws IllegalArgumentException if an extent is negative, or the product is not [#size()]
  public Parameter withShape(long... shape) {
    return new Parameter(this, Shapes.require(name, size, Shapes.of(name, shape)));
  }

  private long bytes() {
    return size * Float.BYTES;
  }

  /// The live data: [#size()] floats; on a GPU, a segment of length 0 with their address.
  public MemorySegment data() {
    return data;
  }

  /// Whether the parameter has a gradient.
  public boolean hasGradient() {
    return gradient != null;
  }

  /// The live gradient: [#size()] floats; on a GPU, a segment of length 0 with their address.
  ///
  /// @throws IllegalStateException if there is no gradient
  public MemorySegment gradient() {
    if (gradient == null) {
      throw new IllegalStateException("parameter '" + name + "' has no gradient");
    }
    return gradient;
  }

  /// The live gradient, or `null` if there is none.
  public MemorySegment gradientOrNull() {
    return gradient;
  }

  /// Sets the gradient. From now on, each step reads the segment.
  ///
  /// The method may be called before each step, with a different address each time. The next step
  /// then takes a fraction of a microsecond longer for each parameter, if the same parameters have
  /// gradients as before, in the same arenas. Otherwise it takes longer. All segments that were
  /// made from an address are in one arena, the global one.
  ///
  /// On a GPU, CUDA is asked for the allocation of memory that this library has not allocated: in
  /// this method, and again at the step. Each time, it is asked once for each allocation and not
  /// for each gradient. If the memory of a gradient that has moved since the last step has been
  /// freed, the step throws an [IllegalArgumentException] and changes nothing. Gradients that have
  /// not moved are not checked again.
  ///
  /// @param gradient [#size()] floats on the parameter's device: off-heap or on the same GPU,
  ///   aligned to 4 bytes; may be read-only
  /// @throws IllegalArgumentException if the segment is not of this kind, or overlaps the data
  /// @throws IllegalStateException if its arena has been closed
  /// @throws WrongThreadException if its arena is confined to another thread
  /// @throws CudaException if CUDA fails to report the owner of the memory
  public void setGradient(MemorySegment gradient) {
    gradientOfAddress = false;
    if (gradient != null && TensorChecks.areFloats(device, size, gradient) && !meets(gradient)) {
      // A valid gradient needs no names for messages. Some frameworks give a new one at each step.
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

  /// Sets the gradient by its address, as another library gives it. User code needs no restricted
  /// method for it. Setting the present address again takes a few nanoseconds.
  ///
  /// The memory must have [#size()] floats, and live until the gradient is set again, removed, or
  /// no more steps are made; on the CPU, this is not checked. See [#setGradient] for the cost of a
  /// gradient that moves.
  ///
  /// @param address the address of [#size()] floats on the parameter's device, a multiple of 4
  /// @throws IllegalArgumentException if memory of that size cannot exist at the address, or it
  ///   overlaps the data
  /// @throws IllegalCallerException if native access is denied to the module dev.panoptim
  /// @throws CudaException as [#setGradient]
  public void setGradientAddress(long address) {
    if (gradientOfAddress && gradient != null && gradient.address() == address) {
      return;
    }
    setGradient(
        device.isCpu() ? Segments.ofAddress(address, bytes()) : MemorySegment.ofAddress(address));
    gradientOfAddress = true;
  }

  /// Sets where the gradient is found from now on. Each step asks the source, before its hooks, and
  /// so do the methods that zero, clip or remove gradients. A gradient that was set otherwise is
  /// replaced then. The parameter keeps the source reachable.
  ///
  /// @param source may keep the other library's tensor reachable; `null` if the caller sets the
  ///   gradient, as at first
  public void setGradientSource(GradientSource source) {
    gradientSource = source;
  }

  /// Whether a source finds the gradient; see [#setGradientSource].
  public boolean hasGradientSource() {
    return gradientSource != null;
  }

  /// Asks the source where the gradient is now. Does nothing without a source. A step does so
  /// itself: call it before other code uses [#gradient()].
  ///
  /// @throws IllegalArgumentException as [#setGradientAddress]; exceptions of the source are passed
  ///   on
  public void updateGradient() {
    if (gradientSource != null) {
      long address = gradientSource.gradientAddress();
      if (address == GradientSource.NO_GRADIENT) {
        gradient = null;
      } else {
        setGradientAddress(address);
      }
    }
  }

  /// Checks that the data are where they were, as far as a source of the gradient can tell. Steps,
  /// checkpoints and the `copy` methods do so themselves: call it before other code uses [#data()].
  /// Any thread may call it.
  ///
  /// @throws IllegalStateException if they have moved or been freed
  public void requireInPlace() {
    if (gradientSource != null) {
      gradientSource.requireInPlace();
    }
  }

  /// Whether memory of the same size overlaps the data.
  private boolean meets(MemorySegment other) {
    return Math.abs(other.address() - data.address()) < bytes();
  }

  /// Removes the gradient; a source drops it. Steps skip a parameter without a gradient.
  public void removeGradient() {
    if (gradientSource != null) {
      gradientSource.dropGradient();
    }
    gradient = null;
  }

  /// Copies data from memory that Java can access, and waits for the copy. On a GPU, the copy runs
  /// after the work of all streams that the default stream waits for. All checks come before the
  /// first byte is copied.
  ///
  /// @param from [#size()] floats, on the heap or off-heap
  /// @throws IllegalArgumentException if the size differs, or memory cannot exist at the address
  /// @throws IllegalStateException if the arena of `from` or of the data has been closed
  /// @throws WrongThreadException if the arena of `from` or of the data is confined to another
  ///   thread
  /// @throws CudaException if CUDA reports an error
  public void copyDataFrom(MemorySegment from) {
    requireInPlace();
    copyFrom(from, "data", data);
  }

  /// Tells that other code has written the data in the memory of a GPU, for example a kernel of
  /// another library. Call it before the next step. It is needed with
  /// `Backends.offloadWithMasterCopy`, and has no effect otherwise. Writes by this library, by
  /// steps, copies and fills, need no such call.
  public void dataWrittenElsewhere() {
    WriteWatch.note(data, bytes());
  }

  /// Copies the data to memory that Java can access; otherwise like [#copyDataFrom].
  ///
  /// @param to [#size()] floats, not read-only
  /// @throws IllegalArgumentException also if `to` is read-only
  public void copyDataTo(MemorySegment to) {
    requireInPlace();
    copyTo(to, "data", data);
  }

  /// Copies the gradient from memory that Java can access; otherwise like [#copyDataFrom].
  ///
  /// @param from [#size()] floats, on the heap or off-heap
  /// @throws IllegalArgumentException also if the gradient is read-only
  /// @throws IllegalStateException also if there is no gradient
  public void copyGradientFrom(MemorySegment from) {
    updateGradient();
    copyFrom(from, "gradient", gradient());
  }

  /// Copies the gradient to memory that Java can access; otherwise like [#copyDataTo].
  ///
  /// @param to [#size()] floats, not read-only
  /// @throws IllegalStateException also if there is no gradient
  public void copyGradientTo(MemorySegment to) {
    updateGradient();
    copyTo(to, "gradient", gradient());
  }

  private void copyFrom(MemorySegment from, String kind, MemorySegment own) {
    TensorChecks.requireCopyable(
        "the source of a copy to the " + kind + " of '" + name + "'", from, bytes(), false);
    TensorChecks.requireAlive(kind + " of '" + name + "'", own);
    Segments.requireWritable(kind + " of '" + name + "'", own);
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
