package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.rows.RowIds;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Another implementation of steps over rows.
public enum RowPeer {
  HASH_MAP("HashMap<Long, float[]> in Java"),
  /// Its C++ optimizers have no SparseAdam, and only Adagrad takes sparse gradients.
  LIBTORCH("libtorch's C++ Adagrad through JavaCPP, sparse gradients"),
  PYTORCH("PyTorch, sparse gradients");

  private static final String PROGRAM = "SparsePeer";

  private final String label;

  RowPeer(String label) {
    this.label = label;
  }

  /// The name in reports.
  public String label() {
    return label;
  }

  /// Whether the library is available; see [Peer#available].
  boolean available() {
    return switch (this) {
      case HASH_MAP -> true;
      case LIBTORCH -> RowPeer.class.getResource("peers/" + PROGRAM + ".class") != null;
      case PYTORCH -> Peer.PYTORCH.available();
    };
  }

  boolean has(BenchedRows optimizer) {
    return this == PYTORCH ? optimizer.inPyTorch() != null : optimizer == BenchedRows.ADAGRAD;
  }

  boolean hasThreads() {
    return this != HASH_MAP;
  }

  /// A training by the peer.
  interface Training extends AutoCloseable {
    /// Makes steps, over the batches in turn.
    ///
    /// @return their nanoseconds
    long steps(int count) throws IOException;

    /// A copy of all rows.
    MemorySegment data(Arena arena) throws IOException;

    @Override
    void close() throws IOException;
  }

  /// Begins a training.
  ///
  /// @param start the first values of all rows
  Training train(BenchedRows optimizer, MemorySegment start, RowBatches batches, int threads)
      throws IOException {
    return this == HASH_MAP
        ? new InJava(start, batches)
        : new InProcess(process(optimizer, start, batches, threads));
  }

  private PeerProcess process(
      BenchedRows optimizer, MemorySegment start, RowBatches batches, int threads)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            this == PYTORCH
                ? List.of(System.getProperty(Peer.PYTHON), "-c", script(), optimizer.inPyTorch())
                : Peer.java(PROGRAM));
    if (this != PYTORCH) {
      command.add(optimizer.label());
    }
    command.add(Integer.toString(threads));
    command.add(Integer.toString(RowBatches.WIDTH));
    Map<String, List<MemorySegment>> files = new LinkedHashMap<>();
    files.put("data", List.of(start));
    files.put("gradient", List.of(batches.gradients));
    files.put("ids", List.of(batches.all));
    return new PeerProcess(command, files, Map.of("OMP_NUM_THREADS", Integer.toString(threads)));
  }

  private static String script() throws IOException {
    try (InputStream script = RowPeer.class.getResourceAsStream("torch_rows.py")) {
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static final class InJava implements Training {
    private final HashMapAdagrad table;
    private final List<RowIds> batches;
    private final float[] gradients;
    private final long bytes;
    private int next;

    private InJava(MemorySegment start, RowBatches data) {
      table = new HashMapAdagrad(start);
      batches = data.batches;
      gradients = data.gradients.toArray(JAVA_FLOAT);
      bytes = start.byteSize();
    }

    @Override
    public long steps(int count) {
      long start = System.nanoTime();
      for (int i = 0; i < count; i++) {
        table.step(batches.get(next), gradients);
        next = (next + 1) % batches.size();
      }
      return System.nanoTime() - start;
    }

    @Override
    public MemorySegment data(Arena arena) {
      MemorySegment all = arena.allocate(bytes);
      table.read(all);
      return all;
    }

    @Override
    public void close() {}
  }

  private record InProcess(PeerProcess process) implements Training {
    @Override
    public long steps(int count) throws IOException {
      return process.step(count);
    }

    @Override
    public MemorySegment data(Arena arena) throws IOException {
      return process.data(arena);
    }

    @Override
    public void close() throws IOException {
      process.close();
    }
  }
}
