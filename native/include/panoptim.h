// The C ABI of Panoptim: everything that Java sees of the native side.
//
// The library owns nothing: no memory, no handle, no state between calls. Every table below lies in memory of the
// caller, who also keeps it alive for the length of a call. Functions may be called from any thread, and at the
// same time from several, as long as no two calls write the same memory.
#ifndef PANOPTIM_H
#define PANOPTIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define PANOPTIM_API __declspec(dllexport)
#else
#define PANOPTIM_API __attribute__((visibility("default")))
#endif

// Changes with every change of a layout, a constant or a signature below.
#define PANOPTIM_ABI_VERSION 6

// `long long` rather than `int64_t`, which is a C `long` on Linux alone and would tie the bindings to it.
typedef long long panoptim_int64;

// Status codes. Everything but PANOPTIM_OK leaves all memory as it was, but for an error text.
#define PANOPTIM_OK 0
#define PANOPTIM_INVALID_ARGUMENT 1
#define PANOPTIM_UNSUPPORTED_TIER 2

// Tiers: the same formula, compiled for more and more capable processors.
#define PANOPTIM_TIER_SCALAR 0
#define PANOPTIM_TIER_AVX2 1
#define PANOPTIM_TIER_AVX512 2
#define PANOPTIM_TIERS 3

// The composition of a rule. A moment is `state = decay * state + take * input`: with the right coefficients that is
// an exponential moving average, a heavy ball, or a plain sum.
#define PANOPTIM_FIRST_MOMENT_NONE 0
#define PANOPTIM_FIRST_MOMENT_OF_GRADIENT 1
#define PANOPTIM_FIRST_MOMENT_OF_DIRECTION 2  // of the gradient that the second moment has already divided

#define PANOPTIM_LOOK_AHEAD_NONE 0
#define PANOPTIM_LOOK_AHEAD_NEW 1  // the direction mixes the input with the first moment
#define PANOPTIM_LOOK_AHEAD_OLD 2  // the direction mixes the input with the first moment from before this step

#define PANOPTIM_SECOND_MOMENT_NONE 0
#define PANOPTIM_SECOND_MOMENT_RUNNING 1
#define PANOPTIM_SECOND_MOMENT_MAXIMUM 2    // the largest running one so far
#define PANOPTIM_SECOND_MOMENT_CENTERED 3   // less the square of the running gradient
#define PANOPTIM_SECOND_MOMENT_RECTIFIED 4  // divides only where the coefficients say so
#define PANOPTIM_SECOND_MOMENT_INFINITY 5   // the largest gradient, decaying

#define PANOPTIM_DECAY_NONE 0
#define PANOPTIM_DECAY_L2 1
#define PANOPTIM_DECAY_DECOUPLED 2

// Elements of one tensor that are handed to a thread, and updated by one loop, at a time. Loops over 1024 to 65536
// elements take the same time; with this many, two threads can share 32768 elements, from which on it pays. Squares are
// summed chunk by chunk, so another number is another norm's last bits: -Pbench -Dbench.args="ConstantsBenchmark -p
// changed=chunk=1024,chunk=65536".
#define PANOPTIM_CHUNK 16384

#define PANOPTIM_SHADOW_NONE 0
#define PANOPTIM_SHADOW_BFLOAT16 1
#define PANOPTIM_SHADOW_FLOAT16 2

// Whether other threads may take part in a call.
#define PANOPTIM_CLOSED 0
#define PANOPTIM_ANNOUNCED 1  // a call is about to begin: helpers wait for it
#define PANOPTIM_OPEN 2       // a call is under way: helpers take pieces

// Sums that a chunk's squares are added to.
#define PANOPTIM_LANES 16

#define PANOPTIM_STATES 4
#define PANOPTIM_TEXT 256

// What a step multiplies with. Computed by the caller in double, rounded to float once. A decay is the sum of two
// floats: 0.999f alone is so far from 0.999 that the average forgets 1.3e-5 too slowly.
typedef struct panoptim_coefficients {
  float gradient_scale;     // what gradients are multiplied with before anything else; below 0 to maximize
  float weight_decay;       // L2: the decay itself; decoupled: learning rate times decay
  float first_decay;        // the largest float below the first moment's decay
  float first_decay_rest;   // what it lacks
  float first_take;         // the gradient's share in the first moment
  float second_decay;       // as for the first moment
  float second_decay_rest;  //
  float second_take;        // the squared gradient's share in the second moment
  float look_ahead_input;   // look-ahead: the input's share in the direction
  float look_ahead_moment;  // look-ahead: the first moment's share
  float epsilon_inside;     // added under the root of the second moment
  float epsilon;            // added to that root; for the infinity norm, to the gradient
  float divides;            // rectified: 0 leaves the direction undivided
  float step_size;          // the direction's share in the update
  float average_take;       // the parameter's share in its average
} panoptim_coefficients;

