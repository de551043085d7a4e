package dev.panoptim.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Optimizer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/// Panoptim's scalar backend as a peer, started by [PeerProcessTest].
///
/// Arguments: TENSORS LEARNING_RATE DATA GRADIENT. Ends at once if the learning rate is empty.
final class PanoptimPeer {
  private PanoptimPeer() {}

  public static void main(String[] arguments) throws IOException {
    if (arguments[1].isEmpty()) {
      return;
    }
    int tensors = Integer.parseInt(arguments[0]);
    MemorySegment data = MemorySegment.ofArray(Files.readAllBytes(Path.of(arguments[2])));
    MemorySegment gradient = MemorySegment.ofArray(Files.readAllBytes(Path.of(arguments[3])));
    long bytes = data.byteSize() / tensors;
    Parameters.Builder builder = Parameters.builder();
    for (int i = 0; i < tensors; i++) {
      builder.add("p" + i, bytes / Float.BYTES);
    }
    try (Parameters parameters = builder.build();
        Optimizer optimizer =
            AdamW.builder(parameters)
                .learningRate(Double.parseDouble(arguments[1]))
                .backend(Backends.scalar())
                .build()) {
      long offset = 0;
      for (Parameter each : parameters) {
        each.data().copyFrom(data.asSlice(offset, bytes));
        each.gradient().copyFrom(gradient.asSlice(offset, bytes));
        offset += bytes;
      }
      System.out.println("Panoptim, scalar");
      answer(parameters, optimizer);
    }
  }

  private static void answer(Parameters parameters, Optimizer optimizer) throws IOException {
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] command = line.split(" ", 2);
      if (command[0].equals("step")) {
        long start = System.nanoTime();
        for (int i = 0; i < Integer.parseInt(command[1]); i++) {
          optimizer.step();
        }
        System.out.println(System.nanoTime() - start);
      } else {
        try (OutputStream file = Files.newOutputStream(Path.of(command[1]))) {
          for (Parameter each : parameters) {
            file.write(each.data().toArray(JAVA_BYTE));
          }
        }
        System.out.println("saved");
      }
    }
  }
}
