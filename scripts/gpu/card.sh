#!/bin/sh
# All tests and measurements that need a GPU, in stages. A stage that fails or takes too long does not stop the others.
#
#   card.sh [--prebuilt BUNDLE] [--only STAGE,STAGE...]
#
# Results go to the folder $OUT, or else to gpu-results: stages.tsv (the status and the seconds of each stage), gpu.tsv
# (the figures, for the report) and log.txt. The folder must not have the results of another run. With a bundle, the
# limits of all stages add up to less than nine minutes; on an H100 the stages take four.
#
# LIMIT_<stage> is the most seconds of a stage, instead of the limit below; MOST is the most elements that are measured.
#
# BUNDLE is made by bundle.sh on another machine. With it, this machine needs no compiler, no JDK and no Maven. Without
# it, the native programs are built here, and the Java tests run if there is Maven.
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT:-$PWD/gpu-results}
bundle=
only=
stage=
while [ $# -gt 0 ]; do
  case $1 in
    --prebuilt) bundle=$(cd "$2" && pwd) || exit 2; shift 2 ;;
    --only) only=,$2,; shift 2 ;;
    --stage) stage=$2; shift 2 ;;
    *) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
  esac
done
if [ -n "$bundle" ]; then
  bin=$bundle/bin
  bench=$bin/panoptim_cuda_bench
else
  build=${BUILD:-$root/java/panoptim/target/cmake/gpu}
  bin=$build/native/test
  bench=$build/panoptim_cuda_bench
fi
has() { command -v "$1" >/dev/null 2>&1; }

# Runs each test of a program by its name: a program without a name ends at its first skipped test. 77: skipped.
tests() {
  failed=0
  passed=0
  for test in $(sed -n 's/^TEST(\(.*\)).*/\1/p' "$root/native/test/$1.cpp"); do
    "$bin/$1" "$test"
    status=$?
    echo "$1.$test: status $status"
    case $status in
      0) passed=$((passed + 1)) ;;
      77) ;;
      *) failed=1 ;;
    esac
  done
  [ $failed = 0 ] && [ $passed -gt 0 ]
}

run_card() {
  uname -srm
  if has nvidia-smi; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem --format=csv
  fi
  # Without a GPU this test is skipped, with status 77. But there must be one.
  "$bin/cuda_runtime_test" memory_is_where_it_was_allocated || return 1
}

run_build() {
  [ -z "$bundle" ] || return 77
  cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DPANOPTIM_CUDA=ON -DPANOPTIM_CUDA_WERROR=OFF \
    "-DPANOPTIM_CUDA_ARCHITECTURES=${ARCHITECTURES:-90-real}" &&
    cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" \
      --target cuda_test cuda_runtime_test panoptim_cuda_bench
}

run_bits() {
  tests cuda_test
  first=$?
  tests cuda_runtime_test && return $first
}

run_speed() {
  "$bench" ${MOST:+--most "$MOST"} >> "$out/gpu.tsv"
}

run_torch() {
  has python3 && python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || return 77
  python3 "$root/native/bench/cuda_peer.py" >> "$out/gpu.tsv"
}

run_java() {
  if [ -n "$bundle" ]; then
    sh "$bundle/java/run.sh" "$out/java"
  elif has mvn; then
    (cd "$root" && mvn -B verify -pl java/panoptim,java/safetensors,java/checkpoint -Dcuda=ON -Dpanoptim.gpu.needed=true)
  else
    return 77
  fi
}

run_java_speed() {
  if [ -n "$bundle" ]; then
    sh "$bundle/java/bench.sh" ${MOST:+--most "$MOST"} >> "$out/gpu.tsv"
  elif has mvn; then
    (cd "$root" && mvn -B -q -Pbench -Dcuda=ON -Dbench.main=dev.panoptim.bench.GpuMain \
      "-Dbench.args=${MOST:+--most $MOST}") >> "$out/gpu.tsv"
  else
    return 77
  fi
}

run_profiler() {
  has ncu || return 77
  for case in adamw norm; do
    # The first case of that name is the largest.
    ncu --clock-control none --launch-skip 3 --launch-count 3 --section SpeedOfLight --section Occupancy \
      --section LaunchStats --section MemoryWorkloadAnalysis --section WarpStateStats "$bench" --rounds 1 $case || return 1
  done
}

run_sanitizer() {
  # Where nvcc is a wrapper script, compute-sanitizer is not beside it.
  sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
  [ -x "$sanitizer" ] || return 77
  failed=0
  for test in a_device_agrees_on_unaligned_operands each_row_has_its_own_coefficients \
    a_norm_has_the_host_s_bits_and_consequences a_device_agrees_for_every_composition; do
    "$sanitizer" --tool memcheck --error-exitcode 1 "$bin/cuda_test" $test || failed=1
  done
  "$sanitizer" --tool racecheck --error-exitcode 1 "$bin/cuda_test" a_norm_has_the_host_s_bits_and_consequences || failed=1
  return $failed
}

run_large() {
  PANOPTIM_LARGE=${LARGE:-1} "$bin/cuda_test" a_device_agrees_on_a_tensor_of_more_than_2_31_elements
}

if [ -n "$stage" ]; then
  run_"$stage"
  exit
fi

if [ -e "$out/stages.tsv" ]; then
  echo "$out has the results of another run" >&2
  exit 2
fi
mkdir -p "$out" || exit 2
: > "$out/log.txt"
printf 'stage\tstatus\tseconds\n' > "$out/stages.tsv"
{
  echo "# date: $(date -u +%Y-%m-%d)"
  if has nvidia-smi; then
    echo "# driver: $(nvidia-smi --query-gpu=driver_version --format=csv,noheader | sed -n 1p)"
  fi
} > "$out/gpu.tsv"
failures=0
perform() {
  case $only in '' | *,$1,*) ;; *) return ;; esac
  echo "== $1 ==" >> "$out/log.txt"
  begin=$(date +%s)
  eval "limit=\${LIMIT_$1:-$2}"
  OUT=$out timeout -k 5 "$limit" sh "$0" --stage "$1" ${bundle:+--prebuilt "$bundle"} >> "$out/log.txt" 2>&1
  status=$?
  case $status in
    0) said=passed ;;
    77) said=skipped ;;
    124 | 137) said="stopped after $limit s" ;;
    *) said="failed with status $status" ;;
  esac
  case $status in 0 | 77) ;; *) failures=$((failures + 1)) ;; esac
  printf '%s\t%s\t%s\n' "$1" "$said" "$(($(date +%s) - begin))" >> "$out/stages.tsv"
}
perform build 300
perform card 15
perform bits 60
perform speed 70
perform torch 70
if [ -n "$bundle" ]; then
  perform java 110
  perform java_speed 75
else
  # Maven builds the modules first.
  perform java 1200
  perform java_speed 600
fi
perform profiler 40
perform sanitizer 60
perform large 30
cat "$out/gpu.tsv" "$out/stages.tsv"
exit $((failures > 0))
