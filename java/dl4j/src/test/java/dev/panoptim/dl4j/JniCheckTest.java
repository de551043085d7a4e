package dev.panoptim.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("natives")
class JniCheckTest {
  /// How the JVM begins what it finds.
  private static final Pattern JNI =
      Pattern.compile("in native method|JNI local refs|JNI call|Critical section");

  @TempDir Path folder;

  @Test
  void theChecksOfJniFindNothing() throws Exception {
    Process checked = TraineeProgram.start(List.of("-Xcheck:jni"), folder);
    String output = new String(checked.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(TraineeProgram.HALTED, checked.waitFor());
    // ND4J and the JDK print other warnings when they start.
    List<String> complaints = output.lines().filter(each -> JNI.matcher(each).find()).toList();
    assertEquals(List.of(), complaints);
  }
}
