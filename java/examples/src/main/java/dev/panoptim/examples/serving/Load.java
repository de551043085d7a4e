package dev.panoptim.examples.serving;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Sends requests at a fixed rate, whether or not earlier ones have been answered. Latencies are
/// measured from the scheduled time, so that a stall of the server counts for every request that
/// waits during the stall.
final class Load {
  private static final Duration LONGEST = Duration.ofSeconds(10);
  private static final int MOST_AT_ONCE = 192;
  private static final int OK = 200;

  /// Platform threads, so that the server's virtual threads do not delay the clients.
  private static final int CLIENT_THREADS = 2;

  private static final double NANOS = 1e9;

  /// @param failed number of requests without an answer: refused, timed out, or not sent because
  ///   too many were pending
  /// @param torn number of answers from parameters of more than one step
  /// @param seconds from the first request to the last answer, or to the end of the last period
  record Result(Latencies latencies, int failed, int torn, double seconds) {
    double requestsPerSecond() {
      return latencies.count() / seconds;
    }
  }

  private enum Outcome {
    WHOLE,
    TORN,
    FAILED
  }

  private record Answer(long nanos, Outcome outcome) {}

  private final URI server;
  private final double requestsPerSecond;
  private final int requests;

  /// @param server the address to which a number from -1 to 1 is appended
  Load(URI server, double requestsPerSecond, int requests) {
    this.server = server;
    this.requestsPerSecond = requestsPerSecond;
    this.requests = requests;
  }

  /// Sends all requests and waits for their answers.
  ///
  /// @param cancelled whether to stop sending
  /// @param whenSent called after each request
  Result run(long seed, BooleanSupplier cancelled, Runnable whenSent) {
    SplittableRandom random = new SplittableRandom(seed);
    Semaphore places = new Semaphore(MOST_AT_ONCE);
    List<CompletableFuture<Answer>> answers = new ArrayList<>(requests);
    try (ExecutorService threads = Executors.newFixedThreadPool(CLIENT_THREADS);
        HttpClient client =
            HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(LONGEST)
                .executor(threads)
                .build()) {
      long start = System.nanoTime();
      for (int i = 0; i < requests && !cancelled.getAsBoolean(); i++) {
        HttpRequest request = request(random.nextDouble(-1, 1));
        long due = start + Math.round(i * NANOS / requestsPerSecond);
        sleepUntil(due);
        answers.add(send(client, request, due, places));
        whenSent.run();
      }
      List<Answer> all = answers.stream().map(CompletableFuture::join).toList();
      if (!cancelled.getAsBoolean()) {
        // The period of the last request counts too.
        sleepUntil(start + Math.round(requests * NANOS / requestsPerSecond));
      }
      return result(all, (System.nanoTime() - start) / NANOS);
    }
  }

  private HttpRequest request(double x) {
    return HttpRequest.newBuilder(URI.create(server.toString() + x)).timeout(LONGEST).build();
  }

  private static void sleepUntil(long due) {
    for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  private static CompletableFuture<Answer> send(
      HttpClient client, HttpRequest request, long due, Semaphore places) {
    if (!places.tryAcquire()) {
      return CompletableFuture.completedFuture(new Answer(LONGEST.toNanos(), Outcome.FAILED));
    }
    return client
        .sendAsync(request, HttpResponse.BodyHandlers.ofString())
        .handle(
            (response, failure) -> {
              long nanos = System.nanoTime() - due;
              places.release();
              return new Answer(nanos, outcome(response, failure));
            });
  }

  private static Outcome outcome(HttpResponse<String> response, Throwable failure) {
    if (failure != null || response.statusCode() != OK) {
      return Outcome.FAILED;
    }
    return response.body().contains(Prediction.TORN) ? Outcome.TORN : Outcome.WHOLE;
  }

  private static Result result(List<Answer> answers, double seconds) {
    return new Result(
        new Latencies(answers.stream().mapToLong(Answer::nanos).toArray()),
        count(answers, Outcome.FAILED),
        count(answers, Outcome.TORN),
        seconds);
  }

  private static int count(List<Answer> answers, Outcome outcome) {
    return Math.toIntExact(answers.stream().filter(each -> each.outcome == outcome).count());
  }
}
