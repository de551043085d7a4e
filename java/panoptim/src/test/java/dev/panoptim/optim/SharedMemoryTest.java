package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import dev.panoptim.memory.Parameter;
import dev.panoptim.memory.Parameters;
import dev.panoptim.rule.Hyperparameter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Parameters and states in files that several mappings share. The Hogwild test of the examples
/// uses two processes.
class SharedMemoryTest {
  @TempDir Path folder;
  private Path data;
  private Path states;

  static List<Case> cases() {
    return MixedCases.withSingle();
  }

  @BeforeEach
  void name() {
    data = folder.resolve("data");
    states = folder.resolve("states");
  }

  private static Parameters.Builder sizes() {
    return Parameters.builder().add("a", 3, 11).add("b", 50, 100).add("empty", 1, 0);
  }

  private static final Consumer<Parameters> START =
      parameters -> parameters.forEach(each -> fill(each.data(), each.name().charAt(0) - 90));

  private static void fill(MemorySegment segment, float value) {
    for (long i = 0; i < segment.byteSize() / Float.BYTES; i++) {
      segment.setAtIndex(JAVA_FLOAT, i, value / (1 + i));
    }
  }

  private static void steps(Optimizer optimizer, Parameters all, int from, int to) {
    for (int step = from; step < to; step++) {
      for (Parameter each : all) {
        fill(each.gradient(), (step % 5) - 1.5f);
      }
      optimizer.step();
    }
  }

  private Parameters shared() {
    return sizes().buildShared(data, START);
  }

  private Optimizer shared(Case tested, Parameters parameters) {
    return tested.builder().apply(parameters).sharedStates(states).build();
  }

