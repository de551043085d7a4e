package dev.panoptim.backend;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Rule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;

/// A loop over consecutive elements of one row, for one composition.
///
/// A composition's flags must be constants to the just-in-time compiler: where a vector passes a
/// branch that is not decided at compile time, it may be put on the heap. So [VectorUpdate], which
/// reads its flags into static finals, is loaded anew for each composition, as a hidden class with
/// the composition as its class data.
abstract class VectorLoop implements StepPlan.ChunkUpdate {
  static final int FIRST = 1;
  static final int NESTEROV = 2;
  static final int SECOND = 4;
  static final int MAXIMUM = 8;
  static final int L2 = 16;
  static final int DECOUPLED = 32;
  static final int COMPOSITIONS = 64;

  /// A composition as a number: the sum of the flags above.
  static int number(Rule rule, Decay decay) {
    return (rule.hasFirstMoment() ? FIRST : 0)
        + (rule.nesterov() ? NESTEROV : 0)
        + (rule.hasSecondMoment() ? SECOND : 0)
        + (rule.hasMaximum() ? MAXIMUM : 0)
        + (decay == Decay.L2 ? L2 : 0)
        + (decay == Decay.DECOUPLED ? DECOUPLED : 0);
  }

  static VectorLoop specialised(int number) {
    try (InputStream code = VectorLoop.class.getResourceAsStream("VectorUpdate.class")) {
      Class<?> loaded =
          MethodHandles.lookup()
              .defineHiddenClassWithClassData(code.readAllBytes(), number, true)
              .lookupClass();
      return (VectorLoop) loaded.getDeclaredConstructor().newInstance();
    } catch (IOException e) {
      throw new UncheckedIOException("the class file of VectorUpdate cannot be read", e);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("VectorUpdate has a constructor without parameters", e);
    }
  }

  static int lanes() {
    return FloatVector.SPECIES_PREFERRED.length();
  }
}
