#!/bin/sh
# All tests and measurements that need a GPU: builds, compares the bits of every composition with the processor's,
# searches for memory faults and races, and measures. With Maven and a JDK it runs the Java tests too. With a Python that
# has PyTorch, it measures PyTorch's fused AdamW, in turns with Panoptim's.
#
#   gpu.sh [BUILD-DIRECTORY]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/java/panoptim/target/cmake/gpu}
has() { command -v "$1" >/dev/null 2>&1; }

cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DPANOPTIM_CUDA=ON
# The nvcc that CMake has found.
nvcc=$(sed -n 's/^PANOPTIM_NVCC:FILEPATH=//p' "$build/CMakeCache.txt")
cat > "$build/probe.cu" << 'END'
#include <cstdio>

int main() {
  int count;
  const cudaError_t said = cudaGetDeviceCount(&count);
  if (said != cudaSuccess) std::fprintf(stderr, "%s\n", cudaGetErrorString(said));
  return said != cudaSuccess;
}
END
"$nvcc" -o "$build/probe" "$build/probe.cu"
"$build/probe" || { echo "there is no GPU to test" >&2; exit 1; }

cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)"
cmake --build "$build" --parallel --target panoptim_cuda_bench

echo "== bits"
# This test must run and pass: there is a GPU.
"$build/native/test/cuda_runtime_test" memory_is_where_it_was_allocated
available=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
if [ "${available:-0}" -gt $((32 << 20)) ]; then
  export PANOPTIM_LARGE=1
else
  echo "without the tensor of more than a gibibyte, whose test needs 32 GiB of host memory"
fi
(cd "$build" && ctest --output-on-failure -R '^cuda_')

echo "== memory and races"
sanitizer=$(dirname "$(readlink -f "$nvcc")")/compute-sanitizer
if has "$sanitizer"; then
  for tool in memcheck racecheck initcheck synccheck; do
    for test in a_device_agrees_for_every_composition a_device_agrees_at_every_size \
      a_device_agrees_on_unaligned_operands a_norm_has_the_host_s_bits_and_consequences; do
      "$sanitizer" --tool $tool --error-exitcode 1 "$build/native/test/cuda_test" $test
    done
  done
else
  echo "skipped: there is no compute-sanitizer"
fi

echo "== speed"
"$build/panoptim_cuda_bench"
if has python3 && python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  python3 "$root/native/bench/cuda_peer.py" "$build/panoptim_cuda_bench"
else
  echo "skipped PyTorch: there is no Python with a PyTorch that sees the GPU"
fi

echo "== Java"
if has mvn; then
  (cd "$root" && mvn -B verify -pl java/panoptim,java/safetensors,java/checkpoint -Dcuda=ON -Dpanoptim.gpu.needed=true)
else
  echo "skipped: there is no Maven"
fi
