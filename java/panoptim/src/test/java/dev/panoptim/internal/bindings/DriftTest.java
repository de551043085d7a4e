package dev.panoptim.internal.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.TestLibraries;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.memory.Workspaces;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Measures;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Compares the committed bindings with the header as the compiler sees it, so that neither can
/// change alone.
class DriftTest {
  private static final Path HEADER = Path.of("../../native/include/panoptim.h");

  private static final Map<String, GroupLayout> STRUCTS =
      Map.ofEntries(
          Map.entry("panoptim_coefficients", panoptim_coefficients.layout()),
          Map.entry("panoptim_tensor", panoptim_tensor.layout()),
          Map.entry("panoptim_plan", panoptim_plan.layout()),
          Map.entry("panoptim_vectors", panoptim_vectors.layout()),
          Map.entry("panoptim_description", panoptim_description.layout()),
          Map.entry("panoptim_product", panoptim_product.layout()),
          Map.entry("panoptim_factored", panoptim_factored.layout()),
          Map.entry("panoptim_rows", panoptim_rows.layout()),
          Map.entry("panoptim_row_gap", panoptim_row_gap.layout()),
          Map.entry("panoptim_row_operand", panoptim_row_operand.layout()),
          Map.entry("panoptim_cuda_device", panoptim_cuda_device.layout()),
          Map.entry("panoptim_cuda_range", panoptim_cuda_range.layout()),
          Map.entry("panoptim_cuda_decision", panoptim_cuda_decision.layout()),
          Map.entry("panoptim_cuda_tile", panoptim_cuda_tile.layout()),
          Map.entry("panoptim_cuda_plan", panoptim_cuda_plan.layout()));

  @Test
  void sizesOffsetsAndConstantsAreTheCompilers() throws Throwable {
    Map<String, Long> generated = new TreeMap<>();
    STRUCTS.forEach(
        (struct, layout) -> {
          generated.put(struct, layout.byteSize());
          for (MemoryLayout member : layout.memberLayouts()) {
            member
                .name()
                .ifPresent(
                    name ->
                        generated.put(
                            struct + "." + name,
                            layout.byteOffset(MemoryLayout.PathElement.groupElement(name))));
          }
        });
    for (Method method : PanoptimAbi.class.getDeclaredMethods()) {
      if (method.getName().startsWith("PANOPTIM_") && Modifier.isPublic(method.getModifiers())) {
        generated.put(method.getName(), (long) (int) method.invoke(null));
      }
    }
    assertEquals(compiled(), generated);
  }

  private static Map<String, Long> compiled() throws Throwable {
    Map<String, Long> entries = new TreeMap<>();
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup library =
          SymbolLookup.libraryLookup(TestLibraries.find("panoptim_layout"), arena);
      MethodHandle count = handle(library, "layout_entries", ValueLayout.JAVA_INT);
      MethodHandle name =
          handle(
              library,
              "layout_name",
              ValueLayout.ADDRESS.withTargetLayout(
                  MemoryLayout.sequenceLayout(256, ValueLayout.JAVA_BYTE)),
              ValueLayout.JAVA_INT);
      MethodHandle value =
          handle(library, "layout_value", ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
      int entriesThere = (int) count.invoke();
      for (int i = 0; i < entriesThere; i++) {
        String key = ((MemorySegment) name.invoke(i)).getString(0);
        entries.put(key, (long) value.invoke(i));
      }
    }
    return entries;
  }

  private static MethodHandle handle(
      SymbolLookup library, String name, MemoryLayout result, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  @Test
  void everyMemberOfEveryStructIsCompared() throws Throwable {
    for (var struct : STRUCTS.entrySet()) {
      for (MemoryLayout member : struct.getValue().memberLayouts()) {
        String name = member.name().orElse(null);
        assertTrue(
            name == null || compiled().containsKey(struct.getKey() + "." + name),
            struct.getKey() + "." + name);
      }
    }
  }

  @Test
  void functionsOfTheHeaderAreThoseOfTheBindingsAndOfTheLibraries() throws Exception {
    Set<String> declared = new TreeSet<>();
    Matcher matcher =
        Pattern.compile("PANOPTIM_API \\w+ (panoptim_\\w+)\\(").matcher(Files.readString(HEADER));
    while (matcher.find()) {
      declared.add(matcher.group(1));
    }
    Set<String> bound = new TreeSet<>();
    for (Class<?> holder : PanoptimAbi.class.getDeclaredClasses()) {
      bound.add(holder.getSimpleName());
    }
    assertEquals(declared, bound);

    Set<String> exported = exported("panoptim");
    assertFalse(exported.isEmpty());
    // The emulation is the source of the CUDA library, and is built on every system.
    Set<String> ofCuda = exported("panoptim_cuda_emulated");
    ofCuda.removeIf(name -> !name.startsWith("panoptim_"));
    assertFalse(ofCuda.isEmpty());
    exported.addAll(ofCuda);
    if (TestLibraries.isBuilt("panoptim_openmp")) {
      exported.addAll(exported("panoptim_openmp"));
    } else {
      declared.removeIf(name -> name.startsWith("panoptim_openmp_"));
    }
    assertEquals(declared, exported);
  }

  private static Set<String> exported(String library) throws Exception {
    Process nm =
        new ProcessBuilder("nm", "-D", "--defined-only", TestLibraries.find(library).toString())
            .start();
    Set<String> exported = new TreeSet<>();
    for (String line : new String(nm.getInputStream().readAllBytes()).lines().toList()) {
      exported.add(line.substring(line.lastIndexOf(' ') + 1));
    }
    return exported;
  }

  @Test
  void theNumbersOfJavaAreThoseOfNativeCode() {
    assertEquals(PanoptimAbi.PANOPTIM_CHUNK(), WorkSplit.CHUNK);
    assertEquals(PanoptimAbi.PANOPTIM_LANES(), WorkSplit.LANES);
    assertEquals(PanoptimAbi.PANOPTIM_MEASURES(), Measures.COUNT);
    assertEquals(PanoptimAbi.PANOPTIM_WORKSPACE_ALIGNMENT(), Workspaces.ALIGNMENT);
    assertEquals(PanoptimAbi.PANOPTIM_FACTORED_BLOCK(), FactoredShape.BLOCK);
  }

  @Test
  void integersOf64BitsAreJavaLongsOnEveryPlatform() {
    assertEquals(ValueLayout.JAVA_LONG, panoptim_tensor.length$layout().withoutName());
    assertEquals(ValueLayout.JAVA_LONG, panoptim_plan.tensor_count$layout().withoutName());
  }
}
