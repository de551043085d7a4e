package dev.panoptim.javacpp;

import dev.panoptim.device.CudaException;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.bytedeco.pytorch.StringTensorDict;
import org.bytedeco.pytorch.StringTensorDictItem;
import org.bytedeco.pytorch.StringTensorDictItemVector;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/// Tensors of JavaCPP's PyTorch as parameters of an optimizer, which updates them in place:
///
/// ```java
/// var parameters = TorchParameters.of(net.named_parameters());
/// try (var optimizer = AdamW.builder(parameters).learningRate(1e-3).build()) {
///   for (var batch : batches) {
///     optimizer.zeroGrad(true);
///     loss(net.forward(batch)).backward();
///     optimizer.step();
///   }
/// }
/// ```
///
/// Each step, `zeroGrad()` and clipping of the optimizer asks libtorch where the gradients are
/// then. They may have moved, and a tensor without a gradient is skipped, for example a frozen one.
/// So `net.zero_grad(true)`, `net.zero_grad(false)` and the optimizer's `zeroGrad(true)` and
/// `zeroGrad()` may all be used.
///
/// Tensors must be leaves of float32 on a CPU or an NVIDIA GPU, and contiguous. They must stay
/// where they are: load a module, and move it to a device or type, before `of` is called. A step
/// throws an [IllegalStateException] if a tensor has moved, or if its gradient has another type,
/// shape, layout or device. Data of all parameters are unchanged then.
///
/// Each parameter keeps its tensor alive. A tensor that occurs several times is one parameter, with
/// the first of its names.
///
/// Autograd does not notice a step: tensors keep their version. A backward pass through a graph
/// that was recorded before the step therefore gives wrong gradients, and not an error.
///
/// Immutable. Thread-safe for look-ups; the use of each parameter follows the rules of [Parameter].
public final class TorchParameters implements Iterable<Parameter> {
  private static final System.Logger LOGGER = System.getLogger(TorchParameters.class.getName());

  private final Map<String, Parameter> byName;

  /// @throws IllegalArgumentException if there is no tensor
  TorchParameters(List<TorchTensor> tensors) {
    if (tensors.isEmpty()) {
      throw new IllegalArgumentException("there are no tensors, but must be at least one");
    }
    byName = new LinkedHashMap<>();
    for (TorchTensor each : tensors) {
      if (byName.putIfAbsent(each.parameter().name(), each.parameter()) != null) {
        throw new IllegalArgumentException(
            "there are two tensors named '" + each.parameter().name() + "'");
      }
    }
  }

  /// The parameters of a module by their names, such as `fc1.weight`.
  ///
  /// @param named the result of `module.named_parameters()`
  /// @throws IllegalArgumentException if there is no tensor, or one of them is not a leaf, not of
  ///   float32, not contiguous, not dense, or neither on a CPU nor on an NVIDIA GPU
  /// @throws CudaException if a tensor is on a GPU, but Panoptim cannot use it; the message gives
  ///   the reason
  public static TorchParameters of(StringTensorDict named) {
    Objects.requireNonNull(named, "named is null");
    Map<String, Tensor> copies = new LinkedHashMap<>();
    StringTensorDictItemVector items = named.items();
    for (long i = 0; i < items.size(); i++) {
      StringTensorDictItem item = items.get(i);
      copies.put(item.key().getString(), copy(item.value()));
      Reference.reachabilityFence(item);
    }
    Reference.reachabilityFence(items);
    Reference.reachabilityFence(named);
    return ofCopies(copies);
  }

