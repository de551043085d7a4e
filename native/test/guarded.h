// Memory that ends or begins at a protected page, so that an access beyond it ends the program.
#ifndef PANOPTIM_TEST_GUARDED_H
#define PANOPTIM_TEST_GUARDED_H

#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

class guarded_memory {
 public:
  // The memory ends at a protected page; with `at_start`, it begins after one.
  guarded_memory(size_t bytes, bool at_start) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t inner = (bytes + page - 1) / page * page;
    size_ = inner + 2 * page;
    void *mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mapped != MAP_FAILED, "%zu bytes", size_);
    region_ = static_cast<char *>(mapped);
    CHECK(mprotect(region_, page, PROT_NONE) == 0, "%p", mapped);
    CHECK(mprotect(region_ + page + inner, page, PROT_NONE) == 0, "%p", mapped);
    start_ = region_ + page + (at_start ? 0 : inner - bytes);
  }

  guarded_memory(const guarded_memory &) = delete;
  guarded_memory &operator=(const guarded_memory &) = delete;

  ~guarded_memory() {
    munmap(region_, size_);
  }

  void *start() const {
    return start_;
  }

 private:
  char *region_;
  char *start_;
  size_t size_;
};

#endif