// One parameter tensor: a row of the plan. No two streams of a plan may overlap.
typedef struct panoptim_tensor {
  float *parameter;               // `length` elements, updated in place
  float *gradient;                // `length` elements, read; set to 0 where the plan says so
  float *state[PANOPTIM_STATES];  // in order, those the rule has: first, second, maximum or mean, units
  float *average;                 // where the plan averages: `length` elements, a running average of the parameter
  uint16_t *shadow;               // where the plan has a shadow: `length` elements, the parameter in 16 bits
  panoptim_int64 length;          // elements, 0 allowed
  panoptim_int64 offset;          // elements in all rows before this one
  panoptim_int64 first_chunk;     // chunks in all rows before this one, each row's last one perhaps short
  panoptim_int64 coefficients;    // index into the plan's coefficients
} panoptim_tensor;

// A step over any number of tensors that share one composition.
typedef struct panoptim_plan {
  const panoptim_tensor *tensors;
  panoptim_int64 tensor_count;
  const panoptim_coefficients *coefficients;
  panoptim_int64 coefficients_count;
  int32_t first_moment;       // PANOPTIM_FIRST_MOMENT_...
  int32_t look_ahead;         // PANOPTIM_LOOK_AHEAD_...
  int32_t second_moment;      // PANOPTIM_SECOND_MOMENT_...
  int32_t unit_correction;    // 1: multiplies by the root of the running squared direction
  int32_t sign;               // 1: only the direction's sign counts
  int32_t decay;              // PANOPTIM_DECAY_...
  int32_t clips;              // 1: keeps each gradient, once scaled, from -clip to clip
  float clip;                 // 0 or more, or infinite
  int32_t averages;           // 1: adds the updated parameters to their averages
  int32_t shadow;             // PANOPTIM_SHADOW_...: writes them in 16 bits too, to nearest, ties to even
  int32_t zeroes;             // 1: sets gradients to 0 once they have been used
  int32_t tier;               // PANOPTIM_TIER_...
  int32_t sharing;            // PANOPTIM_CLOSED, or PANOPTIM_ANNOUNCED where panoptim_help is to take part
  int32_t work;               // which call is shared; the library's own
  int32_t helping;            // threads that are in panoptim_help; 0 at first, then left alone
  double *square_sums;        // panoptim_sum_squares: one for each chunk
  panoptim_int64 piece;       // elements that a thread takes at a time where the work is shared, 1 or more
  panoptim_int64 taken;       // pieces that some thread has taken
  panoptim_int64 helped;      // pieces that helpers have taken
  char error[PANOPTIM_TEXT];  // says what was wrong when the status is not PANOPTIM_OK
} panoptim_plan;

// The build and the processor it runs on.
typedef struct panoptim_description {
  int32_t abi_version;
  int32_t tier_available[PANOPTIM_TIERS];           // 1 where a step may name the tier
  char tier_reason[PANOPTIM_TIERS][PANOPTIM_TEXT];  // what an unavailable tier lacks
  char compiler[PANOPTIM_TEXT];
} panoptim_description;

// The version this library was built with; the first thing to ask, in every version of the library.
PANOPTIM_API int32_t panoptim_abi_version(void);

PANOPTIM_API int32_t panoptim_describe(panoptim_description *description);

// One optimizer step. Pointers that follow the plan are ignored: a caller whose runtime keeps an argument's memory
// alive for the length of the call names there the memory that the plan's rows point into.
//
// A step is complete when the call returns, whoever took part. No thread is started: those that are to take part are
// the caller's, and call panoptim_help.
PANOPTIM_API int32_t panoptim_step(panoptim_plan *plan, ...);

// The sum of the squares of each chunk's gradients, unscaled, to square_sums. It is a finite number if all of them are.
// Wherever and by however many threads it is computed it has the same bits: element i of a chunk is added, in order, to
// sum i modulo PANOPTIM_LANES, and these are added in halves, sum k to sum k + half, until one is left.
PANOPTIM_API int32_t panoptim_sum_squares(panoptim_plan *plan, ...);

// Takes pieces of the step or the sums that another thread has announced or is making with this plan, until none is
// left. Where there is no such call it returns at once, so it does not matter if it comes too late; but the plan's own
// memory, though not what its rows point into, must still be there.
PANOPTIM_API void panoptim_help(panoptim_plan *plan);

#ifdef __cplusplus
}
#endif

#endif
