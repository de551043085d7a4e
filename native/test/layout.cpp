// The header as the compiler sees it: sizes, offsets and constants. A test compares the generated Java bindings with
// it.
//
// The build writes layout_entries.h: a line for each declaration that scripts/header-names.sh lists.
#include <cstddef>

#include "panoptim.h"

namespace {

struct entry {
  const char *name;
  long long value;
};

#define STRUCT(type) {#type, sizeof(type)},
#define MEMBER(type, field) {#type "." #field, offsetof(type, field)},
#define CONSTANT(name) {#name, name},

const entry entries[] = {
#include "layout_entries.h"
};

}  // namespace

extern "C" PANOPTIM_API int layout_entries() {
  return sizeof entries / sizeof *entries;
}

extern "C" PANOPTIM_API const char *layout_name(int index) {
  return entries[index].name;
}

extern "C" PANOPTIM_API long long layout_value(int index) {
  return entries[index].value;
}
