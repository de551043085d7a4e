// How several threads take part in one call: shares of the work are handed out by a counter in the plan, to the thread
// that makes the call and to those that come to help. Nobody waits for a helper that has not come.
#ifndef PANOPTIM_STEP_SHARING_H
#define PANOPTIM_STEP_SHARING_H

#include <sched.h>

#include "panoptim.h"
#include "step/chunks.h"

// Gives way to the other thread that one waits for: for a moment on this processor, then to whatever wants to run.
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

// Ends the helpers' part: returns when none of them is in the plan any more.
inline void close(panoptim_plan &plan) {
  __atomic_store_n(&plan.sharing, PANOPTIM_CLOSED, __ATOMIC_SEQ_CST);
  // A helper first counts itself, then looks whether it may begin; so it either sees the line above or is seen here.
  for (waiting wait; __atomic_load_n(&plan.helping, __ATOMIC_SEQ_CST) > 0;) wait.again();
}

inline panoptim_int64 shares(const panoptim_plan &plan) {
  return total_elements(plan) / plan.share + (total_elements(plan) % plan.share != 0);
}

// Takes one share after the other until all are taken, and calls work(begin, end) for it, elements counted over all
// rows. The caller takes them from the front and helpers from the back, so that at the next step each finds in its
// cache what it had at this one.
template <class Place, class Work>
void take_shares(panoptim_plan &plan, Place place, Work work) {
  const panoptim_int64 total = total_elements(plan);
  const panoptim_int64 count = shares(plan);
  while (__atomic_fetch_add(&plan.taken, 1, __ATOMIC_RELAXED) < count) {
    const panoptim_int64 begin = place() * plan.share;
    work(begin, total - begin < plan.share ? total : begin + plan.share);
  }
}

// Takes part in work that a team of threads does, each of which calls this; one of them leads.
template <class Work>
void take_part(panoptim_plan &plan, bool leads, Work work) {
  if (leads) {
    panoptim_int64 next = 0;
    take_shares(
        plan, [&] { return next++; }, work);
  } else {
    const panoptim_int64 last = shares(plan) - 1;
    take_shares(
        plan, [&] { return last - __atomic_fetch_add(&plan.helped, 1, __ATOMIC_RELAXED); }, work);
  }
}

// The whole of the work, with whoever comes to help if that was announced.
template <class Work>
void run_shared(panoptim_plan &plan, Work work) {
  if (plan.sharing == PANOPTIM_CLOSED) {
    work(0, total_elements(plan));
    return;
  }
  plan.taken = 0;
  plan.helped = 0;
  __atomic_store_n(&plan.sharing, PANOPTIM_OPEN, __ATOMIC_SEQ_CST);
  take_part(plan, true, work);
  close(plan);
}

// Takes part in the call that another thread makes, if there is one: `choose` is given something to hand the work to.
template <class Choose>
void join_work(panoptim_plan &plan, Choose choose) {
  // Those who come too late must not keep `close` waiting.
  if (__atomic_load_n(&plan.sharing, __ATOMIC_SEQ_CST) == PANOPTIM_CLOSED) return;
  __atomic_add_fetch(&plan.helping, 1, __ATOMIC_SEQ_CST);
  int32_t sharing;
  for (waiting wait; (sharing = __atomic_load_n(&plan.sharing, __ATOMIC_SEQ_CST)) == PANOPTIM_ANNOUNCED;) wait.again();
  if (sharing == PANOPTIM_OPEN) {
    choose([&](auto work) { take_part(plan, false, work); });
  }
  __atomic_sub_fetch(&plan.helping, 1, __ATOMIC_SEQ_CST);
}

#endif
