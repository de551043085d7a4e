package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.Illegal;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How optimizers of several rules are built, changed, saved and loaded.
class GroupsBuilderTest {
  private final Parameters parameters =
      Parameters.builder().add("a", 5).add("b", 33).add("c", 7).build();
  private final List<Parameter> a = List.of(parameters.get("a"));
  private final List<Parameter> b = List.of(parameters.get("b"));
  private final List<Parameter> c = List.of(parameters.get("c"));

  @AfterEach
  void close() {
    parameters.close();
  }

  private Optimizer mixed() {
    return Optimizer.builder()
        .group(AdamW.builder(a).learningRate(0.1))
        .group(Sgd.builder(b).learningRate(0.2).momentum(0.9))
        .build();
  }

  private static void steps(Optimizer optimizer, Parameters all, int from, int to) {
    for (int step = from; step < to; step++) {
      for (Parameter each : all) {
        for (long i = 0; i < each.size(); i++) {
          each.gradient().setAtIndex(JAVA_FLOAT, i, (float) Math.sin(step + i));
        }
      }
      optimizer.step();
    }
  }

  @Test
  void eachGroupHasItsRuleAndHyperparameters() {
    Rule rule = Rule.builder().build();
    try (Optimizer optimizer =
        Optimizer.builder()
            .group(
                AdamW.builder(a)
                    .learningRate(3e-4)
                    .maximize(true)
                    .group(b, Map.of(Hyperparameter.WEIGHT_DECAY, 0.0)))
            .group(rule, c, Map.of(Hyperparameter.LEARNING_RATE, 0.3))
            .threads(1)
            .build()) {
      List<ParameterGroup> groups = optimizer.paramGroups();
      assertEquals(3, groups.size());
      assertEquals(AdamW.builder(a).rule().maximizing(), groups.get(0).rule());
      assertEquals(groups.get(0).rule(), groups.get(1).rule());
      assertEquals(rule, groups.get(2).rule());
      assertEquals(3e-4, groups.get(1).learningRate());
      assertEquals(0, groups.get(1).get(Hyperparameter.WEIGHT_DECAY));
      assertEquals(0.3, groups.get(2).learningRate());
      Illegal.assertSays(
          IllegalArgumentException.class,
          "beta1 is not a hyperparameter",
          () -> groups.get(2).set(Hyperparameter.BETA1, 0.5));
      Illegal.assertSays(
          IllegalStateException.class,
          "the optimizer has 2 different rules: paramGroups() have the rule of each group",
          optimizer::rule);
      assertEquals(1, optimizer.threads());
    }
  }

  @Test
  void groupsOfOneRuleHaveThatRule() {
    try (Optimizer optimizer =
        Optimizer.builder().group(Adam.builder(a)).group(Adam.builder(b)).build()) {
      assertEquals(Adam.builder(a).rule(), optimizer.rule());
    }
  }

