package dev.panoptim.examples.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Optimizer;
import dev.panoptim.optim.Publication;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The server's answers to a client.
@Timeout(120)
class PredictServerTest {
  private static final int AT_ONCE = 256;

  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void closeClient() {
    client.close();
  }

  private HttpResponse<String> get(URI uri) throws Exception {
    return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> ask(PredictServer server, String x) throws Exception {
    return get(URI.create(server.uri() + x));
  }

  @Test
  void answersAreThoseOfThePublishedModel() throws Exception {
    Ensemble model = new Ensemble(4 * Ensemble.COLUMNS);
    try (Parameters parameters = model.newParameters(5);
        Optimizer optimizer = Mode.PUBLICATION.newOptimizer(parameters)) {
      Parameter weights = Ensemble.weights(parameters);
      Publication publication = optimizer.publication();
      ModelAccess access = Mode.PUBLICATION.share(model, weights, optimizer);
      try (Learner learner = new Learner(model, weights, access, 0, 6);
          PredictServer server = new PredictServer(access::predict)) {
        String last = "";
        for (int step = 0; step <= 5; step++) {
          long now = step;
          double expected =
              publication.read(each -> model.predict(each.data(weights), -0.75, now).value());
          HttpResponse<String> response = ask(server, "-0.75");
          assertEquals(200, response.statusCode(), response.body());
          assertEquals(
              "{\"answer\": %s, \"step\": %d, \"torn\": false}".formatted(expected, step),
              response.body().strip());
          assertTrue(!response.body().equals(last), "a step has changed nothing");
          last = response.body();
          learner.learnOnce();
        }
      }
    }
  }

  @Test
  void badRequestsAreRefusedWithASentence() throws Exception {
    try (PredictServer server = new PredictServer(x -> new Prediction(x, 0, false))) {
      for (String x :
          List.of("1.5", "-1.0001", "NaN", "Infinity", "", "abc", "%31", "0,5", "1&y=2")) {
        HttpResponse<String> response = ask(server, x);
        assertEquals(400, response.statusCode(), x);
        assertEquals("x is '" + x + "', but must be a number from -1 to 1\n", response.body());
      }
      HttpResponse<String> response = ask(server, "0".repeat(63));
      assertEquals(400, response.statusCode());
      assertEquals("the query has 65 characters, but must have at most 64\n", response.body());
      for (String query : List.of("", "?", "?y=1", "?X=1")) {
        response = get(server.uri().resolve("/predict" + query));
        assertEquals(400, response.statusCode(), query);
        assertEquals("the query must be x=NUMBER\n", response.body());
      }
      for (String path : List.of("/", "/predictor?x=1", "/predict/?x=1")) {
        assertEquals(404, get(server.uri().resolve(path)).statusCode(), path);
      }
      HttpRequest post =
          HttpRequest.newBuilder(URI.create(server.uri() + "1"))
              .POST(BodyPublishers.noBody())
              .build();
      assertEquals(405, client.send(post, BodyHandlers.ofString()).statusCode());
      for (String x : List.of("1", "-1", "0", "-0.0", "1e-300", "0".repeat(62))) {
        assertEquals(200, ask(server, x).statusCode(), x);
      }
    }
  }

  @Test
  void aFailureOfTheModelIsReported() throws Exception {
    try (PredictServer server =
        new PredictServer(
            x -> {
              throw new IllegalStateException("no model");
            })) {
      HttpResponse<String> response = ask(server, "0");
      assertEquals(500, response.statusCode());
      assertTrue(response.body().contains("no model"), response.body());
    }
  }

  @Test
  void requestsAboveTheLimitAreRefused() throws Exception {
    CountDownLatch arrived = new CountDownLatch(AT_ONCE);
    CountDownLatch released = new CountDownLatch(1);
    try (PredictServer server =
        new PredictServer(
            x -> {
              arrived.countDown();
              try {
                released.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return new Prediction(x, 0, false);
            })) {
      List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
      try {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.uri() + "0.5")).build();
        for (int i = 0; i < AT_ONCE; i++) {
          waiting.add(client.sendAsync(request, BodyHandlers.ofString()));
        }
        arrived.await();
        assertEquals(503, ask(server, "0.5").statusCode());
      } finally {
        released.countDown();
      }
      for (CompletableFuture<HttpResponse<String>> each : waiting) {
        assertEquals(200, each.join().statusCode());
      }
      assertEquals(200, ask(server, "0.5").statusCode());
    }
  }
}
