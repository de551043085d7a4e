package dev.panoptim.optim;

import static dev.panoptim.rule.Hyperparameter.ALPHA;
import static dev.panoptim.rule.Hyperparameter.AVERAGING_START;
import static dev.panoptim.rule.Hyperparameter.BATCH_SIZE;
import static dev.panoptim.rule.Hyperparameter.BETA;
import static dev.panoptim.rule.Hyperparameter.BETA1;
import static dev.panoptim.rule.Hyperparameter.BETA2;
import static dev.panoptim.rule.Hyperparameter.BETA3;
import static dev.panoptim.rule.Hyperparameter.CLIP_POWER;
import static dev.panoptim.rule.Hyperparameter.EPSILON;
import static dev.panoptim.rule.Hyperparameter.ETA_MINUS;
import static dev.panoptim.rule.Hyperparameter.ETA_PLUS;
import static dev.panoptim.rule.Hyperparameter.INITIAL_ACCUMULATOR;
import static dev.panoptim.rule.Hyperparameter.L1;
import static dev.panoptim.rule.Hyperparameter.L2;
import static dev.panoptim.rule.Hyperparameter.LAMBD;
import static dev.panoptim.rule.Hyperparameter.LARGEST_STEP;
import static dev.panoptim.rule.Hyperparameter.LEARNING_RATE;
import static dev.panoptim.rule.Hyperparameter.LEARNING_RATE_POWER;
import static dev.panoptim.rule.Hyperparameter.MOMENTUM_DECAY;
import static dev.panoptim.rule.Hyperparameter.NU1;
import static dev.panoptim.rule.Hyperparameter.NU2;
import static dev.panoptim.rule.Hyperparameter.POWER;
import static dev.panoptim.rule.Hyperparameter.RHO;
import static dev.panoptim.rule.Hyperparameter.SMALLEST_STEP;
import static dev.panoptim.rule.Hyperparameter.WARMUP_STEPS;
import static dev.panoptim.rule.Hyperparameter.WEIGHT_DECAY;
import static dev.panoptim.rule.Hyperparameter.WEIGHT_POWER;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Hyperparameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The test cases of the elementwise optimizers that came after those of [OptimizerCases].
final class NewerCases {
  private static final List<String> FIRST = List.of("firstMoment");

  private NewerCases() {}

  static List<OptimizerCases> all() {
    return List.of(
        sgdw(),
        signum(),
        qhm(),
        qhadam(),
        nadamw(),
        radamw(),
        adabelief(),
        yogi(),
        laprop(),
        adopt(),
        ademamix(),
        adan(),
        asgd(),
        rprop(),
        ftrl(),
        sophia(),
        scheduleFreeSgd(),
        scheduleFreeAdamW());
  }

  private static OptimizerCases sgdw() {
    return new OptimizerCases(
            "sgdw", SgdW::builder, Map.of(LEARNING_RATE, 1e-3, WEIGHT_DECAY, 0.0), Decay.DECOUPLED)
        .with("", FIRST, p -> SgdW.builder(p).learningRate(0.1).momentum(0.9).weightDecay(0.1))
        .inSequence()
        .with(
            "nesterov",
            FIRST,
            p -> SgdW.builder(p).learningRate(0.1).momentum(0.9).nesterov(true).weightDecay(0.1))
        .refuses("momentum is 2.0", p -> SgdW.builder(p).momentum(2));
  }

  private static OptimizerCases signum() {
    return new OptimizerCases(
            "signum",
            Signum::builder,
            Map.of(LEARNING_RATE, 1e-3, BETA1, 0.9, WEIGHT_DECAY, 0.0),
            Decay.DECOUPLED)
        .with("", FIRST, p -> Signum.builder(p).learningRate(0.01))
        .inSequence()
        .with(
            "weight-decay",
            FIRST,
            p -> Signum.builder(p).learningRate(0.01).momentum(0.8).weightDecay(0.1))
        .refuses("beta1 is 1.0", p -> Signum.builder(p).momentum(1));
  }

  private static OptimizerCases qhm() {
    return new OptimizerCases(
            "qhm",
            Qhm::builder,
            Map.of(LEARNING_RATE, 1e-3, BETA1, 0.999, NU1, 0.7, WEIGHT_DECAY, 0.0),
            Decay.L2)
        .with("", FIRST, p -> Qhm.builder(p).learningRate(0.1).momentum(0.9))
        .with("weight-decay", FIRST, p -> Qhm.builder(p).learningRate(0.1).weightDecay(0.1))
        .refuses("nu1 is 1.5", p -> Qhm.builder(p).nu(1.5));
  }

