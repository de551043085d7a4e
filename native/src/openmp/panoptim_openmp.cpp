// The functions of the library panoptim_openmp: the same kernels and shares, by a team of OpenMP threads.
#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>

#include "call.h"
#include "fail.h"
#include "openmp/stack_size.h"
#include "step/step.h"

namespace {

constexpr int32_t most_threads = PANOPTIM_OPENMP_THREADS;

int32_t call(panoptim_plan *plan, int32_t team, int32_t threads, work work) {
  if (!plan) return PANOPTIM_INVALID_ARGUMENT;
  if (const int32_t status = check_call(plan, work)) return status;
  if (plan->sharing != PANOPTIM_CLOSED || plan->share < 1) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "sharing is %d in shares of %lld, not %d in shares of 1 or more",
                plan->sharing, plan->share, PANOPTIM_CLOSED);
  }
  if (threads < 1 || threads > team || team > most_threads) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "%d threads of a team of %d, not 1 or more of at most %d", threads,
                team, most_threads);
  }
  const kernel_table &kernels = *kernels_of(plan->tier);
  begin_team_call(*plan, work);
  // A smaller team would end threads, and the next larger one would start them again.
#pragma omp parallel num_threads(team)
  {
    const int thread = omp_get_thread_num();
    if (thread < threads) join_team_call(*plan, kernels, thread == 0);
  }
  return PANOPTIM_OK;
}

// Waits until the mutex is free.
void *wait_for(void *mutex) {
  pthread_mutex_lock(static_cast<pthread_mutex_t *>(mutex));
  pthread_mutex_unlock(static_cast<pthread_mutex_t *>(mutex));
  return nullptr;
}

// Starts `count` threads, which all run at the same time, and ends them. `granted` is the number of threads that
// started.
//
// Returns the error code of the first thread that did not start, or 0.
int start_and_end(int32_t count, const pthread_attr_t *attributes, int32_t *granted) {
  pthread_t started[most_threads];
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  int refusal = 0;
  for (*granted = 0; *granted < count; ++*granted) {
    refusal = pthread_create(&started[*granted], attributes, wait_for, &mutex);
    if (refusal) break;
  }
  pthread_mutex_unlock(&mutex);
  for (int32_t i = 0; i < *granted; i++) pthread_join(started[i], nullptr);
  pthread_mutex_destroy(&mutex);
  return refusal;
}

}  // namespace

int32_t panoptim_openmp_abi_version(void) {
  return PANOPTIM_ABI_VERSION;
}

int32_t panoptim_openmp_try_threads(int32_t count, char *error) {
  if (!error) return PANOPTIM_INVALID_ARGUMENT;
  if (count < 0 || count > most_threads) {
    snprintf(error, PANOPTIM_TEXT, "count is %d, not 0 to %d", count, most_threads);
    return PANOPTIM_INVALID_ARGUMENT;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  // The stack size of the runtime's threads. The runtime ignores invalid sizes too.
  if (const size_t size = stack_size_of_environment()) pthread_attr_setstacksize(&attributes, size);
  int32_t granted;
  const int refusal = start_and_end(count, &attributes, &granted);
  pthread_attr_destroy(&attributes);
  if (!refusal) return PANOPTIM_OK;
  snprintf(error, PANOPTIM_TEXT, "the system grants %d of %d threads more: error %d%s", granted, count, refusal,
           refusal == EAGAIN ? ", memory or a limit such as ulimit -u or a container's pids.max is exhausted" : "");
  return PANOPTIM_THREADS_REFUSED;
}

int32_t panoptim_openmp_step(panoptim_plan *plan, int32_t team, int32_t threads, ...) {
  return call(plan, team, threads, work_step);
}

int32_t panoptim_openmp_sum_squares(panoptim_plan *plan, int32_t team, int32_t threads, ...) {
  return call(plan, team, threads, work_sum_squares);
}

int32_t panoptim_openmp_measure(panoptim_plan *plan, int32_t team, int32_t threads, ...) {
  return call(plan, team, threads, work_measure);
}

int32_t panoptim_openmp_end_team(void) {
  return omp_pause_resource(omp_pause_soft, omp_get_initial_device()) ? PANOPTIM_INVALID_ARGUMENT : PANOPTIM_OK;
}
