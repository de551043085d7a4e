// A step copies the updated parameters to the publication, and writes nothing else there.
#include <cstring>
#include <thread>
#include <vector>

#include "check.h"
#include "panoptim.h"
#include "problem.h"
#include "rule/arithmetic.h"

namespace {

constexpr unsigned char untouched = 0xa5;
constexpr panoptim_int64 gap = 20;  // bytes between two rows, so that copies are not aligned to vectors

// Gives each row but the second one a copy, and returns the memory of all copies.
std::vector<unsigned char> places_for(problem &p) {
  panoptim_int64 bytes = gap;
  for (size_t row = 0; row < p.tensors().size(); row++) {
    panoptim_tensor &tensor = p.tensors()[row];
    tensor.published = row == 1 ? -1 : bytes;
    if (row != 1) bytes += (tensor.length * static_cast<panoptim_int64>(sizeof(float)) + gap) / 4 * 4;
  }
  return std::vector<unsigned char>(static_cast<size_t>(bytes), untouched);
}

void step(panoptim_plan &plan, int helpers) {
  plan.share = 1000;
  plan.sharing = helpers > 0 ? PANOPTIM_ANNOUNCED : PANOPTIM_CLOSED;
  std::vector<std::thread> threads;
  for (int i = 0; i < helpers; i++) threads.emplace_back([&plan] { panoptim_help(&plan); });
  const int32_t status = panoptim_step(&plan);
  for (std::thread &each : threads) each.join();
  CHECK(status == PANOPTIM_OK, "status %d: %s", status, plan.error);
}

// The expected content of a publication of the rows.
std::vector<unsigned char> expected_copy(problem &p, size_t bytes, int32_t publish, bool averages) {
  std::vector<unsigned char> copy(bytes, untouched);
  for (const panoptim_tensor &tensor : p.tensors()) {
    if (tensor.published < 0) continue;
    unsigned char *to = copy.data() + tensor.published;
    const float *from = averages ? tensor.average : tensor.parameter;
    for (panoptim_int64 i = 0; i < tensor.length; i++) {
      if (publish == PANOPTIM_PUBLISH_FLOAT32) {
        std::memcpy(to + i * 4, from + i, sizeof(float));
      } else {
        const uint16_t narrow = publish == PANOPTIM_PUBLISH_BFLOAT16 ? bfloat16(from[i]) : float16(from[i]);
        std::memcpy(to + i * 2, &narrow, sizeof narrow);
      }
    }
  }
  return copy;
}

void check_publication(int tier, int32_t publish, bool averages, bool surrounded, int helpers) {
  static const problem initial({1, 0, 1, 0, 0, 2}, {1, 5, 0, 1023, 1024, 1025, PANOPTIM_CHUNK + 1, 40000}, 5, 1);
  problem plain(initial);
  problem publishing(initial);
  std::vector<unsigned char> publication = places_for(publishing);
  panoptim_plan plans[] = {plain.plan(tier), publishing.plan(tier)};
  for (panoptim_plan &plan : plans) {
    plan.averages = averages || surrounded;
    plan.clips = surrounded;
    plan.clip = 0.25f;
    plan.half_precision = surrounded ? PANOPTIM_HALF_PRECISION_FLOAT16 : PANOPTIM_HALF_PRECISION_NONE;
    plan.zeroes = surrounded;
  }
  plans[1].publish = publish;
  plans[1].publish_averages = averages;
  plans[1].publication = publication.data();
  step(plans[0], 0);
  step(plans[1], helpers);
  CHECK(plain.has_bits_of(publishing), "tier %d, publish %d: the step differs", tier, publish);
  CHECK(publication == expected_copy(publishing, publication.size(), publish, averages),
        "tier %d, publish %d, averages %d, surrounded %d, %d helpers", tier, publish, averages, surrounded, helpers);
}

}  // namespace

TEST(a_publication_holds_what_the_step_has_made) {
  for (int tier : available_tiers()) {
    for (int32_t publish = PANOPTIM_PUBLISH_FLOAT32; publish <= PANOPTIM_PUBLISH_FLOAT16; publish++) {
      for (bool averages : {false, true}) {
        for (bool surrounded : {false, true}) {
          for (int helpers : {0, 2}) check_publication(tier, publish, averages, surrounded, helpers);
        }
      }
    }
  }
}

TEST(a_step_that_does_not_publish_leaves_the_publication_alone) {
  problem p({1, 0, 1, 0, 0, 2}, {1000, 7}, 3);
  std::vector<unsigned char> publication = places_for(p);
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  plan.publication = publication.data();
  plan.zeroes = 1;
  step(plan, 0);
  CHECK(publication == std::vector<unsigned char>(publication.size(), untouched), "it was written");
}