  private static OptimizerCases qhadam() {
    return new OptimizerCases(
            "qhadam",
            QhAdam::builder,
            and(moments(1e-3, 0.999, 1e-8), NU1, 0.7, NU2, 1.0),
            Decay.L2)
        .with("", OptimizerCases.BOTH, p -> QhAdam.builder(p).learningRate(0.01))
        .inSequence()
        .with(
            "nus",
            OptimizerCases.BOTH,
            p ->
                QhAdam.builder(p)
                    .learningRate(0.01)
                    .betas(0.8, 0.9)
                    .nus(0.8, 0.7)
                    .epsilon(1e-3)
                    .weightDecay(0.1))
        .with(
            "decoupled",
            OptimizerCases.BOTH,
            p ->
                QhAdam.builder(p)
                    .learningRate(0.01)
                    .decoupledWeightDecay(true)
                    .weightDecay(0.1)
                    .maximize(true))
        .refuses("nu2 is -1.0", p -> QhAdam.builder(p).nus(0.5, -1));
  }

  private static OptimizerCases nadamw() {
    return new OptimizerCases(
            "nadamw",
            NAdamW::builder,
            and(OptimizerCases.moments(2e-3, 1e-2), MOMENTUM_DECAY, 4e-3),
            Decay.DECOUPLED)
        .with("", OptimizerCases.BOTH, p -> NAdamW.builder(p).learningRate(0.01).weightDecay(0.1))
        .refuses("beta1 is 1.0", p -> NAdamW.builder(p).betas(1, 0.9));
  }

  private static OptimizerCases radamw() {
    return new OptimizerCases(
            "radamw", RAdamW::builder, OptimizerCases.moments(1e-3, 1e-2), Decay.DECOUPLED)
        .with("", OptimizerCases.BOTH, p -> RAdamW.builder(p).learningRate(0.01).weightDecay(0.1))
        .refuses("beta1 is 1.0", p -> RAdamW.builder(p).betas(1, 0.9));
  }

  private static OptimizerCases adabelief() {
    return new OptimizerCases(
            "adabelief", AdaBelief::builder, moments(1e-3, 0.999, 1e-16), Decay.DECOUPLED)
        .with("", OptimizerCases.BOTH, p -> AdaBelief.builder(p).learningRate(0.1))
        .inSequence()
        .with(
            "weight-decay",
            OptimizerCases.BOTH,
            p ->
                AdaBelief.builder(p)
                    .learningRate(0.01)
                    .betas(0.8, 0.9)
                    .epsilon(1e-8)
                    .weightDecay(0.1))
        .refuses("beta2 is 1.0", p -> AdaBelief.builder(p).betas(0.9, 1));
  }

  private static OptimizerCases yogi() {
    return new OptimizerCases(
            "yogi",
            Yogi::builder,
            and(moments(1e-2, 0.999, 1e-3), INITIAL_ACCUMULATOR, 1e-6),
            Decay.L2)
        .with("", OptimizerCases.BOTH, p -> Yogi.builder(p).learningRate(0.1))
        .inSequence()
        .with(
            "weight-decay",
            OptimizerCases.BOTH,
            p -> Yogi.builder(p).learningRate(0.01).betas(0.8, 0.9).weightDecay(0.1))
        .refuses("initialAccumulator is -1.0", p -> Yogi.builder(p).initialAccumulator(-1));
  }

  private static OptimizerCases laprop() {
    return new OptimizerCases(
            "laprop", LaProp::builder, moments(4e-4, 0.999, 1e-15), Decay.DECOUPLED)
        .with("", OptimizerCases.BOTH, p -> LaProp.builder(p).learningRate(0.01))
        .inSequence()
        .with(
            "weight-decay",
            OptimizerCases.BOTH,
            p ->
                LaProp.builder(p).learningRate(0.01).betas(0.8, 0.9).epsilon(1e-3).weightDecay(0.1))
        .refuses("epsilon is -1.0", p -> LaProp.builder(p).epsilon(-1));
  }

  private static OptimizerCases adopt() {
    return new OptimizerCases(
            "adopt",
            Adopt::builder,
            and(moments(1e-3, 0.9999, 1e-6), CLIP_POWER, 0.25),
            Decay.DECOUPLED)
        .with("", OptimizerCases.BOTH, p -> Adopt.builder(p).learningRate(0.01).clipPower(0.333))
        .inSequence()
        .with(
            "weight-decay",
            OptimizerCases.BOTH,
            p ->
                Adopt.builder(p)
                    .learningRate(0.01)
                    .betas(0.8, 0.9)
                    .epsilon(1e-3)
                    .clipPower(0.333)
                    .weightDecay(0.1))
        .refuses("clipPower is -1.0", p -> Adopt.builder(p).clipPower(-1));
  }

