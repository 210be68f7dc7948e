#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's driver, for programs with a main function of their own.
int LLVMFuzzerRunDriver(int *argc, char ***argv,
                        int (*run)(const uint8_t *bytes, size_t count));
