package dev.panoptim.server.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class LoadProgramTest {
  @Test
  void aShortLoadIsAnsweredCompletely() throws Exception {
    LoadProgram program = new LoadProgram();
    new CommandLine(program)
        .parseArgs("--seconds=1", "--rounds=1", "--rate=200", "--training-steps=0");
    assertEquals(0, program.call());
  }

  @Test
  void optionsAreBounded() {
    LoadProgram program = new LoadProgram();
    new CommandLine(program).parseArgs("--seconds=0");
    assertThrows(IllegalArgumentException.class, program::call);
  }
}
