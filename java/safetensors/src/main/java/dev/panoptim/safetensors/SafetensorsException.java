package dev.panoptim.safetensors;

import java.util.Objects;

/// Something that the format does not allow: in a file that is read, or in tensors that are to be
/// written. The message names the tensor, what was found and what was expected.
///
/// Immutable, as far as exceptions are.
public final class SafetensorsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// What is wrong.
  public enum Problem {
    /// The file has fewer than the 8 bytes of the header's length.
    FILE_TOO_SHORT,
    /// The header's length is over 100,000,000 bytes, the format's limit.
    HEADER_TOO_LONG,
    /// The header's length is over what the file has.
    HEADER_BEYOND_FILE,
    /// The header is not valid UTF-8.
    NOT_UTF8,
    /// The header is not one valid JSON value and blanks.
    NOT_JSON,
    /// The header, or what a tensor's name stands for, is not a JSON object.
    NOT_AN_OBJECT,
    /// A tensor has a field that the format does not know.
    UNKNOWN_KEY,
    /// A tensor lacks its dtype, shape or data_offsets.
    MISSING_KEY,
    /// A tensor's name, a field of a tensor or a metadata key is there twice.
    DUPLICATE_KEY,
    /// A tensor's dtype is not a string, its shape not an array, or its data_offsets not an array
    /// of two.
    WRONG_TYPE,
    /// A tensor's dtype is none of [DType].
    UNKNOWN_DTYPE,
    /// A dimension or an offset is not an integer from 0 to 2<sup>63</sup> - 1.
    INVALID_NUMBER,
    /// A name or metadata string has half of a surrogate pair, which UTF-8 cannot hold.
    LONE_SURROGATE,
    /// A tensor to be written has the name that the format keeps for the metadata.
    RESERVED_NAME,
    /// A tensor's dimensions and the size of its type have a product of 2<sup>63</sup> bits or
    /// more, or all tensors together have as many bytes.
    SIZE_OVERFLOW,
    /// A tensor's shape and type ask for another number of bytes than it has.
    SIZE_MISMATCH,
    /// A tensor of 4-bit or 6-bit elements ends within a byte.
    PARTIAL_BYTE,
    /// No tensor covers some bytes that lie before a tensor.
    HOLE,
    /// Two tensors share bytes.
    OVERLAP,
    /// A tensor ends before it begins, or beyond the file.
    OFFSETS_OUT_OF_BOUNDS,
    /// The file goes on after the last tensor.
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

  /// What is wrong, for programs; the message says it to people.
  public Problem problem() {
    return problem;
  }
}
