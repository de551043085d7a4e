#!/bin/sh
# Shows from the intermediate code for GPUs what no run without a GPU can: the step of every composition reads and
# writes 16 bytes at a time, and each operation of the source is rounded once, to nearest, with denormals. (An operation
# without a rounding mode may be contracted with the next.)
#
#   ptx.sh COMPOSITIONS FILE...     PTX, for example: compositions step.ptx panoptim_cuda.ptx; or one library that has
#                                   PTX uncompressed
#
# COMPOSITIONS is the program compositions.cpp.
set -eu
compositions=$1
shift
{
  "$compositions" | sed 's/^/composition /'
  case $1 in
    *.ptx) cat "$@" ;;
    *) strings -a "$1" ;;
  esac
} | awk '
function finish(   operands) {
  if (name == "") return
  compositions++
  operands = states[name] + 3  # parameter, gradient, average
  if (loads != operands || stores != operands || half_precisions != 1 || (must_divide[name] && divisions < 4)) {
    failures++
    printf "%s: %d wide loads and %d wide stores of %d operands, %d of half precision, %d divisions\n", words[name],
           loads, stores, operands, half_precisions, divisions
  }
}
$1 == "composition" {
  states[$2] = $3
  must_divide[$2] = $4
  words[$2] = $0
  sub(/.*rule/, "rule", words[$2])
  legal++
  next
}
/\.entry/ {
  finish()
  name = ""
  if (match($0, /step_workI4ruleILi[0-9]+E/)) name = substr($0, RSTART + 18, RLENGTH - 19)
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
    print words[name] ": " $0
  }
}
END {
  finish()
  printf "%d of %d compositions, %d operations, %d failures\n", compositions, legal, arithmetic, failures
  exit legal == 0 || compositions != legal || arithmetic == 0 || failures > 0
}'
