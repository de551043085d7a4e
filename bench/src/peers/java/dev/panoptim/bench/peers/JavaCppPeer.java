package dev.panoptim.bench.peers;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Adagrad;
import org.bytedeco.pytorch.AdagradOptions;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.RMSprop;
import org.bytedeco.pytorch.RMSpropOptions;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorList;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// libtorch, called through JavaCPP. `fused_*` are the fused kernels, called as in `torch.optim`
/// with `fused=True`. `cpp_*` are the optimizers of the C++ frontend. All have the defaults of
/// `torch.optim`.
///
/// Fields and lambdas hold all objects that steps use, because JavaCPP frees unreachable ones.
final class JavaCppPeer implements PeerProgram.Training {
  /// Prefix of a name that ends with a number of bytes: the difference between the page offsets of
  /// successive operands, as in Panoptim's `Layout`.
  private static final String STAGGERED = "fused_adamw_staggered_by_";

  private static final long CACHE_LINE = 64;
  private static final long SMALL_PAGE = 4096;
  private static final long HUGE_PAGE = 2L << 20;

  /// Disables gradient recording on this thread while it is reachable.
  private final NoGradGuard noGrad = new NoGradGuard();

  private final TensorVector parameters;
  private final Runnable step;

  private JavaCppPeer(String optimizer, List<FloatBuffer> data, List<FloatBuffer> gradients) {
    int count = data.size();
    int elements = data.getFirst().capacity();
    List<TensorVector> operands =
        optimizer.startsWith(STAGGERED)
            ? staggered(count, elements, Long.parseLong(optimizer.substring(STAGGERED.length())))
            : separate(count, elements);
    parameters = operands.get(0);
    copy(data, parameters);
    copy(gradients, operands.get(1));
    step =
        switch (optimizer) {
          case String name when name.startsWith("fused_adamw") -> adamw(operands);
          case "fused_sgd_momentum" -> sgd(operands);
          case "fused_adagrad" -> adagrad(operands);
          default -> frontend(optimizer, parameters, operands.get(1));
        };
  }

  public static void main(String[] arguments) throws IOException {
    PeerProgram.run(
        arguments,
        (optimizer, threads, data, gradients) -> {
          torch.set_num_threads(threads);
          return new JavaCppPeer(optimizer, data, gradients);
        });
  }

  @Override
  public String library() throws IOException {
    return "libtorch " + torch.TORCH_VERSION + " (JavaCPP " + Loader.getVersion() + ")";
  }

  @Override
  public void step() {
    step.run();
  }

  @Override
  public void read(int tensor, FloatBuffer into) {
    FloatPointer elements = parameters.get(tensor).data_ptr_float();
    into.put(elements.capacity(into.capacity()).asBuffer());
  }

  private static Runnable adamw(List<TensorVector> operands) {
    TensorVector steps = zeros(operands.getFirst().size());
    return counted(
        steps,
        operator(
            "aten::_fused_adamw_",
            "",
            list(operands.get(0)),
            list(operands.get(1)),
            list(operands.get(2)),
            list(operands.get(3)),
            list(new TensorVector()), // max_exp_avg_sqs
            list(steps),
            new IValue(1e-3), // lr
            new IValue(0.9), // beta1
            new IValue(0.999), // beta2
            new IValue(0.01), // weight_decay
            new IValue(1e-8), // eps
            new IValue(false), // amsgrad
            new IValue(false), // maximize
            new IValue(), // grad_scale
            new IValue())); // found_inf
  }

  /// Without dampening, the first step equals a later step from a momentum of 0.
  private static Runnable sgd(List<TensorVector> operands) {
    return operator(
        "aten::_fused_sgd_",
        "",
        list(operands.get(0)),
        list(operands.get(1)),
        list(operands.get(2)),
        new IValue(0.0), // weight_decay
        new IValue(0.9), // momentum
        new IValue(1e-3), // lr
        new IValue(0.0), // dampening
        new IValue(false), // nesterov
        new IValue(false), // maximize
        new IValue(false), // is_first_step
        new IValue(), // grad_scale
        new IValue()); // found_inf
  }

  private static Runnable adagrad(List<TensorVector> operands) {
    TensorVector steps = zeros(operands.getFirst().size());
    return counted(
        steps,
        operator(
            "aten::_fused_adagrad_",
            "",
            list(operands.get(0)),
            list(operands.get(1)),
            list(operands.get(2)),
            list(steps),
            new IValue(1e-2), // lr
            new IValue(0.0), // lr_decay
            new IValue(0.0), // weight_decay
            new IValue(1e-10), // eps
            new IValue(false), // maximize
            new IValue(), // grad_scale
            new IValue())); // found_inf
  }

