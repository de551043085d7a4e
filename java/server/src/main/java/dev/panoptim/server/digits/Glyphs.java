package dev.panoptim.server.digits;

import dev.panoptim.server.digits.Drawing.Point;
import dev.panoptim.server.digits.Drawing.Stroke;
import java.util.ArrayList;
import java.util.List;

/// The ways in which people write the ten digits, as a few points of each stroke.
///
/// A glyph is a list of strokes. A stroke is `C` for a smooth curve or `L` for straight lines, and
/// the points, in a square from 0 to 1.
final class Glyphs {
  private static final String[][] VARIANTS = {
    {
      "C .50,.04 .24,.18 .16,.50 .26,.84 .50,.96 .76,.82 .84,.50 .74,.16 .50,.04",
      "C .58,.06 .34,.10 .20,.40 .22,.74 .44,.96 .70,.84 .82,.52 .74,.18 .52,.05 .40,.10",
      "C .50,.04 .76,.16 .84,.50 .74,.84 .50,.96 .24,.82 .16,.50 .26,.16 .50,.04",
      "C .50,.02 .30,.16 .24,.50 .30,.84 .50,.98 .70,.84 .76,.50 .70,.16 .52,.02",
    },
    {
      "L .50,.02 .50,.98",
      "L .28,.24 .54,.03 .54,.98",
      "L .28,.24 .52,.03 .52,.97 | L .24,.97 .80,.97",
      "L .62,.03 .42,.97",
      "L .50,.04 .50,.96 | L .28,.96 .72,.96",
      "C .34,.20 .46,.12 .54,.03 .54,.30 .53,.65 .53,.98",
    },
    {
      "C .18,.26 .30,.08 .55,.04 .78,.18 .74,.42 .50,.68 .20,.94 | L .20,.94 .84,.94",
      "C .16,.24 .36,.05 .66,.06 .80,.26 .66,.52 .36,.78 .16,.95 .40,.93 .62,.94 .86,.94",
      "C .20,.22 .42,.04 .72,.12 .74,.40 .46,.72 .20,.88 .16,.76 .32,.74 .54,.90 .86,.90",
      "L .20,.08 .76,.08 .78,.42 .22,.92 .84,.92",
    },
    {
      "C .20,.12 .46,.03 .76,.14 .72,.38 .46,.48 .74,.56 .82,.78 .56,.97 .18,.88",
      "L .20,.06 .78,.06 .46,.42 | C .46,.42 .74,.48 .82,.72 .58,.96 .18,.88",
      "C .22,.16 .44,.03 .70,.10 .74,.30 .56,.44 .42,.47 | C .42,.47 .70,.50 .80,.72 .60,.94 "
          + ".34,.96 .18,.84",
      "C .24,.08 .60,.04 .76,.22 .66,.42 .44,.48 .40,.50 .64,.50 .80,.66 .74,.88 .46,.97 .20,.86",
    },
    {
      "L .58,.03 .14,.64 .88,.64 | L .66,.36 .66,.98",
      "L .24,.06 .20,.54 .82,.54 | L .74,.08 .72,.97",
      "L .68,.98 .68,.03 .12,.68 .92,.68",
      "C .28,.04 .22,.30 .20,.52 .48,.54 .80,.48 | L .76,.06 .70,.98",
      "L .30,.06 .16,.58 .84,.56 | L .60,.34 .58,.96",
    },
    {
      "L .78,.05 .28,.05 .24,.44 | C .24,.44 .50,.36 .80,.50 .80,.82 .52,.97 .18,.88",
      "C .80,.05 .50,.05 .28,.07 .26,.24 .24,.44 .50,.38 .78,.52 .80,.80 .54,.97 .18,.90",
      "L .30,.05 .26,.46 | C .26,.46 .56,.38 .80,.56 .76,.86 .46,.97 .16,.86 | L .30,.05 .82,.05",
      "L .76,.06 .30,.06 .30,.44 .70,.44 .76,.60 .76,.82 .64,.94 .22,.94",
    },
    {
      "C .72,.04 .44,.18 .24,.50 .22,.80 .46,.97 .74,.86 .76,.62 .54,.50 .28,.64",
      "C .60,.02 .38,.24 .26,.56 .28,.86 .52,.97 .76,.82 .72,.60 .48,.54 .27,.74",
      "C .78,.10 .52,.05 .28,.32 .20,.66 .34,.94 .64,.95 .80,.74 .66,.54 .40,.56 .23,.76",
      "C .40,.03 .32,.30 .28,.62 .36,.92 .62,.95 .74,.76 .62,.60 .40,.64 .29,.80",
    },
    {
      "L .16,.06 .84,.06 .42,.97",
      "L .16,.06 .84,.06 .46,.97 | L .32,.50 .76,.50",
      "C .18,.10 .40,.07 .64,.08 .82,.08 .62,.40 .48,.70 .44,.97",
      "L .18,.20 .18,.06 .82,.06 .40,.97",
      "C .16,.12 .34,.05 .56,.10 .84,.05 .66,.36 .52,.66 .46,.97",
    },
    {
      "C .72,.14 .46,.03 .26,.20 .40,.42 .66,.56 .78,.78 .50,.97 .22,.80 .36,.56 .62,.42 .76,.22 "
          + ".72,.12",
      "C .50,.46 .28,.36 .28,.14 .50,.04 .72,.14 .72,.34 .50,.46 .24,.60 .22,.84 .50,.97 .78,.84 "
          + ".76,.60 .50,.46",
      "C .50,.04 .28,.14 .28,.36 .50,.46 .72,.36 .72,.14 .50,.04 | C .50,.46 .22,.60 .22,.84 "
          + ".50,.97 .78,.84 .78,.60 .50,.46",
      "C .76,.10 .50,.04 .30,.16 .34,.36 .60,.52 .76,.72 .66,.94 .38,.96 .24,.78 .42,.56 .66,.36 "
          + ".76,.10",
    },
    {
      "C .76,.24 .54,.04 .28,.14 .24,.40 .46,.52 .72,.36 .76,.16 | L .76,.16 .70,.98",
      "C .74,.20 .50,.03 .26,.20 .30,.46 .56,.48 .74,.26 .76,.10 .76,.50 .66,.82 .44,.97",
      "C .50,.04 .26,.14 .26,.40 .50,.50 .74,.38 .74,.14 .50,.04 | C .74,.26 .76,.60 .64,.86 "
          + ".34,.96",
      "C .72,.16 .44,.04 .24,.26 .38,.50 .66,.42 .74,.14 .72,.40 .70,.70 .68,.98",
    },
  };

