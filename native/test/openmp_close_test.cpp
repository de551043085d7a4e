// Opens the OpenMP library by its name, as Java does, and closes it while its team exists.
#include <dlfcn.h>

#include <thread>

#include "check.h"
#include "problem.h"

// Without this, threads of the runtime would run code that has been unmapped.
TEST(the_library_and_its_runtime_stay_when_they_are_closed) {
  CHECK(!dlopen(PANOPTIM_OPENMP_FILE, RTLD_NOW | RTLD_NOLOAD), "it is linked with this program");
  void *library = dlopen(PANOPTIM_OPENMP_FILE, RTLD_NOW | RTLD_LOCAL);
  CHECK(library, "%s", dlerror());
  const auto step =
      reinterpret_cast<int32_t (*)(panoptim_plan *, int32_t, int32_t, ...)>(dlsym(library, "panoptim_openmp_step"));
  CHECK(step, "%s", dlerror());
  std::thread([&] {
    problem p(composition{}, {3 * PANOPTIM_CHUNK}, 1);
    panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
    plan.share = PANOPTIM_CHUNK;
    CHECK(step(&plan, 3, 3) == PANOPTIM_OK, "%s", plan.error);
    dlclose(library);
    CHECK(dlopen(PANOPTIM_OPENMP_FILE, RTLD_NOW | RTLD_NOLOAD), "it was unloaded");
  }).join();
}
