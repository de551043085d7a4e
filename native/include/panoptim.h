// The C ABI of Panoptim: all functions and types of the native code that Java uses.
//
// The library keeps no memory, no handle and no state between calls. The caller owns all tables below and keeps them
// alive during a call. Several threads may call functions at the same time, as long as no two calls write the same
// memory.
//
// The functions panoptim_cuda_... are in a separate library, for GPUs. The functions panoptim_openmp_... are in another
// one, for steps by a team of OpenMP threads.
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

// Rises with each change of a layout, a constant or a signature below.
#define PANOPTIM_ABI_VERSION 17

// `long long`, because `int64_t` is a C `long` on Linux only and would tie the bindings to Linux.
typedef long long panoptim_int64;

// Status codes. With any status but PANOPTIM_OK, the call has changed nothing except the error text, and `sharing`,
// which is then PANOPTIM_CLOSED.
#define PANOPTIM_OK 0
#define PANOPTIM_INVALID_ARGUMENT 1
#define PANOPTIM_UNSUPPORTED_TIER 2
#define PANOPTIM_CUDA_FAILED 3      // a CUDA call failed; the error text has CUDA's message
#define PANOPTIM_THREADS_REFUSED 4  // the system starts no more threads; the error text has its reason

// Tiers: the same source, compiled for different instruction sets.
#define PANOPTIM_TIER_BASELINE 0
#define PANOPTIM_TIER_AVX2 1
#define PANOPTIM_TIER_AVX512 2
#define PANOPTIM_TIERS 3

// The composition of a rule. A moment is `state = decay * state + take * input`. Its coefficients make it an
// exponential moving average, a heavy ball, or a sum.
#define PANOPTIM_FIRST_MOMENT_NONE 0
#define PANOPTIM_FIRST_MOMENT_OF_GRADIENT 1
#define PANOPTIM_FIRST_MOMENT_OF_DIRECTION 2  // of the gradient after its division by the second moment's root

#define PANOPTIM_NESTEROV_NONE 0
#define PANOPTIM_NESTEROV_NEW 1  // the direction mixes the input with the first moment
#define PANOPTIM_NESTEROV_OLD 2  // the direction mixes the input with the first moment before this step

#define PANOPTIM_SECOND_MOMENT_NONE 0
#define PANOPTIM_SECOND_MOMENT_RUNNING 1
#define PANOPTIM_SECOND_MOMENT_MAXIMUM 2    // the largest running moment so far
#define PANOPTIM_SECOND_MOMENT_CENTERED 3   // minus the square of the running gradient
#define PANOPTIM_SECOND_MOMENT_RECTIFIED 4  // divides only if the coefficient `divides` is not 0
#define PANOPTIM_SECOND_MOMENT_INFINITY 5   // the largest absolute gradient, decaying
#define PANOPTIM_SECOND_MOMENT_BELIEF 6     // of the gradient's difference from the first moment
#define PANOPTIM_SECOND_MOMENT_SIGNED 7     // moves by the sign of its difference from the squared gradient
#define PANOPTIM_SECOND_MOMENT_DELAYED 8    // divides before this step's gradient is added
#define PANOPTIM_SECOND_MOMENT_CURVATURE 9  // changes only in steps whose coefficient `divides` is 0
#define PANOPTIM_SECOND_MOMENT_MIXED 10     // mixed with the squared gradient

#define PANOPTIM_DECAY_NONE 0
#define PANOPTIM_DECAY_L2 1
#define PANOPTIM_DECAY_DECOUPLED 2

// More states of past gradients.
#define PANOPTIM_HISTORY_NONE 0
#define PANOPTIM_HISTORY_SLOW 1        // a second, slower first moment
#define PANOPTIM_HISTORY_DIFFERENCE 2  // a moment of the differences between successive gradients
#define PANOPTIM_HISTORY_CORRECTED 3   // the gradient plus a share of its difference from the previous one

#define PANOPTIM_UPDATE_DESCENT 0        // the parameter minus the direction
#define PANOPTIM_UPDATE_CAUTIOUS 1       // only where direction and gradient have the same sign
#define PANOPTIM_UPDATE_AVERAGED 2       // and a state with the average of the parameter
#define PANOPTIM_UPDATE_SIGN_STEPS 3     // by the gradient's sign, with a step size for each element
#define PANOPTIM_UPDATE_PROXIMAL 4       // the parameter is computed from the sum of all gradients
#define PANOPTIM_UPDATE_SCHEDULE_FREE 5  // between the state z and the average of z

