package dev.panoptim.server.digits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ScoresTest {
  @Test
  void accuracyIsThatOfTheLastTwoHundred() {
    Scores scores = new Scores();
    assertTrue(scores.accuracy().isEmpty());
    scores.judge(true);
    assertEquals(1, scores.accuracy().getAsDouble());
    for (int i = 0; i < 300; i++) {
      scores.judge(i % 4 == 0);
    }
    assertEquals(0.25, scores.accuracy().getAsDouble());
    assertEquals(301, scores.judged());
  }

  @Test
  void skippedStepsAndLossesAreCounted() {
    Scores scores = new Scores();
    assertTrue(scores.loss().isEmpty());
    scores.learnt(new Lesson.Result(2, false));
    scores.learnt(new Lesson.Result(Double.NaN, true));
    assertEquals(2, scores.loss().getAsDouble());
    assertEquals(1, scores.skippedSteps());
    scores.learnt(new Lesson.Result(1, false));
    assertEquals(1.95, scores.loss().getAsDouble(), 1e-12);
  }
}
