// Matrix products of the AVX2 tier: 12 of the 16 registers hold a tile of 4 rows and 24 columns.
#include "matrix/loops.h"
#include "tier/products.h"

PANOPTIM_TIER_PRODUCTS(avx2_products, 4, 3);