  @Test
  void optionsOfTheWholeOptimizerAreRefusedInAGroup(@TempDir Path folder) {
    Map<String, Consumer<OptimizerBuilder<?>>> all = new LinkedHashMap<>();
    all.put("options", preset -> preset.options(o -> {}));
    all.put("averageParameters", preset -> preset.averageParameters(0.5));
    all.put("halfPrecisionCopy", preset -> preset.halfPrecisionCopy(HalfPrecision.FLOAT16));
    all.put("publish", preset -> preset.publish());
    all.put("threads", preset -> preset.threads(1));
    all.put("threading", preset -> preset.threading(Threading.POOL));
    all.put("backend", preset -> preset.backend(Backends.scalar()));
    all.put("sharedStates", preset -> preset.sharedStates(folder.resolve("states")));
    try (Optimizer optimizer = mixed()) {
      all.forEach(
          (name, option) -> {
            OptimizerBuilder<?> preset = Adam.builder(c);
            option.accept(preset);
            String words = "a group has the options [" + name + "]";
            Illegal.assertSays(
                IllegalArgumentException.class, words, () -> Optimizer.builder().group(preset));
            Illegal.assertSays(
                IllegalArgumentException.class, words, () -> optimizer.addParamGroup(preset));
          });
      Illegal.assertSays(
          IllegalArgumentException.class,
          "a group has the options [threads, backend]",
          () -> Optimizer.builder().group(Adam.builder(c).threads(1).backend(Backends.scalar())));
      assertEquals(2, optimizer.paramGroups().size());
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Illegal.assertSays(
        IllegalStateException.class,
        "the optimizer has no group",
        () -> Optimizer.builder().threads(1).build());
    Illegal.assertSays(
        IllegalArgumentException.class,
        "momentum is not a hyperparameter of this rule",
        () ->
            Optimizer.builder()
                .group(Rule.builder().build(), a, Map.of(Hyperparameter.MOMENTUM, 0.9)));
    Illegal.assertSays(
        IllegalArgumentException.class,
        "beta1 is not a hyperparameter of this rule",
        () ->
            Optimizer.builder().group(Sgd.builder(a).group(b, Map.of(Hyperparameter.BETA1, 0.9))));
    Illegal.assertSays(
        IllegalArgumentException.class,
        "parameter 'a' is given twice",
        () -> Optimizer.builder().group(Sgd.builder(a)).group(Adam.builder(a)).build());
    Illegal.assertSays(
        IllegalArgumentException.class,
        "a parameter group is empty",
        () -> Optimizer.builder().group(Sgd.builder(List.of())).build());
  }

  @Test
  void aBuilderBuildsIndependentOptimizers() {
    Sgd.Builder sgd = Sgd.builder(a).learningRate(0.1);
    GroupsBuilder builder = Optimizer.builder().group(sgd);
    sgd.learningRate(0.7);
    try (Optimizer first = builder.build();
        Optimizer second = builder.build()) {
      first.paramGroups().getFirst().setLearningRate(0.5);
      assertEquals(0.1, second.paramGroups().getFirst().learningRate());
    }
  }

  @Test
  void groupsOfPresetsAreAddedDuringTraining(@TempDir Path folder) {
    try (Optimizer optimizer = mixed();
        Optimizer adam = Adam.builder(a).build()) {
      Illegal.assertSays(
          IllegalStateException.class,
          "call addParamGroup with the preset of the added group",
          () -> optimizer.addParamGroup(c, Map.of()));
      optimizer.step();
      optimizer.addParamGroup(Lion.builder(c).learningRate(0.3));
      optimizer.step();
      assertEquals(1, optimizer.stepCount(c.getFirst()));
      assertEquals(0.3, optimizer.paramGroups().getLast().learningRate());
      adam.addParamGroup(Lion.builder(c));
      adam.addParamGroup(b, Map.of());
      assertEquals(adam.paramGroups().getFirst().rule(), adam.paramGroups().getLast().rule());
      Illegal.assertSays(IllegalStateException.class, "different rules", adam::rule);
    }
    try (Optimizer shared =
        Optimizer.builder().group(Adam.builder(a)).sharedStates(folder.resolve("s")).build()) {
      Illegal.assertSays(
          IllegalStateException.class,
          "shared in a file",
          () -> shared.addParamGroup(Lion.builder(c)));
    }
  }

  @Test
  void aSharedFileNamesAllRules(@TempDir Path folder) {
    Path states = folder.resolve("states");
    Optimizer.builder()
        .group(NAdam.builder(a))
        .group(Sgd.builder(b))
        .sharedStates(states)
        .build()
        .close();
    String held =
        "the states [firstMoment, secondMoment] and scalars [momentumProduct] of {a=5} under "
            + NAdam.builder(a).rule()
            + ", and the states [] and scalars [] of {b=33} under "
            + Sgd.builder(b).rule();
    Illegal.assertSays(
        IllegalArgumentException.class,
        held,
        () ->
            Optimizer.builder()
                .group(Sgd.builder(b))
                .group(NAdam.builder(a))
                .sharedStates(states)
                .build());
    Illegal.assertSays(
        IllegalArgumentException.class,
        held,
        () -> NAdam.builder(a).group(b, Map.of()).sharedStates(states).build());
  }

  @Test
  void aStateDictLoadsIntoOtherGroupsOfTheSameRules() {
    try (Parameters same = Parameters.builder().add("a", 5).add("b", 33).add("c", 7).build();
        Optimizer optimizer = mixed();
        Optimizer other =
            Optimizer.builder()
                .group(Sgd.builder(List.of(same.get("b"))).momentum(0.5))
                .group(AdamW.builder(List.of(same.get("a"))))
                .backend(Backends.scalar())
                .build()) {
      steps(optimizer, parameters, 0, 3);
      StateDict saved = optimizer.stateDict();
      assertEquals(AdamW.builder(a).rule(), saved.parameters().get("a").rule());
      Illegal.assertSays(
          IllegalStateException.class,
          "the state dict has 2 different rules: parameters() have",
          saved::rule);
      assertEquals(List.of(), other.differences(saved, Map.of()));
      other.loadStateDict(saved);
      same.forEach(each -> each.copyDataFrom(parameters.get(each.name()).data()));
      steps(optimizer, parameters, 3, 6);
      steps(other, same, 3, 6);
      List<Parameter> both = List.of(parameters.get("a"), parameters.get("b"));
      assertNull(
          Problem.difference(
              Problem.bits(optimizer, both),
              Problem.bits(other, List.of(same.get("a"), same.get("b")))));
    }
  }

  @Test
  void anotherRuleIsReportedByTheNamesOfItsParameters() {
    try (Optimizer optimizer = mixed();
        Optimizer exchanged =
            Optimizer.builder()
                .group(AdamW.builder(b))
                .group(Sgd.builder(a).momentum(0.9))
                .build();
        Optimizer one = AdamW.builder(a).group(b, Map.of()).build()) {
      steps(optimizer, parameters, 0, 2);
      StateDict saved = optimizer.stateDict();
      List<String> two = exchanged.differences(saved, Map.of());
      assertEquals(2, two.size(), two::toString);
      assertTrue(two.stream().anyMatch(each -> each.startsWith("'a': it is of the rule")));
      assertTrue(two.stream().anyMatch(each -> each.startsWith("'b': it is of the rule")));
      List<String> only = one.differences(saved, Map.of());
      assertEquals(1, only.size(), only::toString);
      assertTrue(only.getFirst().startsWith("'b': it is of the rule"), only::toString);
      StateDict before = exchanged.stateDict();
      assertThrows(IllegalArgumentException.class, () -> exchanged.loadStateDict(saved));
      assertEquals(before, exchanged.stateDict());
      // A renaming can undo the exchange, were it not for the sizes.
      List<String> sizes = exchanged.differences(saved, Map.of("a", "b", "b", "a"));
      assertEquals(2, sizes.size(), sizes::toString);
      assertTrue(sizes.getFirst().contains("elements, but"), sizes::toString);
    }
  }
}
