// The C ABI of Panoptim: everything that Java sees of the native side.
//
// The library owns nothing: no memory, no handle, no state between calls. Every table below lies in memory of the
// caller, who also keeps it alive for the length of a call. Functions may be called from any thread, and at the
// same time from several, as long as no two calls write the same memory.
//
// Those that begin with panoptim_cuda_ are in a library of their own, for GPUs, and so are those that begin
// with panoptim_openmp_, for steps by a team of OpenMP's threads.
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
#define PANOPTIM_ABI_VERSION 9

// `long long` rather than `int64_t`, which is a C `long` on Linux alone and would tie the bindings to it.
typedef long long panoptim_int64;

// Status codes. Everything but PANOPTIM_OK leaves all memory as it was, but for an error text.
#define PANOPTIM_OK 0
#define PANOPTIM_INVALID_ARGUMENT 1
#define PANOPTIM_UNSUPPORTED_TIER 2
#define PANOPTIM_CUDA_FAILED 3      // CUDA refused; its own words are in the error text
#define PANOPTIM_THREADS_REFUSED 4  // the system starts no more threads; its words are in the error text

// Tiers: the same formula, compiled for more and more capable processors.
#define PANOPTIM_TIER_BASELINE 0
#define PANOPTIM_TIER_AVX2 1
#define PANOPTIM_TIER_AVX512 2
#define PANOPTIM_TIERS 3

// The composition of a rule. A moment is `state = decay * state + take * input`: with the right coefficients that is
// an exponential moving average, a heavy ball, or a plain sum.
#define PANOPTIM_FIRST_MOMENT_NONE 0
#define PANOPTIM_FIRST_MOMENT_OF_GRADIENT 1
#define PANOPTIM_FIRST_MOMENT_OF_DIRECTION 2  // of the gradient that the second moment has already divided

#define PANOPTIM_NESTEROV_NONE 0
#define PANOPTIM_NESTEROV_NEW 1  // the direction mixes the input with the first moment
#define PANOPTIM_NESTEROV_OLD 2  // the direction mixes the input with the first moment from before this step

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

#define PANOPTIM_HALF_PRECISION_NONE 0
#define PANOPTIM_HALF_PRECISION_BFLOAT16 1
#define PANOPTIM_HALF_PRECISION_FLOAT16 2

// What a step writes to a publication: the format of one element.
#define PANOPTIM_PUBLISH_NONE 0
#define PANOPTIM_PUBLISH_FLOAT32 1
#define PANOPTIM_PUBLISH_BFLOAT16 2
#define PANOPTIM_PUBLISH_FLOAT16 3

// Whether other threads may take part in a call.
#define PANOPTIM_CLOSED 0
#define PANOPTIM_ANNOUNCED 1  // a call is about to begin: helpers wait for it
#define PANOPTIM_OPEN 2       // a call is under way: helpers take shares

// What kind of memory an address is in, as CUDA sees it.
#define PANOPTIM_MEMORY_PAGEABLE 0  // the host's, which CUDA does not know
#define PANOPTIM_MEMORY_PINNED 1    // the host's, which a device can reach
#define PANOPTIM_MEMORY_DEVICE 2
#define PANOPTIM_MEMORY_MANAGED 3  // which moves between the two

// Sums that a chunk's squares are added to.
#define PANOPTIM_LANES 16

// Elements of one tensor that one block of a GPU updates: a part of a chunk.
#define PANOPTIM_TILE 4096

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
  float nesterov_input;   // look-ahead: the input's share in the direction
  float nesterov_moment;  // look-ahead: the first moment's share
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
  uint16_t *half_precision;               // where the plan has a half-precision copy: `length` elements, the parameter in 16 bits
  panoptim_int64 length;          // elements, 0 allowed
  panoptim_int64 offset;          // elements in all rows before this one
  panoptim_int64 first_chunk;     // chunks in all rows before this one, each row's last one perhaps short
  panoptim_int64 coefficients;    // index into the plan's coefficients
  panoptim_int64 published;       // bytes from the plan's publication to this row's copy; below 0 where it has none
} panoptim_tensor;

