package dev.panoptim.examples.bridges;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  private static final Comparison.Settings SETTINGS =
      new Comparison.Settings(40, 20, 4, 3, 1, 6, 1);

  private final FakeLibrary library = new FakeLibrary();

  @Test
  void bothSidesSeeTheSameBatchesInTurns() {
    AtomicInteger progress = new AtomicInteger();
    new Comparison(library, ModelSize.SMALL, SETTINGS).run(progress::addAndGet);
    assertEquals(SETTINGS.allSteps(), progress.get());
    assertEquals(SETTINGS.allSteps(), library.steps.size());
    assertEquals(batches("own"), batches("panoptim"));
    // Each round of 6 steps belongs to one side; every other round the order is reversed.
    List<String> sides = library.steps.stream().map(step -> step.split(" ")[0]).toList();
    String[] turns = {"own", "panoptim", "panoptim", "own", "own", "panoptim", "panoptim", "own"};
    for (int i = 0; i < sides.size(); i++) {
      assertEquals(turns[i / 6], sides.get(i), "step " + i);
    }
  }

  private List<String> batches(String side) {
    return library.steps.stream()
        .filter(step -> step.startsWith(side + " "))
        .map(step -> step.split(" ")[1])
        .toList();
  }

  @Test
  void bothSidesBeginWithTheSameSetupAndAreClosed() {
    new Comparison(library, ModelSize.SMALL, SETTINGS).run(_ -> {});
    assertEquals(2, library.setups.size());
    assertSame(library.setups.get(0), library.setups.get(1));
    assertEquals(10, library.setups.get(0).batches());
    assertEquals(List.of("panoptim", "own"), library.closed);
  }

  @Test
  void warmUpsAreNotMeasured() {
    Comparison.Result result = new Comparison(library, ModelSize.SMALL, SETTINGS).run(_ -> {});
    assertEquals(3, result.own().rounds().size());
    assertEquals(List.of(4.0, 4.0, 4.0), result.stepRatios());
    assertEquals(3, result.wholeRatios().size());
    assertTrue(result.wholeRatios().stream().allMatch(ratio -> ratio > 0));
    assertEquals(1, result.ownAccuracy());
    // Four rounds of 6 steps, a loss at every 5th: steps 0, 5, 10, 15, 20.
    assertEquals(5, result.panoptim().losses().size());
    RoundTimes round = result.panoptim().rounds().getFirst();
    assertEquals(6, round.steps());
    assertEquals(6_000, round.optimizerNanos());
    assertEquals(1, round.optimizerMicros());
  }
}
