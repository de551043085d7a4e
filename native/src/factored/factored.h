// Operations of factored second moments: kernels over the parts of a matrix.
#ifndef PANOPTIM_FACTORED_FACTORED_H
#define PANOPTIM_FACTORED_FACTORED_H

#include "panoptim.h"

// Checks all arguments. Writes the error text if one is wrong.
int32_t check_factored(panoptim_factored *factored);

// Run or join an operation whose arguments have been checked.
void run_factored(panoptim_factored &factored);
void help_factored(panoptim_factored &factored);

#endif
