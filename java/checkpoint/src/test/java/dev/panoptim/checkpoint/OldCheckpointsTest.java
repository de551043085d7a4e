package dev.panoptim.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.safetensors.SafetensorsFile;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Checkpoints that an earlier version wrote still load. Each was written after step 7 of a
/// [Trainee] with tensors of 3 and 17 elements. Their rule has a field `lookAhead`, which is called
/// `nesterov` now.
class OldCheckpointsTest {
  private static final Path FILES = Path.of("src/test/resources/written-first");
  private static final long SAVED_AT = 7;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd",
        "momentum",
        "adagrad",
        "rmsprop",
        "adadelta",
        "adam",
        "adamw",
        "lion",
        "nadam",
        "averaged",
        "composed"
      })
  void loadToTheBitsOfTheTrainingThatWroteThem(String kind) {
    try (Trainee expected = new Trainee(Trainee.KINDS.get(kind), 3, 17);
        Trainee loaded = new Trainee(Trainee.KINDS.get(kind), 3, 17);
        Checkpoint checkpoint = Checkpoint.open(FILES.resolve(kind + ".safetensors"))) {
      expected.trainTo(SAVED_AT);
      loaded.resume(checkpoint);
      assertEquals(SAVED_AT, loaded.step());
      assertEquals(expected.bits(), loaded.bits());
      expected.trainTo(SAVED_AT + 5);
      loaded.trainTo(SAVED_AT + 5);
      assertEquals(expected.bits(), loaded.bits());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lion", "nadam", "composed"})
  void areSavedAnewInTheCurrentFormat(String kind) {
    try (Arena arena = Arena.ofConfined()) {
      String old =
          SafetensorsFile.map(FILES.resolve(kind + ".safetensors"), arena)
              .metadata()
              .get("panoptim.training");
      assertTrue(old.contains("\"format\":1,") && old.contains("\"lookAhead\":"), old);
      TrainingDocument document = TrainingDocument.parse(old);
      String saved = document.toJson();
      assertTrue(saved.contains("\"format\":4,") && !saved.contains("lookAhead"), saved);
      assertEquals(document, TrainingDocument.parse(saved));
      String ofFormat3 =
          old.replace("\"format\":1,", "\"format\":3,").replace("lookAhead", "nesterov");
      assertEquals(document, TrainingDocument.parse(ofFormat3));
    }
  }
}
