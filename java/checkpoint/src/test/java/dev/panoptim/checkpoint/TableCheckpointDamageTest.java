package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.backend.Backends;
import dev.panoptim.checkpoint.TableTrainee.Kind;
import dev.panoptim.rows.MissedSteps;
import dev.panoptim.rows.RowOptimizer;
import dev.panoptim.safetensors.DType;
import dev.panoptim.safetensors.SafetensorsFile;
import dev.panoptim.safetensors.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Damaged, missing and forged files of a table are refused, and the table stays empty.
class TableCheckpointDamageTest {
  private static final boolean EXHAUSTIVE = Boolean.getBoolean("panoptim.exhaustive");

  /// Coprime to 8, so that each bit position in a byte is tested.
  private static final int BITS = EXHAUSTIVE ? 29 : 97;

  private static final int LENGTHS = EXHAUSTIVE ? 13 : 61;
  private static final int MOST_CHANGES = 10;

  @TempDir Path folder;

  private static TableTrainee trainee(Kind kind) {
    return new TableTrainee(
        kind, RowOptimizer.adam(0.01).missedSteps(MissedSteps.APPLIED), Backends.scalar(), 40, 2);
  }

  private static Map<String, String> empty(Kind kind) throws Exception {
    try (TableTrainee trainee = trainee(kind)) {
      return trainee.bits();
    }
  }

  /// A file with all rows after 30 steps, and two with changes after 31 and 45.
  private List<Path> saved(Kind kind) throws Exception {
    List<Path> files = new ArrayList<>();
    try (TableTrainee trainee = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      for (int last : new int[] {30, 31, 45}) {
        trainee.trainTo(last);
        files.add(checkpoint.save().file());
      }
    }
    assertTrue(files.getLast().toString().contains("rows-"), files.toString());
    return files;
  }

