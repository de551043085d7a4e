// Matrix products of the AVX-512 tier: 24 of the 32 registers hold a tile of 12 rows and 32 columns.
#include "matrix/loops.h"
#include "tier/products.h"

PANOPTIM_TIER_PRODUCTS(avx512_products, 12, 2);
