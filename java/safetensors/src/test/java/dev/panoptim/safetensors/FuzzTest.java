package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.safetensors.SafetensorsException.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// A randomly damaged file is either rejected with a [SafetensorsException] or has valid tensors.
class FuzzTest {
  private static final int FILES = Boolean.getBoolean("panoptim.exhaustive") ? 1_000_000 : 100_000;

  private static final List<byte[]> SEEDS =
      Stream.concat(
              Stream.of("empty", "metadata", "shapes").map(FuzzTest::golden),
              Stream.of(
                  TestFiles.file(
                      "{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1),
                  TestFiles.file(
                      """
                       {"b":{"data_offsets":[4,8],"shape":[2,2],"dtype":"I8"},"__metadata__":{"k":"v"},
                        "\\u0061\\ud83d\\ude00":{"dtype":"F4","shape":[8],"data_offsets":[0,4]},
                        "z":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]}} \t
                      """,
                      8)))
          .toList();

  private static byte[] golden(String name) {
    try {
      return Files.readAllBytes(Path.of("src/test/goldens", name + ".safetensors"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void mutatedFilesAreRejectedOrSound() {
    long seed = System.nanoTime();
    System.out.println("FuzzTest: seed " + seed);
    LongAdder accepted = new LongAdder();
    Set<Problem> problems = ConcurrentHashMap.newKeySet();
    LongStream.range(0, FILES)
        .parallel()
        .forEach(
            i -> {
              byte[] file = new Mutation(seed + i).of(SEEDS);
              try {
                requireSound(file);
                accepted.increment();
              } catch (SafetensorsException refused) {
                problems.add(refused.problem());
              } catch (RuntimeException | Error e) {
                throw new AssertionError(
                    "seed %d, file %d: %s".formatted(seed, i, HexFormat.of().formatHex(file)), e);
              }
            });
    System.out.println("FuzzTest: accepted " + accepted + " of " + FILES);
    assertTrue(accepted.sum() > FILES / 100, accepted + " accepted");
    assertEquals(EnumSet.complementOf(EnumSet.of(Problem.RESERVED_NAME)), EnumSet.copyOf(problems));
  }

  /// If the file is accepted, its tensors cover its data, and a file written from them has the same
  /// tensors.
  private static void requireSound(byte[] bytes) {
    SafetensorsFile file = SafetensorsFile.of(MemorySegment.ofArray(bytes));
    MemorySegment whole = MemorySegment.ofArray(bytes);
    long end = Long.BYTES + whole.get(Header.LENGTH, 0);
    for (Tensor each : file.tensors().values()) {
      assertEquals(end, each.data().address() - whole.address());
      assertEquals(each.data().byteSize() * Byte.SIZE, each.elements() * each.dtype().bits());
      end += each.data().byteSize();
    }
    assertEquals(bytes.length, end);
    byte[] written = TestFiles.write(file.tensors().values(), file.metadata());
    SafetensorsFile again = TestFiles.read(written);
    assertEquals(file.metadata(), again.metadata());
    assertEquals(file.tensors().keySet(), again.tensors().keySet());
    for (Tensor each : file.tensors().values()) {
      Tensor other = again.tensor(each.name());
      assertEquals(each.dtype(), other.dtype());
      assertEquals(each.shape(), other.shape());
      assertArrayEquals(TestFiles.bytes(each), TestFiles.bytes(other));
    }
    assertArrayEquals(written, TestFiles.write(again.tensors().values(), again.metadata()));
  }

  /// The printed seed must reproduce the same mutations.
  @Test
  void mutationsAreReproducible() {
    for (long seed = 0; seed < 1000; seed++) {
      assertArrayEquals(new Mutation(seed).of(SEEDS), new Mutation(seed).of(SEEDS));
    }
    long different =
        LongStream.range(0, 1000)
            .mapToObj(seed -> new String(new Mutation(seed).of(SEEDS), StandardCharsets.ISO_8859_1))
            .distinct()
            .count();
    assertTrue(different > 700, different + " different files");
  }
}
