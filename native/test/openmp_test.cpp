// A team of OpenMP threads reaches the bits of one thread. Threads that the system refuses are found before a team
// grows.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "check.h"
#include "openmp/stack_size.h"
#include "problem.h"

namespace {

const std::vector<std::vector<panoptim_int64>> lengths = {
    {0}, {1}, {PANOPTIM_CHUNK - 1, 0, 5}, {3 * PANOPTIM_CHUNK + 7, 100, 2 * PANOPTIM_CHUNK}};

composition adamw() {
  composition rule{};
  rule.first_moment = PANOPTIM_FIRST_MOMENT_OF_GRADIENT;
  rule.second_moment = PANOPTIM_SECOND_MOMENT_RUNNING;
  rule.decay = PANOPTIM_DECAY_DECOUPLED;
  return rule;
}

int threads_of_process() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int count;
    if (word == "Threads:" && status >> count) return count;
  }
  return -1;
}

// Waits until the process has `count` threads: the system counts a joined thread for a moment longer.
bool has_threads(int count) {
  for (int i = 0; i < 10000 && threads_of_process() != count; i++) usleep(1000);
  return threads_of_process() == count;
}

}  // namespace

TEST(a_team_reaches_the_bits_of_one_thread) {
  uint64_t seed = 1;
  const std::vector<int> tiers = available_tiers();
  for (composition rule : legal_compositions()) {
    const auto &rows = lengths[seed % lengths.size()];
    const int tier = tiers[seed % tiers.size()];
    const int threads = 1 + static_cast<int>(seed % 5);
    problem expected(rule, rows, seed);
    problem actual(expected);
    panoptim_plan alone = expected.plan(PANOPTIM_TIER_BASELINE);
    panoptim_plan shared = actual.plan(tier);
    shared.share = 1000;
    for (int step = 0; step < 2; step++) {
      CHECK(panoptim_step(&alone) == PANOPTIM_OK, "%s", alone.error);
      CHECK(panoptim_openmp_step(&shared, 5, threads) == PANOPTIM_OK, "%s", shared.error);
    }
    CHECK(actual.has_bits_of(expected), "tier %d, %d threads, seed %llu, %s", tier, threads,
          static_cast<unsigned long long>(seed), words(rule).c_str());
    seed++;
  }
}

TEST(a_team_sums_squares_to_the_bits_of_one_thread) {
  for (const auto &rows : lengths) {
    problem p(adamw(), rows, 7, 0, false);
    std::vector<double> expected(static_cast<size_t>(p.chunks()) + 1, 5), actual = expected;
    panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
    plan.square_sums = expected.data();
    CHECK(panoptim_sum_squares(&plan) == PANOPTIM_OK, "%s", plan.error);
    for (int tier : available_tiers()) {
      plan = p.plan(tier);
      plan.share = PANOPTIM_CHUNK;
      plan.square_sums = actual.data();
      CHECK(panoptim_openmp_sum_squares(&plan, 3, 3) == PANOPTIM_OK, "%s", plan.error);
      CHECK(std::memcmp(expected.data(), actual.data(), expected.size() * sizeof(double)) == 0, "tier %d", tier);
    }
  }
}

TEST(a_team_measures_to_the_bits_of_one_thread) {
  for (const auto &rows : lengths) {
    problem p(adamw(), rows, 8, 0, false);
    std::vector<double> expected(static_cast<size_t>(p.chunks()) * PANOPTIM_MEASURES + 1, 5), actual = expected;
    panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
    plan.measures = expected.data();
    CHECK(panoptim_measure(&plan) == PANOPTIM_OK, "%s", plan.error);
    for (int tier : available_tiers()) {
      plan = p.plan(tier);
      plan.share = PANOPTIM_CHUNK;
      plan.measures = actual.data();
      CHECK(panoptim_openmp_measure(&plan, 3, 3) == PANOPTIM_OK, "%s", plan.error);
      CHECK(std::memcmp(expected.data(), actual.data(), expected.size() * sizeof(double)) == 0, "tier %d", tier);
    }
  }
}

TEST(what_is_wrong_is_refused_and_changes_nothing) {
  problem p(adamw(), {5}, 1);
  const std::vector<uint32_t> before = p.bits();
  const auto refused = [&](int team, int threads, auto change, const char *words) {
    panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
    plan.share = 1;
    change(plan);
    for (auto *function : {panoptim_openmp_step, panoptim_openmp_sum_squares}) {
      const int32_t status = function(&plan, team, threads);
      CHECK(status == PANOPTIM_INVALID_ARGUMENT, "status %d", status);
      CHECK(std::strstr(plan.error, words), "'%s'", plan.error);
    }
    CHECK(p.bits() == before, "%s", words);
  };
  const auto nothing = [](panoptim_plan &plan) {
    static double sum;
    plan.square_sums = &sum;
  };
  refused(2, 0, nothing, "0 threads of a team of 2");
  refused(2, 3, nothing, "3 threads of a team of 2");
  refused(1025, 1, nothing, "1 threads of a team of 1025");
  refused(
      1, 1, [&](panoptim_plan &plan) { nothing(plan), plan.share = 0; }, "shares of 0");
  refused(
      1, 1, [&](panoptim_plan &plan) { nothing(plan), plan.sharing = PANOPTIM_ANNOUNCED; }, "sharing is 1");
  refused(
      1, 1, [&](panoptim_plan &plan) { nothing(plan), plan.decay = 9; }, "decay is 9");
  CHECK(panoptim_openmp_step(nullptr, 1, 1) == PANOPTIM_INVALID_ARGUMENT, "no plan");
}

