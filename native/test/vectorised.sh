#!/bin/sh
# Shows from the disassembly that the hot loop of every composition of a tier is vectorised.
#
#   vectorised.sh COMPOSITIONS OBJECT REGISTER     for example: compositions avx2.cpp.o ymm
#
# COMPOSITIONS is the program compositions.cpp. A composition passes if an innermost loop prefetches all its operands
# (none, for a composition without states, and for rows of tables), stores every operand that it updates from wide
# registers, computes with wide registers only, and divides and takes roots there if the composition does. The loops of
# measures store one array, and those of the gradient neither divide nor take roots.
set -eu
compositions=$1
object=$2
register=$3

{
  "$compositions" | sed 's/^/composition /'
  objdump --disassemble --demangle --no-show-raw-insn "$object"
} | awk -v register="$register" '
function finish(   i, j, k, target, inner, fetches, fetched, wide_stores, narrow, fused, divisions, roots, found, wanted) {
  if (name == "") return
  if (measures) measured++
  else if (of_rows) with_rows++
  else compositions++
  wanted = measures ? 1 : 1 + states[name]
  found = ""
  for (i = 1; i <= count; i++) {
    if (operation[i] !~ /^j/ || !(operand[i] in line_of)) continue
    target = line_of[operand[i]]
    if (target >= i) continue
    inner = 1
    for (j = target; j < i; j++) {
      if (operation[j] ~ /^j/ && (operand[j] in line_of) && line_of[operand[j]] <= j && line_of[operand[j]] >= target) inner = 0
    }
    if (!inner) continue
    fetches = wide_stores = narrow = fused = divisions = roots = 0
    for (k = target; k <= i; k++) {
      if (operation[k] ~ /^prefetch/) fetches++
      if (operation[k] ~ /^vmov[au]ps$/ && text[k] ~ ("%" register "[0-9]+(\\{[^}]*\\})?,[^%]*\\(")) wide_stores++
      if (operation[k] ~ /^v(add|sub|mul|div|sqrt|fn?m(add|sub)[0-9]*)ss$/) narrow++
      if (operation[k] ~ /^vfn?m(add|sub)[0-9]*ps$/ && text[k] ~ register) fused++
      if (operation[k] == "vdivps" && text[k] ~ register) divisions++
      if (operation[k] == "vsqrtps" && text[k] ~ register) roots++
    }
    fetched = measures ? fetches > 0 : wanted == 1 || of_rows ? fetches == 0 : fetches > 0 && fetches % (wanted + 1) == 0
    if (fetched && wide_stores >= wanted && wide_stores % wanted == 0 && narrow == 0 && (fused > 0 || measures) &&
        (of_gradient || !must_divide[name] || divisions > 0) && (of_gradient || !must_take_roots[name] || roots > 0)) {
      found = sprintf("%d instructions, %d wide stores, %d fused multiply-adds, %d divisions, %d roots",
                      i - target + 1, wide_stores, fused, divisions, roots)
    }
  }
  # The compiler merges equal functions: some measures do not depend on decay.
  if (found == "" && measures && merged) found = "as another measure"
  if (found == "") failures++
  printf "%s%-24s %s\n", measures ? "measure of " : of_rows ? "rows of " : "", words[name], found == "" ? "NOT VECTORISED" : found
}
$1 == "composition" {
  states[$2] = $3
  must_divide[$2] = $4
  must_take_roots[$2] = $5
  words[$2] = $0
  sub(/.*rule/, "rule", words[$2])
  legal++
  next
}
/^[0-9a-f]+ <.*>:$/ {
  finish()
  name = ""
  count = 0
  merged = 0
  split("", line_of)
  measures = match($0, /measure_loop<rule<[0-9]+>/)
  of_gradient = match($0, /measure_loop<rule<[0-9]+>, 1/)
  of_rows = match($0, /[^_]loop<rule<[0-9]+>, 0/)
  if (match($0, /loop<rule<[0-9]+>/)) name = substr($0, RSTART + 10, RLENGTH - 11)
  next
}
name != "" && /^ *[0-9a-f]+:/ {
  if ($2 == "jmp" && /measure_loop<rule<[0-9]+>[^+]*>$/) merged = 1
  count++
  address = $1
  sub(/:$/, "", address)
  line_of[address] = count
  operation[count] = $2
  operand[count] = $3
  text[count] = $0
}
END {
  finish()
  printf "%d of %d compositions, %d of tables and %d measures, %d not vectorised in %s registers\n", compositions,
         legal, with_rows, measured, failures, register
  exit legal == 0 || compositions != legal || with_rows == 0 || measured == 0 || failures > 0
}'
