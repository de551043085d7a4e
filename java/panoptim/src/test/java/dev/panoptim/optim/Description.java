package dev.panoptim.optim;

import dev.panoptim.memory.Parameter;
import java.util.List;
import java.util.function.Function;

/// An optimizer with its arguments, described once: general tests run over all descriptions.
///
/// @param name for messages
/// @param builder the preset with its arguments, but for backend and threads
/// @param states the states that each parameter has
/// @param first p[0] after step 1 of the small case of [SmallCasesTest]
/// @param third p[0] after step 3 of it; both from PyTorch in float64
record Description(
    String name,
    Function<Iterable<Parameter>, OptimizerBuilder<?>> builder,
    List<String> states,
    double first,
    double third) {

  static List<Description> all() {
    List<String> none = List.of();
    List<String> one = List.of("firstMoment");
    List<String> two = List.of("firstMoment", "secondMoment");
    List<String> three = List.of("firstMoment", "secondMoment", "maximum");
    return List.of(
        new Description("SGD", p -> Sgd.builder(p).learningRate(0.1), none, 0.95, 1.025),
        new Description(
            "SGD, momentum", p -> Sgd.builder(p).learningRate(0.1).momentum(0.9), one, 0.95, 0.917),
        new Description(
            "SGD, momentum, dampening",
            p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).dampening(0.5),
            one,
            0.95,
            0.89075),
        new Description(
            "SGD, Nesterov, weight decay",
            p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).nesterov(true).weightDecay(0.1),
            one,
            0.886,
            0.877211146),
        new Description(
            "SGD, weight decay",
            p -> Sgd.builder(p).learningRate(0.1).weightDecay(0.1),
            none,
            0.94,
            0.996544),
        new Description(
            "SGD, maximize, momentum",
            p -> Sgd.builder(p).learningRate(0.1).momentum(0.9).maximize(true),
            one,
            1.05,
            1.083),
        new Description(
            "SGD, averaged momentum",
            p -> Sgd.builder(p).learningRate(0.1).averagedMomentum(0.9),
            one,
            0.995,
            0.9917),
        new Description(
            "Adam", p -> Adam.builder(p).learningRate(0.1), two, 0.900000002, 0.827417742885),
        new Description(
            "AMSGrad, weight decay",
            p -> Adam.builder(p).learningRate(0.1).amsgrad(true).weightDecay(0.1),
            three,
            0.900000001667,
            0.812098260779),
        new Description(
            "Adam, maximize",
            p -> Adam.builder(p).learningRate(0.1).maximize(true),
            two,
            1.099999998,
            1.172582257115),
        new Description(
            "AdamW", p -> AdamW.builder(p).learningRate(0.1), two, 0.899000002, 0.824713859843),
        new Description(
            "AdamW, no decay",
            p -> AdamW.builder(p).learningRate(0.1).weightDecay(0),
            two,
            0.900000002,
            0.827417742885),
        new Description(
            "Adagrad, learning rate decay",
            p -> Adagrad.builder(p).learningRate(0.1).learningRateDecay(0.1),
            List.of("secondMoment"),
            0.90000000002,
            0.932083515357),
        new Description(
            "RMSprop",
            p -> RmsProp.builder(p).learningRate(0.1),
            List.of("secondMoment"),
            2e-7,
            0.425726616071),
        new Description(
            "RMSprop, centered, momentum",
            p -> RmsProp.builder(p).learningRate(0.1).centered(true).momentum(0.9),
            List.of("firstMoment", "secondMoment", "mean"),
            -0.00503761324,
            -1.70954806088),
        new Description(
            "Adadelta",
            p -> Adadelta.builder(p),
            List.of("secondMoment", "units"),
            0.996837785583,
            0.999059414168),
        new Description(
            "NAdam", p -> NAdam.builder(p).learningRate(0.1), two, 0.894354824277, 0.936023836977),
        new Description(
            "RAdam", p -> RAdam.builder(p).learningRate(0.1), two, 0.95, 0.926811031268),
        new Description(
            "Adamax", p -> Adamax.builder(p).learningRate(0.1), two, 0.900000002, 0.839895171375),
        new Description("Lion", p -> Lion.builder(p).learningRate(0.1), one, 0.9, 0.9),
        new Description(
            "Lion, weight decay",
            p -> Lion.builder(p).learningRate(0.1).weightDecay(0.1),
            one,
            0.89,
            0.873289));
  }

  @Override
  public String toString() {
    return name;
  }
}
