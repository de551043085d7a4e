package dev.panoptim.memory;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.CloseAll;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.tensor.Layout;
import dev.panoptim.internal.tensor.Shapes;
import dev.panoptim.internal.tensor.SharedFile;
import dev.panoptim.internal.tensor.Slab;
import dev.panoptim.internal.tensor.TensorChecks;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/// Named parameters and their memory: zeroed data and gradients in a fast layout.
///
/// ```java
/// try (var parameters = Parameters.builder().add("weight", 64, 10).add("bias", 10).build()) {
///   MemorySegment weight = parameters.get("weight").data();
/// }
/// ```
///
/// If the parameters are never closed, the library logs one warning. It frees the memory when
/// neither this object nor a [Parameter] or segment of it is reachable any more. A bare address of
/// a segment does not keep the memory alive.
///
/// All memory counts towards the limit `panoptim.memory.limit`.
///
/// Thread-safe for look-ups; the use of each parameter follows the rules of [Parameter]. Call
/// [#close] when no thread reads or steps any more; it fails during a step.
public final class Parameters implements AutoCloseable, Iterable<Parameter> {
  private final Device device;
  private final Origin origin = Origin.here("an object of class Parameters");
  private final Slab slab;
  private final OwnedArena mapping = OwnedArena.of(MemoryKind.PARAMETERS, origin);
  private final Map<String, Parameter> byName = new LinkedHashMap<>();

  private Parameters(Map<String, List<Long>> shapes, Device device) {
    this.device = device;
    List<String> names = List.copyOf(shapes.keySet());
    long[] lengths = lengths(shapes);
    slab =
        Slab.allocate(
            new Layout(names, lengths, 0, 2),
            device,
            origin,
            MemoryKind.PARAMETERS,
            MemoryKind.GRADIENTS);
    for (int i = 0; i < lengths.length; i++) {
      add(names.get(i), shapes.get(names.get(i)), slab.streams()[0][i], slab.streams()[1][i]);
    }
  }

  /// Creates parameters with data in a file and gradients in this process's memory.
  private Parameters(Map<String, List<Long>> shapes, Path file, Consumer<Parameters> initialise) {
    device = Device.cpu();
    List<String> names = List.copyOf(shapes.keySet());
    long[] lengths = lengths(shapes);
    Layout layout = new Layout(names, lengths, 0, 1);
    slab = Slab.allocate(new Layout(names, lengths, 1, 1), device, origin, MemoryKind.GRADIENTS);
    try {
      SharedFile.map(
          mapping,
          file,
          "the parameters " + sizes(names, lengths),
          layout.bytes(),
          (memory, fresh) -> {
            adopt(shapes, layout.slices(memory)[0]);
            if (fresh) {
              initialise.accept(this);
            }
          });
    } catch (Throwable e) {
      CloseAll.after(e, List.of(this::close));
      throw e;
    }
  }

  private void adopt(Map<String, List<Long>> shapes, MemorySegment[] data) {
    int i = 0;
    for (Map.Entry<String, List<Long>> each : shapes.entrySet()) {
      add(each.getKey(), each.getValue(), data[i], slab.streams()[0][i]);
      i++;
    }
  }

  private void add(String name, List<Long> shape, MemorySegment data, MemorySegment gradient) {
    Parameter added =
        Parameter.onDevice(device, name, Shapes.size(name, shape), data)
            .withShape(shape.stream().mapToLong(Long::longValue).toArray());
    added.setGradient(gradient);
    byName.put(name, added);
  }

  private static long[] lengths(Map<String, List<Long>> shapes) {
    return shapes.entrySet().stream()
        .mapToLong(each -> Shapes.size(each.getKey(), each.getValue()))
        .toArray();
  }

  /// The sizes by name, as a shared file states them.
  private static Map<String, Long> sizes(List<String> names, long[] lengths) {
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (int i = 0; i < lengths.length; i++) {
      sizes.put(names.get(i), lengths[i]);
    }
    return sizes;
  }

