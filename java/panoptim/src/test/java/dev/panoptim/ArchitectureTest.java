package dev.panoptim;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Backends;
import dev.panoptim.backend.Threading;
import dev.panoptim.internal.device.DeviceAccess;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The exported packages, the types that the API mentions, and the direction of the dependencies
/// between packages.
class ArchitectureTest {
  private static final Set<String> EXPORTED =
      Set.of(
          "dev.panoptim.backend",
          "dev.panoptim.device",
          "dev.panoptim.memory",
          "dev.panoptim.metrics",
          "dev.panoptim.optim",
          "dev.panoptim.rows",
          "dev.panoptim.rule",
          "dev.panoptim.schedule");

  private static final JavaClasses CLASSES =
      new ClassFileImporter().importPath(Path.of("target/classes"));

  /// The API classes whose dependencies on internal packages may be part of a cycle.
  private static final DescribedPredicate<JavaClass> MAY_BE_IN_CYCLES =
      belongToAnyOf(Backend.class, Backends.class, Threading.class)
          .as("Backend, Backends and Threading");

  @Test
  void packagesHaveNoCircles() {
    assertTrue(CLASSES.contain("dev.panoptim.optim.Optimizer"));
    slices()
        .matching("dev.panoptim.(**)")
        .should()
        .beFreeOfCycles()
        .ignoreDependency(MAY_BE_IN_CYCLES, resideInAPackage("dev.panoptim.internal.."))
        // The package `device` implements DeviceAccess, which internal packages call.
        .ignoreDependency(
            resideInAPackage("dev.panoptim.device"), belongToAnyOf(DeviceAccess.class))
        .check(CLASSES);
  }

  @Test
  void theApiMentionsNothingInternal() {
    List<String> found = new ArrayList<>();
    for (JavaClass each : CLASSES) {
      if (isApi(each)) {
        mentioned(each)
            .filter(other -> other.getPackageName().startsWith("dev.panoptim.internal"))
            .forEach(other -> found.add(each.getName() + " mentions " + other.getName()));
      }
    }
    assertEquals(List.of(), found);
  }

  /// Whether users of the module can name a class.
  private static boolean isApi(JavaClass type) {
    return EXPORTED.contains(type.getPackageName())
        && type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(ArchitectureTest::isApi).orElse(true);
  }

  /// The classes in the part of a class that its users see. The implementation that a sealed
  /// interface permits is not among them.
  private static Stream<JavaClass> mentioned(JavaClass type) {
    Stream<JavaClass> supertypes =
        Stream.concat(type.getRawSuperclass().stream(), type.getRawInterfaces().stream());
    Stream<JavaClass> members =
        type.getMembers().stream()
            .filter(
                member ->
                    member.getModifiers().contains(JavaModifier.PUBLIC)
                        || member.getModifiers().contains(JavaModifier.PROTECTED))
            .flatMap(member -> member.getAllInvolvedRawTypes().stream());
    return Stream.concat(supertypes, members).distinct();
  }

  @Test
  void theApiAloneIsExported() {
    Set<String> exported =
        ArchitectureTest.class.getModule().getDescriptor().exports().stream()
            .filter(each -> !each.isQualified())
            .map(ModuleDescriptor.Exports::source)
            .collect(Collectors.toSet());
    assertEquals(EXPORTED, exported);
  }

  @Test
  void oneInternalPackageIsExportedToOneModule() {
    assertEquals(
        Map.of("dev.panoptim.internal.checkpoint", Set.of("dev.panoptim.checkpoint")),
        ArchitectureTest.class.getModule().getDescriptor().exports().stream()
            .filter(ModuleDescriptor.Exports::isQualified)
            .collect(
                Collectors.toMap(
                    ModuleDescriptor.Exports::source, ModuleDescriptor.Exports::targets)));
  }
}
