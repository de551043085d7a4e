#!/bin/sh
# card.sh runs all its stages on the emulated device. A stage that fails, and one that takes too long, leave the results
# of the others.
#
#   card_test.sh CARD CUDA-TEST CUDA-RUNTIME-TEST CUDA-BENCH
set -eu
card=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/bundle/bin" "$folder/bundle/java" "$folder/tools"
ln -s "$2" "$folder/bundle/bin/cuda_test"
ln -s "$3" "$folder/bundle/bin/cuda_runtime_test"
ln -s "$4" "$folder/bundle/bin/panoptim_cuda_bench"
# The Java tests fail, the profiler hangs, and the sanitizer finds nothing. There are two GPUs.
echo 'exit 3' > "$folder/bundle/java/run.sh"
printf 'printf "adamw\\tpanoptim java\\n"\n' > "$folder/bundle/java/bench.sh"
printf '#!/bin/sh\nexec sleep 60\n' > "$folder/tools/ncu"
# Its arguments are those of the sanitizer, then the program with the name of a test.
cat > "$folder/tools/compute-sanitizer" << 'END'
#!/bin/sh
while [ "${1#--}" != "$1" ]; do
  [ "$1" = --tool ] && shift
  [ "$1" = --error-exitcode ] && shift
  shift
done
exec "$@"
END
printf '#!/bin/sh\nexit 1\n' > "$folder/tools/python3" # no PyTorch
printf '#!/bin/sh\necho 580.0\necho 580.0\n' > "$folder/tools/nvidia-smi"
chmod +x "$folder"/tools/*

# Only one stage may take too long, also on a busy machine.
for stage in card bits speed torch java java_speed sanitizer large; do export "LIMIT_$stage=600"; done
status=0
PATH="$folder/tools:$PATH" OUT="$folder/out" LIMIT_profiler=2 MOST=1000 LARGE=131075 \
  sh "$card" --prebuilt "$folder/bundle" > "$folder/said" || status=$?
cut -f 1,2 "$folder/out/stages.tsv" > "$folder/stages"
fail() {
  echo "$1" >&2
  cat "$folder/said" "$folder/out/log.txt" >&2
  exit 1
}
[ "$status" = 1 ] || fail "the exit status is $status, not 1"
tab=$(printf '\t')
for expected in build:skipped card:passed bits:passed speed:passed torch:skipped 'java:failed with status 3' \
  java_speed:passed 'profiler:stopped after 2 s' sanitizer:passed large:passed; do
  grep -qx "${expected%%:*}$tab${expected#*:}" "$folder/stages" || fail "there is no line '$expected' in stages.tsv"
done
grep -q "^adamw${tab}panoptim${tab}1${tab}256$tab" "$folder/out/gpu.tsv" || fail "gpu.tsv has no figure of AdamW"
grep -qx "adamw${tab}panoptim java" "$folder/out/gpu.tsv" || fail "gpu.tsv has no figure of Java"
[ "$(grep -cx '# driver: 580\.0' "$folder/out/gpu.tsv")" = 1 ] || fail "gpu.tsv has not one line for the driver"
if grep -qx '580\.0' "$folder/out/gpu.tsv"; then fail "gpu.tsv has a line of the second GPU"; fi
grep -q "^cuda_runtime_test.streams_follow_events: status 0" "$folder/out/log.txt" || fail "log.txt lacks a test"
