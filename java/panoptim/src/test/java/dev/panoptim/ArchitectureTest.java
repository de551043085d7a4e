package dev.panoptim;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Imports run downwards only: `internal`, then `rule` and `ffi`, then `device`, then `memory`,
/// then `backend`, then `optim`, then `schedule`. `metrics` reads what `internal` has counted.
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter().importPath(Path.of("target/classes"));

  @Test
  void packagesDependDownwardsOnly() {
    assertTrue(CLASSES.contain("dev.panoptim.optim.Optimizer"));
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("device")
        .definedBy("dev.panoptim.device")
        .layer("memory")
        .definedBy("dev.panoptim.memory")
        .layer("rule")
        .definedBy("dev.panoptim.rule")
        .layer("ffi")
        .definedBy("dev.panoptim.ffi")
        .layer("backend")
        .definedBy("dev.panoptim.backend")
        .layer("optim")
        .definedBy("dev.panoptim.optim")
        .layer("schedule")
        .definedBy("dev.panoptim.schedule")
        .layer("metrics")
        .definedBy("dev.panoptim.metrics")
        .layer("internal")
        .definedBy("dev.panoptim.internal..")
        .whereLayer("schedule")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("metrics")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("internal")
        .mayOnlyBeAccessedByLayers("metrics", "device", "memory", "backend", "optim")
        .whereLayer("optim")
        .mayOnlyBeAccessedByLayers("schedule")
        .whereLayer("backend")
        .mayOnlyBeAccessedByLayers("optim")
        .whereLayer("ffi")
        .mayOnlyBeAccessedByLayers("device", "backend")
        .whereLayer("device")
        .mayOnlyBeAccessedByLayers("memory", "backend", "optim")
        .whereLayer("rule")
        .mayOnlyBeAccessedByLayers("backend", "optim", "schedule")
        .whereLayer("memory")
        .mayOnlyBeAccessedByLayers("backend", "optim", "schedule")
        .check(CLASSES);
  }

  @Test
  void packagesHaveNoCircles() {
    slices().matching("dev.panoptim.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void theBindingsAreNotExported() {
    Set<String> exported =
        ArchitectureTest.class.getModule().getDescriptor().exports().stream()
            .filter(each -> !each.isQualified())
            .map(ModuleDescriptor.Exports::source)
            .collect(Collectors.toSet());
    assertEquals(
        Set.of(
            "dev.panoptim.backend",
            "dev.panoptim.device",
            "dev.panoptim.memory",
            "dev.panoptim.metrics",
            "dev.panoptim.optim",
            "dev.panoptim.rule",
            "dev.panoptim.schedule"),
        exported);
  }

  @Test
  void whatModulesShareInternallyIsExportedToThemAlone() {
    assertEquals(
        Map.of(
            "dev.panoptim.internal.io", Set.of("dev.panoptim.checkpoint"),
            "dev.panoptim.internal.memory", Set.of("dev.panoptim.checkpoint"),
            "dev.panoptim.internal.observe", Set.of("dev.panoptim.checkpoint")),
        ArchitectureTest.class.getModule().getDescriptor().exports().stream()
            .filter(ModuleDescriptor.Exports::isQualified)
            .collect(
                Collectors.toMap(
                    ModuleDescriptor.Exports::source, ModuleDescriptor.Exports::targets)));
  }
}
