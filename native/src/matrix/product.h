// Matrix products: the checks of a call, its workspace, and its work.
#ifndef PANOPTIM_MATRIX_PRODUCT_H
#define PANOPTIM_MATRIX_PRODUCT_H

#include "panoptim.h"

// Checks the tier, the number of threads, the form and the sizes.
int32_t check_shape(panoptim_product *product);

// Checks everything that panoptim_multiply needs.
int32_t check_product(panoptim_product *product);

// The bytes of the workspace for all threads. The shape must be valid.
panoptim_int64 workspace_of(const panoptim_product &product);

// Runs a valid call. If it was announced, helpers may join.
void run_product(panoptim_product &product);

// Joins the call of another thread, if there is one.
void help_product(panoptim_product &product);

#endif
