package dev.panoptim.backend;

import java.util.List;
import java.util.Optional;

/// The choice of [Backends#auto()] for the processor and its reasons, for programs.
///
/// Immutable.
///
/// @param name of the backend: `native`, `vector` or `scalar`; without a backend, the value of the
///   system property `panoptim.backend`
/// @param tier of the native backend; empty for others
/// @param available whether there is a backend; `false` if a system property selects an unavailable
///   one, so that building an optimizer throws
/// @param asked whether the system property `panoptim.backend` selects the backend
/// @param degraded whether there is no backend, or one that is slower than the native one and was
///   not selected by the system property
/// @param reasons for each faster backend, why it is not used: a sentence without a full stop
/// @param details the hardware and instructions that the backend uses; empty without a backend
public record BackendStatus(
    String name,
    Optional<Tier> tier,
    boolean available,
    boolean asked,
    boolean degraded,
    List<String> reasons,
    String details) {
  /// Copies the reasons.
  public BackendStatus {
    reasons = List.copyOf(reasons);
  }

  /// The status in one line, which [Backends#describe()] returns.
  String inWords() {
    StringBuilder text = new StringBuilder("backend ").append(name);
    text.append(available ? " (" + details + ")" : " is unavailable");
    if (asked) {
      text.append(", chosen by the system property ").append(Backends.BACKEND_PROPERTY);
    }
    reasons.forEach(each -> text.append("; ").append(each));
    return text.toString();
  }
}