  /// An update that first increments each tensor's step count.
  private static Runnable counted(TensorVector steps, Runnable update) {
    Runnable increment = operator("aten::_foreach_add_", "Scalar", list(steps), new IValue(1));
    return () -> {
      increment.run();
      update.run();
    };
  }

  /// Calls an operator without a result, for which JavaCPP has no method.
  private static Runnable operator(String name, String overload, IValue... arguments) {
    OperatorHandle operator = Dispatcher.singleton().findSchemaOrThrow(name, overload);
    IValueVector all = new IValueVector(arguments);
    IValueVector stack = new IValueVector();
    return () -> {
      stack.put(all);
      operator.callBoxed(stack);
    };
  }

  private static IValue list(TensorVector tensors) {
    GenericList list = new GenericList(new TensorList(tensors).elementType());
    for (Tensor each : tensors.get()) {
      list.push_back(new IValue(each));
    }
    return new IValue(list);
  }

  private static Runnable frontend(
      String optimizer, TensorVector parameters, TensorVector gradients) {
    for (long i = 0; i < parameters.size(); i++) {
      parameters.get(i).requires_grad_(true).mutable_grad().put(gradients.get(i));
    }
    Optimizer made =
        switch (optimizer) {
          case "cpp_sgd_momentum" -> {
            SGDOptions options = new SGDOptions(1e-3);
            options.momentum().put(0.9);
            yield new SGD(parameters, options);
          }
          case "cpp_adagrad" -> {
            AdagradOptions options = new AdagradOptions(1e-2);
            options.eps().put(1e-10);
            yield new Adagrad(parameters, options);
          }
          // The betas have Python's values already. They are in a C++ tuple, whose layout depends
          // on
          // the compiler.
          case "cpp_adam" -> {
            AdamOptions options = new AdamOptions(1e-3);
            options.eps().put(1e-8);
            yield new Adam(parameters, options);
          }
          case "cpp_adamw" -> {
            AdamWOptions options = new AdamWOptions(1e-3);
            options.eps().put(1e-8);
            options.weight_decay().put(0.01);
            yield new AdamW(parameters, options);
          }
          case "cpp_rmsprop" -> {
            RMSpropOptions options = new RMSpropOptions(1e-2);
            options.alpha().put(0.99);
            options.eps().put(1e-8);
            yield new RMSprop(parameters, options);
          }
          default -> throw new IllegalArgumentException("no such optimizer: " + optimizer);
        };
    return () -> made.step().close();
  }

  /// Four operands: data, gradients and two states, with each tensor allocated by libtorch.
  private static List<TensorVector> separate(int count, int elements) {
    return Stream.generate(() -> zeros(count, elements)).limit(4).toList();
  }

  /// Four operands in one allocation, with Panoptim's layout.
  private static List<TensorVector> staggered(int count, int elements, long stagger) {
    long tensor = roundUp((long) elements * Float.BYTES, CACHE_LINE);
    long page = tensor * count < HUGE_PAGE ? SMALL_PAGE : HUGE_PAGE;
    long distance = roundUp(tensor * count, page) + stagger;
    Tensor memory = torch.zeros((page + 4 * distance) / Float.BYTES);
    long begin = -memory.data_ptr().address() & (page - 1);
    List<TensorVector> operands = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      TensorVector operand = new TensorVector();
      for (int j = 0; j < count; j++) {
        long start = begin + i * distance + j * tensor;
        operand.push_back(memory.narrow(0, start / Float.BYTES, elements));
      }
      operands.add(operand);
    }
    return operands;
  }

  private static long roundUp(long bytes, long unit) {
    return (bytes + unit - 1) & -unit;
  }

  /// @param shape of each tensor; none for scalars
  private static TensorVector zeros(long count, long... shape) {
    TensorVector zeros = new TensorVector();
    for (long i = 0; i < count; i++) {
      zeros.push_back(torch.zeros(shape));
    }
    return zeros;
  }

  private static void copy(List<FloatBuffer> from, TensorVector to) {
    for (int i = 0; i < from.size(); i++) {
      FloatBuffer each = from.get(i);
      to.get(i).copy_(torch.from_blob(new FloatPointer(each), each.capacity()));
    }
  }
}
