#include "tier/products.h"

const product_kernels &product_kernels_of(int32_t tier) {
#if defined(PANOPTIM_X86_TIERS)
  if (tier == PANOPTIM_TIER_AVX2) return avx2_products;
  if (tier == PANOPTIM_TIER_AVX512) return avx512_products;
#endif
  (void)tier;
  return baseline_products;
}