// Elements of a chunk: a part of one tensor that one loop updates. Loops over 1024 to 65536 elements take the same
// time. With this number, two threads can share a tensor of 32768 elements, the smallest for which a second thread
// pays. Squares are summed chunk by chunk, so another number changes the last bits of a norm: -Pbench
// -Dbench.args="ConstantsBenchmark -p changed=chunk=1024,chunk=65536".
#define PANOPTIM_CHUNK 16384

#define PANOPTIM_HALF_PRECISION_NONE 0
#define PANOPTIM_HALF_PRECISION_BFLOAT16 1
#define PANOPTIM_HALF_PRECISION_FLOAT16 2

// The format of an element in a publication.
#define PANOPTIM_PUBLISH_NONE 0
#define PANOPTIM_PUBLISH_FLOAT32 1
#define PANOPTIM_PUBLISH_BFLOAT16 2
#define PANOPTIM_PUBLISH_FLOAT16 3

// Whether other threads may join a call.
#define PANOPTIM_CLOSED 0
#define PANOPTIM_ANNOUNCED 1  // a call is about to begin; helpers wait for it
#define PANOPTIM_OPEN 2       // a call is running; helpers take shares

// The kind of memory of an address, as CUDA reports it.
#define PANOPTIM_MEMORY_PAGEABLE 0  // host memory that CUDA does not know
#define PANOPTIM_MEMORY_PINNED 1    // host memory that a device can access
#define PANOPTIM_MEMORY_DEVICE 2
#define PANOPTIM_MEMORY_MANAGED 3  // moves between host and device

// Partial sums of a chunk's squares.
#define PANOPTIM_LANES 16

// The sums of squares of panoptim_measure: of the parameters; of the gradients, scaled, clipped and corrected; of the
// changes that the step would make to the parameters; and, for a cautious update, the number of elements that it would
// change, else of the gradients over the root of the second moment, which is taken to be at least epsilon squared. The
// change is 0 unless the composition is that of LAMB; the last is 0 unless it is that, or cautious.
#define PANOPTIM_MEASURE_PARAMETER 0
#define PANOPTIM_MEASURE_GRADIENT 1
#define PANOPTIM_MEASURE_CHANGE 2
#define PANOPTIM_MEASURE_LAST 3
#define PANOPTIM_MEASURES 4

// Elements of a tile: the part of a chunk that one block of a GPU updates.
#define PANOPTIM_TILE 4096

// The most coefficients that are arguments of a step's launch on a GPU.
#define PANOPTIM_CUDA_FEW 32

#define PANOPTIM_STATES 4   // the most states of a rule
#define PANOPTIM_SPECIAL 6  // coefficients that only few compositions need
#define PANOPTIM_TEXT 256   // bytes of a text, with its terminating 0

// The coefficients of a step. The caller computes them in double and rounds them to float once. A decay is the sum of
// two floats: 0.999f differs so much from 0.999 that the average would forget 1.3e-5 too slowly.
typedef struct panoptim_coefficients {
  float gradient_scale;     // the factor of gradients, applied first; negative to maximize
  float weight_decay;       // L2: the decay; decoupled: learning rate times decay
  float first_decay;        // the largest float below the first moment's decay
  float first_decay_rest;   // the first moment's decay minus first_decay
  float first_take;         // the factor of the gradient in the first moment
  float second_decay;       // as for the first moment
  float second_decay_rest;  //
  float second_take;        // the factor of the squared gradient in the second moment
  float nesterov_input;     // Nesterov: the factor of the input in the direction
  float nesterov_moment;    // Nesterov: the factor of the first moment in the direction
  float epsilon_inside;     // added under the root of the second moment
  float epsilon;            // added to that root; for the infinity norm, to the gradient
  float divides;            // rectified: 0 leaves the direction undivided
  float step_size;          // the factor of the direction in the update
  float average_take;       // the factor of the parameter in its running average
  float clipped_scale;      // if the plan clips: the factor of gradients that have been scaled and clipped
  float
      special[PANOPTIM_SPECIAL];  // factors of the second moment, history or update: `special_numbers` in rule/update.h
} panoptim_coefficients;

// One parameter tensor: a row of the plan. Its arrays are its operands. No two operands of a plan may overlap.
typedef struct panoptim_tensor {
  float *parameter;               // `length` elements, updated in place
  float *gradient;                // `length` elements, read; set to 0 if the plan zeroes
  float *state[PANOPTIM_STATES];  // `length` elements each: the rule's states in order; others are not read
  float *average;                 // if the plan averages: `length` elements, a running average of the parameter
  uint16_t *half_precision;       // if the plan has a half-precision copy: `length` elements of 16 bits
  panoptim_int64 length;          // elements, 0 allowed
  panoptim_int64 offset;          // elements in all rows before this one
  panoptim_int64 first_chunk;     // chunks in all rows before this one; the last chunk of a row may be short
  panoptim_int64 coefficients;    // index into the plan's coefficients
  panoptim_int64 published;       // bytes from the plan's publication to this row's copy; negative for none
} panoptim_tensor;

