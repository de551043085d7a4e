// The stack size of OpenMP threads that environment variables set.
#ifndef PANOPTIM_OPENMP_STACK_SIZE_H
#define PANOPTIM_OPENMP_STACK_SIZE_H

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

// The bytes of a size in the syntax of the OpenMP specification: a number, optionally followed by B, K, M or G, with
// optional blanks. The default is K. Returns 0 for an invalid size.
inline size_t stack_size_of(const char *text) {
  while (isspace(static_cast<unsigned char>(*text))) text++;
  if (!isdigit(static_cast<unsigned char>(*text))) return 0;
  char *end;
  errno = 0;
  const unsigned long long number = strtoull(text, &end, 10);
  if (errno) return 0;
  while (isspace(static_cast<unsigned char>(*end))) end++;
  unsigned shift = 10;
  switch (*end) {
    case 'b':
    case 'B': shift = 0; break;
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    default: end--;
  }
  end++;
  while (isspace(static_cast<unsigned char>(*end))) end++;
  const size_t size = static_cast<size_t>(number);
  return *end || size != number || size << shift >> shift != size ? 0 : size << shift;
}

// The size in OMP_STACKSIZE, or in GNU's older GOMP_STACKSIZE; 0 for the system's default.
inline size_t stack_size_of_environment() {
  const char *const names[] = {"OMP_STACKSIZE", "GOMP_STACKSIZE"};
  for (const char *name : names) {
    const char *text = getenv(name);
    const size_t size = text ? stack_size_of(text) : 0;
    if (size) return size;
  }
  return 0;
}

#endif
