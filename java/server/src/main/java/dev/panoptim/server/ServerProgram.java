package dev.panoptim.server;

import dev.panoptim.backend.Backends;
import dev.panoptim.server.digits.Courtesy;
import dev.panoptim.server.digits.DigitService;
import dev.panoptim.server.digits.LearningSettings;
import dev.panoptim.server.digits.OptimizerKind;
import dev.panoptim.server.digits.SimulatedUsers;
import dev.panoptim.server.load.LoadProgram;
import dev.panoptim.server.recommender.IdTableEmbeddings;
import dev.panoptim.server.recommender.RecommenderService;
import dev.panoptim.server.web.PageServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Starts the server, and ends it at Ctrl-C.
@Command(
    name = "server",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    subcommands = LoadProgram.class,
    description = {
      "An inference server that learns while it answers, with a page to watch it.",
      "Ctrl-C ends it."
    })
public final class ServerProgram implements Callable<Integer> {
  private static final int MOST_TRAINING = 100_000;
  private static final int MOST_KEPT = 1000;
  private static final int HIGHEST_PORT = 65_535;
  private static final int USAGE = 2;

  @Option(
      names = "--port",
      defaultValue = "8080",
      description = "Port; 0 for any free one (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--address",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on (default: ${DEFAULT-VALUE}, this machine only). There are no"
              + " users and no passwords: whoever reaches the server may teach it.")
  private String address;

  @Option(
      names = "--name",
      description =
          "A host name by which browsers may call the server, beside localhost and addresses."
              + " May be given more than once.")
  private List<String> names = List.of();

  @Option(
      names = "--checkpoints",
      paramLabel = "FOLDER",
      defaultValue = "java/server/target/checkpoints",
      description =
          "Folder of checkpoints; the newest one in it is the start (default:"
              + " ${DEFAULT-VALUE}).")
  private Path checkpoints;

  @Option(
      names = "--keep",
      defaultValue = "5",
      description = "Checkpoints that stay in the folder (default: ${DEFAULT-VALUE}).")
  private int keep;

  @Option(
      names = "--training-steps",
      defaultValue = "700",
      description =
          "Steps at the start, of 32 generated digits each, if there is no checkpoint (default:"
              + " ${DEFAULT-VALUE}).")
  private int trainingSteps;

  @Option(
      names = "--optimizer",
      defaultValue = "adamw",
      description =
          "Optimizer at the start: sgd, rmsprop, adam, adamw or lion (default: ${DEFAULT-VALUE}).")
  private String optimizer;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Seed of all random numbers (default: ${DEFAULT-VALUE}).")
  private long seed;

  private final PrintStream console = System.out;

  /// Runs the program and ends the process: 0 on success, 2 on wrong options.
  public static void main(String[] arguments) {
    int status = commandLine().execute(arguments);
    if (status != 0) {
      System.exit(status);
    }
  }

  static CommandLine commandLine() {
    return new CommandLine(new ServerProgram())
        .setParameterExceptionHandler(
            (e, arguments) ->
                refuse(e.getCommandLine(), e.getMessage() + " (--help lists the options)"))
        .setExecutionExceptionHandler(
            (e, commandLine, result) -> {
              if (e instanceof IllegalArgumentException) {
                return refuse(commandLine, e.getMessage());
              }
              throw e;
            });
  }

  private static int refuse(CommandLine commandLine, String message) {
    commandLine.getErr().println("server: " + message.lines().findFirst().orElse(""));
    return USAGE;
  }

  @Override
  public Integer call() throws InterruptedException {
    require("--port", port, 0, HIGHEST_PORT);
    require("--training-steps", trainingSteps, 0, MOST_TRAINING);
    require("--keep", keep, 1, MOST_KEPT);
    PageServer.Address where = where();
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    console.printf(
        Locale.ROOT, "backend %s; training or loading the network ...%n", Backends.auto().name());
    long begin = System.nanoTime();
    try (DigitService service = new DigitService(start(), registry, step -> {});
        SimulatedUsers users = new SimulatedUsers(service, seed + 1);
        RecommenderService recommender =
            new RecommenderService(new IdTableEmbeddings(seed), seed + 2);
        PageServer server = new PageServer(where, service, users, recommender, registry)) {
      console.printf(
          Locale.ROOT,
          "ready after %.1f s at step %d: http://%s:%d/ (Ctrl-C ends)%n",
          (System.nanoTime() - begin) / 1e9,
          service.learner().steps(),
          address.contains(":") ? "[" + address + "]" : address,
          server.port());
      awaitEnd();
    }
    console.println("ended");
    return 0;
  }

  private DigitService.Start start() {
    return new DigitService.Start(
        LearningSettings.usual(OptimizerKind.of(optimizer)),
        trainingSteps,
        seed,
        checkpoints,
        keep,
        Courtesy.usual());
  }

  private PageServer.Address where() {
    try {
      return new PageServer.Address(
          InetAddress.getByName(address),
          port,
          names.stream()
              .map(each -> each.toLowerCase(Locale.ROOT))
              .collect(Collectors.toUnmodifiableSet()));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("--address " + address + " is unknown", e);
    }
  }

  private static void require(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s is %s, but must be from %s to %s".formatted(option, value, least, most));
    }
  }

  /// Returns at Ctrl-C, and then keeps the process alive until the main thread has ended.
  private static void awaitEnd() throws InterruptedException {
    CountDownLatch requested = new CountDownLatch(1);
    Thread main = Thread.currentThread();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  requested.countDown();
                  try {
                    main.join(TimeUnit.SECONDS.toMillis(30));
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                },
                "end"));
    requested.await();
  }
}