// A step over any number of tensors that share one composition.
typedef struct panoptim_plan {
  const panoptim_tensor *tensors;
  panoptim_int64 tensor_count;
  const panoptim_coefficients *coefficients;
  panoptim_int64 coefficients_count;
  int32_t first_moment;       // PANOPTIM_FIRST_MOMENT_...
  int32_t nesterov;           // PANOPTIM_NESTEROV_...
  int32_t second_moment;      // PANOPTIM_SECOND_MOMENT_...
  int32_t unit_correction;    // 1: multiplies by the root of the running squared direction
  int32_t sign;               // 1: the direction is replaced by its sign
  int32_t decay;              // PANOPTIM_DECAY_...
  int32_t history;            // PANOPTIM_HISTORY_...
  int32_t update;             // PANOPTIM_UPDATE_...
  int32_t clips;              // 1: keeps each scaled gradient from -clip to clip
  float clip;                 // 0 or more, or infinite
  int32_t averages;           // 1: adds the updated parameters to their averages
  int32_t half_precision;     // PANOPTIM_HALF_PRECISION_...: writes them in 16 bits too, to nearest even
  int32_t zeroes;             // 1: sets gradients to 0 after their use
  int32_t publish;            // PANOPTIM_PUBLISH_...: copies the updated parameters to the publication; not on a GPU
  int32_t publish_averages;   // 1: copies the averages instead of the parameters
  int32_t tier;               // PANOPTIM_TIER_...
  int32_t sharing;            // PANOPTIM_CLOSED, or PANOPTIM_ANNOUNCED if panoptim_help may join
  int32_t work;               // which function is shared; written by the library
  int32_t helping;            // threads in panoptim_help; 0 at first, then written by the library only
  int32_t measured;           // panoptim_measure: bit 1 << PANOPTIM_MEASURE_... of each sum that is needed
  void *publication;          // if the plan publishes: memory for the copies of the rows
  double *square_sums;        // panoptim_sum_squares: one for each chunk
  double *measures;           // panoptim_measure: PANOPTIM_MEASURES for each chunk
  panoptim_int64 share;       // if the call is shared: elements of a share, 1 or more
  panoptim_int64 taken;       // shares taken by any thread
  panoptim_int64 helped;      // shares taken by helpers
  char error[PANOPTIM_TEXT];  // the reason why the status is not PANOPTIM_OK
} panoptim_plan;

// The build, and the processor on which it runs.
typedef struct panoptim_description {
  int32_t abi_version;
  int32_t tier_available[PANOPTIM_TIERS];           // 1 if steps may name the tier
  char tier_reason[PANOPTIM_TIERS][PANOPTIM_TEXT];  // the reason why a tier is unavailable
  char compiler[PANOPTIM_TEXT];
} panoptim_description;

// The version of the library. Callers call this function first. Every version of the library has it.
PANOPTIM_API int32_t panoptim_abi_version(void);

PANOPTIM_API int32_t panoptim_describe(panoptim_description *description);

// One optimizer step. Pointers after the plan are ignored. They are for runtimes that keep the memory of arguments
// alive during a call: such a caller passes the memory to which the plan's rows point.
//
// The step is complete when the call returns. The library starts no threads: helpers are threads of the caller that
// call panoptim_help.
PANOPTIM_API int32_t panoptim_step(panoptim_plan *plan, ...);

// Writes the sum of the squares of each chunk's unscaled gradients to square_sums. A sum is finite if its gradients
// are. The bits depend neither on the tier nor on the number of threads: element i of a chunk is added, in order, to
// sum i modulo PANOPTIM_LANES. Then the sums are added in halves, sum k + half to sum k, until one is left.
PANOPTIM_API int32_t panoptim_sum_squares(panoptim_plan *plan, ...);

// Writes the sums for each chunk that a step's factors of tensors depend on, without a change of any operand; 0 for
// those that the plan does not need. The bits depend on the same order as those of panoptim_sum_squares.
PANOPTIM_API int32_t panoptim_measure(panoptim_plan *plan, ...);