  private static OptimizerCases ademamix() {
    List<String> states = List.of("firstMoment", "secondMoment", "slowMoment");
    return new OptimizerCases(
            "ademamix",
            AdEmaMix::builder,
            and(moments(1e-3, 0.999, 1e-8), BETA3, 0.9999, ALPHA, 2.0, WARMUP_STEPS, 0.0),
            Decay.DECOUPLED)
        .with("", states, p -> AdEmaMix.builder(p).learningRate(0.01))
        .with(
            "warm-up",
            states,
            p ->
                AdEmaMix.builder(p)
                    .learningRate(0.01)
                    .betas(0.8, 0.9, 0.99)
                    .alpha(5)
                    .warmupSteps(20)
                    .weightDecay(0.1))
        .inSequence()
        .refuses("beta3 is 1.0", p -> AdEmaMix.builder(p).betas(0.9, 0.9, 1))
        .refuses("alpha is -1.0", p -> AdEmaMix.builder(p).alpha(-1))
        .refuses("warmupSteps is -1.0", p -> AdEmaMix.builder(p).warmupSteps(-1));
  }

  private static OptimizerCases adan() {
    List<String> states =
        List.of("firstMoment", "secondMoment", "differenceMoment", "previousGradient");
    return new OptimizerCases(
            "adan",
            Adan::builder,
            Map.of(
                LEARNING_RATE,
                1e-3,
                BETA1,
                0.98,
                BETA2,
                0.92,
                BETA3,
                0.99,
                EPSILON,
                1e-8,
                WEIGHT_DECAY,
                0.0),
            Decay.PROXIMAL)
        .with("", states, p -> Adan.builder(p).learningRate(0.01))
        .inSequence()
        .with(
            "weight-decay",
            states,
            p ->
                Adan.builder(p)
                    .learningRate(0.01)
                    .betas(0.9, 0.8, 0.95)
                    .epsilon(1e-3)
                    .weightDecay(0.1))
        .with(
            "decoupled",
            states,
            p -> Adan.builder(p).learningRate(0.01).decoupledWeightDecay(true).weightDecay(0.1))
        .refuses("beta3 is -0.1", p -> Adan.builder(p).betas(0.9, 0.9, -0.1));
  }

  private static OptimizerCases asgd() {
    List<String> states = List.of("parameterAverage");
    return new OptimizerCases(
            "asgd",
            Asgd::builder,
            Map.of(
                LEARNING_RATE,
                1e-2,
                LAMBD,
                1e-4,
                POWER,
                0.75,
                AVERAGING_START,
                1e6,
                WEIGHT_DECAY,
                0.0),
            Decay.DECOUPLED)
        .with("", states, p -> Asgd.builder(p).learningRate(0.1))
        .with(
            "average",
            states,
            p ->
                Asgd.builder(p)
                    .learningRate(0.1)
                    .lambd(0.01)
                    .power(0.5)
                    .averagingStart(10)
                    .weightDecay(0.1))
        .refuses("lambd is -1.0", p -> Asgd.builder(p).lambd(-1))
        .refuses("power is -1.0", p -> Asgd.builder(p).power(-1))
        .refuses("averagingStart is -1.0", p -> Asgd.builder(p).averagingStart(-1));
  }

  private static OptimizerCases rprop() {
    List<String> states = List.of("previousGradient", "stepSizes");
    return new OptimizerCases(
            "rprop",
            Rprop::builder,
            Map.of(
                LEARNING_RATE,
                1e-2,
                ETA_MINUS,
                0.5,
                ETA_PLUS,
                1.2,
                SMALLEST_STEP,
                1e-6,
                LARGEST_STEP,
                50.0),
            Decay.NONE)
        .with("", states, p -> Rprop.builder(p).learningRate(0.01))
        .with(
            "etas",
            states,
            p ->
                Rprop.builder(p)
                    .learningRate(0.01)
                    .etas(0.4, 1.3)
                    .stepSizes(1e-3, 0.1)
                    .maximize(true))
        .refuses("etaMinus is 1.0", p -> Rprop.builder(p).etas(1, 1.2))
        .refuses("etaPlus is 0.5", p -> Rprop.builder(p).etas(0.5, 0.5))
        .refuses(
            "smallestStep is 2.0, but must not be above largestStep",
            p -> Rprop.builder(p).stepSizes(2, 1).build())
        .refuses(
            "weightDecay is 0.1, but this optimizer has no weight decay",
            p -> Rprop.builder(p).weightDecay(0.1).build());
  }

