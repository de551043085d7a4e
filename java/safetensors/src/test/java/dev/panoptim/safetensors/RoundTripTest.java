package dev.panoptim.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/// Random tensors are equal after they are written and read.
class RoundTripTest {
  @Provide
  Arbitrary<String> names() {
    Arbitrary<String> texts =
        Arbitraries.strings()
            .withChars('\0', '\u00ff')
            .withChars('\ue000', '\uffff')
            .withChars("\"\\/\u2028")
            .ofMaxLength(8);
    return Combinators.combine(texts, Arbitraries.of("", "\ud800\udc00", "\ud83d\ude00"))
        .as(String::concat)
        .filter(name -> !name.equals(Header.METADATA));
  }

  @Provide
  Arbitrary<List<Tensor>> tensors() {
    Arbitrary<long[]> shapes = Arbitraries.longs().between(0, 5).array(long[].class).ofMaxSize(4);
    return Combinators.combine(
            names(), Arbitraries.of(DType.class), shapes, Arbitraries.randomValue(Random::nextInt))
        .as(RoundTripTest::tensor)
        .list()
        .uniqueElements(Tensor::name)
        .ofMaxSize(12);
  }

  @Provide
  Arbitrary<Map<String, String>> metadata() {
    return Arbitraries.maps(names(), names()).ofMaxSize(5);
  }

  private static Tensor tensor(String name, DType dtype, long[] shape, int seed) {
    long bits = dtype.bits();
    for (long dimension : shape) {
      bits *= dimension;
    }
    if (bits % Byte.SIZE != 0) {
      shape = new long[] {8};
      bits = 8L * dtype.bits();
    }
    byte[] bytes = new byte[(int) (bits / Byte.SIZE)];
    new Random(seed).nextBytes(bytes);
    return Tensor.of(name, dtype, MemorySegment.ofArray(bytes), shape);
  }

  @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
  void roundTrip(
      @ForAll("tensors") List<Tensor> tensors, @ForAll("metadata") Map<String, String> metadata) {
    byte[] bytes = TestFiles.write(tensors, metadata);
    SafetensorsFile file = TestFiles.read(bytes);
    assertEquals(metadata, file.metadata());
    assertEquals(tensors.size(), file.tensors().size());
    for (Tensor expected : tensors) {
      Tensor found = file.tensor(expected.name());
      assertEquals(expected.dtype(), found.dtype());
      assertEquals(expected.shape(), found.shape());
      assertEquals(expected.elements(), found.elements());
      assertArrayEquals(TestFiles.bytes(expected), TestFiles.bytes(found));
    }
    assertEquals(0, (MemorySegment.ofArray(bytes).get(Header.LENGTH, 0)) % 8);
    assertArrayEquals(bytes, TestFiles.write(file.tensors().values(), file.metadata()));
  }

  @Property
  void theOrderOfNamesIsThatOfTheirUtf8(
      @ForAll("names") String left, @ForAll("names") String right) {
    int expected =
        Arrays.compareUnsigned(
            left.getBytes(StandardCharsets.UTF_8), right.getBytes(StandardCharsets.UTF_8));
    assertEquals(Integer.signum(expected), Integer.signum(Text.compareCodePoints(left, right)));
  }
}
