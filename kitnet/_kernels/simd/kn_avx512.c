/* AVX-512 (F, VL, DQ, BW): 32 registers of 64 bytes. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
#endif

#define KN_ISA avx512
#define KN_AVX512
#define KN_VBYTES 64
#define KN_MAC_ROWS 14
#define KN_MAC_TILES(X) \
    X(1, 8) X(2, 8) X(3, 8) X(4, 6) X(5, 4) X(6, 4) X(7, 3) X(8, 3) X(9, 3) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2)
#define KN_CAST_ROWS 14
#define KN_CAST_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define KN_CAST_WEIGHT_ROWS 9
#define KN_CAST_WEIGHT_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
#define KN_DOT_ROWS 6
#define KN_DOT_COLS 4
#define KN_DOT_TILES(X) X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)
#include "kn_isa.inc"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
