package dev.panoptim.examples.bridges.javacpp;

import dev.panoptim.examples.bridges.ComparedLibrary;
import dev.panoptim.examples.bridges.TrainingSetup;
import dev.panoptim.examples.bridges.TrainingSide;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/// JavaCPP's PyTorch, whose own optimizer is `torch::optim::AdamW`.
final class JavacppLibrary implements ComparedLibrary {
  @Override
  public String name() {
    try {
      return "JavaCPP's PyTorch " + Loader.getVersion("org.bytedeco", "pytorch");
    } catch (IOException e) {
      throw new UncheckedIOException("the jar of org.bytedeco:pytorch has no version", e);
    }
  }

  @Override
  public String ownOptimizer() {
    return "libtorch's AdamW";
  }

  @Override
  public String panoptimOptimizer() {
    return "Panoptim's AdamW";
  }

  @Override
  public TrainingSide own(TrainingSetup setup) {
    return new TorchSide(setup, TorchAdamW::new);
  }

  @Override
  public TrainingSide panoptim(TrainingSetup setup) {
    return new TorchSide(setup, PanoptimAdamW::new);
  }

  @Override
  public List<String> remarks() {
    GradientSearch search = GradientSearch.measure();
    return List.of(
        String.format(
            Locale.ROOT,
            "Finding the gradient of a tensor: %.3f us where it was before, %.3f us elsewhere",
            search.microsKept(),
            search.microsMoved()),
        "Threads of libtorch: %s; OPENBLAS_NUM_THREADS: %s"
            .formatted(torch.get_num_threads(), System.getenv("OPENBLAS_NUM_THREADS")));
  }
}