// Joins the step or the sums of another thread that uses this plan, and takes shares until none is left. If there is no
// announced or running call, it returns at once, so a late call is harmless. The plan's memory must still be valid; the
// memory of its operands need not be.
PANOPTIM_API void panoptim_help(panoptim_plan *plan);

// ---- Vectors ----
//
// Operations on vectors: floats that follow one another in memory, in chunks of PANOPTIM_CHUNK elements. The bits
// depend neither on the tier nor on the number of threads. A NaN that is stored is 0x7fc00000.

// Sums of each chunk, in the order of panoptim_sum_squares. A product of two floats is exact in double.
#define PANOPTIM_VECTOR_DOT 0           // sums: x * y
#define PANOPTIM_VECTOR_SUM_ABSOLUTE 1  // sums: the absolute value of x

#define PANOPTIM_VECTOR_LARGEST 2  // sums: the largest absolute value of x; NaN if there is a NaN
#define PANOPTIM_VECTOR_ADD 3      // result = fma(factor, x, y)
#define PANOPTIM_VECTOR_SCALE 4    // result = factor * x
#define PANOPTIM_VECTOR_OPERATIONS 5

// One operation. The operands that an operation does not name are not read. The result may be the same vector as x or
// y, and must not overlap them otherwise.
typedef struct panoptim_vectors {
  const float *x;             // `length` elements, here and below
  const float *y;             //
  float *result;              //
  double *sums;               // one for each chunk; the last chunk may be short
  panoptim_int64 length;      // elements, 0 allowed
  float factor;               //
  int32_t operation;          // PANOPTIM_VECTOR_...
  int32_t tier;               // PANOPTIM_TIER_...
  int32_t sharing;            // PANOPTIM_CLOSED, or PANOPTIM_ANNOUNCED if panoptim_help_vectors may join
  int32_t helping;            // threads in panoptim_help_vectors; 0 at first, then written by the library only
  panoptim_int64 share;       // if the call is shared: elements of a share, 1 or more
  panoptim_int64 taken;       // shares taken by any thread
  panoptim_int64 helped;      // shares taken by helpers
  char error[PANOPTIM_TEXT];  // the reason why the status is not PANOPTIM_OK
} panoptim_vectors;

// Makes one operation; it is complete when the call returns. Pointers after the first are ignored, as for
// panoptim_step.
PANOPTIM_API int32_t panoptim_run_vectors(panoptim_vectors *vectors, ...);

// Joins the operation of another thread, as panoptim_help joins a step.
PANOPTIM_API void panoptim_help_vectors(panoptim_vectors *vectors);

// ---- Matrix products ----
//
// Matrices are row-major: element (i, j) is at index i * stride + j. Element (i, j) of a product of depth K is one
// chain of fused multiply-adds in ascending order of k, and one more operation at its end:
//
//   sum = 0;  for k from 0 to K - 1: sum = fma(left(i, k), right(k, j), sum)
//   output(i, j) = fma(alpha, sum, beta * added(i, j))
//
// With beta = 0, the last operand is 0 and `added` is not read. A NaN is stored as 0x7fc00000. So the bits depend
// neither on the tier, nor on the number of threads, nor on the sizes of blocks.

#define PANOPTIM_PRODUCT_GENERAL 0    // left times right
#define PANOPTIM_PRODUCT_SYMMETRIC 1  // left times the transposed left: half of the elements are computed, and mirrored

// Products of several matrices that share one shape. An output must not overlap another operand, except that it may be
// the same matrix as `added`.
typedef struct panoptim_product {
  const float *const *left;    // `count` matrices of rows x depth
  const float *const *right;   // `count` matrices of depth x columns; not read for a symmetric product
  const float *const *added;   // `count` matrices of rows x columns; of a symmetric product, the elements right of the
                               // diagonal are read, and taken for those left of it too
  float *const *output;        // `count` matrices of rows x columns
  panoptim_int64 count;        // 0 allowed, here and for the sizes
  panoptim_int64 rows;         //
  panoptim_int64 columns;      // equal to rows for a symmetric product
  panoptim_int64 depth;        //
  panoptim_int64 left_stride;  // elements from a row to the next, at least the columns of the matrix
  panoptim_int64 right_stride;
  panoptim_int64 added_stride;
  panoptim_int64 output_stride;
  float alpha;
  float beta;
  int32_t form;                    // PANOPTIM_PRODUCT_...
  int32_t tier;                    // PANOPTIM_TIER_...
  int32_t threads;                 // the most threads that take part, 1 or more; later helpers return at once
  int32_t sharing;                 // PANOPTIM_CLOSED, or PANOPTIM_ANNOUNCED if panoptim_help_multiply may join
  int32_t helping;                 // threads in panoptim_help_multiply; 0 at first, then written by the library only
  int32_t joined;                  // threads that have a part of the workspace; written by the library
  void *workspace;                 // memory of workspace_bytes, aligned to PANOPTIM_WORKSPACE_ALIGNMENT
  panoptim_int64 workspace_bytes;  // written by panoptim_multiply_workspace
  panoptim_int64 taken;            // shares taken by any thread
  char error[PANOPTIM_TEXT];       // the reason why the status is not PANOPTIM_OK
} panoptim_product;

