package dev.panoptim.rows;

import dev.panoptim.memory.Parameters;
import dev.panoptim.optim.Adagrad;
import dev.panoptim.optim.Adam;
import dev.panoptim.optim.AdamW;
import dev.panoptim.optim.Ftrl;
import dev.panoptim.optim.OptimizerBuilder;
import dev.panoptim.optim.Sgd;
import java.util.List;
import java.util.function.Function;

/// An optimizer of rows, and the dense optimizer to which it is equal.
///
/// @param dense `null` if there is none that reaches the same bits
record RowCase(String name, RowOptimizer rows, Function<Parameters, OptimizerBuilder<?>> dense) {
  static List<RowCase> all() {
    return List.of(
        new RowCase("sgd", RowOptimizer.sgd(0.1), p -> Sgd.builder(p).learningRate(0.1)),
        new RowCase("momentum", RowOptimizer.sgd(0.1).momentum(0.9), null),
        new RowCase("nesterov", RowOptimizer.sgd(0.1).momentum(0.8).nesterov(true), null),
        new RowCase(
            "adagrad", RowOptimizer.adagrad(0.05), p -> Adagrad.builder(p).learningRate(0.05)),
        new RowCase(
            "adagrad from 0.1",
            RowOptimizer.adagrad(0.05).initialAccumulator(0.1).epsilon(1e-6),
            p -> Adagrad.builder(p).learningRate(0.05).initialAccumulator(0.1).epsilon(1e-6)),
        new RowCase("rowWiseAdagrad", RowOptimizer.rowWiseAdagrad(0.05), null),
        new RowCase(
            "rowWiseAdagrad from 0.5",
            RowOptimizer.rowWiseAdagrad(0.05).initialAccumulator(0.5).epsilon(1e-5),
            null),
        new RowCase("adam", RowOptimizer.adam(0.01), null),
        new RowCase("adamW", RowOptimizer.adamW(0.01).weightDecay(0.1), null),
        new RowCase(
            "adam, as if dense",
            RowOptimizer.adam(0.01).missedSteps(MissedSteps.APPLIED),
            p -> Adam.builder(p).learningRate(0.01)),
        new RowCase(
            "adamW, as if dense",
            RowOptimizer.adamW(0.01)
                .weightDecay(0.1)
                .betas(0.8, 0.99)
                .missedSteps(MissedSteps.APPLIED),
            p -> AdamW.builder(p).learningRate(0.01).weightDecay(0.1).betas(0.8, 0.99)),
        new RowCase(
            "ftrl",
            RowOptimizer.ftrl(0.1).l1(0.01).l2(0.02),
            p -> Ftrl.builder(p).learningRate(0.1).l1(0.01).l2(0.02)));
  }

  @Override
  public String toString() {
    return name;
  }
}