  private static Parameters alone() {
    Parameters parameters = sizes().build();
    START.accept(parameters);
    return parameters;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void optimizersThatTakeTurnsAreEquivalentToOne(Case tested) {
    try (Parameters alone = alone();
        Optimizer one = tested.builder().apply(alone).build()) {
      steps(one, alone, 0, 12);
      try (Parameters first = shared();
          Parameters second = shared();
          Optimizer here = shared(tested, first);
          Optimizer there = shared(tested, second)) {
        assertTrue(here.state(first.get("a")).isEmpty());
        for (int step = 0; step < 9; step++) {
          steps(step % 2 == 0 ? here : there, step % 2 == 0 ? first : second, step, step + 1);
        }
        assertEquals(9, here.stepCount(first.get("a")));
        assertEquals(9, there.stateDict().parameters().get("b").steps());
      }
      // The files still exist.
      try (Parameters later = shared();
          Optimizer optimizer = shared(tested, later)) {
        steps(optimizer, later, 9, 12);
        assertNull(
            Problem.difference(
                Problem.bits(one, alone.all()), Problem.bits(optimizer, later.all())));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void stateDictsOfSharedStatesCanBeSavedAndLoaded(Case tested) {
    try (Parameters alone = alone();
        Parameters parameters = shared();
        Optimizer one = tested.builder().apply(alone).build();
        Optimizer shared = shared(tested, parameters);
        Optimizer other = shared(tested, parameters)) {
      StateDict fresh = one.stateDict();
      steps(one, alone, 0, 3);
      shared.loadStateDict(one.stateDict());
      assertEquals(3, other.stepCount(parameters.get("a")));
      steps(other, parameters, 0, 2);
      shared.loadStateDict(fresh);
      assertTrue(other.state(parameters.get("a")).isEmpty());
      START.accept(parameters);
      steps(other, parameters, 0, 3);
      assertNull(
          Problem.difference(
              Problem.bits(one, alone.all()), Problem.bits(shared, parameters.all())));
    }
  }

  @Test
  void everyStepCountsThoughThreadsStepAtOnce() throws Exception {
    Thread[] threads = new Thread[3];
    AtomicInteger failures = new AtomicInteger();
    for (int k = 0; k < threads.length; k++) {
      threads[k] =
          Thread.ofPlatform()
              .uncaughtExceptionHandler((thread, e) -> failures.incrementAndGet())
              .start(
                  () -> {
                    try (Parameters parameters = shared();
                        Optimizer optimizer =
                            NAdam.builder(parameters).sharedStates(states).build()) {
                      steps(optimizer, parameters, 0, 60);
                    }
                  });
    }
    for (Thread each : threads) {
      each.join();
    }
    assertEquals(0, failures.get());
    try (Parameters alone = alone();
        Optimizer one = NAdam.builder(alone).build();
        Parameters parameters = shared();
        Optimizer optimizer = NAdam.builder(parameters).sharedStates(states).build()) {
      steps(one, alone, 0, 180);
      var state = optimizer.stateDict().parameters().get("b");
      assertEquals(180, state.steps());
      double expected = one.stateDict().parameters().get("b").scalars().get("momentumProduct");
      // Two threads at the same step may lose a factor, so that the product may lack a few of them.
      assertEquals(
          Math.log(expected),
          Math.log(state.scalars().get("momentumProduct")),
          0.01 * Math.abs(Math.log(expected)));
      assertTrue(Float.isFinite(parameters.get("b").data().getAtIndex(JAVA_FLOAT, 4999)));
    }
  }

  @Test
  void onlyOneOfTwoProcessesInitializesAFile() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      processes.add(
          JavaProcess.of(SharedFileProbe.class, List.of(), data.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    }
    List<String> said = new ArrayList<>();
    for (Process each : processes) {
      said.add(new String(each.getInputStream().readAllBytes()).strip());
      assertEquals(0, each.waitFor());
    }
    Collections.sort(said);
    assertEquals(List.of("created, 42.0", "joined, 42.0"), said);
  }

  @Test
  void aCreationThatMapsItsOwnFileIsRejected() {
    assertThrows(
        IllegalStateException.class, () -> sizes().buildShared(data, fresh -> shared().close()));
  }

  @Test
  void initializedValuesAreBuilt() {
    List<Parameter> seen = new ArrayList<>();
    try (Parameters parameters =
        sizes().buildShared(data, fresh -> fresh.forEach(each -> seen.add(each)))) {
      assertEquals(seen, parameters.all());
    }
  }

  @Test
  void aClosedOptimizerKeepsItsCount() {
    try (Parameters parameters = shared()) {
      Optimizer optimizer = Adam.builder(parameters).sharedStates(states).build();
      optimizer.step();
      optimizer.close();
      assertEquals(1, optimizer.stepCount(parameters.get("a")));
    }
  }

  @Test
  void theFirstContentsAreGivenOnce() {
    AtomicInteger calls = new AtomicInteger();
    for (int i = 0; i < 3; i++) {
      try (Parameters parameters = sizes().buildShared(data, fresh -> calls.incrementAndGet())) {
        assertEquals(3, parameters.all().size());
      }
    }
    assertEquals(1, calls.get());
  }

  @Test
  void anUnfinishedFileIsCreatedAgain() {
    assertThrows(
        IllegalStateException.class,
        () ->
            sizes()
                .buildShared(
                    data,
                    fresh -> {
                      fill(fresh.get("a").data(), 7);
                      throw new IllegalStateException("killed");
                    }));
    try (Parameters parameters = sizes().buildShared(data, fresh -> {})) {
      assertArrayEquals(new float[33], parameters.get("a").data().toArray(JAVA_FLOAT));
    }
  }

  @Test
  void theContentOfTheFileMustMatch() throws IOException {
    shared().close();
    assertMessage(
        "holds\nthe parameters {a=33, b=5000, empty=0}\nbut must hold\nthe parameters {a=34}",
        () -> Parameters.builder().add("a", 2, 17).buildShared(data, START));
    try (Parameters parameters = shared()) {
      Adagrad.builder(parameters).sharedStates(states).build().close();
      assertMessage(
          "the states [secondMoment] and scalars [] of {a=33, b=5000, empty=0} under Rule",
          () -> Adam.builder(parameters).sharedStates(states).build());
      assertMessage("must hold", () -> Adagrad.builder(parameters).sharedStates(data).build());
    }
    try (RandomAccessFile file = new RandomAccessFile(data.toFile(), "rw")) {
      file.setLength(file.length() - 1);
    }
    assertMessage("bytes, but must have", this::shared);
    byte[] text = "a letter to Niels".getBytes();
    Files.write(data, text);
    assertMessage("has other content than shared memory, and is not changed", this::shared);
    assertArrayEquals(text, Files.readAllBytes(data));
    var e =
        assertThrows(
            UncheckedIOException.class,
            () -> sizes().buildShared(folder.resolve("no").resolve("where"), START));
    assertTrue(e.getMessage().contains("where"), e.getMessage());
  }

  private static void assertMessage(String words, Runnable action) {
    var e = assertThrows(IllegalArgumentException.class, action::run);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @Test
  void groupsCannotBeAddedToSharedStates() {
    try (Parameters parameters = shared();
        Parameters more = Parameters.builder().add("more", 1).build();
        Optimizer optimizer = Adagrad.builder(parameters).sharedStates(states).build()) {
      assertThrows(IllegalStateException.class, () -> optimizer.addParamGroup(more, Map.of()));
      assertEquals(1, optimizer.paramGroups().size());
    }
  }

  @Test
  void anInitialAccumulatorIsSharedToo() {
    try (Parameters parameters = shared();
        Optimizer first =
            Adagrad.builder(parameters).initialAccumulator(4).sharedStates(states).build();
        Optimizer second = Adagrad.builder(parameters).sharedStates(states).build()) {
      fill(parameters.get("a").gradient(), 0);
      first.step();
      MemorySegment sum = second.state(parameters.get("a")).get("secondMoment");
      assertEquals(4, sum.getAtIndex(JAVA_FLOAT, 0));
      assertFalse(second.paramGroups().getFirst().get(Hyperparameter.INITIAL_ACCUMULATOR) == 4);
    }
  }
}
