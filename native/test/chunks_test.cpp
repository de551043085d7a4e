// Chunks cover every element once, and are the same for every number of shares.
#include "step/chunks.h"

#include <set>
#include <tuple>

#include "check.h"
#include "problem.h"

namespace {

using placed_chunk = std::tuple<panoptim_int64, panoptim_int64, panoptim_int64>;

std::set<placed_chunk> chunks(const problem &p, panoptim_int64 shares) {
  const panoptim_plan plan = p.plan(0);
  const panoptim_int64 total = total_elements(plan);
  std::set<placed_chunk> found;
  for (panoptim_int64 share = 0; share < shares; share++) {
    for_each_chunk(plan, total * share / shares, total * (share + 1) / shares,
                   [&](const panoptim_tensor &tensor, panoptim_int64 start, panoptim_int64 length) {
                     const bool first = found.insert({&tensor - plan.tensors, start, length}).second;
                     CHECK(first, "row %td, element %lld was visited twice", &tensor - plan.tensors, start);
                   });
  }
  return found;
}

}  // namespace

TEST(chunks_do_not_depend_on_the_shares) {
  const problem p({}, {0, 1, 3 * PANOPTIM_CHUNK + 5, 0, 0, PANOPTIM_CHUNK, PANOPTIM_CHUNK - 1, 7, 0}, 1);
  const std::set<placed_chunk> expected = {{1, 0, 1},
                                           {2, 0, PANOPTIM_CHUNK},
                                           {2, PANOPTIM_CHUNK, PANOPTIM_CHUNK},
                                           {2, 2 * PANOPTIM_CHUNK, PANOPTIM_CHUNK},
                                           {2, 3 * PANOPTIM_CHUNK, 5},
                                           {5, 0, PANOPTIM_CHUNK},
                                           {6, 0, PANOPTIM_CHUNK - 1},
                                           {7, 0, 7}};
  for (panoptim_int64 shares = 1; shares < 40; shares++) {
    CHECK(chunks(p, shares) == expected, "%lld shares", shares);
  }
}

TEST(no_rows_have_no_chunks) {
  const problem none({}, {}, 1);
  CHECK(chunks(none, 3).empty(), "some");
}
