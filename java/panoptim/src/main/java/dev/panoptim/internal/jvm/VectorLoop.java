package dev.panoptim.internal.jvm;

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
/// A composition's flags must be constants to the just-in-time compiler. Otherwise vectors that
/// cross a branch may be allocated on the heap. So [VectorUpdate], which keeps its flags in static
/// finals, is loaded once for each composition: as a hidden class, with the [Composition] as its
/// class data.
abstract class VectorLoop implements ChunkUpdate {
  /// The part of a step that loops are compiled for.
  ///
  /// @param decay the rule's, or [Decay#NONE] where all its weight decays are 0
  record Composition(Rule rule, Decay decay, boolean clips) {}

  /// The processor's preferred size, but at most 256 bits: compiled loops of AdamW over 4,096
  /// elements took 2.7-2.9 us on Zen 4 with 512, and 1.7 us with 256.
  static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.vectorBitSize() > FloatVector.SPECIES_256.vectorBitSize()
          ? FloatVector.SPECIES_256
          : FloatVector.SPECIES_PREFERRED;

  static VectorLoop specialised(Composition composition) {
    try (InputStream code = VectorLoop.class.getResourceAsStream("VectorUpdate.class")) {
      Class<?> loaded =
          MethodHandles.lookup()
              .defineHiddenClassWithClassData(code.readAllBytes(), composition, true)
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
