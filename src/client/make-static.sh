#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes libberth.a: one object of the library's own and what it needs of the floors below, in which nothing can be seen
# but what the header exports.
# Arguments: OUTPUT SCRATCH-DIRECTORY OBJCOPY AR OWN-ARCHIVE ARCHIVE... -- COMPILER...
set -eu

output=$1 scratch=$2 objcopy=$3 ar=$4 own=$5
shift 5
archives=
while [ "$1" != -- ]; do
        archives="$archives $1"
        shift
done
shift

mkdir -p "$scratch"
# shellcheck disable=SC2086 # names that meson made, without blanks
"$@" -r -nostdlib -o "$scratch/libberth.o" -Wl,--whole-archive "$own" -Wl,--no-whole-archive $archives
"$objcopy" --localize-hidden "$scratch/libberth.o"
rm -f "$output"
"$ar" rcsD "$output" "$scratch/libberth.o"
