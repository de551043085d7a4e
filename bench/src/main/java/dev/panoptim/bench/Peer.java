package dev.panoptim.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Another library with which Panoptim is compared.
public enum Peer {
  PYTORCH("PyTorch, default"),
  PYTORCH_FUSED("PyTorch, fused"),
  LIBTORCH(
      "libtorch's C++ optimizer through JavaCPP",
      "JavaCppPeer",
      Map.of(
          BenchedOptimizer.SGD_MOMENTUM, "cpp_sgd_momentum",
          BenchedOptimizer.ADAGRAD, "cpp_adagrad",
          BenchedOptimizer.RMSPROP, "cpp_rmsprop",
          BenchedOptimizer.ADAM, "cpp_adam",
          BenchedOptimizer.ADAMW, "cpp_adamw")),
  LIBTORCH_FUSED(
      "libtorch's fused step through JavaCPP",
      "JavaCppPeer",
      Map.of(
          BenchedOptimizer.SGD_MOMENTUM, "fused_sgd_momentum",
          BenchedOptimizer.ADAGRAD, "fused_adagrad",
          BenchedOptimizer.ADAMW, "fused_adamw")),
  /// Over memory with Panoptim's layout: staggered, and on huge pages.
  LIBTORCH_STAGGERED(
      "libtorch's fused step over memory as Panoptim's",
      "JavaCppPeer",
      Map.of(
          BenchedOptimizer.ADAMW,
          "fused_adamw_staggered_by_" + Constants.CHOSEN.values().get("stagger"))),
  DJL(
      "DJL",
      "DjlPeer",
      Map.of(
          BenchedOptimizer.SGD_MOMENTUM, "sgd_momentum",
          BenchedOptimizer.ADAM, "adam",
          BenchedOptimizer.ADAMW, "adamw")),
  ND4J(
      "ND4J",
      "Nd4jPeer",
      Map.of(
          BenchedOptimizer.SGD_NESTEROV, "sgd_nesterov",
          BenchedOptimizer.ADAGRAD, "adagrad",
          BenchedOptimizer.RMSPROP, "rmsprop",
          BenchedOptimizer.ADADELTA, "adadelta",
          BenchedOptimizer.ADAM, "adam",
          BenchedOptimizer.ADAM_AMSGRAD, "adam_amsgrad",
          BenchedOptimizer.ADAMW, "adamw",
          BenchedOptimizer.ADAMAX, "adamax"));

  /// The system property with the path of a Python that has PyTorch.
  static final String PYTHON = "panoptim.python";

  private final String label;
  private final String program;
  private final Map<BenchedOptimizer, String> names;

  /// A peer in Python.
  Peer(String label) {
    this(label, null, Map.of());
  }

  /// A peer in Java.
  ///
  /// @param program simple name of its class
  /// @param names the library's optimizers by ours
  Peer(String label, String program, Map<BenchedOptimizer, String> names) {
    this.label = label;
    this.program = program;
    this.names = names;
  }

  /// The name in reports.
  public String label() {
    return label;
  }

  /// Whether the library is available. The Java peers come with a profile of the build; the user
  /// gives the path of Python.
  boolean available() {
    return inPython()
        ? !System.getProperty(PYTHON, "").isEmpty()
        : Peer.class.getResource("peers/" + program + ".class") != null;
  }

  private boolean inPython() {
    return program == null;
  }

  boolean has(BenchedOptimizer optimizer) {
    return nameOf(optimizer) != null;
  }

  /// The optimizer by which the library is compared most: AdamW, or Adam where its AdamW is not
  /// typical.
  public BenchedOptimizer mainOptimizer() {
    return has(BenchedOptimizer.ADAM)
            && this != PYTORCH
            && this != PYTORCH_FUSED
            && this != LIBTORCH
        ? BenchedOptimizer.ADAM
        : BenchedOptimizer.ADAMW;
  }

  private String nameOf(BenchedOptimizer optimizer) {
    return switch (this) {
      case PYTORCH -> optimizer.inPyTorch();
      case PYTORCH_FUSED -> optimizer.inPyTorchFused();
      default -> names.get(optimizer);
    };
  }

  /// The library's name and version, such as `PyTorch 2.13.0+cpu`, as far as the library reports
  /// them.
  public String version() {
    try (PeerProcess process = train(mainOptimizer(), new TensorSizes(1, 1), 1)) {
      return process.version();
    } catch (IOException e) {
      return label + " of unknown version";
    }
  }

  /// Starts a process that trains from [Training#start].
  ///
  /// @throws IllegalArgumentException if the library does not have the optimizer
  PeerProcess train(BenchedOptimizer optimizer, TensorSizes sizes, int threads) throws IOException {
    if (!has(optimizer)) {
      throw new IllegalArgumentException(this + " has no " + optimizer);
    }
    return start(inPython() ? python("step") : java(program), nameOf(optimizer), sizes, threads);
  }

  /// PyTorch's operations for [EpilogueBenchmark], around its fused AdamW.
  static PeerProcess chainInPyTorch(TensorSizes sizes, int threads) throws IOException {
    return PYTORCH_FUSED.start(
        python("epilogue"), BenchedOptimizer.ADAMW.inPyTorchFused(), sizes, threads);
  }

  private PeerProcess start(List<String> program, String optimizer, TensorSizes sizes, int threads)
      throws IOException {
    List<String> command = new ArrayList<>(program);
    command.addAll(List.of(optimizer, Integer.toString(threads), Integer.toString(sizes.count())));
    return PeerProcess.training(command, sizes, environment(threads));
  }

  /// Settings that the libraries read from the environment only.
  private Map<String, String> environment(int threads) {
    Map<String, String> all = new HashMap<>(Map.of("OMP_NUM_THREADS", Integer.toString(threads)));
    if (this == LIBTORCH_STAGGERED) {
      all.put("THP_MEM_ALLOC_ENABLE", "1");
    }
    return all;
  }

  private static List<String> python(String chain) throws IOException {
    try (InputStream script = Peer.class.getResourceAsStream("torch_steps.py")) {
      return List.of(
          System.getProperty(PYTHON),
          "-c",
          new String(script.readAllBytes(), StandardCharsets.UTF_8),
          chain);
    }
  }

  /// The command of a peer in Java, without arguments.
  ///
  /// @param program simple name of its class
  static List<String> java(String program) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        System.getProperty("java.class.path"),
        Peer.class.getPackageName() + ".peers." + program);
  }
}
