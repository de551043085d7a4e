package dev.panoptim.memory;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.MemoryKind;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.memory.OwnedArena;
import dev.panoptim.internal.tensor.Layout;
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

/// Named parameters with memory of Panoptim's own: data and gradients, zeroed, laid out for speed.
///
/// ```java
/// try (var parameters = Parameters.builder().add("weight", 64 * 10).add("bias", 10).build()) {
///   MemorySegment weight = parameters.get("weight").data();
/// }
/// ```
///
/// Whoever forgets to close it is told so by a warning in the log, once; the memory is then freed
/// as soon as neither this object, nor a [Parameter] or segment of it can be reached. A bare
/// address that was taken of a segment does not keep the memory.
///
/// All memory counts towards the limit `panoptim.memory.limit`.
///
/// Any thread may look parameters up once they are built; what may be done with them says
/// [Parameter]. [#close] is for when no thread reads or steps any more: a step that is under way
/// makes it fail. Thread-safe as far as that.
public final class Parameters implements AutoCloseable, Iterable<Parameter> {
  private final Device device;
  private final Origin origin = Origin.here("an object of class Parameters");
  private final Slab slab;
  private final OwnedArena mapping = OwnedArena.of(MemoryKind.PARAMETERS, origin);
  private final Map<String, Parameter> byName = new LinkedHashMap<>();

  private Parameters(Map<String, Long> sizes, Device device) {
    this.device = device;
    List<String> names = List.copyOf(sizes.keySet());
    long[] lengths = lengths(sizes);
    slab =
        Slab.allocate(
            new Layout(names, lengths, 0, 2),
            device,
            origin,
            MemoryKind.PARAMETERS,
            MemoryKind.GRADIENTS);
    for (int i = 0; i < lengths.length; i++) {
      add(names.get(i), lengths[i], slab.streams()[0][i], slab.streams()[1][i]);
    }
  }

  /// With data in a file and gradients of its own.
  private Parameters(Map<String, Long> sizes, Path file, Consumer<Parameters> initialise) {
    device = Device.cpu();
    List<String> names = List.copyOf(sizes.keySet());
    long[] lengths = lengths(sizes);
    Layout layout = new Layout(names, lengths, 0, 1);
    slab = Slab.allocate(new Layout(names, lengths, 1, 1), device, origin, MemoryKind.GRADIENTS);
    try {
      SharedFile.map(
          mapping,
          file,
          "the parameters " + sizes,
          layout.bytes(),
          (memory, fresh) -> {
            adopt(names, lengths, layout.slices(memory)[0]);
            if (fresh) {
              initialise.accept(this);
            }
          });
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private void adopt(List<String> names, long[] lengths, MemorySegment[] data) {
    for (int i = 0; i < lengths.length; i++) {
      add(names.get(i), lengths[i], data[i], slab.streams()[0][i]);
    }
  }

  private void add(String name, long size, MemorySegment data, MemorySegment gradient) {
    Parameter added = Parameter.onDevice(device, name, size, data);
    added.setGradient(gradient);
    byName.put(name, added);
  }

  private static long[] lengths(Map<String, Long> sizes) {
    return sizes.values().stream().mapToLong(Long::longValue).toArray();
  }

  public static Builder builder() {
    return new Builder();
  }

  /// In the order in which they were added.
  public List<Parameter> all() {
    return List.copyOf(byName.values());
  }

  /// @throws IllegalArgumentException if there is none of that name
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

  /// Frees data and gradients. Does nothing when they have been freed.
  ///
  /// @throws IllegalStateException if a step is using them
  @Override
  public void close() {
    slab.close();
    mapping.close();
  }

  /// Collects names and sizes, so that all of them can be laid out together.
  public static final class Builder {
    private final Map<String, Long> sizes = new LinkedHashMap<>();
    private Device device = Device.cpu();

    private Builder() {}

    /// @param value where data and gradients are to lie, by default the CPU's memory
    public Builder device(Device value) {
      device = Objects.requireNonNull(value, "device is null");
      return this;
    }

    /// @param name not used before. A checkpoint or a shared file holds it only if it is valid
    ///   Unicode (no half of a surrogate pair); a checkpoint also needs that all names of a
    ///   training, several times over, fit into 100,000,000 bytes
    /// @param size number of elements, 0 or more
    /// @throws IllegalArgumentException if the name was used before, or the size is negative or too
    ///   large
    public Builder add(String name, long size) {
      Objects.requireNonNull(name, "name is null, but must be a string");
      TensorChecks.bytes(name, size);
      if (sizes.putIfAbsent(name, size) != null) {
        throw new IllegalArgumentException("there are two parameters named '" + name + "'");
      }
      return this;
    }

    /// @throws OutOfMemoryError if the system has not so much memory, or the limit
    ///   `panoptim.memory.limit` does not allow it
    /// @throws CudaException if the GPU has not
    public Parameters build() {
      return new Parameters(sizes, device);
    }

    /// Parameters whose data lie in a file that several processes map, so that each sees what the
    /// others' optimizers write; gradients remain each process's own. See also
    /// `OptimizerBuilder.sharedStates`.
    ///
    /// The file is created where it does not exist or is empty, and stays; a folder in memory, such
    /// as `/dev/shm`, saves the disk from it. Processes that step at the same time overwrite parts
    /// of each other's updates: results then depend on the moment.
    ///
    /// @param initialise gives the zeroed data their first values; called only in the process that
    ///   creates the file, before any other can map it; must neither open the file nor wait for
    ///   another thread that maps one
    /// @throws IllegalStateException if a GPU was named: it cannot map a file
    /// @throws IllegalArgumentException if the file holds anything else, or parameters of other
    ///   names or sizes, or UTF-8 cannot hold a name
    /// @throws UncheckedIOException if it cannot be opened, written or mapped
    /// @throws OutOfMemoryError as [#build]
    public Parameters buildShared(Path file, Consumer<Parameters> initialise) {
      Objects.requireNonNull(file, "file is null");
      Objects.requireNonNull(initialise, "initialise is null");
      if (!device.isCpu()) {
        throw new IllegalStateException(
            "device is " + device + ", but parameters in a file are for the cpu");
      }
      return new Parameters(sizes, file, initialise);
    }
  }
}