// Bytes, as is usual for a cache line.
#define PANOPTIM_WORKSPACE_ALIGNMENT 64

// Writes the workspace_bytes that the product needs for its shape, form, tier and number of threads.
PANOPTIM_API int32_t panoptim_multiply_workspace(panoptim_product *product);

// Computes the products. Pointers after the product are ignored, as for panoptim_step. The products are complete when
// the call returns.
PANOPTIM_API int32_t panoptim_multiply(panoptim_product *product, ...);

// Joins the multiplication of another thread, as panoptim_help joins a step.
PANOPTIM_API void panoptim_help_multiply(panoptim_product *product);

// ---- Factored second moments ----
//
// Operations on a matrix of rows x columns whose rows follow one another without gaps. The bits depend neither on the
// tier nor on the number of threads, except that the bits of a NaN among the doubles are not defined. A NaN that is
// stored as a float is 0x7fc00000. x is an element times `scale`, in float.

// Sums of x * x + addend, in double: the square is exact. Element j of a chunk of PANOPTIM_CHUNK elements of a row is
// added to sum j modulo PANOPTIM_LANES, and these sums are added in halves, as for panoptim_sum_squares. In a block of
// PANOPTIM_FACTORED_BLOCK rows, the terms of a column are added from the top. The caller adds the sums of the chunks of
// a row, and those of the blocks of a column, in order.
#define PANOPTIM_FACTORED_SUMS 0

// result = x * min(row_factors[row] * column_factors[column], most). Without column_factors, result = x *
// min(row_factors[row], most). A NaN among the factors passes the minimum.
#define PANOPTIM_FACTORED_SCALE 1

// For a tensor without factors, whose state has an element for each one: state = fma(take, fma(x, x, addend) - state,
// state), then result = x / sqrt(max(state, least)). The addend is rounded to float.
#define PANOPTIM_FACTORED_VECTOR 2
#define PANOPTIM_FACTORED_OPERATIONS 3

// Rows of a block. The sums of the blocks need 8 bytes for 64 elements: 3% of the matrix's memory.
#define PANOPTIM_FACTORED_BLOCK 64

// One operation. The operands that an operation does not name are not read. The result may be the same memory as the
// matrix; other operands do not overlap.
typedef struct panoptim_factored {
  const float *matrix;
  float *result;                // as the matrix
  float *state;                 // as the matrix
  const float *row_factors;     // `rows` elements
  const float *column_factors;  // `columns` elements, or NULL
  double *row_sums;             // the chunks of each row, row by row; the last chunk of a row may be short
  double *column_sums;          // the columns of each block, block by block; NULL: columns are not summed
  double *squares;         // of the result, the sum of the squares of each chunk of the whole matrix, in the order of
                           // panoptim_sum_squares; NULL: not computed
  panoptim_int64 rows;     // 0 allowed, here and for the columns
  panoptim_int64 columns;  //
  double addend;
  float scale;
  float most;
  float take;
  float least;
  int32_t operation;          // PANOPTIM_FACTORED_...
  int32_t tier;               // PANOPTIM_TIER_...
  int32_t sharing;            // PANOPTIM_CLOSED, or PANOPTIM_ANNOUNCED if panoptim_help_factored may join
  int32_t helping;            // threads in panoptim_help_factored; 0 at first, then written by the library only
  panoptim_int64 share;       // if the call is shared: elements of a share, 1 or more
  panoptim_int64 taken;       // shares taken by any thread
  panoptim_int64 helped;      // shares taken by helpers
  char error[PANOPTIM_TEXT];  // the reason why the status is not PANOPTIM_OK
} panoptim_factored;

// Makes one operation; it is complete when the call returns. Pointers after the first are ignored, as for
// panoptim_step.
PANOPTIM_API int32_t panoptim_run_factored(panoptim_factored *factored, ...);

// Joins the operation of another thread, as panoptim_help joins a step.
PANOPTIM_API void panoptim_help_factored(panoptim_factored *factored);

