package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The names in a checkpoint folder are the same in every locale, and are not confused with other
/// names.
class FolderNamesTest {
  @TempDir Path temporary;

  private Path path() {
    return temporary.resolve("checkpoints");
  }

  private CheckpointFolder folder(int keep) {
    return CheckpointFolder.of(path(), keep);
  }

  private static Trainee trainee() {
    return new Trainee(Trainee.KINDS.get("adamw"), 5, 9);
  }

  private static List<String> names(List<Path> files) {
    return files.stream().map(each -> each.getFileName().toString()).toList();
  }

  /// Locales with other digits than ASCII, and one with other letters (Turkish).
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ar-EG-u-nu-arab",
        "ar-EG",
        "fa-IR",
        "fa-IR-u-nu-arabext",
        "hi-IN-u-nu-deva",
        "th-TH-u-nu-thai",
        "my-MM-u-nu-mymr",
        "bn-BD-u-nu-beng",
        "tr-TR",
        "de-CH",
        "en-US"
      })
  void savingFindingKeepingAndResumingAreTheSameInEveryLocale(String tag) throws Exception {
    Locale before = Locale.getDefault();
    try (Trainee trainee = trainee();
        Trainee resumed = trainee()) {
      Locale.setDefault(Locale.forLanguageTag(tag));
      for (int step = 8; step <= 12; step++) {
        trainee.trainTo(step);
        if (step % 2 == 0) {
          folder(3).save(trainee.training(), step, Map.of("seed", "7"));
        } else {
          folder(3).saveInBackground(trainee.training(), step, Map.of("seed", "7")).get();
        }
      }
      assertEquals(
          List.of(
              "step-000000000010.safetensors",
              "step-000000000011.safetensors",
              "step-000000000012.safetensors"),
          names(folder(3).files()));
      try (Stream<Path> all = Files.list(path())) {
        assertEquals(
            4, all.map(Path::getFileName).filter(each -> !each.endsWith(".tmp")).count(), "a lock");
      }
      byte[] bytes = Files.readAllBytes(folder(3).latest().orElseThrow());
      try (Checkpoint checkpoint = Checkpoint.open(folder(3).latest().orElseThrow())) {
        assertEquals(12, checkpoint.step());
        resumed.resume(checkpoint);
      }
      assertEquals(trainee.bits(), resumed.bits());
      var later =
          assertThrows(
              IllegalStateException.class, () -> folder(3).save(trainee.training(), 11, Map.of()));
      assertTrue(later.getMessage().contains("is of a later step than 11:"), later.getMessage());
      // The file is equal to the one that another locale writes.
      Locale.setDefault(Locale.ROOT);
      Path again = folder(3).save(trainee.training(), 12, Map.of("seed", "7"));
      assertEquals(-1, Arrays.mismatch(bytes, Files.readAllBytes(again)));
    } finally {
      Locale.setDefault(before);
    }
  }

  /// Files whose names look like checkpoints but are written by no save.
  private Map<Path, String> strays() throws IOException {
    Map<Path, String> strays = new TreeMap<>();
    for (String name :
        List.of(
            "step-9223372036854775808.safetensors", // one too many for a long
            "step-9999999999999999999.safetensors",
            "step-99999999999999999999.safetensors",
            "step-0000000000005.safetensors", // more zeros than a saving writes
            "step-5.safetensors",
            "step-00000000005.safetensors",
            "step-\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0661\u0662.safetensors",
            "step-\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11\uff12.safetensors",
            "step--00000000005.safetensors",
            "step-000000000005.safetensors~",
            "step-000000000005.SAFETENSORS",
            " step-000000000005.safetensors",
            "step-000000000005.safetensors.tmp",
            "best.safetensors",
            ".step-.tmp",
            ".step-x.tmp")) {
      strays.put(Files.writeString(path().resolve(name), name), name);
    }
    return strays;
  }

  @Test
  void otherFilesAreNeitherLoadedNorDeleted() throws IOException {
    try (Trainee trainee = trainee()) {
      Files.createDirectories(path());
      Map<Path, String> strays = strays();
      List<Path> others = new ArrayList<>();
      others.add(Files.createDirectory(path().resolve("step-000000000900.safetensors")));
      others.add(Files.writeString(others.getFirst().resolve("inside"), "kept"));
      others.add(Files.createDirectory(path().resolve("step-000000000901.safetensors")));
      others.add(Files.createDirectory(path().resolve(".step-7.tmp")));
      others.add(Files.writeString(path().resolve(".step-7.tmp").resolve("inside"), "kept"));
      Path dangling = path().resolve("step-000000000902.safetensors");
      others.add(Files.createSymbolicLink(dangling, temporary.resolve("nowhere")));
      Path toFolder = path().resolve("step-000000000903.safetensors");
      others.add(Files.createSymbolicLink(toFolder, temporary));
      assertTrue(folder(1).latest().isEmpty());
      for (int step = 1; step <= 4; step++) {
        trainee.trainTo(step);
        folder(2).save(trainee.training(), step, Map.of());
      }
      assertEquals(
          List.of("step-000000000003.safetensors", "step-000000000004.safetensors"),
          names(folder(2).files()));
      for (Map.Entry<Path, String> each : strays.entrySet()) {
        assertEquals(each.getValue(), Files.readString(each.getKey()));
      }
      for (Path each : others) {
        assertTrue(Files.exists(each, LinkOption.NOFOLLOW_LINKS), each::toString);
      }
      try (Checkpoint checkpoint = Checkpoint.open(folder(2).latest().orElseThrow())) {
        assertEquals(4, checkpoint.step());
      }
      // If a directory has the name of the temporary file, another name is used.
      folder(2).save(trainee.training(), 7, Map.of());
      assertEquals(7, Checkpoints.step(folder(2)));
      assertTrue(Files.exists(path().resolve(".step-7.tmp").resolve("inside")));
      // A directory prevents only the save of its own step, and is not replaced.
      var thrown =
          assertThrows(
              UncheckedIOException.class, () -> folder(2).save(trainee.training(), 901, Map.of()));
      assertTrue(
          thrown.getMessage().contains("is a directory, but must be a regular file"),
          thrown.getMessage());
      assertEquals(7, Checkpoints.step(folder(2)));
    }
  }

  /// A file cache may replace checkpoints by links. A link to a checkpoint counts as a checkpoint.
  @Test
  void aLinkToACheckpointIsACheckpoint() throws IOException {
    try (Trainee trainee = trainee()) {
      Path file = folder(1).save(trainee.training(), 3, Map.of());
      Path elsewhere = Files.move(file, temporary.resolve("elsewhere"));
      Files.createSymbolicLink(file, elsewhere);
      assertEquals(3, Checkpoints.step(folder(1)));
      folder(1).save(trainee.training(), 4, Map.of());
      assertFalse(Files.exists(file, LinkOption.NOFOLLOW_LINKS));
      assertTrue(Files.exists(elsewhere));
    }
  }

  private static final class Checkpoints {
    static long step(CheckpointFolder folder) {
      try (Checkpoint checkpoint = Checkpoint.open(folder.latest().orElseThrow())) {
        return checkpoint.step();
      }
    }
  }

  @Test
  void theLargestStepHasAName() {
    try (Trainee trainee = trainee()) {
      Path file = folder(1).save(trainee.training(), Long.MAX_VALUE, Map.of());
      assertEquals("step-9223372036854775807.safetensors", file.getFileName().toString());
      assertEquals(Long.MAX_VALUE, Checkpoints.step(folder(1)));
    }
  }

  @Test
  void aCheckpointThatIsReplacedKeepsItsMode() throws IOException {
    try (Trainee trainee = trainee()) {
      Path file = folder(2).save(trainee.training(), 1, Map.of());
      assumeTrue(Files.getFileStore(file).supportsFileAttributeView("posix"));
      for (String mode : List.of("rw-------", "r--r-----", "rw-rw-rw-")) {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        folder(2).save(trainee.training(), 1, Map.of("mode", mode));
        assertEquals(mode, PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
          assertEquals(Map.of("mode", mode), checkpoint.extras());
        }
      }
    }
  }

  @Test
  void anInterruptedThreadSavesFindsAndOpens() {
    try (Trainee trainee = trainee();
        Trainee resumed = trainee()) {
      trainee.trainTo(2);
      Thread.currentThread().interrupt();
      folder(1).save(trainee.training(), 2, Map.of());
      try (Checkpoint checkpoint = Checkpoint.open(folder(1).latest().orElseThrow())) {
        resumed.resume(checkpoint);
      }
      folder(1).saveInBackground(trainee.training(), 3, Map.of()).join();
      assertTrue(Thread.interrupted());
      assertEquals(trainee.bits(), resumed.bits());
      assertEquals(3, Checkpoints.step(folder(1)));
    }
  }

  /// Interrupts in the middle of the file: the write starts again, and the file is complete.
  @Test
  void interruptsDuringTheWriteLeaveAWholeCheckpoint() {
    try (Trainee trainee = new Trainee(Trainee.KINDS.get("adamw"), 300_000)) {
      folder(2).save(trainee.training(), 1, Map.of());
      AtomicInteger calls = new AtomicInteger();
      CheckpointFolder interrupting =
          folder(2)
              .withProgress(
                  (written, total) -> {
                    if (calls.incrementAndGet() <= 5) {
                      Thread.currentThread().interrupt();
                    }
                  });
      interrupting.save(trainee.training(), 2, Map.of());
      assertTrue(Thread.interrupted());
      assertTrue(calls.get() > 5, "it did begin anew");
      assertEquals(2, Checkpoints.step(folder(2)));
      assertEquals(3, path().toFile().list().length, "two checkpoints and a lock");
    }
  }

  /// A thread that is interrupted again and again gets an exception, and earlier checkpoints stay.
  @Test
  void endlessInterruptsAreAnErrorAndLeaveNothing() {
    try (Trainee trainee = new Trainee(Trainee.KINDS.get("adamw"), 300_000)) {
      Path first = folder(2).save(trainee.training(), 1, Map.of());
      CheckpointFolder interrupting =
          folder(2).withProgress((written, total) -> Thread.currentThread().interrupt());
      var thrown =
          assertThrows(
              UncheckedIOException.class, () -> interrupting.save(trainee.training(), 2, Map.of()));
      assertTrue(Thread.interrupted());
      assertTrue(thrown.getCause() instanceof ClosedByInterruptException, thrown::toString);
      assertEquals(List.of(first), folder(2).files());
      assertEquals(2, path().toFile().list().length, "a checkpoint and a lock");
      assertEquals(1, Checkpoints.step(folder(2)));
      folder(2).save(trainee.training(), 2, Map.of());
    }
  }
}
