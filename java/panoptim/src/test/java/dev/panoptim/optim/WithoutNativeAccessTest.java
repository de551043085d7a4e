package dev.panoptim.optim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.util.List;
import org.junit.jupiter.api.Test;

/// All optimizers in a process whose Java denies native access, which is the default of Java to
/// come. They run in plain Java, where no class of the bindings can be initialized.
class WithoutNativeAccessTest {
  @Test
  void everyOptimizerRunsInPlainJava() throws Exception {
    String output =
        JavaProcess.run(
            EveryOptimizerProbe.class,
            List.of("--enable-native-access=java.base", "--illegal-native-access=deny"));
    int optimizers = MixedCases.withSingle().size() + 1;
    assertTrue(output.contains("RAN " + optimizers + " on scalar"), output);
  }
}
