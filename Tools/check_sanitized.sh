#!/bin/sh
# Runs the kernels under the address and undefined-behaviour sanitizers, and the thread pool under the
# thread sanitizer: about two minutes. Needs the Swift toolchain's clang.
set -eu
cd "$(dirname "$0")/.."
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
kernels=Sources/CKernels
# The thread sanitizer's runtime wants Dispatch, which lies beside the Swift libraries.
libraries=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/lib/swift/linux
clang -std=gnu11 -O1 -g -Wall -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -fuse-ld=lld \
  -I$kernels/include Tools/check_neon.c $kernels/*.c -o "$build/kernels" -lpthread -lm
"$build/kernels"
clang -std=gnu11 -O1 -g -Wall -Werror -fsanitize=thread -I$kernels/include Tools/check_threads.c \
  $kernels/*.c -o "$build/threads" -L"$libraries" -Wl,-rpath,"$libraries" -ldispatch \
  -lBlocksRuntime -lpthread -lm
TSAN_OPTIONS=die_after_fork=0 "$build/threads"
