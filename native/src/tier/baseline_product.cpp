// Matrix products of the baseline tier.
#include "matrix/loops.h"
#include "tier/products.h"

PANOPTIM_TIER_PRODUCTS(baseline_products, 4, 4);
