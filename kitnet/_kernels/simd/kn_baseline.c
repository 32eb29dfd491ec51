/* What every CPU of the family has: SSE2 on x86-64, plain 16-byte vectors elsewhere (arm64 uses kn_neon.c). */
#if !defined(__aarch64__)
#include <stddef.h>
#include <string.h>

#define KN_ISA baseline
#define KN_VBYTES 16
#define KN_MAC_ROWS 6
#define KN_MAC_TILES(X) X(1, 8) X(2, 5) X(3, 4) X(4, 2) X(5, 2) X(6, 2)
#define KN_CAST_ROWS 6
#define KN_CAST_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define KN_CAST_WEIGHT_ROWS 6
#define KN_CAST_WEIGHT_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define KN_DOT_ROWS 4
#define KN_DOT_COLS 2
#define KN_DOT_TILES(X) X(1, 2) X(2, 2) X(3, 2) X(4, 2)
#include "kn_isa.inc"
#endif
