package dev.panoptim.server.load;

import dev.panoptim.server.digits.DigitGenerator;
import dev.panoptim.server.digits.Drawing;
import io.helidon.webclient.http1.Http1Client;
import io.helidon.webclient.http1.Http1ClientResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/// Sends drawings for prediction, from a few threads with a connection each.
///
/// At a fixed rate, the latency of a request counts from the time at which it was due: a stall
/// counts for all requests that wait meanwhile.
final class Client {
  private static final int DRAWINGS = 256;
  private static final int OK = 200;
  private static final double NANOS = 1e9;

  private final String address;
  private final int threads;
  private final List<byte[]> bodies = new ArrayList<>();

  /// @param address of the server, without a path
  Client(String address, int threads, long seed) {
    this.address = address;
    this.threads = threads;
    DigitGenerator generator = new DigitGenerator(seed);
    for (int i = 0; i < DRAWINGS; i++) {
      bodies.add(body(generator.draw(i % DigitGenerator.digits())));
    }
  }

  private static byte[] body(Drawing drawing) {
    return drawing.strokes().stream()
        .map(
            stroke ->
                stroke.points().stream()
                    .map(
                        each ->
                            String.format(
                                Locale.ROOT,
                                "[%.4f,%.4f]",
                                Math.clamp(each.x(), 0, 1),
                                Math.clamp(each.y(), 0, 1)))
                    .collect(Collectors.joining(",", "[", "]")))
        .collect(Collectors.joining(",", "{\"strokes\":[", "]}"))
        .getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  /// What the requests of a round met.
  ///
  /// @param nanos the latencies of answered requests
  /// @param failed requests with another status than 200
  record Result(long[] nanos, long failed, double seconds) {}

  /// Sends requests for some seconds.
  ///
  /// @param rate requests in a second; 0 for as many as possible, one after the other on each
  ///   connection
  Result send(double seconds, double rate) throws InterruptedException {
    long begin = System.nanoTime();
    long end = begin + Math.round(seconds * NANOS);
    List<List<Long>> latencies = new ArrayList<>();
    AtomicLong failed = new AtomicLong();
    List<Thread> running = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      List<Long> own = new ArrayList<>();
      latencies.add(own);
      int number = i;
      running.add(
          Thread.ofPlatform()
              .name("client " + i)
              .start(() -> connection(number, begin, end, rate, own, failed)));
    }
    for (Thread each : running) {
      each.join();
    }
    double took = (System.nanoTime() - begin) / NANOS;
    return new Result(
        latencies.stream().flatMap(List::stream).mapToLong(Long::longValue).toArray(),
        failed.get(),
        took);
  }

  private void connection(
      int number, long begin, long end, double rate, List<Long> latencies, AtomicLong failed) {
    Http1Client client = Http1Client.builder().baseUri(address).shareConnectionCache(false).build();
    try {
      for (long i = number; ; i += threads) {
        long due = rate == 0 ? System.nanoTime() : begin + Math.round(i * NANOS / rate);
        if (due >= end) {
          return;
        }
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
        if (isAnswered(client, bodies.get((int) (i % DRAWINGS)))) {
          latencies.add(System.nanoTime() - due);
        } else {
          failed.incrementAndGet();
        }
      }
    } finally {
      client.closeResource();
    }
  }

  private static boolean isAnswered(Http1Client client, byte[] body) {
    try (Http1ClientResponse response =
        client
            .post("/api/predict")
            .header(io.helidon.http.HeaderNames.CONTENT_TYPE, "application/json")
            .submit(body)) {
      byte[] answer = response.as(byte[].class);
      return response.status().code() == OK && answer.length > 0;
    }
  }
}
