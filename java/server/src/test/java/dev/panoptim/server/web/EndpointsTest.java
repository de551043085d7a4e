package dev.panoptim.server.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

@Timeout(30)
class EndpointsTest {
  private static final String ONE = "[[[0.5,0.1],[0.5,0.9]]]";
  private static final List<String> WRITES =
      List.of(
          "predict", "teach", "classes", "optimizer", "checkpoint", "restore", "users", "choices");

  @TempDir static Path folder;

  private static Running running;
  private static HttpClient client;

  private static Locale locale;

  @BeforeAll
  static void start() {
    locale = Locale.getDefault();
    // JSON has a point in its numbers whatever the locale.
    Locale.setDefault(Locale.GERMANY);
    running = new Running(60, folder);
    client = HttpClient.newHttpClient();
  }

  @AfterAll
  static void end() {
    client.close();
    running.close();
    Locale.setDefault(locale);
  }

  private static HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(running.address() + path));
  }

  private static HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  private static HttpResponse<String> post(String path, String body)
      throws IOException, InterruptedException {
    return send(
        request("/api/" + path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  private static JsonNode json(HttpResponse<String> response) {
    return Json.MAPPER.readTree(response.body());
  }

  private static void assertRefused(int status, String part, HttpResponse<String> response) {
    assertEquals(status, response.statusCode(), response.body());
    String sentence = json(response).get("error").stringValue();
    assertTrue(sentence.contains(part), sentence);
  }

  @Test
  void aDrawingIsPredicted() throws Exception {
    HttpResponse<String> response = post("predict", "{\"strokes\":" + ONE + ",\"image\":true}");
    assertEquals(200, response.statusCode(), response.body());
    JsonNode answer = json(response);
    assertTrue(answer.get("labels").size() >= 10);
    assertEquals(answer.get("labels").size(), answer.get("probabilities").size());
    assertEquals(784, answer.get("pixels").size());
    assertEquals("1", answer.get("best").stringValue());
  }

  @Test
  void aLessonAnswersWithTheNewProbabilities() throws Exception {
    double before = share(json(post("predict", "{\"strokes\":" + ONE + "}")), 6);
    JsonNode taught = json(post("teach", "{\"strokes\":" + ONE + ",\"label\":\"6\"}"));
    assertTrue(share(taught.get("after"), 6) > before);
    assertFalse(taught.get("skipped").booleanValue());
  }

  private static double share(JsonNode answer, int digit) {
    return answer.get("probabilities").get(digit).doubleValue();
  }

  @Test
  void aSampleIsADrawing() throws Exception {
    HttpResponse<String> sample = send(request("/api/sample?digit=3"));
    assertEquals(200, sample.statusCode());
    assertEquals(200, post("predict", sample.body()).statusCode());
    for (String bad : List.of("", "?digit=", "?digit=12", "?digit=x", "?digit=٣")) {
      assertRefused(400, "digit=D", send(request("/api/sample" + bad.replace("٣", "%D9%A3"))));
    }
  }

  @Test
  void aUserGetsRecommendations() throws Exception {
    JsonNode plan = json(post("choices", "{\"running\":false,\"learning\":true,\"rate\":100}"));
    assertEquals(100, plan.get("rate").intValue());
    JsonNode answer = json(send(request("/api/recommend?user=7")));
    assertEquals(10, answer.get("items").size());
    assertEquals(2, answer.get("tastes").size());
    for (String bad : List.of("", "?user=", "?user=-1", "?user=x", "?user=1234567")) {
      assertRefused(400, "user=N", send(request("/api/recommend" + bad)));
    }
    assertRefused(400, "from 0 to 399", send(request("/api/recommend?user=400")));
  }

  @Test
  void optimizerUsersAndCheckpointsChange() throws Exception {
    JsonNode settings =
        json(post("optimizer", "{\"kind\":\"sgd\",\"learningRate\":0.01,\"clipGradNorm\":2.5}"));
    assertEquals("sgd", settings.get("kind").stringValue());
    assertEquals(2.5, settings.get("clipGradNorm").doubleValue());
    String file = json(post("checkpoint", "{}")).get("file").stringValue();
    assertEquals(file, json(post("restore", "{}")).get("file").stringValue());
    JsonNode plan = json(post("users", "{\"running\":false,\"teaching\":true,\"rate\":20}"));
    assertEquals(20, plan.get("rate").intValue());
    JsonNode added = json(post("classes", "{\"label\":\"  moon \"}"));
    assertEquals("moon", added.get("labels").get(10).stringValue());
    assertRefused(400, "exists", post("classes", "{\"label\":\"moon\"}"));
  }

  static Stream<List<String>> badBodies() {
    return Stream.of(
        List.of("predict", "{}", "strokes"),
        List.of("predict", "{\"strokes\":[]}", "0 strokes"),
        List.of("predict", "{\"strokes\":[[]]}", "no points"),
        List.of("predict", "{\"strokes\":[1]}", "list of points"),
        List.of("predict", "{\"strokes\":[[[0.5]]]}", "two numbers"),
        List.of("predict", "{\"strokes\":[[[0.5,1.5]]]}", "from 0 to 1"),
        List.of("predict", "{\"strokes\":[[[0.5,\"x\"]]]}", "from 0 to 1"),
        List.of("predict", "{\"strokes\":" + "[[[0,0]]" + ",[[0,0]]".repeat(64) + "]}", "65"),
        List.of("predict", "{\"strokes\":" + ONE + ",\"image\":1}", "true or false"),
        List.of("predict", "{\"strokes\":" + ONE + ",\"more\":1}", "'more' is unknown"),
        List.of("teach", "{\"strokes\":" + ONE + "}", "label"),
        List.of("teach", "{\"strokes\":" + ONE + ",\"label\":\"sun\"}", "'sun'"),
        List.of("teach", "{\"strokes\":" + ONE + ",\"label\":7}", "a string"),
        List.of("classes", "{\"label\":\"\"}", "from 1 to 20"),
        List.of("classes", "{\"label\":\"" + "x".repeat(21) + "\"}", "from 1 to 20"),
        List.of("classes", "{\"label\":\"a\\u0000b\"}", "printable"),
        List.of("classes", "{\"label\":\"3\"}", "exists"),
        List.of("optimizer", "{\"kind\":\"sgd\"}", "learningRate"),
        List.of(
            "optimizer", "{\"kind\":\"best\",\"learningRate\":1,\"clipGradNorm\":null}", "best"),
        List.of("optimizer", "{\"kind\":\"sgd\",\"learningRate\":7,\"clipGradNorm\":null}", "7.0"),
        List.of("optimizer", "{\"kind\":\"sgd\",\"learningRate\":0.1,\"clipGradNorm\":0}", "clip"),
        List.of("checkpoint", "{\"file\":\"x\"}", "'file' is unknown"),
        List.of("restore", "{\"file\":\"x\"}", "'file' is unknown"),
        List.of("users", "{\"running\":1,\"teaching\":true,\"rate\":20}", "true or false"),
        List.of("users", "{\"running\":true,\"teaching\":true,\"rate\":0}", "from 1 to 200"),
        List.of("users", "{\"running\":true,\"teaching\":true,\"rate\":1.5}", "an integer"),
        List.of("choices", "{\"running\":true,\"learning\":true,\"rate\":9999}", "from 1 to 2000"),
        List.of("choices", "{\"running\":true,\"rate\":1}", "learning"));
  }

  @ParameterizedTest
  @MethodSource("badBodies")
  void badInputIsRefusedWithASentence(List<String> each) throws Exception {
    assertRefused(400, each.get(2), post(each.get(0), each.get(1)));
  }

  @Test
  void whatIsNoJsonObjectIsRefusedEverywhere() throws Exception {
    for (String path : WRITES) {
      for (String body : List.of("", "{", "[]", "nonsense", "{} {}", "{\"a\":1,\"a\":2}")) {
        assertEquals(400, post(path, body).statusCode(), path + " " + body);
      }
      assertRefused(
          415,
          "application/json",
          send(
              request("/api/" + path)
                  .header("Content-Type", "text/plain")
                  .POST(BodyPublishers.ofString("{}"))));
    }
  }

  @Test
  void bodiesAreBounded() throws Exception {
    for (String path : WRITES) {
      assertRefused(413, "bytes", post(path, " ".repeat(Body.MOST_BYTES + 1)));
    }
    assertRefused(413, "bytes", post("predict", " ".repeat(4 * Body.MOST_BYTES)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/none", "/none", "/api", "/page/index.html", "/..%2fsecret"})
  void unknownPathsAreNotFound(String path) throws Exception {
    assertEquals(404, send(request(path)).statusCode());
  }

  @Test
  void otherMethodsAreRefused() throws Exception {
    for (String path : WRITES) {
      HttpResponse<String> response = send(request("/api/" + path));
      assertRefused(405, "must be POST", response);
      assertEquals("POST", response.headers().firstValue("Allow").orElseThrow());
    }
    for (String path :
        List.of(
            "/api/live", "/api/state", "/api/sample", "/api/recommend", "/health", "/metrics")) {
      assertRefused(405, "must be GET", send(request(path).DELETE()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Origin, http://evil.example",
    "Origin, null",
    "Origin, https://127.0.0.1",
    "Sec-Fetch-Site, cross-site",
    "Sec-Fetch-Site, same-site",
  })
  void foreignPagesCannotWrite(String header, String value) throws Exception {
    long steps = running.service.learner().steps();
    for (String path : WRITES) {
      assertRefused(
          403,
          "must not write",
          send(
              request("/api/" + path)
                  .header("Content-Type", "application/json")
                  .header(header, value)
                  .POST(BodyPublishers.ofString("{}"))));
    }
    assertEquals(steps, running.service.learner().steps());
  }

  @Test
  void theOwnPageMayWrite() throws Exception {
    assertEquals(
        200,
        send(request("/api/predict")
                .header("Content-Type", "application/json; charset=utf-8")
                .header("Origin", running.address())
                .header("Sec-Fetch-Site", "same-origin")
                .POST(BodyPublishers.ofString("{\"strokes\":" + ONE + "}")))
            .statusCode());
  }

  @Test
  void thePageHasSecurityHeaders() throws Exception {
    HttpResponse<String> page = send(request("/"));
    assertEquals(200, page.statusCode());
    assertTrue(page.body().contains("A server that learns"));
    assertTrue(
        page.headers()
            .firstValue("Content-Security-Policy")
            .orElseThrow()
            .startsWith("default-src 'self'"));
    assertEquals("nosniff", page.headers().firstValue("X-Content-Type-Options").orElseThrow());
    assertFalse(page.body().matches("(?s).*(src|href)=\"(https?:)?//.*"), "external resources");
    for (String file : List.of("main.js", "style.css", "icon.svg")) {
      assertEquals(200, send(request("/" + file)).statusCode(), file);
    }
  }

  @Test
  void metersAreForPrometheus() throws Exception {
    post("predict", "{\"strokes\":" + ONE + "}");
    String meters = send(request("/metrics")).body();
    for (String name :
        List.of(
            "panoptim_step_seconds_count",
            "panoptim_publications_total",
            "server_requests_total",
            "server_predictions_torn_total 0.0",
            "server_learner_waiting")) {
      assertTrue(meters.contains(name), name + " in " + meters);
    }
  }

  @Test
  void healthNamesTheBackend() throws Exception {
    JsonNode health = json(send(request("/health")));
    assertEquals("up", health.get("status").stringValue());
    assertFalse(health.get("backend").stringValue().isEmpty());
  }

  @Test
  void figuresAreStreamed() throws Exception {
    HttpResponse<Stream<String>> response =
        client.send(request("/api/live").build(), BodyHandlers.ofLines());
    assertEquals("text/event-stream", response.headers().firstValue("Content-Type").orElseThrow());
    try (Stream<String> lines = response.body()) {
      List<JsonNode> events =
          lines
              .filter(line -> line.startsWith("data:"))
              .limit(3)
              .map(line -> Json.MAPPER.readTree(line.substring("data:".length())))
              .toList();
      for (JsonNode each : events) {
        assertTrue(each.get("offHeap").longValue() > 0);
        assertTrue(each.get("learning").booleanValue());
        assertEquals(5, each.get("kinds").size());
      }
    }
  }
}