// ---- Rows ----
//
// A step over some rows of a table, each of which has a gradient that is the sum of one or more given gradients. The
// kernels of panoptim_step do the arithmetic. The bits depend neither on the tier nor on the number of threads.

// What divides the step of a row.
#define PANOPTIM_ROW_FACTOR_NONE 0
#define PANOPTIM_ROW_FACTOR_ADAGRAD 1  // the root of the row's sum of mean squared gradients

// The powers of two of missed steps that are made together.
#define PANOPTIM_ROW_GAPS 40

// Where an operand of a row is: `stride` times the row's place bytes after `base`. With a stride of 1, places are
// addresses, and `base` is the bytes from there to the operand.
typedef struct panoptim_row_operand {
  char *base;
  panoptim_int64 stride;  // bytes; 0 if the rows do not have the operand
} panoptim_row_operand;

// Of 2^k missed steps of Adam that are made together.
typedef struct panoptim_row_gap {
  double first_power;     // beta1 to the power of 2^k
  double second_power;    // beta2 to the power of 2^k
  double movement;        // the sum of the first 2^k powers of beta1 / root(beta2)
  panoptim_int64 middle;  // the step, from 0 on, whose bias correction all of them have
} panoptim_row_gap;

// Rows must not occur twice. Operands do not overlap.
//
// Missed steps: with `replayed` above 0, each row first makes the steps between its last one and this one, with a
// gradient of 0. The last `replayed` of them are made one by one. Those before are made together, by powers of two from
// the smallest on: for 2^k steps from step t on, a step with moves[k] that moves the parameter, then one with
// decays[k], for the decay of the moments. With p and q the powers t of beta1 and beta2, products of the powers in
// `gaps` from the smallest on, the first one has, in double, the
//
//   step_size = learning_rate * root(1 - q) / (1 - p) * gaps[k].movement    epsilon = epsilon * root(1 - q)
//
// Numbers of steps are below 2^PANOPTIM_ROW_GAPS; a row's last step below 0 is taken for 0.
typedef struct panoptim_rows {
  const panoptim_int64 *places;    // of `count` rows
  const int32_t *first;            // for each row, the index of its first gradient; -1: it only makes missed steps
  const int32_t *next;             // for each gradient, the index of the next one of the same row, larger; -1: none
  const float *gradients;          // `gradient_count` gradients of `width` elements, added in order
  panoptim_int64 count;            // 0 allowed
  panoptim_int64 gradient_count;   // 0 allowed
  panoptim_int64 width;            // elements of a row, 1 or more
  panoptim_row_operand parameter;  // `width` floats
  panoptim_row_operand state[PANOPTIM_STATES];  // `width` floats each: the states of the composition, in order
  panoptim_row_operand sum;                     // a float: for PANOPTIM_ROW_FACTOR_ADAGRAD
  panoptim_row_operand steps;                   // an int64: the number of the row's last step
  panoptim_row_operand version;                 // an int32: odd while the row is written, and higher by 2 afterwards
  const panoptim_plan *rule;                    // only its composition is read
  const panoptim_coefficients *coefficients;    // of this step
  const panoptim_coefficients *missed;          // of missed steps: that of step s is at s modulo `replayed`
  const panoptim_row_gap *gaps;                 // PANOPTIM_ROW_GAPS, as the two below
  const panoptim_coefficients *moves;           // of missed steps that are made together
  const panoptim_coefficients *decays;          //
  panoptim_int64 replayed;                      // 0: missed steps are not made
  panoptim_int64 step;                          // the number of this step
  double learning_rate;                         // for PANOPTIM_ROW_FACTOR_ADAGRAD, and steps made together
  double epsilon;                               //
  int32_t factor;                               // PANOPTIM_ROW_FACTOR_...
  int32_t tier;                                 // PANOPTIM_TIER_...
  int32_t sharing;                              // PANOPTIM_CLOSED, or PANOPTIM_ANNOUNCED if panoptim_help_rows may join
  int32_t helping;            // threads in panoptim_help_rows; 0 at first, then written by the library only
  panoptim_int64 share;       // if the call is shared: elements of a share, 1 or more
  panoptim_int64 taken;       // shares taken by any thread
  panoptim_int64 helped;      // shares taken by helpers
  char error[PANOPTIM_TEXT];  // the reason why the status is not PANOPTIM_OK
} panoptim_rows;

// Makes the step; it is complete when the call returns. Pointers after the first are ignored, as for panoptim_step.
PANOPTIM_API int32_t panoptim_step_rows(panoptim_rows *rows, ...);

