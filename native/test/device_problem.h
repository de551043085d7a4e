// Shared code of the tests on a device: device memory, and a problem whose plan is in device memory.
#ifndef PANOPTIM_TEST_DEVICE_PROBLEM_H
#define PANOPTIM_TEST_DEVICE_PROBLEM_H

#include <functional>

#include "check.h"
#include "device_tables.h"
#include "problem.h"

namespace {

char error[PANOPTIM_TEXT];

// A call that must succeed.
#define CHECK_OK(call) CHECK((call) == PANOPTIM_OK, "%s", error)

// 4 TiB: more than a device has, and within its range of addresses.
constexpr panoptim_int64 more_than_a_device_has = panoptim_int64{1} << 42;

// Skips the test on machines without a device.
void need_device() {
  int32_t count = 0;
  if (panoptim_cuda_devices(&count, error) == PANOPTIM_OK && count > 0) return;
  std::printf("skipped: %s\n", error);
  std::exit(77);
}

// Device memory with the content of a host array.
template <class Element>
class on_device {
 public:
  explicit on_device(size_t count) : bytes_(static_cast<panoptim_int64>(count * sizeof(Element))) {
    void *memory;
    CHECK_OK(panoptim_cuda_allocate(0, bytes_ + 1, &memory, error));
    memory_ = static_cast<Element *>(memory);
  }

  on_device(const Element *from, size_t count) : on_device(count) {
    if (bytes_ > 0) CHECK_OK(panoptim_cuda_copy(0, nullptr, memory_, from, bytes_, error));
  }

  on_device(on_device &&other) : memory_(other.memory_), bytes_(other.bytes_) {
    other.memory_ = nullptr;
  }

  ~on_device() {
    if (memory_) panoptim_cuda_free(0, memory_, error);
  }

  Element *get() const {
    return memory_;
  }

  void copy_to(Element *to) const {
    if (bytes_ > 0) CHECK_OK(panoptim_cuda_copy(0, nullptr, to, memory_, bytes_, error));
    CHECK_OK(panoptim_cuda_await(0, nullptr, error));
  }

 private:
  Element *memory_;
  panoptim_int64 bytes_;
};

// A problem whose operands have been moved to the device, with their padding.
class device_problem {
 public:
  explicit device_problem(problem &of) : of_(of), plan_(of.plan(0)) {
    tensors_ = of.tensors();
    for (panoptim_tensor &tensor : tensors_) {
      move(tensor.parameter);
      move(tensor.gradient);
      for (float *&state : tensor.state) {
        if (state) move(state);
      }
      move(tensor.average);
      float *half_precision = reinterpret_cast<float *>(tensor.half_precision);
      move(half_precision);
      tensor.half_precision = reinterpret_cast<uint16_t *>(half_precision);
    }
    const device_tables tables(tensors_);
    const std::vector<int32_t> &rows = tables.chunk_rows;
    const std::vector<panoptim_cuda_tile> &tiles = tables.tiles;
    device_tensors_ = std::make_unique<on_device<panoptim_tensor>>(tensors_.data(), tensors_.size());
    chunk_rows_ = std::make_unique<on_device<int32_t>>(rows.data(), rows.size());
    tiles_ = std::make_unique<on_device<panoptim_cuda_tile>>(tiles.data(), tiles.size());
    square_sums_ = std::make_unique<on_device<double>>(rows.size());
    measures_ = std::make_unique<on_device<double>>(rows.size() * PANOPTIM_MEASURES);
    plan_.tensors = tensors_.data();
    plan_.square_sums = square_sums_->get();
    plan_.measures = measures_->get();
    set_coefficients({usual_coefficients()});
    call_.plan = &plan_;
    call_.tensors = device_tensors_->get();
    call_.chunk_rows = chunk_rows_->get();
    call_.tiles = tiles_->get();
    call_.tile_count = static_cast<panoptim_int64>(tiles.size());
  }

  void set_coefficients(const std::vector<panoptim_coefficients> &all) {
    coefficients_ = all;
    device_coefficients_ = std::make_unique<on_device<panoptim_coefficients>>(coefficients_.data(), all.size());
    plan_.coefficients = coefficients_.data();
    plan_.coefficients_count = static_cast<panoptim_int64>(all.size());
    call_.coefficients = device_coefficients_->get();
  }

  panoptim_plan &plan() {
    return plan_;
  }

  panoptim_cuda_plan &call() {
    return call_;
  }

  void step() {
    CHECK(panoptim_cuda_step(&call_) == PANOPTIM_OK, "%s", plan_.error);
  }

  std::vector<double> measures() {
    CHECK(panoptim_cuda_measure(&call_) == PANOPTIM_OK, "%s", plan_.error);
    std::vector<double> all(static_cast<size_t>(of_.chunks()) * PANOPTIM_MEASURES);
    measures_->copy_to(all.data());
    return all;
  }

  // As for the problem, to which all operands are copied back.
  bool has_bits_of(const problem &copy) {
    for (const auto &each : streams_) each.second.copy_to(each.first);
    return of_.has_bits_of(copy);
  }

 private:
  void move(float *&stream) {
    const problem::extent all = of_.extent_of(stream);
    streams_.emplace_back(all.start, on_device<float>(all.start, all.size));
    stream = streams_.back().second.get() + (stream - all.start);
  }

  problem &of_;
  panoptim_plan plan_;
  panoptim_cuda_plan call_{};
  std::vector<panoptim_tensor> tensors_;
  std::vector<panoptim_coefficients> coefficients_;
  std::vector<std::pair<float *, on_device<float>>> streams_;
  std::unique_ptr<on_device<panoptim_tensor>> device_tensors_;
  std::unique_ptr<on_device<int32_t>> chunk_rows_;
  std::unique_ptr<on_device<panoptim_cuda_tile>> tiles_;
  std::unique_ptr<on_device<double>> square_sums_;
  std::unique_ptr<on_device<double>> measures_;
  std::unique_ptr<on_device<panoptim_coefficients>> device_coefficients_;
};

}  // namespace

#endif
