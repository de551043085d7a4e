#!/bin/sh
# Shows from the intermediate code for GPUs what no run without a GPU can: the step of every composition reads and
# writes 16 bytes at a time, and everything is rounded as IEEE says, once for each operation that is written, denormals
# included. (An operation without rounding mode may be contracted with the next.)
#
#   ptx.sh FILE...     PTX, for example: step.ptx panoptim_cuda.ptx; or one library that has PTX uncompressed
set -eu
case $1 in
  *.ptx) cat "$@" ;;
  *) strings -a "$1" ;;
esac | awk '
function finish(   part, streams, states) {
  if (name == "") return
  compositions++
  split(name, part, /[^0-9]+/)
  # part: 2 first moment, 3 look-ahead, 4 second moment, 5 unit correction, 6 sign, 7 decay
  states = (part[2] > 0) + (part[4] > 0) + (part[4] == 2 || part[4] == 3) + part[5]
  streams = states + 3  # parameter, gradient, average
  if (loads != streams || stores != streams || half_precisions != 1 || (part[4] > 0 && divisions < 4)) {
    failures++
    printf "%s: %d wide loads and %d wide stores of %d streams, %d of half_precisions, %d divisions\n", name, loads, stores, streams,
           half_precisions, divisions
  }
}
/\.entry/ {
  finish()
  name = ""
  if (match($0, /ruleILi[0-9]+ELi[0-9]+ELi[0-9]+ELi[0-9]+ELi[0-9]+ELi[0-9]+E/)) name = substr($0, RSTART + 4, RLENGTH - 4)
  loads = stores = half_precisions = divisions = 0
}
/ld\.(global\.)?v4\.f32/ { loads++ }
/st\.(global\.)?v4\.f32/ { stores++ }
/st\.(global\.)?v4\.(u|b)16/ { half_precisions++ }
/div\.rn\.f32/ { divisions++ }
/(add|sub|mul|mad|fma|div|sqrt|rcp|rsqrt)\.[a-z.]*f(32|64)/ {
  arithmetic++
  if ($0 !~ /(add|sub|mul|fma|div|sqrt)\.rn\.f(32|64)/) {
    failures++
    print
  }
}
END {
  finish()
  printf "%d compositions, %d operations, %d failures\n", compositions, arithmetic, failures
  exit compositions != 192 || arithmetic == 0 || failures > 0
}'
