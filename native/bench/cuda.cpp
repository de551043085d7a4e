// Measures steps on a GPU, and copies within its memory as the limit: a step is at best as fast as a copy of as many
// bytes. Both are measured alternately. The rows of the table are tab-separated: see `header`. A case that does not fit
// into the GPU's memory is skipped, with a reason on standard error.
//
//   panoptim_cuda_bench [--rounds N] [--most ELEMENTS] [CASE...]
//
// Without a case, all of them are measured. Cases with more than ELEMENTS elements are skipped.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "cuda_training.h"

namespace {

struct bench_case {
  const char *name;
  training::shape shape;
};

using shape = training::shape;

constexpr composition sgd{0, 0, 0, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition momentum{1, 0, 0, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition nesterov{1, PANOPTIM_NESTEROV_NEW, 0, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition running{0, 0, PANOPTIM_SECOND_MOMENT_RUNNING, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition centered{0, 0, PANOPTIM_SECOND_MOMENT_CENTERED, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition rmsprop_of_all{2, 0, PANOPTIM_SECOND_MOMENT_CENTERED, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition adadelta{0, 0, PANOPTIM_SECOND_MOMENT_RUNNING, 1, 0, PANOPTIM_DECAY_L2};
constexpr composition adam{1, 0, PANOPTIM_SECOND_MOMENT_RUNNING, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition amsgrad{1, 0, PANOPTIM_SECOND_MOMENT_MAXIMUM, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition adamw{1, 0, PANOPTIM_SECOND_MOMENT_RUNNING, 0, 0, PANOPTIM_DECAY_DECOUPLED};
constexpr composition nadam{1, PANOPTIM_NESTEROV_NEW, PANOPTIM_SECOND_MOMENT_RUNNING, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition radam{1, 0, PANOPTIM_SECOND_MOMENT_RECTIFIED, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition adamax{1, 0, PANOPTIM_SECOND_MOMENT_INFINITY, 0, 0, PANOPTIM_DECAY_L2};
constexpr composition lion{1, PANOPTIM_NESTEROV_OLD, 0, 0, 1, PANOPTIM_DECAY_DECOUPLED};

constexpr panoptim_int64 million = 1000000;

constexpr bench_case cases[] = {
    {"adamw", {adamw, 1, 1000 * million}},
    {"adamw", {adamw, 1, 100 * million}},
    {"adamw", {adamw, 1, million}},
    {"adamw", {adamw, 1, 256}},
    {"adamw", {adamw, 10000, 10000}},
    {"adamw own coefficients", {adamw, 10000, 10000, shape::step, shape::own_coefficients}},
    {"adamw unaligned", {adamw, 1, 100 * million, shape::step, shape::unaligned}},
    {"adamw zeros", {adamw, 1, 100 * million, shape::step, shape::zeros}},
    {"adamw fused", {adamw, 1, 100 * million, shape::fused_step}},
    {"adamw fused", {adamw, 1, million, shape::fused_step}},
    {"norm", {sgd, 1, 1000 * million, shape::norm}},
    {"norm", {sgd, 1, 100 * million, shape::norm}},
    {"norm", {sgd, 1, million, shape::norm}},
    {"sgd", {sgd, 1, 100 * million}},
    {"sgd momentum", {momentum, 1, 100 * million}},
    {"sgd nesterov", {nesterov, 1, 100 * million}},
    {"adagrad", {running, 1, 100 * million}},
    {"rmsprop", {running, 1, 100 * million}},
    {"rmsprop centered", {centered, 1, 100 * million}},
    {"rmsprop centered momentum", {rmsprop_of_all, 1, 100 * million}},
    {"adadelta", {adadelta, 1, 100 * million}},
    {"adam", {adam, 1, 100 * million}},
    {"adam amsgrad", {amsgrad, 1, 100 * million}},
    {"nadam", {nadam, 1, 100 * million}},
    {"radam", {radam, 1, 100 * million}},
    {"adamax", {adamax, 1, 100 * million}},
    {"lion", {lion, 1, 100 * million}},
};

constexpr const char *header = "case\tlibrary\ttensors\telements\tseconds\tlow\thigh\tbytes\tshare";

double seconds(int times, const std::function<void()> &work) {
  await_gpu();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; i++) work();
  await_gpu();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / times;
}

// The number of repetitions for a measurement of about a tenth of a second.
int repetitions(const std::function<void()> &work, int most) {
  return std::max(3, std::min(most, static_cast<int>(0.1 / (seconds(3, work) + 1e-7))));
}

// The value below which a share of all values lies.
double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

void print(const char *name, const char *library, const shape &what, const std::vector<double> &times, double bytes,
           const std::vector<double> &shares) {
  std::printf("%s\t%s\t%lld\t%lld\t%.9g\t%.9g\t%.9g\t%.0f\t", name, library, what.tensors, what.elements,
              quantile(times, 0.5), quantile(times, 0.25), quantile(times, 0.75), bytes);
  if (!shares.empty()) std::printf("%.4f", quantile(shares, 0.5));
  std::printf("\n");
  std::fflush(stdout);
}

void run(const bench_case &each, int rounds) {
  panoptim_cuda_device device;
  check(panoptim_cuda_describe(0, &device, error));
  if (training::needed_bytes(each.shape) + (256 << 20) > device.free_memory) {
    std::fprintf(stderr, "%s of %lld elements is left out: it takes %.1f GB, of which %.1f are free\n", each.name,
                 each.shape.elements, static_cast<double>(training::needed_bytes(each.shape)) / 1e9,
                 static_cast<double>(device.free_memory) / 1e9);
    return;
  }
  training t(each.shape);
  const auto step = [&] { t.run(); };
  const auto copy = [&] { t.copy(); };
  const int steps = repetitions(step, t.most_steps() / (rounds + 1));
  const int copies = repetitions(copy, 1 << 30);
  std::vector<double> times, copy_times, shares;
  for (int i = 0; i < rounds; i++) {
    times.push_back(seconds(steps, step));
    copy_times.push_back(seconds(copies, copy));
    shares.push_back((t.moved_bytes() / times.back()) / (t.copied_bytes() / copy_times.back()));
  }
  print(each.name, "panoptim", each.shape, times, t.moved_bytes(), shares);
  if (std::strcmp(each.name, "adamw") == 0) print("copy", "copy", each.shape, copy_times, t.copied_bytes(), {});
}

// The time of a query for the location of an address.
void run_query(int rounds) {
  void *memory;
  check(panoptim_cuda_allocate(0, 1, &memory, error));
  std::vector<double> times;
  for (int i = 0; i < rounds; i++) {
    times.push_back(seconds(10000, [&] {
      panoptim_cuda_range range;
      check(panoptim_cuda_locate(memory, &range, error));
    }));
  }
  check(panoptim_cuda_free(0, memory, error));
  print("query", "panoptim", {{}, 1, 1}, times, 0, {});
}

}  // namespace

int main(int count, char **arguments) {
  int rounds = 7;
  panoptim_int64 most = 1LL << 62;
  std::vector<std::string> wanted;
  for (int i = 1; i < count; i++) {
    const std::string argument = arguments[i];
    if (argument == "--rounds" && i + 1 < count) {
      rounds = std::max(1, std::atoi(arguments[++i]));
    } else if (argument == "--most" && i + 1 < count) {
      most = std::atoll(arguments[++i]);
    } else if (argument == "query" || std::any_of(std::begin(cases), std::end(cases),
                                                  [&](const bench_case &each) { return argument == each.name; })) {
      wanted.push_back(argument);
    } else {
      std::fprintf(stderr, "there is no case %s\n", argument.c_str());
      return 1;
    }
  }
  const auto is_wanted = [&](const char *name) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  panoptim_cuda_device device;
  check(panoptim_cuda_describe(0, &device, error));
  std::printf("# device: %s, compute capability %d.%d\n%s\n", device.name, device.major, device.minor, header);
  for (const bench_case &each : cases) {
    if (is_wanted(each.name) && each.shape.tensors * each.shape.elements <= most) run(each, rounds);
  }
  if (is_wanted("query")) run_query(rounds);
  return 0;
}
