// How often the process has asked for memory since it started.
#ifndef COUNTED_MEMORY_H
#define COUNTED_MEMORY_H

#include <stdint.h>

uint64_t counted_allocations(void);

#endif