  private static CheckpointException assertRefused(TableCheckpoint checkpoint, String how) {
    return assertThrows(CheckpointException.class, checkpoint::load, () -> how + " passes");
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void everyDamageIsNoticedAndChangesNothing(Kind kind) throws Exception {
    List<Path> files = saved(kind);
    Map<String, String> empty = empty(kind);
    try (TableTrainee trainee = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      for (Path each : files) {
        byte[] bytes = Files.readAllBytes(each);
        for (int bit = 0; bit < bytes.length * Byte.SIZE; bit += BITS) {
          byte[] damaged = bytes.clone();
          damaged[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
          Files.write(each, damaged);
          var e = assertRefused(checkpoint, "flipped bit " + bit + " of " + each);
          assertTrue(e.getMessage().startsWith(each.toString()), e.getMessage());
        }
        for (int length = 0; length < bytes.length; length += LENGTHS) {
          Files.write(each, Arrays.copyOf(bytes, length));
          assertRefused(checkpoint, "the first " + length + " bytes of " + each);
        }
        Files.write(each, bytes);
        TableTrainee.assertSame(empty, trainee.bits());
      }
      assertTrue(checkpoint.load());
      assertEquals(45, trainee.steps());
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void withoutTheLastFileTheOneBeforeIsLoaded(Kind kind) throws Exception {
    List<Path> files = saved(kind);
    Files.delete(files.getLast());
    try (TableTrainee trainee = trainee(kind);
        TableTrainee expected = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      assertTrue(checkpoint.load());
      expected.trainTo(31);
      TableTrainee.assertSame(expected.bits(), trainee.bits());
      trainee.trainTo(33);
      assertEquals(files.getLast(), checkpoint.save().file());
    }
    try (TableTrainee trainee = trainee(kind);
        TableTrainee expected = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      assertTrue(checkpoint.load());
      expected.trainTo(33);
      TableTrainee.assertSame(expected.bits(), trainee.bits());
    }
  }

  @Test
  void missingAndForeignFilesAreNoticed() throws Exception {
    List<Path> files = saved(Kind.IDS);
    try (TableTrainee trainee = trainee(Kind.IDS);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      Path away = folder.resolve("away");
      Files.move(files.get(1), away);
      var e = assertRefused(checkpoint, "a missing file");
      assertEquals(
          files.get(2) + " follows " + files.get(1) + ", which is missing", e.getMessage());
      Files.move(away, files.get(1));
      Files.move(files.get(0), away);
      e = assertRefused(checkpoint, "a missing first file");
      assertTrue(e.getMessage().endsWith("but no file with all rows"), e.getMessage());
      Files.copy(files.get(1), files.get(0));
      e = assertRefused(checkpoint, "a file under another name");
      assertTrue(e.getMessage().contains("it was written as the file with number 2"));
      Files.delete(files.get(0));
      Files.move(away, files.get(0));
      forge(files.get(1), document -> document.replace("\"steps\":31", "\"steps\":32"), t -> t);
      e = assertRefused(checkpoint, "a file that was exchanged");
      assertTrue(e.getMessage().startsWith(files.get(2) + " follows the file with number 2"));
    }
  }

  /// Replaces a file by one with other contents and right checksums.
  private static void forge(
      Path file, UnaryOperator<String> document, UnaryOperator<List<Tensor>> tensors)
      throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile found = SafetensorsFile.map(file, arena);
      ChecksummedFile forged =
          new ChecksummedFile(
              TableDocument.KEY,
              document.apply(found.metadata().get(TableDocument.KEY)),
              tensors.apply(List.copyOf(found.tensors().values())));
      Path other = file.resolveSibling("forged");
      try (FileChannel channel =
          FileChannel.open(other, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        forged.write(channel, Progress.NONE);
      }
      Files.delete(file);
      Files.move(other, file);
    }
  }

  private void assertForged(
      Kind kind,
      int number,
      UnaryOperator<String> document,
      UnaryOperator<List<Tensor>> tensors,
      String message)
      throws Exception {
    try (var left = Files.newDirectoryStream(folder, "*.safetensors")) {
      for (Path each : left) {
        Files.delete(each);
      }
    }
    List<Path> files = saved(kind);
    forge(files.get(number), document, tensors);
    for (Path each : files.subList(number + 1, files.size())) {
      Files.delete(each);
    }
    try (TableTrainee trainee = trainee(kind);
        TableCheckpoint checkpoint = trainee.open(folder, MOST_CHANGES)) {
      var e = assertRefused(checkpoint, message);
      assertTrue(e.getMessage().contains(message), e.getMessage());
      TableTrainee.assertSame(empty(kind), trainee.bits());
    }
  }

  private static UnaryOperator<List<Tensor>> longs(String name, int index, long value) {
    return tensors ->
        tensors.stream()
            .map(
                each -> {
                  if (!each.name().equals(name)) {
                    return each;
                  }
                  long[] all = each.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
                  all[index] = value;
                  return new Tensor(name, DType.I64, each.shape(), MemorySegment.ofArray(all));
                })
            .toList();
  }

  private static UnaryOperator<List<Tensor>> without(String name) {
    return tensors -> tensors.stream().filter(each -> !each.name().equals(name)).toList();
  }

  private static UnaryOperator<List<Tensor>> with(Tensor more) {
    return tensors -> {
      List<Tensor> all = new ArrayList<>(without(more.name()).apply(tensors));
      all.add(more);
      return all;
    };
  }

  @Test
  void forgedContentsAreRefused() throws Exception {
    UnaryOperator<String> same = document -> document;
    UnaryOperator<List<Tensor>> all = tensors -> tensors;
    MemorySegment two = MemorySegment.ofArray(new float[2]);
    for (Kind kind : Kind.values()) {
      assertForged(kind, 0, same, without("weight"), "it has no tensor");
      assertForged(kind, 0, same, with(Tensor.of("more", DType.F32, two, 2)), "its tensors are");
      assertForged(
          kind, 0, same, with(Tensor.of("firstMoment", DType.F32, two, 1, 2)), "must be F32");
      assertForged(kind, 1, same, longs("lastStep", 0, 32), "must be from 0 to 31");
      assertForged(kind, 1, same, longs("lastStep", 0, -1), "must be from 0 to 31");
      assertForged(
          kind, 1, document -> document.replace("\"steps\":31", "\"steps\":29"), all, "fewer than");
      assertForged(
          kind,
          1,
          document -> document.replaceFirst("\"learningRate\":[0-9.]+", "\"learningRate\":-1.0"),
          all,
          "learningRate");
      assertForged(
          kind,
          1,
          document -> document.replaceFirst("\"learningRates\":\\[[0-9.]+,", "\"learningRates\":["),
          all,
          "there are 30 learning rates of the last steps, but must be 31");
      assertForged(
          kind, 1, document -> document.replace("\"format\":1", "\"format\":2"), all, "format 1");
      assertForged(
          kind, 1, document -> document.replace("\"follows\":1", "\"follows\":7"), all, "number 7");
    }
    assertForged(Kind.ROWS, 1, same, longs("ids", 0, -1), "the id at index 0 is -1");
    assertForged(Kind.ROWS, 1, same, longs("ids", 0, 40), "the id at index 0 is 40");
    assertForged(Kind.ROWS, 1, same, longs("ids", 1, 0), "the id at index 1 is 0");
    MemorySegment one = MemorySegment.ofArray(new long[] {12345});
    assertForged(
        Kind.IDS,
        1,
        same,
        with(Tensor.of("removed", DType.I64, one, 1)),
        "the removed id at index 0 is 12345, but no file before has it");
    for (int number = 0; number < 2; number++) {
      int first = number;
      assertForged(
          Kind.IDS,
          first,
          same,
          tensors -> {
            long id =
                tensors.stream()
                    .filter(each -> each.name().equals("ids"))
                    .findFirst()
                    .orElseThrow()
                    .data()
                    .get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
            return longs("ids", 1, id).apply(tensors);
          },
          "as one before");
    }
    assertForged(
        Kind.CHANGING_IDS,
        1,
        document -> document.replaceFirst("\"additions\":", "\"additions\":-"),
        all,
        "the number of additions");
    assertForged(
        Kind.CHANGING_IDS,
        1,
        same,
        with(Tensor.of("sightings", DType.U8, MemorySegment.ofArray(new byte[8]), 8)),
        "must be U8");
  }
}
