package dev.panoptim.server.web;

import dev.panoptim.server.digits.Courtesy;
import dev.panoptim.server.digits.DigitService;
import dev.panoptim.server.digits.LearningSettings;
import dev.panoptim.server.digits.OptimizerKind;
import dev.panoptim.server.digits.SimulatedUsers;
import dev.panoptim.server.recommender.IdTableEmbeddings;
import dev.panoptim.server.recommender.RecommenderService;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Set;

/// A server for a test, on a free port of the loopback interface.
final class Running implements AutoCloseable {
  final DigitService service;
  final SimulatedUsers users;
  final RecommenderService recommender;
  final PageServer server;

  /// @param trainingSteps 0 for a network that knows nothing
  Running(int trainingSteps, Path checkpoints) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    service =
        new DigitService(
            new DigitService.Start(
                LearningSettings.usual(OptimizerKind.ADAMW),
                trainingSteps,
                1,
                checkpoints,
                3,
                new Courtesy(0)),
            registry,
            step -> {});
    users = new SimulatedUsers(service, 2);
    recommender = new RecommenderService(new IdTableEmbeddings(3), 4);
    server =
        new PageServer(
            new PageServer.Address(InetAddress.getLoopbackAddress(), 0, Set.of("known.example")),
            service,
            users,
            recommender,
            registry);
  }

  String address() {
    return "http://127.0.0.1:" + server.port();
  }

  @Override
  public void close() {
    server.close();
    recommender.close();
    users.close();
    service.close();
  }
}
