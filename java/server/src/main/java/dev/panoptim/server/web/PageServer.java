package dev.panoptim.server.web;

import dev.panoptim.micrometer.PanoptimMetrics;
import dev.panoptim.server.digits.DigitService;
import dev.panoptim.server.digits.SimulatedUsers;
import dev.panoptim.server.recommender.RecommenderService;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.staticcontent.ClasspathHandlerConfig;
import io.helidon.webserver.staticcontent.StaticContentFeature;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Set;

/// The HTTP server. Each connection has a virtual thread.
///
/// Thread-safe.
public final class PageServer implements AutoCloseable {
  private static final int MOST_CONNECTIONS = 1024;
  private static final Duration IDLE = Duration.ofMinutes(5);
  private static final Duration GRACE = Duration.ofMillis(500);

  private final LiveFeed feed;
  private final WebServer server;

  /// @param port 0 for any free one
  /// @param names more names by which the server may be called
  public record Address(InetAddress host, int port, Set<String> names) {}

  /// Starts to serve.
  ///
  /// @throws RuntimeException if the port cannot be opened
  public PageServer(
      Address address,
      DigitService service,
      SimulatedUsers users,
      RecommenderService recommender,
      PrometheusMeterRegistry registry) {
    new PanoptimMetrics().bindTo(registry);
    Requests requests = new Requests(registry);
    Figures figures = new Figures(service, users, recommender, requests);
    feed = new LiveFeed(() -> Json.MAPPER.writeValueAsString(figures.read()));
    HttpRouting.Builder routing =
        HttpRouting.builder()
            .addFilter(requests)
            .addFilter(new Guard(address.names()))
            .register(
                "/api",
                new LiveEndpoint(feed),
                new DigitEndpoints(service, users),
                new RecommenderEndpoints(recommender))
            .register(new Operations(service, registry))
            .register(
                StaticContentFeature.createService(
                    ClasspathHandlerConfig.builder()
                        .location("dev/panoptim/server/page")
                        .welcome("index.html")
                        .build()))
            .any(
                (request, response) -> {
                  throw new Refusal(
                      Refusal.NOT_FOUND, "there is nothing at " + request.path().path());
                });
    Failures.register(routing);
    server =
        WebServer.builder()
            .address(address.host())
            .port(address.port())
            .maxTcpConnections(MOST_CONNECTIONS)
            .idleConnectionTimeout(IDLE)
            .shutdownGracePeriod(GRACE)
            .shutdownHook(false)
            .routing(routing)
            .build();
    try {
      server.start();
    } catch (RuntimeException e) {
      feed.close();
      throw e;
    }
  }

  /// The port on which the server listens.
  public int port() {
    return server.port();
  }

  /// Ends all connections.
  @Override
  public void close() {
    feed.close();
    server.stop();
  }
}
