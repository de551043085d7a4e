package dev.panoptim.server.recommender;

import dev.panoptim.server.simulation.Simulation;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;

/// Lets simulated users choose items, counts how often a chosen item had been recommended, and
/// learns from the choices.
///
/// Thread-safe.
public final class RecommenderService implements AutoCloseable {
  public static final int HIGHEST_RATE = 2000;

  /// An item is a hit if it is among the best [#BEST] of [#CANDIDATES].
  public static final int BEST = 10;

  public static final int CANDIDATES = 100;

  /// How often a user's taste changes: after this many choices of the user, on average.
  private static final double CHOICES_TO_CHANGE = 60;

  private static final int OTHERS = 6;
  private static final int WINDOW = 1000;

  /// What happens.
  ///
  /// @param running whether users choose
  /// @param learning whether the recommender learns from it
  /// @param rate choices in a second, from 1 to [#HIGHEST_RATE]
  public record Plan(boolean running, boolean learning, int rate) implements Simulation.Plan {
    /// @throws IllegalArgumentException if the rate is out of range
    public Plan {
      Simulation.Plan.requireRate(rate, HIGHEST_RATE);
    }
  }

  private final World world;
  private final Embeddings embeddings;
  private final Recommender recommender;
  private final HitRate hits = new HitRate(WINDOW);
  private final Simulation<Plan> simulation =
      new Simulation<>("recommender", new Plan(false, true, 1500), this::choose);
  private volatile long choices;
  private volatile long steps;

  /// @param embeddings closed with this object
  public RecommenderService(Embeddings embeddings, long seed) {
    this.embeddings = embeddings;
    world = new World(1 / CHOICES_TO_CHANGE, seed);
    recommender = new Recommender(embeddings, OTHERS + 1);
    simulation.start();
  }

  public Plan plan() {
    return simulation.plan();
  }

  public void plan(Plan value) {
    simulation.plan(value);
  }

  private boolean choose(Plan now) {
    chooseOnce(now.learning());
    return true;
  }

  /// One user chooses; the recommendation is judged first, and learns then.
  void chooseOnce(boolean learning) {
    World.Choice choice = world.next();
    int[] candidates = candidates(choice.item(), CANDIDATES);
    hits.add(
        recommender.rank(choice.user(), candidates).stream()
            .limit(BEST)
            .anyMatch(each -> each.item() == choice.item()));
    choices++;
    if (learning) {
      recommender.learn(choice.user(), candidates(choice.item(), OTHERS + 1));
      steps++;
    }
  }

  /// A given item, and random others.
  private int[] candidates(int item, int count) {
    int[] candidates = new int[count];
    candidates[0] = item;
    for (int i = 1; i < count; i++) {
      do {
        candidates[i] = world.anyItem();
      } while (candidates[i] == item);
    }
    return candidates;
  }

  /// An item that is recommended.
  public record Recommended(int item, String genre, double score) {}

  /// The best items for a user among random ones, the best first. For any thread.
  ///
  /// @throws IllegalArgumentException if there is no such user
  public List<Recommended> recommend(int user) {
    requireUser(user);
    int[] candidates =
        new SplittableRandom().ints(0, World.ITEMS).distinct().limit(CANDIDATES).toArray();
    return recommender.rank(user, candidates).stream()
        .limit(BEST)
        .map(each -> new Recommended(each.item(), World.genre(each.item()), each.score()))
        .toList();
  }

  /// The present tastes of a user, which the recommender does not know.
  ///
  /// @throws IllegalArgumentException if there is no such user
  public List<String> tastes(int user) {
    requireUser(user);
    return world.tastes(user);
  }

  private static void requireUser(int user) {
    if (user < 0 || user >= World.USERS) {
      throw new IllegalArgumentException(
          "user is %s, but must be from 0 to %s".formatted(user, World.USERS - 1));
    }
  }

  /// The share of hits among the last thousand choices; empty before the first.
  public OptionalDouble hitRate() {
    return hits.value();
  }

  public long choices() {
    return choices;
  }

  public long steps() {
    return steps;
  }

  /// The ids that have a vector of their own.
  public long rows() {
    return embeddings.size();
  }

  public long bytes() {
    return embeddings.bytes();
  }

  /// Whether the simulation goes on.
  public boolean isAlive() {
    return simulation.isAlive();
  }

  @Override
  public void close() {
    simulation.close();
    recommender.close();
  }
}
