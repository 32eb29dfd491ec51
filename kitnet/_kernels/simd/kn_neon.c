/* NEON, the baseline of arm64: 32 registers of 16 bytes, multiplication by a lane. */
#if defined(__aarch64__)
#include <stddef.h>
#include <string.h>

#ifndef __clang__
/* Scheduled before registers are given out, the loads move ahead of the arithmetic until accumulators spill. */
#pragma GCC optimize("no-schedule-insns")
#endif

#define KN_ISA neon
#define KN_VBYTES 16
#define KN_MAC_ROWS 8
#define KN_MAC_TILES(X) X(1, 8) X(2, 8) X(3, 7) X(4, 5) X(5, 4) X(6, 4) X(7, 3) X(8, 3)
#define KN_CAST_ROWS 12
#define KN_CAST_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define KN_CAST_WEIGHT_ROWS 9
#define KN_CAST_WEIGHT_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
#define KN_DOT_ROWS 6
#define KN_DOT_COLS 4
#define KN_DOT_TILES(X) X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)
#include "kn_isa.inc"
#endif
