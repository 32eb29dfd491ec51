/* AVX2 and FMA: 16 registers of 32 bytes. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define KN_ISA avx2
#define KN_AVX2
#define KN_VBYTES 32
#define KN_MAC_ROWS 6
#define KN_MAC_TILES(X) X(1, 8) X(2, 6) X(3, 4) X(4, 3) X(5, 2) X(6, 2)
#define KN_CAST_ROWS 6
#define KN_CAST_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define KN_CAST_WEIGHT_ROWS 6
#define KN_CAST_WEIGHT_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define KN_DOT_ROWS 4
#define KN_DOT_COLS 3
#define KN_DOT_TILES(X) X(1, 3) X(2, 3) X(3, 3) X(4, 3)
#include "kn_isa.inc"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
