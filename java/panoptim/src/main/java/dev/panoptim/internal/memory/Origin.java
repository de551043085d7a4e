package dev.panoptim.internal.memory;

/// What memory was allocated for, and where, so that a warning can say so.
///
/// Immutable.
public final class Origin {
  static final String TRACE_PROPERTY = "panoptim.memory.trace";

  private final String owner;

  /// `null` where allocations are not traced.
  private final Throwable site;

  private Origin(String owner, Throwable site) {
    this.owner = owner;
    this.site = site;
  }

  /// The place where this is called, if the system property `panoptim.memory.trace` is `true`; else
  /// no place.
  ///
  /// @param owner who is to close the memory, such as "an optimizer"
  public static Origin here(String owner) {
    return new Origin(
        owner,
        Boolean.getBoolean(TRACE_PROPERTY)
            ? new Throwable("the stack when it was made; nothing was thrown")
            : null);
  }

  String owner() {
    return owner;
  }

  Throwable site() {
    return site;
  }
}
