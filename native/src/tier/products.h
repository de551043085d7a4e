// The kernels of each tier for matrix products.
#ifndef PANOPTIM_TIER_PRODUCTS_H
#define PANOPTIM_TIER_PRODUCTS_H

#include "matrix/kernel.h"

extern const product_kernels baseline_products;
extern const product_kernels avx2_products;
extern const product_kernels avx512_products;

#endif
