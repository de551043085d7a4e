package dev.panoptim.server.recommender;

import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

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
  private static final double NANOS = 1e9;

  /// What happens.
  ///
  /// @param running whether users choose
  /// @param learning whether the recommender learns from it
  /// @param rate choices in a second, from 1 to [#HIGHEST_RATE]
  public record Plan(boolean running, boolean learning, int rate) {
    /// @throws IllegalArgumentException if the rate is out of range
    public Plan {
      if (rate < 1 || rate > HIGHEST_RATE) {
        throw new IllegalArgumentException(
            "rate is %s, but must be from 1 to %s".formatted(rate, HIGHEST_RATE));
      }
    }
  }

  private final World world;
  private final Embeddings embeddings;
  private final Recommender recommender;
  private final HitRate hits = new HitRate(WINDOW);
  private final Thread thread = Thread.ofPlatform().name("recommender").unstarted(this::run);
  private volatile Plan plan = new Plan(false, true, 1500);
  private volatile long choices;
  private volatile long steps;
  private volatile boolean closed;
  private volatile Throwable failure;

  /// @param embeddings closed with this object
  public RecommenderService(Embeddings embeddings, long seed) {
    this.embeddings = embeddings;
    world = new World(1 / CHOICES_TO_CHANGE, seed);
    recommender = new Recommender(embeddings, OTHERS + 1);
    thread.setDaemon(true);
    thread.start();
  }

  public Plan plan() {
    return plan;
  }

  public void plan(Plan value) {
    plan = value;
    LockSupport.unpark(thread);
  }

  private void run() {
    long due = System.nanoTime();
    try {
      while (!closed) {
        Plan now = plan;
        if (!now.running()) {
          LockSupport.park();
          due = System.nanoTime();
          continue;
        }
        chooseOnce(now.learning());
        due = Math.max(due + Math.round(NANOS / now.rate()), System.nanoTime() - (long) NANOS);
        LockSupport.parkNanos(due - System.nanoTime());
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      throw e;
    }
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
    return failure == null && !closed;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    recommender.close();
  }
}