  private static OptimizerCases ftrl() {
    List<String> states = List.of("secondMoment", "z");
    return new OptimizerCases(
            "ftrl",
            Ftrl::builder,
            Map.of(LEARNING_RATE, 1e-3, INITIAL_ACCUMULATOR, 0.1, L1, 0.0, L2, 0.0, BETA, 0.0),
            Decay.NONE)
        .with("", states, p -> Ftrl.builder(p).learningRate(0.1))
        .with("l1", states, p -> Ftrl.builder(p).learningRate(0.1).l1(0.01).l2(0.01).beta(0.1))
        .refuses("l1 is -1.0", p -> Ftrl.builder(p).l1(-1))
        .refuses("l2 is -1.0", p -> Ftrl.builder(p).l2(-1))
        .refuses("beta is -1.0", p -> Ftrl.builder(p).beta(-1))
        .refuses("must be above 0", p -> Ftrl.builder(p).learningRate(0).build());
  }

  private static OptimizerCases sophia() {
    return new OptimizerCases(
            "sophia",
            Sophia::builder,
            and(
                Map.of(LEARNING_RATE, 1e-4, BETA1, 0.965, BETA2, 0.99, EPSILON, 1e-15),
                WEIGHT_DECAY,
                0.1,
                RHO,
                0.04,
                BATCH_SIZE,
                1.0),
            Decay.DECOUPLED)
        .with("", OptimizerCases.BOTH, p -> Sophia.builder(p).learningRate(0.01).batchSize(5120))
        .refuses("rho is -1.0", p -> Sophia.builder(p).rho(-1))
        .refuses("batchSize is NaN", p -> Sophia.builder(p).batchSize(Double.NaN));
  }

  private static OptimizerCases scheduleFreeSgd() {
    List<String> states = List.of("z");
    return new OptimizerCases(
            "schedule-free-sgd",
            ScheduleFreeSgd::builder,
            and(
                Map.of(LEARNING_RATE, 1.0, BETA1, 0.9, WEIGHT_DECAY, 0.0),
                WARMUP_STEPS,
                0.0,
                WEIGHT_POWER,
                0.0,
                LEARNING_RATE_POWER,
                2.0),
            Decay.DECOUPLED)
        .with("", states, p -> ScheduleFreeSgd.builder(p).learningRate(0.1))
        .with(
            "weight-decay",
            states,
            p -> ScheduleFreeSgd.builder(p).learningRate(0.1).weightDecay(0.1).warmupSteps(10))
        .refuses("beta1 is 1.0", p -> ScheduleFreeSgd.builder(p).momentum(1))
        .refuses("weightPower is -1.0", p -> ScheduleFreeSgd.builder(p).weightPower(-1));
  }

  private static OptimizerCases scheduleFreeAdamW() {
    List<String> states = List.of("secondMoment", "z");
    return new OptimizerCases(
            "schedule-free-adamw",
            ScheduleFreeAdamW::builder,
            and(
                moments(2.5e-3, 0.999, 1e-8),
                WARMUP_STEPS,
                0.0,
                WEIGHT_POWER,
                0.0,
                LEARNING_RATE_POWER,
                2.0),
            Decay.DECOUPLED)
        .with("", states, p -> ScheduleFreeAdamW.builder(p).learningRate(0.01))
        .inSequence()
        .with(
            "warm-up",
            states,
            p ->
                ScheduleFreeAdamW.builder(p)
                    .learningRate(0.01)
                    .betas(0.8, 0.9)
                    .epsilon(1e-3)
                    .weightDecay(0.1)
                    .warmupSteps(10)
                    .weightPower(1))
        .refuses(
            "learningRatePower is -1.0", p -> ScheduleFreeAdamW.builder(p).learningRatePower(-1));
  }

  private static Map<Hyperparameter, Double> moments(
      double learningRate, double beta2, double epsilon) {
    return Map.of(
        LEARNING_RATE, learningRate, BETA1, 0.9, BETA2, beta2, EPSILON, epsilon, WEIGHT_DECAY, 0.0);
  }

  private static Map<Hyperparameter, Double> and(
      Map<Hyperparameter, Double> some, Object... namesAndValues) {
    Map<Hyperparameter, Double> all = new LinkedHashMap<>(some);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      all.put((Hyperparameter) namesAndValues[i], (Double) namesAndValues[i + 1]);
    }
    return all;
  }
}
