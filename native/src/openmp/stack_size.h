// The stack size that the environment asks for OpenMP's threads.
#ifndef PANOPTIM_OPENMP_STACK_SIZE_H
#define PANOPTIM_OPENMP_STACK_SIZE_H

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

// Bytes of a size as the OpenMP specification writes it: a number and perhaps B, K, M or G, of which K is the default,
// with blanks anywhere around them. 0 for what is no size.
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

// What OMP_STACKSIZE or GNU's older GOMP_STACKSIZE say; 0 for the system's default.
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
