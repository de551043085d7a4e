package dev.panoptim.examples.serving;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.DoubleFunction;

/// Answers `GET /predict?x=NUMBER` on a port of the loopback interface, each request on a new
/// virtual thread.
///
/// Thread-safe.
final class PredictServer implements AutoCloseable {
  static {
    // Without TCP_NODELAY, the second packet of an answer waits until the client acknowledges the
    // first. The property is read once, when the first server is created.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private static final String PATH = "/predict";
  private static final String KEY = "x=";
  private static final int LONGEST_QUERY = 64;
  private static final int MOST_AT_ONCE = 256;

  private static final int OK = 200;
  private static final int BAD_REQUEST = 400;
  private static final int NOT_FOUND = 404;
  private static final int WRONG_METHOD = 405;
  private static final int FAILED = 500;
  private static final int BUSY = 503;

  private final DoubleFunction<Prediction> model;
  private final Semaphore places = new Semaphore(MOST_AT_ONCE);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  /// Starts to serve.
  ///
  /// @param model called with numbers from -1 to 1, by any number of threads
  PredictServer(DoubleFunction<Prediction> model) throws IOException {
    this.model = model;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  /// The address to which the value of `x` is to be appended.
  URI uri() {
    return URI.create(
        "http://%s:%s%s?%s"
            .formatted(
                server.getAddress().getAddress().getHostAddress(),
                server.getAddress().getPort(),
                PATH,
                KEY));
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!places.tryAcquire()) {
        say(exchange, BUSY, "%s requests are already being answered".formatted(MOST_AT_ONCE));
        return;
      }
      try {
        answer(exchange);
      } finally {
        places.release();
      }
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    if (!exchange.getRequestURI().getPath().equals(PATH)) {
      say(exchange, NOT_FOUND, "the only path is " + PATH);
      return;
    }
    if (!exchange.getRequestMethod().equals("GET")) {
      exchange.getResponseHeaders().set("Allow", "GET");
      say(exchange, WRONG_METHOD, "the method must be GET");
      return;
    }
    double x;
    try {
      x = parse(exchange.getRequestURI().getRawQuery());
    } catch (IllegalArgumentException e) {
      say(exchange, BAD_REQUEST, e.getMessage());
      return;
    }
    Prediction prediction;
    try {
      prediction = model.apply(x);
    } catch (RuntimeException e) {
      say(exchange, FAILED, "the model failed: " + e);
      return;
    }
    send(exchange, OK, "application/json", prediction.json());
  }

  /// @param query as sent; null if there is none
  private static double parse(String query) {
    if (query == null || !query.startsWith(KEY)) {
      throw new IllegalArgumentException("the query must be x=NUMBER");
    }
    if (query.length() > LONGEST_QUERY) {
      throw new IllegalArgumentException(
          "the query has %s characters, but must have at most %s"
              .formatted(query.length(), LONGEST_QUERY));
    }
    String given = query.substring(KEY.length());
    double x;
    try {
      x = Double.parseDouble(given);
    } catch (NumberFormatException e) {
      x = Double.NaN;
    }
    if (!(x >= -1 && x <= 1)) {
      throw new IllegalArgumentException("x is '" + given + "', but must be a number from -1 to 1");
    }
    return x;
  }

  private static void say(HttpExchange exchange, int status, String sentence) throws IOException {
    send(exchange, status, "text/plain; charset=utf-8", sentence + "\n");
  }

  private static void send(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  /// Closes all connections and waits for the answering threads. Does nothing if already closed.
  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
