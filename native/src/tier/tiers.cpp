#include "tier/tiers.h"

#if defined(PANOPTIM_X86_TIERS)

#include <cpuid.h>

namespace {

// The features of the processor (CPUID), and the registers that the operating system saves at a context switch
// (XGETBV). The use of registers that it does not save corrupts them or faults.
struct processor {
  bool avx2 = false;
  bool fma = false;
  bool avx512 = false;
  bool saves_ymm = false;
  bool saves_zmm = false;

  processor() {
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return;
    fma = ecx & bit_FMA;
    if (ecx & bit_OSXSAVE) {
      unsigned low, high;
      __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
      constexpr unsigned sse_and_ymm = 0x06;
      constexpr unsigned masks_and_zmm = 0xe0;
      saves_ymm = (low & sse_and_ymm) == sse_and_ymm;
      saves_zmm = saves_ymm && (low & masks_and_zmm) == masks_and_zmm;
    }
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return;
    avx2 = ebx & bit_AVX2;
    constexpr unsigned all = bit_AVX512F | bit_AVX512VL | bit_AVX512BW | bit_AVX512DQ;
    avx512 = (ebx & all) == all;
  }
};

// CPUID takes microseconds in a virtual machine, so it is read once, when the library is loaded.
const processor cpu;

const char *why_no_avx2() {
  if (!cpu.avx2 || !cpu.fma) return "this processor lacks AVX2 or FMA";
  if (!cpu.saves_ymm) return "the operating system does not save the 256-bit registers";
  return nullptr;
}

const char *why_no_avx512() {
  if (const char *why = why_no_avx2()) return why;
  if (!cpu.avx512) return "this processor lacks AVX-512 F, VL, BW or DQ";
  if (!cpu.saves_zmm) return "the operating system does not save the 512-bit registers";
  return nullptr;
}

}  // namespace

const char *why_no_tier(int32_t tier) {
  switch (tier) {
    case PANOPTIM_TIER_BASELINE: return nullptr;
    case PANOPTIM_TIER_AVX2: return why_no_avx2();
    case PANOPTIM_TIER_AVX512: return why_no_avx512();
    default: return "there is no such tier";
  }
}

#else

const char *why_no_tier(int32_t tier) {
  switch (tier) {
    case PANOPTIM_TIER_BASELINE: return nullptr;
    case PANOPTIM_TIER_AVX2:
    case PANOPTIM_TIER_AVX512: return "this library was built for another architecture than x86-64";
    default: return "there is no such tier";
  }
}

#endif

namespace {

// The kernels of each tier, NULL for a tier that is unavailable. The tiers do not change while the library is loaded,
// and each step looks them up.
struct tables {
  const kernel_table *at[PANOPTIM_TIERS];

  tables() : at{&baseline_kernels} {
#if defined(PANOPTIM_X86_TIERS)
    if (!why_no_tier(PANOPTIM_TIER_AVX2)) at[PANOPTIM_TIER_AVX2] = &avx2_kernels;
    if (!why_no_tier(PANOPTIM_TIER_AVX512)) at[PANOPTIM_TIER_AVX512] = &avx512_kernels;
#endif
  }
};

const tables kernels;

}  // namespace

const kernel_table *kernels_of(int32_t tier) {
  return static_cast<uint32_t>(tier) < PANOPTIM_TIERS ? kernels.at[tier] : nullptr;
}
