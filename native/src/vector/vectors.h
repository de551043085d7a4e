// Operations on vectors: a kernel over all chunks.
#ifndef PANOPTIM_VECTOR_VECTORS_H
#define PANOPTIM_VECTOR_VECTORS_H

#include "panoptim.h"

// Checks all arguments. Writes the error text if one is wrong.
int32_t check_vectors(panoptim_vectors *vectors);

// Run or join an operation whose arguments have been checked.
void run_vectors(panoptim_vectors &vectors);
void help_vectors(panoptim_vectors &vectors);

#endif
