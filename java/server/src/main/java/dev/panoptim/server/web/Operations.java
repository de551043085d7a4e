package dev.panoptim.server.web;

import dev.panoptim.backend.BackendStatus;
import dev.panoptim.backend.Backends;
import dev.panoptim.server.digits.DigitService;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/// What an operator asks: whether the server is well, and its meters.
final class Operations implements HttpService {
  private static final String METERS = "text/plain; version=0.0.4; charset=utf-8";

  private final DigitService service;
  private final PrometheusMeterRegistry registry;

  Operations(DigitService service, PrometheusMeterRegistry registry) {
    this.service = service;
    this.registry = registry;
  }

  @Override
  public void routing(HttpRules rules) {
    Endpoints.get(rules, "/health", this::health);
    Endpoints.get(
        rules,
        "/metrics",
        (request, response) -> response.header("Content-Type", METERS).send(registry.scrape()));
  }

  /// @param status `up`, or `down` if the learner has ended
  /// @param degraded whether a slower backend than the native one runs
  record Health(String status, String backend, boolean degraded) {}

  private void health(ServerRequest request, ServerResponse response) {
    BackendStatus backend = Backends.status();
    boolean up = service.learner().isRunning();
    response.status(up ? 200 : Refusal.BUSY);
    Json.send(response, new Health(up ? "up" : "down", Backends.auto().name(), backend.degraded()));
  }
}
