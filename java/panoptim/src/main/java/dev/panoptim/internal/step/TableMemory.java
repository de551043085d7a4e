package dev.panoptim.internal.step;

import java.lang.foreign.MemorySegment;

/// Where the operands of a table's rows are: parameters, states and what else a row has.
///
/// Operands are numbered: [#PARAMETER], the states from [#STATE] on in the order of
/// [dev.panoptim.rule.Rule#stateNames()], then the others.
///
/// Implementations are thread-safe for look-ups.
public interface TableMemory {
  /// `width` floats.
  int PARAMETER = 0;

  /// The first state: `width` floats.
  int STATE = 1;

  /// A float: the sum of the row's mean squared gradients.
  int SUM = 5;

  /// A long: the number of the row's last step.
  int STEPS = 6;

  /// An int: odd while the row is written, and higher by 2 afterwards.
  int VERSION = 7;

  /// The number of operands that rows can have.
  int OPERANDS = 8;

  /// The elements of a row.
  int width();

  /// The memory that has an operand of a row.
  MemorySegment segment(int operand, long row);

  /// Where an operand of a row begins in [#segment], in bytes.
  long offset(int operand, long row);

  /// What native code adds to a row's place, times [#stride], to find an operand.
  long base(int operand);

  /// Bytes for each unit of a place; 0 if rows do not have the operand.
  long stride(int operand);

  /// The place of a row for native code.
  long place(long row);

  /// A segment of the one arena that has all memory, which must stay open during a step.
  MemorySegment arena();
}
