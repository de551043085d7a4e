package dev.panoptim.server.load;

import dev.panoptim.backend.Backends;
import dev.panoptim.server.digits.Courtesy;
import dev.panoptim.server.digits.DigitService;
import dev.panoptim.server.digits.LearningSettings;
import dev.panoptim.server.digits.OptimizerKind;
import dev.panoptim.server.digits.SimulatedUsers;
import dev.panoptim.server.recommender.IdTableEmbeddings;
import dev.panoptim.server.recommender.RecommenderService;
import dev.panoptim.server.web.PageServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Measures what learning costs the predictions.
@Command(
    name = "load",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Sends a server of its own requests over the loopback interface, in rounds with and without"
          + " learning that alternate, and prints their latencies. Client, server and learner share"
          + " the process and its cores. Ends by itself."
    })
public final class LoadProgram implements Callable<Integer> {
  private static final int MOST_TRAINING = 10_000;
  private static final int HIGHEST_RATE = 100_000;
  private static final int MOST_SECONDS = 120;
  private static final int MOST_ROUNDS = 50;
  private static final int MOST_CONNECTIONS = 64;

  @Option(
      names = "--rate",
      defaultValue = "2000",
      description = "Requests in a second; 0 for as many as possible (default: ${DEFAULT-VALUE}).")
  private int rate;

  @Option(
      names = "--lessons",
      defaultValue = "40",
      description = "Lessons in a second (default: ${DEFAULT-VALUE}).")
  private int lessons;

  @Option(
      names = "--seconds",
      defaultValue = "5",
      description = "Seconds of a round (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "Rounds of each mode, after one to warm up (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--connections",
      defaultValue = "4",
      description = "Connections of the client (default: ${DEFAULT-VALUE}).")
  private int connections;

  @Option(
      names = "--training-steps",
      defaultValue = "300",
      description = "Steps before the rounds (default: ${DEFAULT-VALUE}).")
  private int trainingSteps;

  private final PrintStream console = System.out;

  @Override
  public Integer call() throws IOException, InterruptedException {
    require("--rate", rate, 0, HIGHEST_RATE);
    require("--lessons", lessons, 1, SimulatedUsers.HIGHEST_RATE);
    require("--seconds", seconds, 1, MOST_SECONDS);
    require("--rounds", rounds, 1, MOST_ROUNDS);
    require("--training-steps", trainingSteps, 0, MOST_TRAINING);
    require("--connections", connections, 1, MOST_CONNECTIONS);
    console.printf(
        Locale.ROOT,
        "backend %s, %d processors; %s, %d lessons/s; %d rounds of %d s of each mode%n",
        Backends.auto().name(),
        Runtime.getRuntime().availableProcessors(),
        rate == 0 ? "as many requests as possible" : rate + " requests/s",
        lessons,
        rounds,
        seconds);
    Path folder = Files.createTempDirectory("panoptim-load");
    try {
      return measure(folder);
    } finally {
      Files.delete(folder);
    }
  }

  private int measure(Path folder) throws InterruptedException {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    DigitService.Start start =
        new DigitService.Start(
            LearningSettings.usual(OptimizerKind.ADAMW),
            trainingSteps,
            1,
            folder,
            1,
            Courtesy.usual());
    try (DigitService service = new DigitService(start, registry, step -> {});
        SimulatedUsers users = new SimulatedUsers(service, 2);
        RecommenderService recommender = new RecommenderService(new IdTableEmbeddings(4), 5);
        PageServer server =
            new PageServer(
                new PageServer.Address(InetAddress.getLoopbackAddress(), 0, Set.of()),
                service,
                users,
                recommender,
                registry)) {
      Client client = new Client("http://127.0.0.1:" + server.port(), connections, 3);
      Table table = new Table(new ArrayList<>(), new ArrayList<>());
      for (int i = 0; i <= rounds; i++) {
        for (boolean learning : List.of(false, true)) {
          Round round = Round.run(service, users, client, learning, lessons, seconds, rate);
          if (i > 0) {
            (learning ? table.with() : table.without()).add(round);
          }
        }
      }
      console.println();
      console.print(table.text());
      console.println();
      console.println(
          "Medians over rounds, sums of counts. Latencies count from the time at which a request"
              + " was due.");
      return table.torn() == 0 && table.failed() == 0 ? 0 : 1;
    }
  }

  private static void require(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s is %s, but must be from %s to %s".formatted(option, value, least, most));
    }
  }
}
