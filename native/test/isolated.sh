#!/bin/sh
# Shows that a tier's object shares nothing but its table: a function that two tiers define could be linked from the
# one that is compiled for the newer processor, and kill an older one.
#
#   isolated.sh OBJECT TABLE     for example: avx2.cpp.o avx2_kernels
set -eu
shared=$(nm --defined-only --extern-only --demangle "$1" | awk '{ $1 = ""; print }')
echo "defined for others:$shared"
[ "$shared" = " R $2" ] || [ "$shared" = " D $2" ]
