package dev.panoptim.backend;

import dev.panoptim.internal.ffm.OpenMp;
import java.util.Locale;
import java.util.Optional;

/// Whose threads help with the steps of the native backend. The bits are the same.
///
/// The other backends for the processor always use [#POOL], and a GPU uses neither. The system
/// property `panoptim.threading` (`pool` or `openmp`) chooses for a whole process; an optimizer's
/// own choice comes before it.
///
/// Immutable; safe for use from any thread.
public enum Threading {
  /// Java threads, one pool for all callers. Idle ones watch for more work for a moment, then
  /// sleep. The choice for servers, and for whatever does other work between steps.
  POOL,

  /// A team of threads that the OpenMP runtime keeps for the calling thread. By the runtime's
  /// environment variables, idle ones watch (`OMP_WAIT_POLICY=active`) or sleep (`passive`). The
  /// choice for a process that does nothing but train, on one thread, with processors to spare.
  ///
  /// There is one team, whose thread is the first platform thread that makes a step large enough to
  /// be shared. Steps of other threads use [#POOL], and so do those of virtual threads and those
  /// that begin while other threads step. The team ends with its thread, or when that thread calls
  /// [Backends#endThreads()]; the next thread that steps may then have one.
  ///
  /// The runtime's threads of the calling thread are shared with whatever else calls the runtime on
  /// it, such as a matrix library. Where that ends some of them, they are started again without
  /// looking whether the system still allows it: do not mix the two where threads are limited.
  ///
  /// Where the library or the runtime is missing, or the system starts no more threads, steps use
  /// [#POOL], and the reason is logged once and told by [#unavailableReason()].
  OPENMP;

  /// The name in the system property and in messages.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Why steps cannot be made in this way, empty if they can. Loads the library on the first call.
  public Optional<String> unavailableReason() {
    return Optional.ofNullable(this == OPENMP ? OpenMp.whyNot() : null);
  }
}
