// How long a step takes on a GPU, beside a copy within its memory: what a step can be at best is the time of a copy
// that moves as many bytes. Both in turn, seven times; what is printed are the medians. A case that the GPU has no
// memory for is skipped.
//
//   panoptim_cuda_bench [CASE [REPEATS]]     without a case: all of them
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "panoptim.h"

namespace {

char error[PANOPTIM_TEXT];

void check(int32_t status, const char *text = error) {
  if (status == PANOPTIM_OK) return;
  std::fprintf(stderr, "status %d: %s\n", status, text);
  std::exit(1);
}

struct bench_case {
  const char *name;
  panoptim_int64 tensors;
  panoptim_int64 elements;
  bool fused;  // clips by norm, averages, writes a bfloat16 copy and zeroes gradients
};

constexpr bench_case cases[] = {{"one-of-1e9", 1, 1000000000, false},
                                {"one-of-1e8-fused", 1, 100000000, true},
                                {"one-of-1e6", 1, 1000000, false},
                                {"one-of-256", 1, 256, false},
                                {"10000-of-10000", 10000, 10000, false}};

// Tensors begin at 256 bytes, as allocations do.
panoptim_int64 stride_of(const bench_case &what) {
  return (what.elements + 63) / 64 * 64;
}

// AdamW on the first GPU, from memory that is all zeros; what it computes is the tests' concern.
class training {
 public:
  explicit training(const bench_case &what) : what_(what), tensors_(static_cast<size_t>(what.tensors)) {
    std::vector<int32_t> chunk_rows;
    std::vector<panoptim_cuda_tile> tiles;
    panoptim_int64 first_chunk = 0;
    for (panoptim_int64 row = 0; row < what.tensors; row++) {
      panoptim_tensor &tensor = tensors_[static_cast<size_t>(row)];
      tensor.length = what.elements;
      tensor.offset = row * what.elements;
      tensor.first_chunk = first_chunk;
      for (panoptim_int64 start = 0; start < what.elements; start += PANOPTIM_CHUNK) {
        chunk_rows.push_back(static_cast<int32_t>(row));
        first_chunk++;
      }
      for (int32_t i = 0; i * panoptim_int64{PANOPTIM_TILE} < what.elements; i++) {
        tiles.push_back({static_cast<int32_t>(row), i});
      }
    }
    place(&panoptim_tensor::parameter);
    place(&panoptim_tensor::gradient);
    float *first = zeroed(stream_bytes());
    float *second = zeroed(stream_bytes());
    for (size_t row = 0; row < tensors_.size(); row++) {
      tensors_[row].state[0] = first + static_cast<panoptim_int64>(row) * stride_of(what_);
      tensors_[row].state[1] = second + static_cast<panoptim_int64>(row) * stride_of(what_);
    }
    if (what.fused) {
      place(&panoptim_tensor::average);
      uint16_t *half_precision = reinterpret_cast<uint16_t *>(zeroed(stream_bytes() / 2));
      for (size_t row = 0; row < tensors_.size(); row++) {
        tensors_[row].half_precision = half_precision + static_cast<panoptim_int64>(row) * stride_of(what_);
      }
    }
    coefficients_.gradient_scale = 1;
    coefficients_.weight_decay = 1e-5f;
    coefficients_.first_decay = 0.9f;
    coefficients_.first_take = 0.1f;
    coefficients_.second_decay = 0.999f;
    coefficients_.second_take = 0.001f;
    coefficients_.epsilon = 1e-8f;
    coefficients_.step_size = 1e-3f;
    coefficients_.average_take = 0.01f;
    plan_.tensors = tensors_.data();
    plan_.tensor_count = what.tensors;
    plan_.coefficients = &coefficients_;
    plan_.coefficients_count = 1;
    plan_.first_moment = PANOPTIM_FIRST_MOMENT_OF_GRADIENT;
    plan_.second_moment = PANOPTIM_SECOND_MOMENT_RUNNING;
    plan_.decay = PANOPTIM_DECAY_DECOUPLED;
    plan_.averages = plan_.zeroes = what.fused;
    plan_.half_precision = what.fused ? PANOPTIM_HALF_PRECISION_BFLOAT16 : PANOPTIM_HALF_PRECISION_NONE;
    plan_.square_sums = reinterpret_cast<double *>(zeroed(first_chunk * 8));
    call_.plan = &plan_;
    call_.tensors = static_cast<panoptim_tensor *>(copied(tensors_.data(), tensors_.size() * sizeof tensors_[0]));
    call_.chunk_rows = static_cast<int32_t *>(copied(chunk_rows.data(), chunk_rows.size() * sizeof chunk_rows[0]));
    call_.tiles = static_cast<panoptim_cuda_tile *>(copied(tiles.data(), tiles.size() * sizeof tiles[0]));
    call_.tile_count = static_cast<panoptim_int64>(tiles.size());
    call_.coefficients_room = 1;
    call_.begins = 1;
    call_.coefficients = reinterpret_cast<panoptim_coefficients *>(zeroed(sizeof coefficients_));
    decision_ = reinterpret_cast<panoptim_cuda_decision *>(zeroed(sizeof *decision_));
    call_.decision = what.fused ? decision_ : nullptr;
    void *copy;
    check(panoptim_cuda_allocate_pinned(0, sizeof *decision_, &copy, error));
    copy_of_decision_ = static_cast<panoptim_cuda_decision *>(copy);
    check(panoptim_cuda_create_event(0, &arrival_, error));
  }

