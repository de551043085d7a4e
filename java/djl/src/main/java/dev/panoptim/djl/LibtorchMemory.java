package dev.panoptim.djl;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Asks libtorch itself for addresses.
final class LibtorchMemory implements TensorMemory {
  private final Libtorch libtorch;
  private final NDManager manager;
  private final MemorySegment result = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);

  /// @param manager owns the references to gradients
  LibtorchMemory(Libtorch libtorch, NDManager manager) {
    this.libtorch = libtorch;
    this.manager = manager;
  }

  /// Synchronized, because there is one place for results, and a thread that saves a checkpoint
  /// asks for addresses too.
  @Override
  public synchronized long address(PtNDArray array) {
    return libtorch.dataPointer(array.getHandle(), result);
  }

  @Override
  public synchronized boolean isContiguous(PtNDArray array) {
    return libtorch.isContiguous(array.getHandle(), result);
  }

  @Override
  public Gradient gradientOf(PtNDArray array) {
    return new KeptGradient(array);
  }

  /// Keeps a reference to the gradient, so that its memory stays alive, and checks at each step
  /// that it is still the gradient.
  private final class KeptGradient implements Gradient {
    private final PtNDArray array;

    /// `null` if there is no gradient.
    private PtNDArray gradient;

    /// Of the gradient, also of an undefined one; 0 before the first look.
    private long identity;

    KeptGradient(PtNDArray array) {
      this.array = array;
    }

    @Override
    public long address() {
      if (libtorch.gradientIdentity(array.getHandle()) != identity) {
        look();
      }
      return gradient == null ? 0 : LibtorchMemory.this.address(gradient);
    }

    private void look() {
      PtNDArray found = JniUtils.getGradient(array);
      if (found != null) {
        found.attach(manager);
        TensorChecks.reasonAgainst(found, LibtorchMemory.this)
            .ifPresent(
                reason -> {
                  found.close();
                  throw new IllegalArgumentException("the gradient " + reason);
                });
      }
      if (gradient != null) {
        gradient.close();
      }
      gradient = found;
      identity = libtorch.gradientIdentity(array.getHandle());
    }
  }
}
