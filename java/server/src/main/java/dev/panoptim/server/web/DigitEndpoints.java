package dev.panoptim.server.web;

import dev.panoptim.server.digits.DigitGenerator;
import dev.panoptim.server.digits.DigitService;
import dev.panoptim.server.digits.Drawing;
import dev.panoptim.server.digits.LearningSettings;
import dev.panoptim.server.digits.Lesson;
import dev.panoptim.server.digits.OptimizerKind;
import dev.panoptim.server.digits.Prediction;
import dev.panoptim.server.digits.Raster;
import dev.panoptim.server.digits.SimulatedUsers;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/// The endpoints of the page about digits.
final class DigitEndpoints implements HttpService {
  private static final String STROKES = "strokes";
  private static final String LABEL = "label";
  private static final String IMAGE = "image";

  private final DigitService service;
  private final SimulatedUsers users;

  DigitEndpoints(DigitService service, SimulatedUsers users) {
    this.service = service;
    this.users = users;
  }

  @Override
  public void routing(HttpRules rules) {
    Endpoints.post(rules, "/predict", this::predict);
    Endpoints.post(rules, "/teach", this::teach);
    Endpoints.post(rules, "/classes", this::addClass);
    Endpoints.get(rules, "/sample", this::sample);
    Endpoints.post(rules, "/optimizer", this::changeOptimizer);
    Endpoints.post(rules, "/checkpoint", this::save);
    Endpoints.post(rules, "/restore", this::restore);
    Endpoints.post(rules, "/users", this::changeUsers);
  }

  /// What the network makes of a drawing.
  ///
  /// @param version the optimizer's number and its step
  /// @param pixels what the network sees, from 0 to 255, row by row; empty unless asked for
  record Answer(
      List<String> labels, float[] probabilities, String best, String version, int[] pixels) {
    static Answer of(Prediction prediction, int[] pixels) {
      return new Answer(
          prediction.labels(),
          prediction.probabilities(),
          prediction.best(),
          prediction.generation() + "." + prediction.step(),
          pixels);
    }
  }

  private Answer answer(Drawing drawing, boolean withImage) {
    float[] pixels = Raster.pixels(drawing, Raster.USUAL_THICKNESS);
    return Answer.of(service.predict(pixels), withImage ? grey(pixels) : new int[0]);
  }

  private static int[] grey(float[] pixels) {
    int[] grey = new int[pixels.length];
    for (int i = 0; i < grey.length; i++) {
      grey[i] = Math.round(pixels[i] * 255);
    }
    return grey;
  }

  private void predict(ServerRequest request, ServerResponse response) {
    Body body = Body.of(request, STROKES, IMAGE);
    Json.send(response, answer(body.drawing(STROKES), body.flag(IMAGE)));
  }

  /// What a lesson has changed.
  record Taught(double loss, boolean skipped, Answer after) {}

  private void teach(ServerRequest request, ServerResponse response) {
    Body body = Body.of(request, STROKES, LABEL, IMAGE);
    Drawing drawing = body.drawing(STROKES);
    boolean withImage = body.flag(IMAGE);
    String label = body.label(LABEL);
    if (!service.model().labels().contains(label)) {
      throw Body.bad(
          "the field 'label' is '%s', but must be one of %s"
              .formatted(label, service.model().labels()));
    }
    Lesson.Result result = Waiting.until(service.teach(drawing, label));
    Json.send(response, new Taught(result.loss(), result.skipped(), answer(drawing, withImage)));
  }

  private void addClass(ServerRequest request, ServerResponse response) {
    String label = Body.of(request, LABEL).label(LABEL);
    Json.send(response, Map.of("labels", Waiting.until(service.learner().addClass(label))));
  }

  private void sample(ServerRequest request, ServerResponse response) {
    String wanted = request.query().first("digit").orElse("");
    if (wanted.length() != 1 || wanted.charAt(0) < '0' || wanted.charAt(0) > '9') {
      throw Body.bad("the query must be digit=D with a digit from 0 to 9");
    }
    Drawing drawing =
        new DigitGenerator(ThreadLocalRandom.current().nextLong()).draw(wanted.charAt(0) - '0');
    List<List<double[]>> strokes =
        drawing.strokes().stream()
            .map(
                stroke ->
                    stroke.points().stream()
                        .map(each -> new double[] {inside(each.x()), inside(each.y())})
                        .toList())
            .toList();
    Json.send(response, Map.of(STROKES, strokes));
  }

  /// Distorted drawings may reach over the edge of the paper.
  private static double inside(double coordinate) {
    return Math.clamp(coordinate, 0, 1);
  }

  private void changeOptimizer(ServerRequest request, ServerResponse response) {
    Body body = Body.of(request, "kind", "learningRate", "clipGradNorm");
    LearningSettings settings =
        new LearningSettings(
            OptimizerKind.of(body.label("kind")),
            body.number("learningRate"),
            body.limit("clipGradNorm"));
    Json.send(response, Settings.of(Waiting.until(service.learner().change(settings))));
  }

  /// As in requests.
  record Settings(String kind, String title, double learningRate, Double clipGradNorm) {
    static Settings of(LearningSettings settings) {
      return new Settings(
          settings.kind().id(),
          settings.kind().title(),
          settings.learningRate(),
          settings.clipGradNorm() == Double.POSITIVE_INFINITY ? null : settings.clipGradNorm());
    }
  }

  private void save(ServerRequest request, ServerResponse response) {
    Body.of(request);
    Json.send(
        response, Map.of("file", Waiting.until(service.learner().save()).getFileName().toString()));
  }

  private void restore(ServerRequest request, ServerResponse response) {
    Body.of(request);
    Json.send(
        response,
        Map.of("file", Waiting.until(service.learner().restore()).getFileName().toString()));
  }

  private void changeUsers(ServerRequest request, ServerResponse response) {
    Body body = Body.of(request, "running", "teaching", "rate");
    users.plan(
        new SimulatedUsers.Plan(body.bool("running"), body.bool("teaching"), body.integer("rate")));
    Json.send(response, users.plan());
  }
}
