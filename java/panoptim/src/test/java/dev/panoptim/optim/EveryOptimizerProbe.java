package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.backend.Backends;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;

/// The program that [WithoutNativeAccessTest] runs in a separate process: two steps of each
/// optimizer with each option, in plain Java.
final class EveryOptimizerProbe {
  private EveryOptimizerProbe() {}

  public static void main(String[] arguments) {
    int optimizers = 0;
    for (Case each : MixedCases.withSingle()) {
      try (Parameters parameters = Parameters.builder().add("a", 4, 6).add("b", 5, 5).build();
          Optimizer optimizer =
              each.builder()
                  .apply(parameters)
                  .backend(Backends.named("auto"))
                  .averageParameters(0.9)
                  .publish()
                  .options(
                      o ->
                          o.clipGradAdaptive(0.1)
                              .clipGradNorm(1)
                              .clipGradValue(1)
                              .skipNonFinite(true))
                  .build()) {
        for (int step = 0; step < 2; step++) {
          for (Parameter parameter : parameters) {
            parameter.gradient().setAtIndex(JAVA_FLOAT, step, 1);
          }
          optimizer.step();
        }
        Case.updateHessian(optimizer);
        optimizer.stateDict();
        optimizers++;
      }
    }
    try (Parameters parameters = Parameters.builder().add("a", 4, 6).build();
        Lbfgs optimizer = Lbfgs.builder(parameters).build()) {
      Parameter a = parameters.get("a");
      for (int step = 0; step < 2; step++) {
        optimizer.step(
            () -> {
              double loss = 0;
              for (long i = 0; i < a.size(); i++) {
                float off = a.data().getAtIndex(JAVA_FLOAT, i) - i;
                a.gradient().setAtIndex(JAVA_FLOAT, i, 2 * off);
                loss += (double) off * off;
              }
              return loss;
            });
      }
      optimizers++;
    }
    System.out.println("RAN " + optimizers + " on " + Backends.named("auto").name());
  }
}
