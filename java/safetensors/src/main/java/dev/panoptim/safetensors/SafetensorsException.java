package dev.panoptim.safetensors;

import java.util.Objects;

/// A violation of the format, in a file that is read or in tensors that are written. The message
/// names the tensor, the value and the expected value.
///
/// Immutable, except for what every exception has (stack trace, suppressed exceptions).
public final class SafetensorsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// The kind of violation.
  public enum Problem {
    /// The file is shorter than the 8 bytes of the header's length.
    FILE_TOO_SHORT,
    /// The header's length exceeds the format's limit of 100,000,000 bytes.
    HEADER_TOO_LONG,
    /// The header's length exceeds the rest of the file.
    HEADER_BEYOND_FILE,
    /// The header is not valid UTF-8.
    NOT_UTF8,
    /// The header is not exactly one valid JSON value followed by blanks.
    NOT_JSON,
    /// The header or the value of a tensor's name is not a JSON object.
    NOT_AN_OBJECT,
    /// A tensor has a field that is not part of the format.
    UNKNOWN_KEY,
    /// A tensor lacks its dtype, shape or data_offsets.
    MISSING_KEY,
    /// A tensor's name, a field of a tensor or a metadata key occurs twice.
    DUPLICATE_KEY,
    /// A tensor's dtype is not a string, its shape is not an array, or its data_offsets are not an
    /// array of two.
    WRONG_TYPE,
    /// A tensor's dtype is not the name of a [DType].
    UNKNOWN_DTYPE,
    /// A dimension or an offset is not an integer from 0 to 2<sup>63</sup> - 1.
    INVALID_NUMBER,
    /// A name or metadata string has an unpaired surrogate, which UTF-8 cannot encode.
    LONE_SURROGATE,
    /// A tensor to be written has the name that the format reserves for the metadata.
    RESERVED_NAME,
    /// The product of a tensor's dimensions and element size is 2<sup>63</sup> bits or more, or all
    /// tensors together have 2<sup>63</sup> bytes or more.
    SIZE_OVERFLOW,
    /// A tensor's number of bytes does not match its shape and type.
    SIZE_MISMATCH,
    /// A tensor of 4-bit or 6-bit elements ends within a byte.
    PARTIAL_BYTE,
    /// Bytes before a tensor belong to no tensor.
    HOLE,
    /// Two tensors share bytes.
    OVERLAP,
    /// A tensor ends before it begins, or beyond the file.
    OFFSETS_OUT_OF_BOUNDS,
    /// The file has more bytes after the last tensor.
    TRAILING_BYTES,
    /// The metadata is not an object of strings.
    METADATA_NOT_STRINGS
  }

  private final Problem problem;

  SafetensorsException(Problem problem, String message) {
    super(message);
    this.problem = Objects.requireNonNull(problem);
  }

  SafetensorsException(Problem problem, String message, Throwable cause) {
    super(message, cause);
    this.problem = Objects.requireNonNull(problem);
  }

  /// The kind of violation, for programs. The message explains it to people.
  public Problem problem() {
    return problem;
  }
}
