package dev.panoptim.internal.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_coefficients;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.bindings.panoptim_tensor;
import dev.panoptim.rule.EveryRule;
import dev.panoptim.rule.Rule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The native code and [Rule] agree on which compositions are legal: the native code accepts the
/// codes of each legal rule, and no other codes. Compared for every combination of codes.
class RuleCodesTest {
  private static final MethodHandle STEP = PanoptimAbi.panoptim_step.makeInvoker().handle();
  private static final float BEFORE = 7;

  /// The members of a plan that hold the composition: those from the first moment to the decay.
  private static final List<String> AXES =
      panoptim_plan.layout().memberLayouts().stream()
          .map(member -> member.name().orElse(""))
          .dropWhile(name -> !name.equals("first_moment"))
          .takeWhile(name -> !name.equals("clips"))
          .toList();

  /// Computed once: the test uses them millions of times.
  private static final long[] OFFSETS =
      AXES.stream()
          .mapToLong(
              axis ->
                  panoptim_plan.layout().byteOffset(MemoryLayout.PathElement.groupElement(axis)))
          .toArray();

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment plan = panoptim_plan.allocate(arena);
  private final MemorySegment parameter = arena.allocate(ValueLayout.JAVA_FLOAT);
  private final MemorySegment states =
      arena.allocate(ValueLayout.JAVA_FLOAT, PanoptimAbi.PANOPTIM_STATES());

  @BeforeEach
  void fillPlanWithOneElement() {
    MemorySegment tensor = panoptim_tensor.allocate(arena);
    panoptim_tensor.parameter(tensor, parameter);
    panoptim_tensor.gradient(tensor, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1f));
    for (int i = 0; i < PanoptimAbi.PANOPTIM_STATES(); i++) {
      panoptim_tensor.state(tensor, i, states.asSlice(i * (long) Float.BYTES, Float.BYTES));
    }
    panoptim_tensor.length(tensor, 1);
    panoptim_tensor.published(tensor, -1);
    MemorySegment coefficients = panoptim_coefficients.allocate(arena);
    for (long at = 0; at < coefficients.byteSize(); at += Float.BYTES) {
      coefficients.set(ValueLayout.JAVA_FLOAT, at, 0.5f);
    }
    panoptim_plan.tensors(plan, tensor);
    panoptim_plan.tensor_count(plan, 1);
    panoptim_plan.coefficients(plan, coefficients);
    panoptim_plan.coefficients_count(plan, 1);
  }

  private List<Integer> codesOf(Rule rule) {
    RuleCodes.write(rule, plan);
    panoptim_plan.decay(plan, RuleCodes.of(rule.decay()));
    return Arrays.stream(OFFSETS)
        .mapToObj(offset -> plan.get(ValueLayout.JAVA_INT, offset))
        .toList();
  }

  @Test
  void nativeCodeAcceptsTheCodesOfRulesAndNoOthers() throws Throwable {
    Map<List<Integer>, Rule> rules = new HashMap<>();
    EveryRule.legal().stream()
        .filter(rule -> !rule.isFactored())
        .forEach(rule -> rules.put(codesOf(rule), rule));
    int[] highest =
        IntStream.range(0, AXES.size())
            .map(axis -> rules.keySet().stream().mapToInt(codes -> codes.get(axis)).max().orElse(0))
            .toArray();
    // One value below and one above those that rules have.
    long combinations = 1;
    for (int code : highest) {
      combinations *= code + 3;
    }
    int accepted = 0;
    for (long number = 0; number < combinations; number++) {
      Integer[] codes = new Integer[highest.length];
      long rest = number;
      for (int axis = 0; axis < codes.length; axis++) {
        codes[axis] = (int) (rest % (highest[axis] + 3)) - 1;
        rest /= highest[axis] + 3;
        plan.set(ValueLayout.JAVA_INT, OFFSETS[axis], codes[axis]);
      }
      parameter.set(ValueLayout.JAVA_FLOAT, 0, BEFORE);
      for (int i = 0; i < PanoptimAbi.PANOPTIM_STATES(); i++) {
        states.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
      }
      int status = (int) STEP.invokeExact(plan);
      float after = parameter.get(ValueLayout.JAVA_FLOAT, 0);
      List<Integer> all = List.of(codes);
      if (rules.containsKey(all)) {
        accepted++;
        assertEquals(PanoptimAbi.PANOPTIM_OK(), status, () -> all + ": " + rules.get(all));
        assertTrue(after < BEFORE, () -> all + " has left the parameter as it was");
      } else {
        assertEquals(
            PanoptimAbi.PANOPTIM_INVALID_ARGUMENT(), status, () -> AXES + " " + all + ": no rule");
        assertEquals(BEFORE, after, () -> all + " was refused and has changed the parameter");
      }
    }
    assertEquals(rules.size(), accepted);
    assertFalse(rules.isEmpty());
  }
}
