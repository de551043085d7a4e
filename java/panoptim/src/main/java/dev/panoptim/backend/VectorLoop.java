package dev.panoptim.backend;

import dev.panoptim.rule.Decay;
import dev.panoptim.rule.Rule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

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

  /// What the processor has, but at most 256 bits: with 512, the just-in-time compiler's code for
  /// AdamW over 4,096 elements took 2.7-2.9 us on Zen 4, with 256 1.7.
  static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.vectorBitSize() > FloatVector.SPECIES_256.vectorBitSize()
          ? FloatVector.SPECIES_256
          : FloatVector.SPECIES_PREFERRED;

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
    return SPECIES.length();
  }
}