  ~training() {
    panoptim_cuda_free_pinned(0, copy_of_decision_, error);
    panoptim_cuda_destroy_event(0, arrival_, error);
    for (void *each : memory_) panoptim_cuda_free(0, each, error);
  }

  void step() {
    if (what_.fused) {
      check(panoptim_cuda_add_squares(&call_), plan_.error);
      check(panoptim_cuda_decide(0, nullptr, decision_, 1, 1, 1, copy_of_decision_, arrival_, error));
    }
    check(panoptim_cuda_step(&call_), plan_.error);
  }

  // Of the parameters over the gradients.
  void copy() {
    check(panoptim_cuda_copy(0, nullptr, tensors_[0].parameter, tensors_[0].gradient, stream_bytes(), error));
  }

  double copied_bytes() const {
    return 2.0 * static_cast<double>(stream_bytes());
  }

  // Read: parameter, gradient, two moments; written: all but the gradient. What else is fused: the gradient once more
  // for its norm, the average both ways, the copy in 16 bits, the gradient's zeros.
  double step_bytes() const {
    return static_cast<double>(what_.tensors * what_.elements) * (what_.fused ? 28 + 4 + 8 + 2 + 4 : 28);
  }

 private:
  panoptim_int64 stream_bytes() const {
    return what_.tensors * stride_of(what_) * 4;
  }

  float *zeroed(panoptim_int64 bytes) {
    void *memory;
    check(panoptim_cuda_allocate(0, bytes, &memory, error));
    check(panoptim_cuda_fill(0, nullptr, memory, 0, bytes, error));
    memory_.push_back(memory);
    return static_cast<float *>(memory);
  }

  void *copied(const void *from, size_t bytes) {
    void *memory = zeroed(static_cast<panoptim_int64>(bytes));
    check(panoptim_cuda_copy(0, nullptr, memory, from, static_cast<panoptim_int64>(bytes), error));
    return memory;
  }

  void place(float *panoptim_tensor::*stream) {
    float *start = zeroed(stream_bytes());
    for (size_t row = 0; row < tensors_.size(); row++) {
      tensors_[row].*stream = start + static_cast<panoptim_int64>(row) * stride_of(what_);
    }
  }

  bench_case what_;
  std::vector<panoptim_tensor> tensors_;
  std::vector<void *> memory_;
  panoptim_coefficients coefficients_{};
  panoptim_plan plan_{};
  panoptim_cuda_plan call_{};
  panoptim_cuda_decision *decision_;
  panoptim_cuda_decision *copy_of_decision_;
  void *arrival_;
};

double seconds(int times, const std::function<void()> &work) {
  check(panoptim_cuda_await(0, nullptr, error));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; i++) work();
  check(panoptim_cuda_await(0, nullptr, error));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / times;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// What a training allocates, but for its tables.
panoptim_int64 needed_bytes(const bench_case &what) {
  return what.tensors * stride_of(what) * (what.fused ? 22 : 16);
}

void run(const bench_case &what, int repeats) {
  panoptim_cuda_device device;
  check(panoptim_cuda_describe(0, &device, error));
  if (needed_bytes(what) + (256 << 20) > device.free_memory) {
    std::printf("%-18s skipped: it takes %.1f GB, of which %.1f are free\n", what.name,
                static_cast<double>(needed_bytes(what)) / 1e9, static_cast<double>(device.free_memory) / 1e9);
    return;
  }
  training t(what);
  const auto step = [&] { t.step(); };
  const auto copy = [&] { t.copy(); };
  // So many that a measurement takes about a quarter of a second.
  const int times = std::max(3, static_cast<int>(0.25 / (seconds(3, step) + 1e-7)));
  const int copies = std::max(3, static_cast<int>(0.25 / (seconds(3, copy) + 1e-7)));
  std::vector<double> steps, shares;
  for (int i = 0; i < repeats; i++) {
    const double of_step = seconds(times, step);
    const double of_copy = seconds(copies, copy);
    steps.push_back(of_step);
    shares.push_back((t.step_bytes() / of_step) / (t.copied_bytes() / of_copy));
  }
  std::printf("%-18s %12.4f ms a step, %8.1f GB/s, %5.3f of a copy's bandwidth\n", what.name, median(steps) * 1e3,
              t.step_bytes() / median(steps) / 1e9, median(shares));
}

}  // namespace

int main(int count, char **arguments) {
  panoptim_cuda_device device;
  check(panoptim_cuda_describe(0, &device, error));
  std::printf("%s, compute capability %d.%d\n", device.name, device.major, device.minor);
  bool found = false;
  for (const bench_case &each : cases) {
    if (count > 1 && std::strcmp(arguments[1], each.name) != 0) continue;
    found = true;
    run(each, count > 2 ? std::atoi(arguments[2]) : 7);
  }
  if (!found) std::fprintf(stderr, "there is no case %s\n", arguments[1]);
  return !found;
}
