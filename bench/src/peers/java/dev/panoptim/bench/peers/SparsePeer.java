package dev.panoptim.bench.peers;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Adagrad;
import org.bytedeco.pytorch.AdagradOptions;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// The C++ Adagrad of libtorch with sparse gradients, called through JavaCPP. libtorch has no
/// SparseAdam, and its other optimizers in C++ refuse sparse gradients.
///
/// Arguments: OPTIMIZER THREADS WIDTH DATA GRADIENT IDS, as those of `torch_rows.py`.
final class SparsePeer implements PeerProgram.Training {
  /// Disables gradient recording on this thread while it is reachable.
  private final NoGradGuard noGrad = new NoGradGuard();

  private final Tensor parameter;
  private final Tensor values;
  private final long[] shape;
  private final List<Tensor> batches = new ArrayList<>();
  private final Adagrad optimizer;
  private int next;

  private SparsePeer(int width, FloatBuffer data, FloatBuffer gradients, LongBuffer ids) {
    parameter = copy(data, width).requires_grad_(true);
    values = copy(gradients, width);
    shape = new long[] {parameter.size(0), width};
    int count = gradients.capacity() / width;
    for (int i = 0; i < ids.capacity() / count; i++) {
      LongPointer batch = new LongPointer(ids.slice(i * count, count));
      batches.add(
          torch
              .from_blob(batch, new long[] {1, count}, new TensorOptions(torch.ScalarType.Long))
              .clone());
    }
    AdagradOptions arguments = new AdagradOptions(0.05);
    arguments.eps().put(1e-10);
    arguments.initial_accumulator_value().put(0.1);
    optimizer = new Adagrad(new TensorVector(parameter), arguments);
  }

  public static void main(String[] arguments) throws IOException {
    LongBuffer ids;
    try (FileChannel file = FileChannel.open(Path.of(arguments[5]))) {
      ids =
          file.map(FileChannel.MapMode.READ_ONLY, 0, file.size())
              .order(ByteOrder.nativeOrder())
              .asLongBuffer();
    }
    int width = Integer.parseInt(arguments[2]);
    String[] oneTensor = arguments.clone();
    oneTensor[2] = "1";
    PeerProgram.run(
        oneTensor,
        (optimizer, threads, data, gradients) -> {
          if (!optimizer.equals("adagrad")) {
            throw new IllegalArgumentException("no such optimizer: " + optimizer);
          }
          torch.set_num_threads(threads);
          return new SparsePeer(width, data.getFirst(), gradients.getFirst(), ids);
        });
  }

  private static Tensor copy(FloatBuffer floats, int width) {
    long rows = floats.capacity() / width;
    return torch.from_blob(new FloatPointer(floats), rows, width).clone();
  }

  @Override
  public String library() throws IOException {
    return "libtorch " + torch.TORCH_VERSION + " (JavaCPP " + Loader.getVersion() + ")";
  }

  @Override
  public void step() {
    try (Tensor gradient = torch.sparse_coo_tensor(batches.get(next), values, shape)) {
      parameter.mutable_grad().put(gradient);
      optimizer.step().close();
    }
    next = (next + 1) % batches.size();
  }

  @Override
  public void read(int tensor, FloatBuffer into) {
    into.put(parameter.data_ptr_float().capacity(into.capacity()).asBuffer());
  }
}
