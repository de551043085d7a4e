package dev.panoptim.backend;

import java.util.List;
import java.util.Optional;

/// What [Backends#auto()] chose for the processor, and why, for a program to read.
///
/// Immutable.
///
/// @param name of the backend: `native`, `vector` or `scalar`; where there is none, what the system
///   property `panoptim.backend` asks for
/// @param tier of the native backend; empty for others
/// @param available whether there is a backend; `false` where a system property asks for what
///   cannot be had, so that building an optimizer throws
/// @param asked whether the system property `panoptim.backend` left no choice
/// @param degraded whether it is not what should run here: a backend slower than the native one
///   that nobody asked for, or none
/// @param reasons why it is not a better one, a sentence without a full stop for each better one
/// @param details what the backend runs on, in words; empty where there is none
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
    text.append(available ? " (" + details + ")" : " cannot be had");
    if (asked) {
      text.append(", as the system property ").append(Backends.BACKEND_PROPERTY).append(" says");
    }
    reasons.forEach(each -> text.append("; ").append(each));
    return text.toString();
  }
}
