// The error of a call.
#ifndef PANOPTIM_FAIL_H
#define PANOPTIM_FAIL_H

#include <stdarg.h>
#include <stdio.h>

#include "panoptim.h"

// Writes the call's error text and returns `status`.
template <class Call>
__attribute__((format(printf, 3, 4))) int32_t fail(Call *call, int32_t status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(call->error, sizeof call->error, format, arguments);
  va_end(arguments);
  return status;
}

#endif