// A step over any number of tensors that share one composition.
typedef struct panoptim_plan {
  const panoptim_tensor *tensors;
  panoptim_int64 tensor_count;
  const panoptim_coefficients *coefficients;
  panoptim_int64 coefficients_count;
  int32_t first_moment;       // PANOPTIM_FIRST_MOMENT_...
  int32_t nesterov;         // PANOPTIM_NESTEROV_...
  int32_t second_moment;      // PANOPTIM_SECOND_MOMENT_...
  int32_t unit_correction;    // 1: multiplies by the root of the running squared direction
  int32_t sign;               // 1: only the direction's sign counts
  int32_t decay;              // PANOPTIM_DECAY_...
  int32_t clips;              // 1: keeps each gradient, once scaled, from -clip to clip
  float clip;                 // 0 or more, or infinite
  int32_t averages;           // 1: adds the updated parameters to their averages
  int32_t half_precision;             // PANOPTIM_HALF_PRECISION_...: writes them in 16 bits too, to nearest, ties to even
  int32_t zeroes;             // 1: sets gradients to 0 once they have been used
  int32_t publish;            // PANOPTIM_PUBLISH_...: copies the updated parameters to the publication; not on a GPU
  int32_t publish_averages;   // 1: copies the averages there, in the place of the parameters
  int32_t tier;               // PANOPTIM_TIER_...
  int32_t sharing;            // PANOPTIM_CLOSED, or PANOPTIM_ANNOUNCED where panoptim_help is to take part
  int32_t work;               // which call is shared; the library's own
  int32_t helping;            // threads that are in panoptim_help; 0 at first, then left alone
  void *publication;          // where the plan publishes: memory for the copies of all rows that have one
  double *square_sums;        // panoptim_sum_squares: one for each chunk
  panoptim_int64 share;       // elements that a thread takes at a time where the work is shared, 1 or more
  panoptim_int64 taken;       // shares that some thread has taken
  panoptim_int64 helped;      // shares that helpers have taken
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

// Takes shares of the step or the sums that another thread has announced or is making with this plan, until none is
// left. Where there is no such call it returns at once, so it does not matter if it comes too late; but the plan's own
// memory, though not what its rows point into, must still be there.
PANOPTIM_API void panoptim_help(panoptim_plan *plan);

// ---- OpenMP: the library panoptim_openmp ----
//
// The OpenMP runtime keeps a team of threads for each thread that calls; the team ends with that thread. Whether idle
// threads of a team watch for work or sleep is the runtime's decision, by its environment variables.

// The most threads of a team.
#define PANOPTIM_OPENMP_THREADS 1024

PANOPTIM_API int32_t panoptim_openmp_abi_version(void);

// Whether the system would start so many threads more, 0 to PANOPTIM_OPENMP_THREADS: starts them, all at once, and ends
// them. To be called before a team grows, since the runtime ends the process where a thread is refused.
// PANOPTIM_THREADS_REFUSED: it would not. `error` has room for PANOPTIM_TEXT bytes, and is written where the status is
// not PANOPTIM_OK.
PANOPTIM_API int32_t panoptim_openmp_try_threads(int32_t count, char *error);

// What panoptim_step does, to the same bits, by the calling thread's team. The plan's sharing must be PANOPTIM_CLOSED,
// and its share 1 or more.
//
//   team     the team's threads, the calling one among them; others are started or ended until there are so many
//   threads  how many of them take shares, 1 to `team`
PANOPTIM_API int32_t panoptim_openmp_step(panoptim_plan *plan, int32_t team, int32_t threads, ...);

// What panoptim_sum_squares does, in the same way.
PANOPTIM_API int32_t panoptim_openmp_sum_squares(panoptim_plan *plan, int32_t team, int32_t threads, ...);

// Ends the calling thread's team, if it has one. The next step starts another.
PANOPTIM_API int32_t panoptim_openmp_end_team(void);

// ---- GPUs: the library panoptim_cuda ----
//
// Work of one stream is done in order; the stream NULL is CUDA's default stream, which waits for all others that do not
// opt out of that. Work is only asked for: the functions that wait until it is done say so. Memory, streams and events
// are the caller's, who frees them.
//
// Each function checks what CUDA says to each of its calls. `error` has room for PANOPTIM_TEXT bytes, and is written
// where the status is not PANOPTIM_OK. The thread's current context is afterwards what it was before.

typedef struct panoptim_cuda_device {
  char name[PANOPTIM_TEXT];
  int32_t major;                // of its compute capability
  int32_t minor;                //
  panoptim_int64 total_memory;  // bytes
  panoptim_int64 free_memory;   // bytes
} panoptim_cuda_device;

// What the norm of all gradients makes of a step. Lies in memory of the device: no host waits for it.
typedef struct panoptim_cuda_decision {
  double squares;      // the sum of all gradients' squares, unscaled
  double norm;         // of all gradients, scaled and not yet clipped
  double clip_factor;  // 1 where the norm is not above the limit
  float scale;         // what gradients are multiplied with: the scale times that factor
  int32_t skips;  // 1: the step leaves everything as it is, but gradients, which it sets to 0 where the plan says so
} panoptim_cuda_decision;

// Elements of a row from `index * PANOPTIM_TILE` on.
typedef struct panoptim_cuda_tile {
  int32_t row;
  int32_t index;
} panoptim_cuda_tile;

// A step on a device.
typedef struct panoptim_cuda_plan {
  panoptim_plan *plan;  // as for panoptim_step, but that its rows and square_sums point into memory of the device;
                        // tier, sharing and what belongs to them are ignored
  const panoptim_tensor *tensors;       // on the device: a copy of the plan's rows
  const int32_t *chunk_rows;            // on the device: for each chunk, the row that it is of
  const panoptim_cuda_tile *tiles;    // on the device: all rows' tiles, in order
  panoptim_int64 tile_count;           //
  panoptim_coefficients *coefficients;  // on the device: room for the plan's, which each step copies there
  panoptim_int64 coefficients_room;     // how many there is room for
  panoptim_cuda_decision *decision;       // on the device; NULL where the step depends on none
  void *stream;                         // a cudaStream_t
  int32_t device;
  int32_t begins;  // panoptim_cuda_add_squares: 1: the decision's squares start from 0
} panoptim_cuda_plan;

PANOPTIM_API int32_t panoptim_cuda_abi_version(void);

// How many devices there are, perhaps beside one that can be used some that cannot. Where it fails, there is none that
// can, and the error says why.
PANOPTIM_API int32_t panoptim_cuda_devices(int32_t *count, char *error);

PANOPTIM_API int32_t panoptim_cuda_describe(int32_t device, panoptim_cuda_device *description, char *error);

// Memory of a device, aligned to 256 bytes, with arbitrary content. Allocating and freeing it may wait for the device.
PANOPTIM_API int32_t panoptim_cuda_allocate(int32_t device, panoptim_int64 bytes, void **memory, char *error);
PANOPTIM_API int32_t panoptim_cuda_free(int32_t device, void *memory, char *error);

// Memory of the host that devices reach by themselves, so that copies need not wait for the processor. Freeing it waits
// for the device.
PANOPTIM_API int32_t panoptim_cuda_allocate_pinned(int32_t device, panoptim_int64 bytes, void **memory, char *error);
PANOPTIM_API int32_t panoptim_cuda_free_pinned(int32_t device, void *memory, char *error);

// The kind of memory that an address is in, PANOPTIM_MEMORY_..., and the device whose it is, -1 if none. `device` is
// the one that is asked.
PANOPTIM_API int32_t panoptim_cuda_locate(int32_t device, const void *memory, int32_t *kind, int32_t *owner,
                                          char *error);

// Destroying a stream waits until all that it has been given is done.
PANOPTIM_API int32_t panoptim_cuda_create_stream(int32_t device, void **stream, char *error);
PANOPTIM_API int32_t panoptim_cuda_destroy_stream(int32_t device, void *stream, char *error);

// Waits until all that the stream has been given is done. Where that failed on the device, so does this.
PANOPTIM_API int32_t panoptim_cuda_await(int32_t device, void *stream, char *error);

PANOPTIM_API int32_t panoptim_cuda_create_event(int32_t device, void **event, char *error);
PANOPTIM_API int32_t panoptim_cuda_destroy_event(int32_t device, void *event, char *error);

// The event happens when all that the stream has been given so far is done; one that was never recorded has happened.
PANOPTIM_API int32_t panoptim_cuda_record(int32_t device, void *event, void *stream, char *error);
PANOPTIM_API int32_t panoptim_cuda_await_event(int32_t device, void *event, char *error);

// The stream does what it is given from now on once the event has happened.
PANOPTIM_API int32_t panoptim_cuda_follow(int32_t device, void *stream, void *event, char *error);

// Copies between any two kinds of memory, in the order of the stream. Pageable memory makes it wait.
PANOPTIM_API int32_t panoptim_cuda_copy(int32_t device, void *stream, void *to, const void *from, panoptim_int64 bytes,
                                        char *error);

// Sets each byte of a device's memory, in the order of the stream.
PANOPTIM_API int32_t panoptim_cuda_fill(int32_t device, void *stream, void *memory, int32_t value, panoptim_int64 bytes,
                                        char *error);

// What panoptim_sum_squares computes, in the same order and to the same bits; then adds the chunks' sums, in their
// order, to the decision's `squares`. What is wrong is said in the plan's error text, here as in panoptim_cuda_step.
PANOPTIM_API int32_t panoptim_cuda_add_squares(panoptim_cuda_plan *plan, ...);

// Makes of the decision's `squares` the rest of it, and brings a copy to the host.
//
//   limit    the largest norm that is not clipped, perhaps infinite
//   skips    whether a norm that is not finite makes steps skip
//   copy     pinned memory, in which the decision is once `arrival` has happened
PANOPTIM_API int32_t panoptim_cuda_decide(int32_t device, void *stream, panoptim_cuda_decision *decision, double scale,
                                         double limit, int32_t skips, panoptim_cuda_decision *copy, void *arrival,
                                         char *error);

// Sets all gradients of the plan to 0.
PANOPTIM_API int32_t panoptim_cuda_zero_gradients(panoptim_cuda_plan *plan, ...);

// One optimizer step, to the bits of panoptim_step. It is complete when the stream has come to its end.
PANOPTIM_API int32_t panoptim_cuda_step(panoptim_cuda_plan *plan, ...);

#ifdef __cplusplus
}
#endif

#endif
