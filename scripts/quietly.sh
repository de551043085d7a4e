#!/bin/sh
# Runs a command. With "mvn -q", whose log level is 3, its output appears only if it fails.
#
# Called by the poms for scripts with much output.
#
#   quietly.sh log-level=MAVEN-LOG-LEVEL COMMAND [ARGUMENT...]
set -eu
level=$1
shift
[ "$level" = log-level=3 ] || exec "$@"
output=$("$@" 2>&1) || {
  status=$?
  printf '%s\n' "$output" >&2
  exit $status
}
