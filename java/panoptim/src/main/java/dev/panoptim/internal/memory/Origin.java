package dev.panoptim.internal.memory;

/// The owner of memory, and the place of its allocation, for warnings.
///
/// Immutable and thread-safe.
public final class Origin {
  static final String TRACE_PROPERTY = "panoptim.memory.trace";

  private final String owner;

  /// `null` if allocations are not traced.
  private final Throwable site;

  private Origin(String owner, Throwable site) {
    this.owner = owner;
    this.site = site;
  }

  /// Creates an origin with the caller's stack trace if the system property `panoptim.memory.trace`
  /// is `true`, else without one.
  ///
  /// @param owner the object that must be closed, such as "an optimizer"
  public static Origin here(String owner) {
    return new Origin(
        owner,
        Boolean.getBoolean(TRACE_PROPERTY)
            ? new Throwable("stack trace of the allocation, not an error")
            : null);
  }

  String owner() {
    return owner;
  }

  Throwable site() {
    return site;
  }
}
