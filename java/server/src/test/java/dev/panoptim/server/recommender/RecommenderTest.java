package dev.panoptim.server.recommender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RecommenderTest {
  private static final double RATE = 0.3;

  @Test
  void aLessonRaisesTheChosenItem() {
    try (Recommender recommender = new Recommender(new HeapEmbeddings(16, RATE), 3)) {
      int[] items = {5, 6, 7};
      double first = recommender.learn(1, items);
      double last = first;
      for (int i = 0; i < 30; i++) {
        last = recommender.learn(1, items);
      }
      assertTrue(last < first / 2, "loss from " + first + " to " + last);
      assertEquals(5, recommender.rank(1, new int[] {7, 6, 5}).getFirst().item());
      assertThrows(
          IllegalArgumentException.class, () -> recommender.learn(1, new int[] {1, 2, 3, 4}));
    }
  }

  @Test
  void idsDiffer() {
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < World.ITEMS; i++) {
      ids.add(Ids.item(i));
      ids.add(Ids.user(i));
    }
    assertEquals(2 * World.ITEMS, ids.size());
  }

  /// Learning follows the tastes; without it, recommendations age.
  @Test
  void hitsComeWithLearningAndGoWithoutIt() {
    try (RecommenderService service = new RecommenderService(new HeapEmbeddings(16, RATE), 1)) {
      for (int i = 0; i < 1000; i++) {
        service.chooseOnce(false);
      }
      double unknown = service.hitRate().orElseThrow();
      assertEquals(0.1, unknown, 0.05);
      for (int i = 0; i < 40_000; i++) {
        service.chooseOnce(true);
      }
      double known = service.hitRate().orElseThrow();
      assertTrue(known > 0.45, "hit rate with learning: " + known);
      for (int i = 0; i < 60_000; i++) {
        service.chooseOnce(false);
      }
      double aged = service.hitRate().orElseThrow();
      assertTrue(aged < known - 0.15, "hit rate without learning: " + aged + " after " + known);
      assertEquals(101_000, service.choices());
      assertEquals(40_000, service.steps());
    }
  }

  @Test
  void usersChooseAtTheirRate() throws InterruptedException {
    try (RecommenderService service = new RecommenderService(new HeapEmbeddings(8, RATE), 1)) {
      service.plan(new RecommenderService.Plan(true, true, 500));
      while (service.choices() < 50) {
        Thread.sleep(5);
      }
      service.plan(new RecommenderService.Plan(false, true, 500));
      assertEquals(RecommenderService.BEST, service.recommend(3).size());
      assertEquals(2, service.tastes(3).size());
      assertTrue(service.rows() > 10);
      assertTrue(service.isAlive());
      assertThrows(IllegalArgumentException.class, () -> service.recommend(World.USERS));
      assertThrows(IllegalArgumentException.class, () -> service.tastes(-1));
      assertThrows(
          IllegalArgumentException.class, () -> new RecommenderService.Plan(true, true, 0));
    }
  }
}
