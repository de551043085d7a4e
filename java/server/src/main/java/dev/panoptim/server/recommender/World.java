package dev.panoptim.server.recommender;

import java.util.List;
import java.util.SplittableRandom;

/// Simulated users whose tastes change, and the items that they choose. Each item has a genre. A
/// user mostly chooses items of a favourite genre, sometimes of a second one, and rarely any.
///
/// Thread-safe for reading; one thread at a time may let users choose.
public final class World {
  public static final int USERS = 400;
  public static final int ITEMS = 2000;

  private static final List<String> GENRES =
      List.of(
          "Ambient",
          "Baroque",
          "Blues",
          "Bossa nova",
          "Chamber",
          "Choral",
          "Country",
          "Disco",
          "Electro",
          "Flamenco",
          "Folk",
          "Funk",
          "Gospel",
          "Jazz",
          "Metal",
          "Opera",
          "Reggae",
          "Rock",
          "Soul",
          "Swing");

  private static final double FAVOURITE = 0.75;
  private static final double SECOND = 0.15;

  private final SplittableRandom random;
  private final double change;
  private final int[] favourites = new int[USERS];
  private final int[] seconds = new int[USERS];

  /// @param change the probability that a user has another favourite genre after a choice
  World(double change, long seed) {
    this.change = change;
    random = new SplittableRandom(seed);
    for (int user = 0; user < USERS; user++) {
      favourites[user] = random.nextInt(GENRES.size());
      seconds[user] = random.nextInt(GENRES.size());
    }
  }

  /// A user chose an item.
  record Choice(int user, int item) {}

  Choice next() {
    int user = random.nextInt(USERS);
    double mood = random.nextDouble();
    int item;
    if (mood < FAVOURITE) {
      item = itemOf(favourites[user]);
    } else if (mood < FAVOURITE + SECOND) {
      item = itemOf(seconds[user]);
    } else {
      item = anyItem();
    }
    if (random.nextDouble() < change) {
      seconds[user] = favourites[user];
      favourites[user] = random.nextInt(GENRES.size());
    }
    return new Choice(user, item);
  }

  int anyItem() {
    return random.nextInt(ITEMS);
  }

  private int itemOf(int genre) {
    return genre + GENRES.size() * random.nextInt(ITEMS / GENRES.size());
  }

  /// The genre of an item.
  static String genre(int item) {
    return GENRES.get(item % GENRES.size());
  }

  /// The present favourite and second genre of a user.
  List<String> tastes(int user) {
    return List.of(GENRES.get(favourites[user]), GENRES.get(seconds[user]));
  }
}
