#ifndef PANOPTIM_EMULATION_PACKED_MEMORY_H
#define PANOPTIM_EMULATION_PACKED_MEMORY_H

#include <cstddef>
#include <cstdlib>
#include <map>
#include <vector>

// Small allocations of a device are parts of larger blocks, in steps of 512 bytes, as in CUDA.
class packed_memory {
 public:
  void *allocate(size_t bytes) {
    const size_t rounded = in_steps(bytes);
    std::vector<void *> &freed = freed_[rounded];
    if (!freed.empty()) {
      void *memory = freed.back();
      freed.pop_back();
      return memory;
    }
    if (rounded > left_) {
      next_ = static_cast<char *>(std::aligned_alloc(512, block));
      left_ = next_ ? block : 0;
      if (!next_) return nullptr;
    }
    void *memory = next_;
    next_ += rounded;
    left_ -= rounded;
    return memory;
  }

  void release(void *memory, size_t bytes) {
    freed_[in_steps(bytes)].push_back(memory);
  }

 private:
  static size_t in_steps(size_t bytes) {
    return (bytes + 511) / 512 * 512;
  }

  static constexpr size_t block = size_t{2} << 20;
  char *next_ = nullptr;
  size_t left_ = 0;
  std::map<size_t, std::vector<void *>> freed_;
};

#endif