TEST(a_team_ends_with_its_thread_or_when_it_is_told_to) {
  const int before = threads_of_process();
  CHECK(before > 0, "%d", before);
  const auto step = [] {
    problem p(adamw(), {3 * PANOPTIM_CHUNK}, 1);
    panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
    plan.share = PANOPTIM_CHUNK;
    CHECK(panoptim_openmp_step(&plan, 4, 2) == PANOPTIM_OK, "%s", plan.error);
  };
  std::thread([&] {
    step();
    step();
    CHECK(threads_of_process() == before + 4, "%d", threads_of_process());
  }).join();
  CHECK(has_threads(before), "%d", threads_of_process());
  for (int i = 0; i < 2; i++) {
    step();
    CHECK(threads_of_process() == before + 3, "%d", threads_of_process());
    CHECK(panoptim_openmp_end_team() == PANOPTIM_OK, "the team did not end");
    CHECK(has_threads(before), "%d", threads_of_process());
  }
}

TEST(threads_are_tried_and_none_is_left) {
  char error[PANOPTIM_TEXT] = "";
  const int before = threads_of_process();
  for (int count : {0, 1, 50}) CHECK(panoptim_openmp_try_threads(count, error) == PANOPTIM_OK, "%s", error);
  CHECK(has_threads(before), "%d", threads_of_process());
  for (int count : {-1, PANOPTIM_OPENMP_THREADS + 1}) {
    CHECK(panoptim_openmp_try_threads(count, error) == PANOPTIM_INVALID_ARGUMENT, "%d", count);
  }
  CHECK(panoptim_openmp_try_threads(1, nullptr) == PANOPTIM_INVALID_ARGUMENT, "no error text");
}

// In a process of another user, because root has no limit.
TEST(threads_that_are_refused_are_found_out) {
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && setuid(65534)) _exit(77);
    const rlimit none = {0, 0};
    if (setrlimit(RLIMIT_NPROC, &none)) _exit(77);
    char error[PANOPTIM_TEXT] = "";
    const int32_t status = panoptim_openmp_try_threads(3, error);
    CHECK(status == PANOPTIM_THREADS_REFUSED, "status %d", status);
    CHECK(std::strstr(error, "the system grants 0 of 3 threads more: error 11, memory or a limit"), "%s", error);
    _exit(0);  // a sanitizer would start a thread at exit
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status), "the child process was killed");
  std::exit(WEXITSTATUS(status));
}

TEST(stacks_that_are_too_large_are_found_out) {
#if defined(__SANITIZE_ADDRESS__)
  std::exit(77);  // it needs more address space than the limit
#endif
  const pid_t child = fork();
  if (child == 0) {
    const rlimit four = {4ull << 30, 4ull << 30};
    CHECK(setrlimit(RLIMIT_AS, &four) == 0, "no limit");
    char error[PANOPTIM_TEXT] = "";
    CHECK(panoptim_openmp_try_threads(2, error) == PANOPTIM_OK, "%s", error);
    setenv("OMP_STACKSIZE", "3 G", 1);
    CHECK(panoptim_openmp_try_threads(2, error) == PANOPTIM_THREADS_REFUSED, "two stacks of 3 GiB below 4 GiB");
    CHECK(std::strstr(error, "grants 1 of 2 threads"), "%s", error);
    std::exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status), "the child process was killed");
  std::exit(WEXITSTATUS(status));
}

TEST(stack_sizes_are_read_as_the_specification_writes_them) {
  const struct {
    const char *text;
    size_t size;
  } cases[] = {{"2000500B", 2000500},
               {"3000 k ", 3000 << 10},
               {"10M", 10 << 20},
               {" 10 M ", 10 << 20},
               {"20 m ", 20 << 20},
               {" 1G", 1 << 30},
               {"20000", 20000 << 10},
               {"", 0},
               {"  ", 0},
               {"M", 0},
               {"-1", 0},
               {"10X", 0},
               {"10 M M", 0},
               {"99999999999999999999", 0},
               {"18446744073709551615G", 0}};
  for (const auto &each : cases) {
    CHECK(stack_size_of(each.text) == each.size, "'%s' is %zu", each.text, stack_size_of(each.text));
  }
}
