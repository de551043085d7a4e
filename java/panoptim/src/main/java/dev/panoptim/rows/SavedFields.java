package dev.panoptim.rows;

import dev.panoptim.internal.checkpoint.TableState.Field;
import dev.panoptim.internal.step.TableMemory;
import java.util.ArrayList;
import java.util.List;

/// The parts of a row that a checkpoint has, with the names of its tensors.
final class SavedFields {
  private SavedFields() {}

  static List<Field> of(TableMemory memory, RowOptimizer optimizer) {
    List<Field> all = new ArrayList<>();
    all.add(new Field("weight", TableMemory.PARAMETER, false, memory.width()));
    List<String> states = optimizer.rule().stateNames();
    for (int i = 0; i < states.size(); i++) {
      all.add(new Field(states.get(i), TableMemory.STATE + i, false, memory.width()));
    }
    if (memory.stride(TableMemory.SUM) > 0) {
      all.add(new Field("sum", TableMemory.SUM, false, 0));
    }
    if (memory.stride(TableMemory.STEPS) > 0) {
      all.add(new Field("lastStep", TableMemory.STEPS, true, 0));
    }
    return List.copyOf(all);
  }
}
