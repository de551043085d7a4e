package dev.panoptim.bench.report;

import dev.panoptim.bench.CallOverheadBenchmark;
import java.util.Map;

/// The cost of a call from Java into C++.
final class CallsSection implements Section {
  private static final Map<String, String> LABELS =
      Map.of(
          "java", "Java method, not inlined",
          "jni", "JNI method",
          "downcall", "downcall, as in a step",
          "criticalDowncall", "critical downcall",
          "criticalDowncallOnHeap", "critical downcall with an array on the heap",
          "emptyStep", "step over 0 parameters");

  @Override
  public Document.Chapter chapter(Results results) {
    Document.Chapter chapter = Document.Chapter.of("Calls from Java into C++");
    Document.Table table = Document.Table.of("call", "time per call", "quartiles");
    for (Measurement each : results.of(CallOverheadBenchmark.class)) {
      Summary time = each.score();
      table.add(LABELS.get(each.method()), Duration.of(time), Duration.range(time));
    }
    chapter.add(table, "Each of the functions adds 1 to a number, apart from the step.");
    return chapter;
  }
}
