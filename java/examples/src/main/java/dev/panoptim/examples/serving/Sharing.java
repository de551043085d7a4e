package dev.panoptim.examples.serving;

import dev.panoptim.memory.Parameter;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Publication;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// Predictions by any number of threads, and steps by one, over the same model.
///
/// Thread-safe: one thread at a time may call [#step], any others [#predict].
interface Sharing {
  /// @param x from -1 to 1
  Prediction predict(double x);

  /// Updates the parameters from their gradients.
  void step();

  /// Readers get whole copies, and wait for nobody.
  final class Published implements Sharing {
    private final Ensemble model;
    private final Parameter weights;
    private final Optimizer optimizer;
    private final Publication publication;

    Published(Ensemble model, Parameter weights, Optimizer optimizer) {
      this.model = model;
      this.weights = weights;
      this.optimizer = optimizer;
      publication = optimizer.publication();
    }

    @Override
    public Prediction predict(double x) {
      return publication.read(
          published -> model.predict(published.data(weights), x, published.step()));
    }

    @Override
    public void step() {
      optimizer.step();
    }
  }

  /// Readers read whatever a step has written so far.
  final class Live implements Sharing {
    private final Ensemble model;
    private final Parameter weights;
    private final Optimizer optimizer;

    /// Written by the thread that steps, one at a time.
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

  /// Readers and steps wait for each other: what is usually written by hand.
  final class Locked implements Sharing {
    private final Sharing live;
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
