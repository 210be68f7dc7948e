#!/bin/sh
# Builds the kernels for 64-bit ARM and compares them with the scalar ones, bit for bit, on emulated
# processors: without a dot product, with that of signed bytes, and with that of mixed ones.
# Needs clang, and on Debian: apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
set -eu
cd "$(dirname "$0")/.."
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
kernels=Sources/CKernels
for source in Tools/check_neon.c $kernels/*.c; do
  clang --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include -std=gnu11 -O2 -Wall \
    -Werror -I$kernels/include -c "$source" -o "$build/$(basename "$source" .c).o"
done
aarch64-linux-gnu-gcc -static "$build"/*.o -o "$build/check" -lpthread -lm
for processor in cortex-a53 cortex-a76 max; do
  printf '%s: ' "$processor"
  qemu-aarch64 -cpu "$processor" "$build/check"
done
