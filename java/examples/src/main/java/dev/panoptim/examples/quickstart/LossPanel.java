package dev.panoptim.examples.quickstart;

import dev.panoptim.examples.quickstart.OptimizerChoice.Kind;
import java.awt.Color;
import java.util.List;

/// The optimizers whose losses share one part of the chart.
enum LossPanel {
  DIRECTION(
      "The gradient, its average or its sign",
      Kind.sgd,
      Kind.sgdw,
      Kind.qhm,
      Kind.asgd,
      Kind.schedulefreesgd,
      Kind.lars,
      Kind.signum,
      Kind.lion,
      Kind.rprop),
  ADAGRAD(
      "Divided by a root or a norm",
      Kind.adamw,
      Kind.adagrad,
      Kind.ftrl,
      Kind.adadelta,
      Kind.rmsprop,
      Kind.yogi,
      Kind.novograd,
      Kind.lamb,
      Kind.adafactor),
  ADAM(
      "Adam and its variants",
      Kind.adamw,
      Kind.adam,
      Kind.adamax,
      Kind.nadam,
      Kind.nadamw,
      Kind.radam,
      Kind.radamw,
      Kind.qhadam,
      Kind.laprop),
  LATER(
      "AdamW and later optimizers",
      Kind.adamw,
      Kind.adabelief,
      Kind.stableadamw,
      Kind.adopt,
      Kind.ademamix,
      Kind.adan,
      Kind.mars,
      Kind.sophia,
      Kind.schedulefreeadamw,
      Kind.muon);

  /// Of the optimizers of a panel, in order.
  static final List<Color> COLORS =
      List.of(
          new Color(0x222222),
          new Color(0x1f5fa8),
          new Color(0xd9541e),
          new Color(0x009e73),
          new Color(0xcc79a7),
          new Color(0x56b4e9),
          new Color(0xb0b000),
          new Color(0x6a3d9a),
          new Color(0xe31a1c),
          new Color(0x8c6d31));

  final String title;
  final List<Kind> kinds;

  LossPanel(String title, Kind... kinds) {
    this.title = title;
    this.kinds = List.of(kinds);
  }
}