// Joins the step of another thread, as panoptim_help joins a step.
PANOPTIM_API void panoptim_help_rows(panoptim_rows *rows);

// ---- OpenMP: the library panoptim_openmp ----
//
// The OpenMP runtime keeps a team of threads for each calling thread; the team ends with that thread. Environment
// variables of the runtime decide whether idle threads of a team spin or sleep.

// The most threads of a team, the calling thread included.
#define PANOPTIM_OPENMP_THREADS 1024

PANOPTIM_API int32_t panoptim_openmp_abi_version(void);

// Tests whether the system starts `count` more threads, 0 to PANOPTIM_OPENMP_THREADS: starts them all and ends
// them. Call it before a team grows, because the runtime ends the process if a thread is refused. Returns
// PANOPTIM_THREADS_REFUSED if one was refused. `error` has room for PANOPTIM_TEXT bytes, and is written if the status
// is not PANOPTIM_OK.
PANOPTIM_API int32_t panoptim_openmp_try_threads(int32_t count, char *error);

// Like panoptim_step, with the same bits, by the calling thread's team. The plan's sharing must be PANOPTIM_CLOSED, and
// its share 1 or more.
//
//   team     the number of the team's threads, the calling thread included; the runtime starts or ends threads
//   threads  the number of them that take shares, 1 to `team`
PANOPTIM_API int32_t panoptim_openmp_step(panoptim_plan *plan, int32_t team, int32_t threads, ...);

// Like panoptim_sum_squares, by the calling thread's team.
PANOPTIM_API int32_t panoptim_openmp_sum_squares(panoptim_plan *plan, int32_t team, int32_t threads, ...);

// Like panoptim_measure, by the calling thread's team.
PANOPTIM_API int32_t panoptim_openmp_measure(panoptim_plan *plan, int32_t team, int32_t threads, ...);

// Ends the calling thread's team, if it has one. The next step starts another.
PANOPTIM_API int32_t panoptim_openmp_end_team(void);

// ---- GPUs: the library panoptim_cuda ----
//
// Functions enqueue work and return; those that wait for its end say so. The work of a stream runs in order. The stream
// NULL is CUDA's default stream, which waits for all streams that were not created as non-blocking. Memory, streams and
// events belong to the caller.
//
// Each function checks the result of each CUDA call. `error` has room for PANOPTIM_TEXT bytes, and is written if the
// status is not PANOPTIM_OK. Functions restore the thread's current context.

typedef struct panoptim_cuda_device {
  char name[PANOPTIM_TEXT];
  int32_t major;                // of the compute capability
  int32_t minor;                //
  panoptim_int64 total_memory;  // bytes
  panoptim_int64 free_memory;   // bytes
} panoptim_cuda_device;

// A range of addresses that was allocated or mapped as one piece.
typedef struct panoptim_cuda_range {
  int32_t kind;          // PANOPTIM_MEMORY_...; the rest is of no meaning for PANOPTIM_MEMORY_PAGEABLE
  int32_t device;        // the device that owns the memory, -1 if none
  panoptim_int64 start;  // an address
  panoptim_int64 bytes;  // the size; 0 if CUDA does not report it
} panoptim_cuda_range;

// The norm decision: the clip factor and whether the step is skipped, computed from the norm of all gradients. It lies
// in device memory, so that no host thread waits for it.
typedef struct panoptim_cuda_decision {
  double squares;      // the sum of the squares of all unscaled gradients
  double norm;         // of all gradients, scaled and not clipped
  double clip_factor;  // 1 if the norm is not above the limit
  float scale;         // the factor of gradients: the scale times clip_factor
  int32_t skips;       // 1: the step changes nothing, except that it zeroes gradients if the plan does
} panoptim_cuda_decision;

// PANOPTIM_TILE elements of a row, or fewer at its end, from `index * PANOPTIM_TILE` on.
typedef struct panoptim_cuda_tile {
  int32_t row;
  int32_t index;
} panoptim_cuda_tile;

// A step on a device.
typedef struct panoptim_cuda_plan {
  panoptim_plan *plan;  // as for panoptim_step, with operands and square_sums in device memory; its tier and sharing
                        // are ignored
  const panoptim_tensor *tensors;             // on the device: a copy of the plan's rows
  const int32_t *chunk_rows;                  // on the device: the row of each chunk
  const panoptim_cuda_tile *tiles;            // on the device: the tiles of all rows, in order
  panoptim_int64 tile_count;                  //
  const panoptim_coefficients *coefficients;  // on the device: a copy of the plan's coefficients; not read if there are
                                              // PANOPTIM_CUDA_FEW or fewer
  panoptim_cuda_decision *decision;           // on the device; NULL if the step depends on no norm
  void *stream;                               // a cudaStream_t
  int32_t device;
  int32_t begins;  // for panoptim_cuda_add_squares: 1: the decision's squares start at 0
} panoptim_cuda_plan;

