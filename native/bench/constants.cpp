// AdamW's step with other values of the library's constants, to measure which are fastest. Compiled once for each tier
// of this build, as PANOPTIM_CONSTANTS_STEP.
#include "coefficients.h"
#include "shares.h"
#include "step/loops.h"
#include "step/nontemporal.h"

namespace {

using adamw = rule<index_of({PANOPTIM_FIRST_MOMENT_OF_GRADIENT, PANOPTIM_NESTEROV_NONE, PANOPTIM_SECOND_MOMENT_RUNNING,
                             0, 0, PANOPTIM_DECAY_DECOUPLED})>;

constexpr panoptim_int64 most_tile = 1 << 14;

kernel loop_with_prefetch(panoptim_int64 ahead) {
  switch (ahead) {
    case 0: return loop<adamw, 0>;
    case 32: return loop<adamw, 32>;
    case 64: return loop<adamw, 64>;
    case 128: return loop<adamw, 128>;
    case 256: return loop<adamw, 256>;
    case 512: return loop<adamw, 512>;
    default: return nullptr;
  }
}

}  // namespace

// One step. Returns 0, or -1 if there is no loop for `ahead` or the tile is too large; then nothing has been done.
//
// Each thread takes whole chunks. With a half-precision copy, a chunk is updated and copied in tiles of `tile`
// elements, with non-temporal stores if `streamed` is not 0.
extern "C" __attribute__((visibility("default"))) int32_t PANOPTIM_CONSTANTS_STEP(
    float *w, const float *g, float *m, float *v, uint16_t *half_precision, panoptim_int64 length, int32_t threads,
    panoptim_int64 ahead, panoptim_int64 chunk_length, panoptim_int64 tile, int32_t streamed) {
  const kernel update = loop_with_prefetch(ahead);
  if (!update || tile > most_tile) return -1;
  const panoptim_coefficients c = usual_step();
  const auto update_from = [=](panoptim_int64 at, panoptim_int64 count) {
    float *const states[] = {m + at, v + at};
    update(c, count, w + at, g + at, states);
  };
  const auto update_and_copy = [=](panoptim_int64 at, panoptim_int64 count) {
    uint16_t copy[most_tile];
    for (panoptim_int64 begin = at; begin < at + count; begin += tile) {
      const panoptim_int64 now = at + count - begin < tile ? at + count - begin : tile;
      update_from(begin, now);
      bfloat16_loop(now, w + begin, copy);
      if (streamed) {
        store_nontemporal(copy, half_precision + begin, now);
      } else {
        memcpy(half_precision + begin, copy, static_cast<size_t>(now) * sizeof *copy);
      }
    }
  };
  const panoptim_int64 chunks = (length + chunk_length - 1) / chunk_length;
  in_shares(chunks, threads, [=](int, panoptim_int64 first, panoptim_int64 last) {
    for (panoptim_int64 i = first; i < last; i++) {
      const panoptim_int64 at = i * chunk_length;
      const panoptim_int64 count = length - at < chunk_length ? length - at : chunk_length;
      half_precision ? update_and_copy(at, count) : update_from(at, count);
    }
    fence_nontemporal();
  });
  return 0;
}
