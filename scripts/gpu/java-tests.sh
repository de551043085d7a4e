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
. "$java_folder/setup.sh"
"$java" -version 2>&1 | sed -n 1p

# The number of tests whose line in the log of a module ends with $1. JUnit prints no summary if the tests are stopped.
count() { grep -c " :: $1\$" "$log"; }

# Writes its arguments as a line of the table of results.
row() {
  line=$1
  shift
  for each in "$@"; do line="$line$(printf '\t')$each"; done
  printf '%s\n' "$line" >> "$reports/summary.tsv"
}

failed=0
passed_in_all=0
: > "$reports/summary.tsv"
row module passed failed skipped seconds status
for arguments in "$unpacked"/tests/java/*/jvm.args; do
  [ -z "$stopped" ] || break
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
    --details=testfeed --fail-if-no-tests "--reports-dir=$reports/$name" > "$log" 2>&1
  status=$?
  passed=$(count SUCCESSFUL)
  skipped=$(($(count ABORTED) + $(count SKIPPED)))
  row "$name" "$passed" "$(count FAILED)" $skipped $(($(date +%s) - began)) $status
  passed_in_all=$((passed_in_all + passed))
  if [ $status -ne 0 ] || [ "$passed" -eq 0 ]; then
    failed=1
    echo "== $name failed with status $status; the end of $log:"
    tail -n 20 "$log"
    echo "== failed tests:"
    grep ' :: FAILED$' "$log" | head -n 50
  fi
done
cat "$reports/summary.tsv"
echo "$passed_in_all tests passed"
exit $((failed || passed_in_all == 0))
