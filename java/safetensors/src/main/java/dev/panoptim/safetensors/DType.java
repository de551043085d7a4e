package dev.panoptim.safetensors;

/// The type of a tensor's elements. A constant's name is the type's name in the file.
///
/// The order is that of the reference implementation (`Dtype` in
/// <https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs>): the writer
/// lays out types of a higher ordinal first, so that large elements lie at multiples of their size.
///
/// Immutable.
public enum DType {
  /// A byte that is 0 or 1.
  BOOL(8),
  /// Float with 2 bits of exponent and 1 of mantissa (OCP Microscaling,
  /// <https://arxiv.org/abs/2310.10537>); two elements fill a byte.
  F4(4),
  /// Float with 2 bits of exponent and 3 of mantissa (OCP Microscaling,
  /// <https://arxiv.org/abs/2310.10537>); four elements fill three bytes.
  F6_E2M3(6),
  /// Float with 3 bits of exponent and 2 of mantissa (OCP Microscaling,
  /// <https://arxiv.org/abs/2310.10537>); four elements fill three bytes.
  F6_E3M2(6),
  /// Unsigned integer.
  U8(8),
  /// Signed integer.
  I8(8),
  /// Float with 5 bits of exponent and 2 of mantissa (<https://arxiv.org/abs/2209.05433>).
  F8_E5M2(8),
  /// Float with 4 bits of exponent and 3 of mantissa (<https://arxiv.org/abs/2209.05433>).
  F8_E4M3(8),
  /// Power of two, the scale of a block of elements (OCP Microscaling,
  /// <https://arxiv.org/abs/2310.10537>).
  F8_E8M0(8),
  /// Like [#F8_E4M3], but without infinities and negative zero
  /// (<https://arxiv.org/abs/2206.02915>).
  F8_E4M3FNUZ(8),
  /// Like [#F8_E5M2], but without infinities and negative zero
  /// (<https://arxiv.org/abs/2206.02915>).
  F8_E5M2FNUZ(8),
  /// Signed integer.
  I16(16),
  /// Unsigned integer.
  U16(16),
  /// Float of IEEE 754 binary16.
  F16(16),
  /// The upper 16 bits of an [#F32].
  BF16(16),
  /// Signed integer.
  I32(32),
  /// Unsigned integer.
  U32(32),
  /// Float of IEEE 754 binary32.
  F32(32),
  /// Complex number: two [#F32].
  C64(64),
  /// Float of IEEE 754 binary64.
  F64(64),
  /// Signed integer.
  I64(64),
  /// Unsigned integer.
  U64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /// The size of an element in bits: 4, 6, 8, 16, 32 or 64.
  public int bits() {
    return bits;
  }
}
