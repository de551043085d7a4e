package dev.panoptim.server.web;

/// A request that is answered with an error.
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1;

  static final int BAD = 400;
  static final int FOREIGN = 403;
  static final int NOT_FOUND = 404;
  static final int WRONG_METHOD = 405;
  static final int CONFLICT = 409;
  static final int TOO_LARGE = 413;
  static final int WRONG_TYPE = 415;
  static final int FAILED = 500;
  static final int BUSY = 503;

  private final int status;

  /// @param sentence tells the caller what is wrong
  Refusal(int status, String sentence) {
    super(sentence);
    this.status = status;
  }

  int status() {
    return status;
  }
}
