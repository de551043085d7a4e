package dev.panoptim.examples.bridges;

/// The ten digits as pictures of 8 by 8 pixels.
final class Glyphs {
  /// Rows and columns of a picture.
  static final int SIDE = 8;

  private static final String[] PICTURES = {
    """
    ........
    ..####..
    .##..##.
    .##..##.
    .##..##.
    .##..##.
    ..####..
    ........
    """,
    """
    ........
    ...##...
    ..###...
    ...##...
    ...##...
    ...##...
    ..####..
    ........
    """,
    """
    ........
    ..####..
    .##..##.
    ....##..
    ...##...
    ..##....
    .######.
    ........
    """,
    """
    ........
    ..####..
    .##..##.
    ....##..
    .....##.
    .##..##.
    ..####..
    ........
    """,
    """
    ........
    ....##..
    ...###..
    ..#.##..
    .#..##..
    .######.
    ....##..
    ........
    """,
    """
    ........
    .######.
    .##.....
    .#####..
    .....##.
    .##..##.
    ..####..
    ........
    """,
    """
    ........
    ...###..
    ..##....
    .#####..
    .##..##.
    .##..##.
    ..####..
    ........
    """,
    """
    ........
    .######.
    .....##.
    ....##..
    ...##...
    ..##....
    ..##....
    ........
    """,
    """
    ........
    ..####..
    .##..##.
    ..####..
    .##..##.
    .##..##.
    ..####..
    ........
    """,
    """
    ........
    ..####..
    .##..##.
    .##..##.
    ..#####.
    ....##..
    ..###...
    ........
    """,
  };

  private Glyphs() {}

  /// The brightness at a point between pixels, from 0 to 1, by bilinear interpolation. Outside of
  /// the picture it is 0.
  ///
  /// @param digit 0 to 9
  /// @param x column; pixel centres are whole numbers
  /// @param y row
  static float brightness(int digit, double x, double y) {
    int column = (int) Math.floor(x);
    int row = (int) Math.floor(y);
    double right = x - column;
    double below = y - row;
    return (float)
        ((1 - below)
                * ((1 - right) * pixel(digit, row, column) + right * pixel(digit, row, column + 1))
            + below
                * ((1 - right) * pixel(digit, row + 1, column)
                    + right * pixel(digit, row + 1, column + 1)));
  }

  private static int pixel(int digit, int row, int column) {
    if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) {
      return 0;
    }
    // Each row of the text ends with a newline.
    return PICTURES[digit].charAt(row * (SIDE + 1) + column) == '#' ? 1 : 0;
  }
}
