package dev.panoptim.backend;

import dev.panoptim.internal.ffm.OpenMp;
import java.util.Locale;
import java.util.Optional;

/// The threads that help with the steps of the native backend. The results have the same bits.
///
/// The other backends for the processor always use [#POOL], and a GPU uses neither. The system
/// property `panoptim.threading` (`pool` or `openmp`) chooses for a whole process; the choice of an
/// optimizer's builder overrides it.
///
/// Immutable; safe for use from any thread.
public enum Threading {
  /// Java threads, one pool for all callers. Idle threads spin for a short time, then sleep. The
  /// choice for servers, and for programs that do other work between steps.
  POOL,

  /// A team of threads that the OpenMP runtime keeps for the calling thread. Idle threads spin
  /// (environment variable `OMP_WAIT_POLICY=active`) or sleep (`passive`). The choice for a process
  /// that only trains, on one thread, with idle processors.
  ///
  /// There is one team. It belongs to the first platform thread that makes a step large enough to
  /// be shared. Steps of other threads and of virtual threads use [#POOL], and so do steps that
  /// begin while other threads step. The team ends with its thread, or when that thread calls
  /// [Backends#endThreads()]; then the next thread that steps may have one.
  ///
  /// Other callers of the OpenMP runtime on the same thread, such as a matrix library, share the
  /// team. If such a caller ends some of its threads, they are started again without a check of the
  /// system's limit: do not combine the two where threads are limited.
  ///
  /// If the library or the runtime is missing, or the system starts no more threads, steps use
  /// [#POOL]. The reason is logged once and returned by [#unavailableReason()].
  OPENMP;

  /// The name in the system property and in messages.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The reason why this kind is unavailable; empty if it is available. Loads the library on the
  /// first call.
  public Optional<String> unavailableReason() {
    return Optional.ofNullable(this == OPENMP ? OpenMp.whyNot() : null);
  }
}