  /// The tensors of a map, by its keys and in its order.
  ///
  /// @param named names that are the same in each run: checkpoints find parameters by them
  /// @throws IllegalArgumentException as [#of(StringTensorDict)], or if a tensor is undefined
  /// @throws CudaException as [#of(StringTensorDict)]
  public static TorchParameters of(Map<String, Tensor> named) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    named.forEach(
        (name, tensor) -> {
          Objects.requireNonNull(name, "a name is null");
          Objects.requireNonNull(tensor, () -> "tensor '" + name + "' is null");
          copies.put(name, copy(tensor));
        });
    Reference.reachabilityFence(named);
    return ofCopies(copies);
  }

  /// The tensors of a list, with their positions as names: `0`, `1`, and so on.
  ///
  /// @param tensors in the same order in each run, if checkpoints are used
  /// @throws IllegalArgumentException as [#of(Map)]
  /// @throws CudaException as [#of(StringTensorDict)]
  public static TorchParameters of(List<Tensor> tensors) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    for (Tensor each : tensors) {
      named.put(String.valueOf(named.size()), each);
    }
    return of(named);
  }

  /// The tensors of a vector; otherwise as [#of(List)].
  ///
  /// @param tensors for example the result of `module.parameters()`
  /// @throws IllegalArgumentException as [#of(Map)]
  /// @throws CudaException as [#of(StringTensorDict)]
  public static TorchParameters of(TensorVector tensors) {
    Objects.requireNonNull(tensors, "tensors is null");
    Map<String, Tensor> copies = new LinkedHashMap<>();
    for (long i = 0; i < tensors.size(); i++) {
      copies.put(String.valueOf(i), copy(tensors.get(i)));
    }
    Reference.reachabilityFence(tensors);
    return ofCopies(copies);
  }

  /// Another reference to the same tensor. An element of a vector or a dictionary is a part of that
  /// object's memory, and is gone with it.
  private static Tensor copy(Tensor tensor) {
    Tensor copy = new Tensor(tensor);
    // Otherwise the end of a PointerScope of the caller would free it. The garbage collector does.
    copy.retainReference();
    return copy;
  }

  /// @param copies tensors that this object alone has, so that nothing else can free them
  private static TorchParameters ofCopies(Map<String, Tensor> copies) {
    if (Libtorch.WHY_NOT != null) {
      LOGGER.log(
          System.Logger.Level.WARNING,
          "libtorch''s C functions cannot be called ({0}): a step finds gradients through JNI,"
              + " which takes several times as long",
          Libtorch.WHY_NOT);
    }
    return ofCopies(copies, Libtorch.WHY_NOT == null);
  }

  /// @param direct whether to call libtorch's C functions, and not JavaCPP's methods
  static TorchParameters ofCopies(Map<String, Tensor> copies, boolean direct) {
    List<TorchTensor> tensors = new ArrayList<>();
    Set<Long> known = new HashSet<>();
    Arena results = Arena.ofAuto();
    copies.forEach(
        (name, tensor) -> {
          requireLeaf(name, tensor);
          if (known.add(tensor.unsafeGetTensorImpl().address())) {
            // The variable in which libtorch keeps the gradient is a part of the tensor.
            Tensor gradient = tensor.mutable_grad();
            tensors.add(
                new TorchTensor(
                    name, reader(tensor, direct, results), reader(gradient, direct, results)));
          }
        });
    return new TorchParameters(tensors);
  }

  private static void requireLeaf(String name, Tensor tensor) {
    if (!tensor.defined()) {
      throw new IllegalArgumentException("tensor '" + name + "' is undefined");
    }
    if (!tensor.is_leaf()) {
      throw new IllegalArgumentException(
          "tensor '%s' is the result of a computation, but must be a leaf".formatted(name));
    }
    String why = JavaCppReader.whyUnreadable(tensor);
    if (why != null) {
      throw new IllegalArgumentException("tensor '" + name + "' " + why);
    }
  }

  private static TensorReader reader(Tensor tensor, boolean direct, Arena results) {
    return direct
        ? new LibtorchReader(tensor, results.allocate(Long.BYTES, Long.BYTES))
        : new JavaCppReader(tensor);
  }

  /// All parameters, in the order of the tensors.
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
}
