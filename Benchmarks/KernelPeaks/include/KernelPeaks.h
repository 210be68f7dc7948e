// What one core can do at most: multiply-adds between registers, without a load.
#ifndef TESSERA_KERNEL_PEAKS_H
#define TESSERA_KERNEL_PEAKS_H

#include <stddef.h>

// Runs `rounds` rounds of independent multiply-adds of an instruction set (1: AVX2, 2: AVX-512, as
// in tk_isa) and returns how many operations (two for each multiply-add) that were; 0 where the
// instruction set is another. The integer form is the one that the kernels use: VNNI, or vpmaddwd
// and vpaddd.
double peak_f32(int isa, size_t rounds);
double peak_u8s8(int isa, size_t rounds);

#endif
