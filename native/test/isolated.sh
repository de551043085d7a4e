#!/bin/sh
# Shows that the object file of a tier exports its table only. If two tiers defined the same function, the linker could
# keep the one for the newer processor, and an older processor would fail with SIGILL.
#
#   isolated.sh OBJECT TABLE     for example: avx2.cpp.o avx2_kernels
set -eu
shared=$(nm --defined-only --extern-only --demangle "$1" | awk '{ $1 = ""; print }')
echo "defined for others:$shared"
[ "$shared" = " R $2" ] || [ "$shared" = " D $2" ]
