package dev.panoptim.backend;

import java.util.Locale;

/// The instruction set that the native code is compiled for, lowest first.
///
/// Immutable.
public enum Tier {
  /// Instructions that every processor of the architecture has.
  BASELINE,
  /// 8 floats at a time: x86-64 with AVX2 and FMA.
  AVX2,
  /// 16 floats at a time: x86-64 with AVX-512 F, VL, BW and DQ.
  AVX512;

  /// `baseline`, `avx2` or `avx512`.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
