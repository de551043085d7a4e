#!/bin/sh
# Runs the Java tests with the tag "gpu" from a bundle that bundle.sh has made, of which this file is java/run.sh. It
# needs tar, and xz or python3; neither a JDK nor Maven.
#
#   run.sh REPORTS
#
# REPORTS gets for each module a folder with a JUnit report and a log, and summary.tsv. The exit status is 0 if all
# tests that ran have passed, and some have run.
#
# PANOPTIM_GPU=emulated runs the tests on the emulated GPU, to test the bundle on a machine without one.
# PANOPTIM_JAVA names another java (25 or newer) than the bundle's.
set -u
if [ $# -ne 1 ]; then
  echo "usage: run.sh REPORTS" >&2
  exit 2
fi
mkdir -p "$1" || exit 2
reports=$(cd "$1" && pwd)
java_folder=$(cd "$(dirname "$0")" && pwd)
lib=$(cd "$java_folder/../lib" && pwd)

case ${PANOPTIM_GPU:-hardware} in
  hardware) library=$lib/libpanoptim_cuda.so ;;
  emulated)
    library=$lib/libpanoptim_cuda_emulated.so
    # As in the build with Maven.
    export PANOPTIM_EMULATED_DEVICES="${PANOPTIM_EMULATED_DEVICES:-2}"
    export PANOPTIM_EMULATED_PACKED="${PANOPTIM_EMULATED_PACKED:-1}"
    ;;
  *)
    echo "PANOPTIM_GPU is '$PANOPTIM_GPU', but must be hardware or emulated" >&2
    exit 2
    ;;
esac

java=${PANOPTIM_JAVA:-}
if [ -z "$java" ]; then
  image=$(mktemp -d) || exit 2
  trap 'rm -rf "$image"' EXIT
  trap 'exit 143' HUP INT TERM
  if command -v xz >/dev/null 2>&1; then
    xz -dc "$java_folder/jre.tar.xz" | tar -C "$image" -xf -
  else
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$java_folder/jre.tar.xz" "$image"
  fi || exit 2
  java=$image/bin/java
fi
"$java" -version 2>&1 | sed -n 1p

# The number before "tests $1" in JUnit's summary of a module.
count() { sed -n "s/^\[ *\([0-9]*\) tests $1 *\]\$/\1/p" "$log" | grep . || echo 0; }

failed=0
passed_in_all=0
tab=$(printf '\t')
echo "module${tab}passed${tab}failed${tab}skipped${tab}seconds${tab}status" > "$reports/summary.tsv"
for arguments in "$java_folder"/java/*/jvm.args; do
  module_folder=$(dirname "$arguments")
  name=$(basename "$module_folder")
  mkdir -p "$reports/$name"
  log=$reports/$name/log.txt
  began=$(date +%s)
  # Some tests name files relative to the module's directory.
  cd "$module_folder" || exit 2
  "$java" @jvm.args "-XX:ErrorFile=$reports/$name/hs_err_%p.log" -Dpanoptim.gpu.needed=true \
    "-Dpanoptim.cuda.library=$library" "-Dpanoptim.testlibs.dir=$lib" \
    org.junit.platform.console.ConsoleLauncher execute @junit.args --disable-banner --disable-ansi-colors \
    --details=tree --details-theme=ascii --fail-if-no-tests "--reports-dir=$reports/$name" > "$log" 2>&1
  status=$?
  passed=$(count successful)
  echo "$name$tab$passed$tab$(count failed)$tab$(count aborted)$tab$(($(date +%s) - began))$tab$status" \
    >> "$reports/summary.tsv"
  passed_in_all=$((passed_in_all + passed))
  if [ $status -ne 0 ] || [ "$passed" -eq 0 ]; then
    failed=1
    echo "== $name failed with status $status; the end of $log:"
    sed -n '/^Failures (/,$p' "$log" | grep . | head -n 100 || true
    tail -n 20 "$log"
  fi
done
cat "$reports/summary.tsv"
echo "$passed_in_all tests passed"
exit $((failed || passed_in_all == 0))