  /// Points between two control points of a curve.
  private static final int BETWEEN = 6;

  private static final List<List<List<Control>>> PARSED = parse();

  private Glyphs() {}

  /// The number of digits.
  static int count() {
    return VARIANTS.length;
  }

  /// The ways to write a digit.
  static List<List<Control>> of(int digit) {
    return PARSED.get(digit);
  }

  /// The control points of one stroke.
  record Control(boolean curved, List<Point> points) {
    Control {
      points = List.copyOf(points);
    }

    /// The corners of the polyline that the pen follows.
    Stroke stroke() {
      return curved ? new Stroke(smooth(points)) : new Stroke(points);
    }
  }

  private static List<List<List<Control>>> parse() {
    List<List<List<Control>>> digits = new ArrayList<>();
    for (String[] variants : VARIANTS) {
      List<List<Control>> glyphs = new ArrayList<>();
      for (String variant : variants) {
        List<Control> strokes = new ArrayList<>();
        for (String stroke : variant.split("\\|")) {
          strokes.add(control(stroke.strip()));
        }
        glyphs.add(List.copyOf(strokes));
      }
      digits.add(List.copyOf(glyphs));
    }
    return List.copyOf(digits);
  }

  private static Control control(String text) {
    String[] words = text.split(" ");
    List<Point> points = new ArrayList<>();
    for (int i = 1; i < words.length; i++) {
      String[] pair = words[i].split(",");
      points.add(new Point(Double.parseDouble(pair[0]), Double.parseDouble(pair[1])));
    }
    return new Control(words[0].equals("C"), points);
  }

  /// A Catmull-Rom spline through all points.
  private static List<Point> smooth(List<Point> points) {
    List<Point> result = new ArrayList<>();
    int last = points.size() - 1;
    for (int i = 0; i < last; i++) {
      Point before = points.get(Math.max(i - 1, 0));
      Point from = points.get(i);
      Point to = points.get(i + 1);
      Point after = points.get(Math.min(i + 2, last));
      for (int k = 0; k < BETWEEN; k++) {
        double t = (double) k / BETWEEN;
        result.add(
            new Point(
                spline(before.x(), from.x(), to.x(), after.x(), t),
                spline(before.y(), from.y(), to.y(), after.y(), t)));
      }
    }
    result.add(points.getLast());
    return result;
  }

  private static double spline(double before, double from, double to, double after, double t) {
    return from
        + 0.5
            * t
            * (to
                - before
                + t
                    * (2 * before
                        - 5 * from
                        + 4 * to
                        - after
                        + t * (3 * (from - to) + after - before)));
  }
}
