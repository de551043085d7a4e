package dev.panoptim.examples.serving;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// Predictions by any number of threads, and steps by one thread, on the same model.
///
/// Thread-safe: one thread at a time may call [#step], any others [#predict].
interface ModelAccess {
  /// @param x from -1 to 1
  Prediction predict(double x);

  /// Makes a step with the gradients that have been computed.
  void step();

  /// Readers use the parameters that the optimizer has published.
  record Published(Ensemble model, Parameter weights, Optimizer optimizer) implements ModelAccess {
    @Override
    public Prediction predict(double x) {
      return optimizer
          .publication()
          .read(published -> model.predict(published.data(weights), x, published.step()));
    }

    @Override
    public void step() {
      optimizer.step();
    }
  }

  /// Readers use the parameters themselves, even while a step is writing them.
  final class Live implements ModelAccess {
    private final Ensemble model;
    private final Parameter weights;
    private final Optimizer optimizer;

    /// Written only by the thread that makes steps.
    private volatile long steps;

    Live(Ensemble model, Parameter weights, Optimizer optimizer) {
      this.model = model;
      this.weights = weights;
      this.optimizer = optimizer;
    }

    @Override
    public Prediction predict(double x) {
      return model.predict(weights.data(), x, steps);
    }

    @Override
    public void step() {
      optimizer.step();
      steps++;
    }
  }

  /// A read-write lock around the accesses of [Live]: readers and steps wait for each other.
  final class Locked implements ModelAccess {
    private final ModelAccess live;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();

    Locked(Ensemble model, Parameter weights, Optimizer optimizer) {
      live = new Live(model, weights, optimizer);
    }

    @Override
    public Prediction predict(double x) {
      lock.readLock().lock();
      try {
        return live.predict(x);
      } finally {
        lock.readLock().unlock();
      }
    }

    @Override
    public void step() {
      lock.writeLock().lock();
      try {
        live.step();
      } finally {
        lock.writeLock().unlock();
      }
    }
  }
}
