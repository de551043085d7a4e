package dev.panoptim.examples.quickstart;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.checkpoint.Training;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.schedule.Scheduler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/// Computes losses and gradients of batches, and makes the optimizer's steps.
///
/// A batch is cut into [#SHARDS], independent of the number of threads, and the shards' gradients
/// are added in a fixed order. The same seed thus gives the same bits with any number of threads.
///
/// Not thread-safe.
final class Trainer implements AutoCloseable {
  private static final int SHARDS = 4;
  private static final int EXAMPLES_OF_SHARD = 32;
  private static final int BATCH = SHARDS * EXAMPLES_OF_SHARD;
  private static final int VALIDATION_BATCHES = 64;
  private static final double NATS_OF_BIT = Math.log(2);

  private final LanguageModel model;
  private final Parameters parameters;
  private final Training training;
  private final Corpus corpus;

  /// Mixed, so that the batches of neighbouring seeds are unrelated.
  private final long batchSeed;

  private final Arena arena = Arena.ofShared();
  private final ExecutorService threads;
  private final List<LanguageModel.Worker> workers = new ArrayList<>();
  private final int[] batch = new int[BATCH];
  private final int[] validation;
  private long optimizerNanos;

  Trainer(
      LanguageModel model,
      Parameters parameters,
      Training training,
      Corpus corpus,
      long seed,
      int threads) {
    this.model = model;
    this.parameters = parameters;
    this.training = training;
    this.corpus = corpus;
    batchSeed = new SplittableRandom(seed).nextLong();
    this.threads =
        Executors.newFixedThreadPool(
            Math.min(threads, SHARDS), Thread.ofPlatform().daemon().name("model-", 0).factory());
    for (int shard = 0; shard < SHARDS; shard++) {
      workers.add(model.new Worker(parameters, EXAMPLES_OF_SHARD, arena));
    }
    validation = new int[VALIDATION_BATCHES * BATCH];
    int choices = corpus.validation().length - model.context();
    for (int i = 0; i < validation.length; i++) {
      validation[i] = model.context() + (int) ((long) i * choices / validation.length);
    }
  }

  Parameters parameters() {
    return parameters;
  }

  Training training() {
    return training;
  }

  /// Makes a step.
  ///
  /// @param number of the step, from 1. The batch depends on the number and the seed alone, so that
  ///   a run can be continued after any step
  /// @return the batch's loss before the step, in bits per byte
  double step(long number) {
    SplittableRandom random = new SplittableRandom(batchSeed + number);
    for (int i = 0; i < BATCH; i++) {
      batch[i] = model.context() + random.nextInt(corpus.training().length - model.context());
    }
    double loss = onAllShards((worker, from) -> worker.learn(corpus.training(), batch, from));
    averageGradients();
    long start = System.nanoTime();
    OptimizerChoice.step(training.optimizer(), number);
    optimizerNanos += System.nanoTime() - start;
    training.scheduler().ifPresent(Scheduler::step);
    return loss / BATCH / NATS_OF_BIT;
  }

  /// The loss of the held-out text in bits per byte, over evenly spaced positions.
  double validationLoss() {
    return inEvaluation(this::validationLossOfData);
  }

  private double validationLossOfData() {
    double loss = 0;
    for (int start = 0; start < validation.length; start += BATCH) {
      int offset = start;
      loss +=
          onAllShards(
              (worker, from) -> worker.loss(corpus.validation(), validation, offset + from));
    }
    return loss / validation.length / NATS_OF_BIT;
  }

  /// Bytes sampled from the model one by one, as a continuation of the first held-out bytes.
  byte[] generate(int count, long seed) {
    return inEvaluation(() -> generateFromData(count, seed));
  }

  private byte[] generateFromData(int count, long seed) {
    SplittableRandom choice = new SplittableRandom(seed);
    byte[] text = new byte[model.context() + count];
    System.arraycopy(corpus.validation(), 0, text, 0, model.context());
    int[] positions = new int[EXAMPLES_OF_SHARD];
    for (int at = model.context(); at < text.length; at++) {
      Arrays.fill(positions, at);
      workers.getFirst().loss(text, positions, 0);
      double left = choice.nextDouble();
      int next = 0;
      while (next < LanguageModel.BYTES - 1 && (left -= workers.getFirst().probability(next)) > 0) {
        next++;
      }
      text[at] = (byte) next;
    }
    return Arrays.copyOfRange(text, model.context(), text.length);
  }

  /// The total time of the optimizer's steps.
  long optimizerNanos() {
    return optimizerNanos;
  }

  /// Computes something in the optimizer's evaluation mode.
  ///
  /// Afterwards the parameters have their old bits, which `eval()` and `train()` alone would round:
  /// a resumed run, which begins with a validation, must equal a run that was never interrupted.
  private <T> T inEvaluation(Supplier<T> computation) {
    try (Arena copies = Arena.ofConfined()) {
      List<MemorySegment> before =
          parameters.all().stream()
              .map(each -> copies.allocate(each.data().byteSize()).copyFrom(each.data()))
              .toList();
      training.optimizer().eval();
      T result = computation.get();
      training.optimizer().train();
      for (int i = 0; i < before.size(); i++) {
        parameters.all().get(i).data().copyFrom(before.get(i));
      }
      return result;
    }
  }

  private interface ShardLoss {
    double compute(LanguageModel.Worker worker, int from);
  }

  private double onAllShards(ShardLoss shardLoss) {
    List<Callable<Double>> tasks = new ArrayList<>();
    for (int shard = 0; shard < SHARDS; shard++) {
      LanguageModel.Worker worker = workers.get(shard);
      int from = shard * EXAMPLES_OF_SHARD;
      tasks.add(() -> shardLoss.compute(worker, from));
    }
    try {
      double sum = 0;
      for (Future<Double> each : threads.invokeAll(tasks)) {
        sum += each.get();
      }
      return sum;
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted while the model was computing", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the model failed", e.getCause());
    }
  }

  private void averageGradients() {
    for (Parameter each : parameters) {
      MemorySegment gradient = each.gradient();
      MemorySegment[] sums =
          workers.stream()
              .map(worker -> worker.sums().get(each.name()).data())
              .toArray(MemorySegment[]::new);
      for (long i = 0; i < each.size(); i++) {
        float sum = 0;
        for (MemorySegment shard : sums) {
          sum += shard.getAtIndex(JAVA_FLOAT, i);
        }
        gradient.setAtIndex(JAVA_FLOAT, i, sum / BATCH);
      }
    }
  }

  @Override
  public void close() {
    threads.close();
    workers.forEach(worker -> worker.sums().close());
    arena.close();
  }
}
