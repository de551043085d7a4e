// Several threads work on one call. A counter in the plan assigns shares to the calling thread and to helpers. The call
// never waits for a helper that has not joined.
#ifndef PANOPTIM_STEP_SHARING_H
#define PANOPTIM_STEP_SHARING_H

#include <sched.h>

#include "fail.h"
#include "panoptim.h"
#include "step/chunks.h"

// A pause in a loop that waits for another thread: a pause instruction, or at every 256th call a yield of the
// processor.
class waiting {
 public:
  void again() {
    if (++times_ % 256 == 0) {
      sched_yield();
    } else {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  }

 private:
  unsigned times_ = 0;
};

// Checks that the call is closed, or announced with a length of its shares.
template <class Call>
int32_t check_sharing(Call *call) {
  if (call->sharing == PANOPTIM_CLOSED || (call->sharing == PANOPTIM_ANNOUNCED && call->share >= 1)) return PANOPTIM_OK;
  return fail(call, PANOPTIM_INVALID_ARGUMENT, "sharing is %d in shares of %lld, not %d, or %d in shares of 1 or more",
              call->sharing, call->share, PANOPTIM_CLOSED, PANOPTIM_ANNOUNCED);
}

// Ends the sharing. Returns when no helper uses the call: a plan, a call on vectors or a matrix product.
template <class Call>
void close(Call &call) {
  __atomic_store_n(&call.sharing, PANOPTIM_CLOSED, __ATOMIC_SEQ_CST);
  // A helper first increments `helping`, then reads `sharing`. So it sees the line above, or this loop sees it.
  for (waiting wait; __atomic_load_n(&call.helping, __ATOMIC_SEQ_CST) > 0;) wait.again();
}

// Joins the call of another thread, if there is one, and calls take().
template <class Call, class Take>
void join(Call &call, Take take) {
  // Late helpers must not delay `close`.
  if (__atomic_load_n(&call.sharing, __ATOMIC_SEQ_CST) == PANOPTIM_CLOSED) return;
  __atomic_add_fetch(&call.helping, 1, __ATOMIC_SEQ_CST);
  int32_t sharing;
  for (waiting wait; (sharing = __atomic_load_n(&call.sharing, __ATOMIC_SEQ_CST)) == PANOPTIM_ANNOUNCED;) wait.again();
  if (sharing == PANOPTIM_OPEN) take();
  __atomic_sub_fetch(&call.helping, 1, __ATOMIC_SEQ_CST);
}

// The number of shares of a call. Its elements are total_elements(call).
template <class Call>
panoptim_int64 shares(const Call &call) {
  return quotient_up(total_elements(call), call.share);
}

// Takes shares until all are taken, and calls work(begin, end) for each; elements are counted over all rows. The
// calling thread takes shares from the front and helpers from the back. So at the next step the caches still hold their
// shares.
template <class Call, class Place, class Work>
void take_shares(Call &call, Place place, Work work) {
  const panoptim_int64 total = total_elements(call);
  const panoptim_int64 count = shares(call);
  while (__atomic_fetch_add(&call.taken, 1, __ATOMIC_RELAXED) < count) {
    const panoptim_int64 begin = place() * call.share;
    work(begin, total - begin < call.share ? total : begin + call.share);
  }
}

// The part of one thread of a team. Each thread of the team calls this; one of them leads.
template <class Call, class Work>
void take_part(Call &call, bool leads, Work work) {
  if (leads) {
    panoptim_int64 next = 0;
    take_shares(
        call, [&] { return next++; }, work);
  } else {
    const panoptim_int64 last = shares(call) - 1;
    take_shares(
        call, [&] { return last - __atomic_fetch_add(&call.helped, 1, __ATOMIC_RELAXED); }, work);
  }
}

// Runs the whole call. If it was announced, helpers may join.
template <class Call, class Work>
void run_shared(Call &call, Work work) {
  if (call.sharing == PANOPTIM_CLOSED) {
    work(0, total_elements(call));
    return;
  }
  call.taken = 0;
  call.helped = 0;
  __atomic_store_n(&call.sharing, PANOPTIM_OPEN, __ATOMIC_SEQ_CST);
  take_part(call, true, work);
  close(call);
}

// Joins the call of another thread, if there is one. `choose` receives a function to call with the work.
template <class Call, class Choose>
void join_work(Call &call, Choose choose) {
  join(call, [&] { choose([&](auto work) { take_part(call, false, work); }); });
}

#endif
