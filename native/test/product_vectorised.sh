#!/bin/sh
# Shows from the disassembly that the inner loop of a tier's matrix product keeps its tile in registers: it has all
# fused multiply-adds of one depth in wide registers, and stores nothing.
#
#   product_vectorised.sh OBJECT REGISTER COUNT     for example: avx2_product.cpp.o ymm 12
#
# COUNT is the number of registers of a tile.
set -eu
objdump --disassemble --demangle --no-show-raw-insn "$1" | awk -v register="$2" -v wanted="$3" '
function finish(   i, j, k, target, inner, fused, stores) {
  for (i = 1; i <= count; i++) {
    if (operation[i] !~ /^j/ || !(operand[i] in line_of) || line_of[operand[i]] >= i) continue
    target = line_of[operand[i]]
    inner = 1
    for (j = target; j < i; j++) if (operation[j] ~ /^j/ && (operand[j] in line_of) && line_of[operand[j]] <= j) inner = 0
    if (!inner) continue
    fused = stores = 0
    for (k = target; k <= i; k++) {
      if (operation[k] ~ /^vfmadd[0-9]*ps$/ && text[k] ~ register) fused++
      if (operation[k] ~ /^v?mov/ && text[k] ~ /,[^,(]*\([^)]*\)$/) stores++
    }
    if (fused > 0) {
      printf "a loop of %d instructions has %d fused multiply-adds and %d stores\n", i - target + 1, fused, stores
      if (fused % wanted == 0 && stores == 0) found = 1
    }
  }
}
/^[0-9a-f]+ <.*>:$/ {
  if (name != "") finish()
  name = $0 ~ /multiply_tile</ ? $0 : ""
  count = 0
  split("", line_of)
  next
}
name != "" && /^ *[0-9a-f]+:/ {
  count++
  address = $1
  sub(/:$/, "", address)
  line_of[address] = count
  operation[count] = $2
  operand[count] = $3
  text[count] = $0
  sub(/ *[#<].*/, "", text[count])
}
END {
  if (name != "") finish()
  if (!found) print "no loop has the " wanted " fused multiply-adds of a tile without stores"
  exit !found
}'