PANOPTIM_API int32_t panoptim_cuda_abi_version(void);

// The number of devices. At least one of them can be used. Fails if there is none, and the error has the reason.
PANOPTIM_API int32_t panoptim_cuda_devices(int32_t *count, char *error);

PANOPTIM_API int32_t panoptim_cuda_describe(int32_t device, panoptim_cuda_device *description, char *error);

// Device memory, aligned to 256 bytes and not initialised. Both functions may wait for the device.
PANOPTIM_API int32_t panoptim_cuda_allocate(int32_t device, panoptim_int64 bytes, void **memory, char *error);
PANOPTIM_API int32_t panoptim_cuda_free(int32_t device, void *memory, char *error);

// Pinned host memory, which devices access without the processor. panoptim_cuda_free_pinned waits for the device.
PANOPTIM_API int32_t panoptim_cuda_allocate_pinned(int32_t device, panoptim_int64 bytes, void **memory, char *error);
PANOPTIM_API int32_t panoptim_cuda_free_pinned(int32_t device, void *memory, char *error);

// Writes the range of an address. Memory may have been allocated by any code of the process.
PANOPTIM_API int32_t panoptim_cuda_locate(const void *memory, panoptim_cuda_range *range, char *error);

// panoptim_cuda_destroy_stream waits for the work of the stream.
PANOPTIM_API int32_t panoptim_cuda_create_stream(int32_t device, void **stream, char *error);
PANOPTIM_API int32_t panoptim_cuda_destroy_stream(int32_t device, void *stream, char *error);

// Waits for the work of the stream. Fails if that work failed.
PANOPTIM_API int32_t panoptim_cuda_await(int32_t device, void *stream, char *error);

PANOPTIM_API int32_t panoptim_cuda_create_event(int32_t device, void **event, char *error);
PANOPTIM_API int32_t panoptim_cuda_destroy_event(int32_t device, void *event, char *error);

// The event happens when the work that the stream has so far is done. An event that was never recorded has happened.
PANOPTIM_API int32_t panoptim_cuda_record(int32_t device, void *event, void *stream, char *error);
PANOPTIM_API int32_t panoptim_cuda_await_event(int32_t device, void *event, char *error);

// Work that is enqueued from now on begins after the event.
PANOPTIM_API int32_t panoptim_cuda_follow(int32_t device, void *stream, void *event, char *error);

// Enqueues a copy between any two kinds of memory. Waits for the copy if one of them is pageable.
PANOPTIM_API int32_t panoptim_cuda_copy(int32_t device, void *stream, void *to, const void *from, panoptim_int64 bytes,
                                        char *error);

// Enqueues a write of `value` to each byte of device memory.
PANOPTIM_API int32_t panoptim_cuda_fill(int32_t device, void *stream, void *memory, int32_t value, panoptim_int64 bytes,
                                        char *error);

// Like panoptim_sum_squares, in the same order and with the same bits. Then adds the sums of the chunks, in order, to
// the decision's `squares`. The plan has the error text, here and for the functions below that take a plan.
PANOPTIM_API int32_t panoptim_cuda_add_squares(panoptim_cuda_plan *plan, ...);

// Computes the other members of a decision from its `squares`, and writes it to host memory too.
//
//   limit    the largest norm that is not clipped; may be infinite
//   skips    whether steps with a norm that is not finite are skipped
//   copy     memory of panoptim_cuda_allocate_pinned; it holds the decision after the event `arrival`
PANOPTIM_API int32_t panoptim_cuda_decide(int32_t device, void *stream, panoptim_cuda_decision *decision, double scale,
                                          double limit, int32_t skips, panoptim_cuda_decision *copy, void *arrival,
                                          char *error);

// Sets all gradients of the plan to 0.
PANOPTIM_API int32_t panoptim_cuda_zero_gradients(panoptim_cuda_plan *plan, ...);

// Like panoptim_measure, with the same bits. The plan's `measures` are in device memory.
PANOPTIM_API int32_t panoptim_cuda_measure(panoptim_cuda_plan *plan, ...);

// One optimizer step, with the bits of panoptim_step. It is complete when the work of the stream is done.
PANOPTIM_API int32_t panoptim_cuda_step(panoptim_cuda_plan *plan, ...);

#ifdef __cplusplus
}
#endif

#endif