  /// Creates a builder without parameters.
  public static Builder builder() {
    return new Builder();
  }

  /// All parameters, in the order in which they were added.
  public List<Parameter> all() {
    return List.copyOf(byName.values());
  }

  /// Finds a parameter by its name.
  ///
  /// @throws IllegalArgumentException if there is no parameter of that name
  public Parameter get(String name) {
    Parameter parameter = byName.get(name);
    if (parameter == null) {
      throw new IllegalArgumentException(
          "there is no parameter '" + name + "' among " + byName.keySet());
    }
    return parameter;
  }

  @Override
  public Iterator<Parameter> iterator() {
    return all().iterator();
  }

  /// Frees data and gradients. Closing twice has no effect.
  ///
  /// @throws IllegalStateException if a step is using the memory
  @Override
  public void close() {
    CloseAll.all(List.of(slab::close, mapping::close));
  }

  /// Collects names and shapes, so that all parameters can be laid out together.
  ///
  /// Not thread-safe.
  public static final class Builder {
    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
    private Device device = Device.cpu();

    private Builder() {}

    /// Sets the device of data and gradients. The default is the CPU.
    public Builder device(Device value) {
      device = Objects.requireNonNull(value, "device is null");
      return this;
    }

    /// Adds a parameter.
    ///
    /// @param name a new name. For a checkpoint or a shared file it must be valid Unicode, without
    ///   unpaired surrogates. For a checkpoint, all names of a training, several times over, must
    ///   also fit into 100,000,000 bytes
    /// @param shape the number of elements, or the extent of each dimension; see
    ///   [Parameter#withShape]
    /// @throws IllegalArgumentException if the name has been used before, if there is no extent, or
    ///   if one is negative or the number of elements too large
    public Builder add(String name, long... shape) {
      Objects.requireNonNull(name, "name is null, but must be a string");
      Objects.requireNonNull(shape, "shape is null");
      if (shape.length == 0) {
        throw new IllegalArgumentException(
            "shape of '" + name + "' has no extent, but must have at least one");
      }
      List<Long> own = Shapes.of(name, shape);
      TensorChecks.bytes(name, Shapes.size(name, own));
      if (shapes.putIfAbsent(name, own) != null) {
        throw new IllegalArgumentException("there are two parameters named '" + name + "'");
      }
      return this;
    }

    /// Allocates the parameters.
    ///
    /// @throws OutOfMemoryError if the system has too little memory, or the memory would exceed the
    ///   limit `panoptim.memory.limit`
    /// @throws CudaException if the GPU has too little memory
    public Parameters build() {
      return new Parameters(shapes, device);
    }

    /// Maps parameters whose data are in a file. Several processes can map the same file, and each
    /// sees the updates of the others. Each process has its own gradients. See also
    /// `OptimizerBuilder.sharedStates`.
    ///
    /// The file is created if it does not exist or is empty, and it is never deleted. A file in a
    /// memory file system, such as `/dev/shm`, avoids writes to a disk. Processes that step at the
    /// same time overwrite parts of each other's updates; the results then depend on timing.
    ///
    /// @param file a regular file in the default file system
    /// @param initialise sets the first values of the zeroed data. It is called only in the process
    ///   that creates the file, before another process can map it. It must neither open the file
    ///   nor wait for another thread that maps one
    /// @throws IllegalStateException if the device is a GPU, which cannot map a file
    /// @throws IllegalArgumentException if the file has other content, or parameters of other names
    ///   or sizes, or if a name cannot be encoded as UTF-8
    /// @throws UncheckedIOException if the file cannot be opened, written or mapped
    /// @throws OutOfMemoryError as [#build]
    public Parameters buildShared(Path file, Consumer<Parameters> initialise) {
      Objects.requireNonNull(file, "file is null");
      Objects.requireNonNull(initialise, "initialise is null");
      if (!device.isCpu()) {
        throw new IllegalStateException(
            "device is " + device + ", but parameters in a file must be on the cpu");
      }
      return new Parameters(shapes, file, initialise);
    }
  }
}
