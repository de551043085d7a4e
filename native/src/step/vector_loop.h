// The pragmas of loops that the compiler must vectorise.
#ifndef PANOPTIM_STEP_VECTOR_LOOP_H
#define PANOPTIM_STEP_VECTOR_LOOP_H

// Operands do not overlap; without the first pragma the compiler would check that before each loop. A loop that the
// compiler has unrolled completely is not vectorised; the second pragma forbids that. PANOPTIM_ROLLED_LOOP forbids it
// for a loop around such a loop, whose code would be many times as long.
#if defined(__clang__)
#define PANOPTIM_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#define PANOPTIM_ROLLED_LOOP _Pragma("clang loop unroll(disable)")
#else
#define PANOPTIM_VECTOR_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#define PANOPTIM_ROLLED_LOOP _Pragma("GCC unroll 1")
#endif

#endif
