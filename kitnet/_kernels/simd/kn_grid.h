/* One row of windows and the rows of the image that it sees, or one row of the image and the rows of windows that see
 * it: what the windowed micro-kernels share. */
#ifndef KN_GRID_H
#define KN_GRID_H

#include <stddef.h>

/* What one place of an axis has to do with on the other side (a window with cells, a cell with windows): its partners
 * are at + i * step, by the taps tap + i * tap_step, i < count. */
typedef struct {
    ptrdiff_t count, tap, at;
} kn_span;

/* The columns first, first + stride, ... of an image row meet the same taps: tap + i * period, i < taps. Column number
 * q (counted along the phase, from start) is met by tap number i in window start + q - place - i * step. */
typedef struct {
    ptrdiff_t first, columns, start, taps, tap, place;
} kn_phase;

typedef struct {
    ptrdiff_t size, out, kernel, stride, pad, dilation; /* along the row: image columns, windows, ... */
    ptrdiff_t low, high;           /* the windows [low, high) have every tap inside the image */
    const ptrdiff_t *enter, *leave; /* by tap: it is inside the image in the windows [enter, leave) */
    ptrdiff_t phases, period, step; /* backward: how many phases, taps and windows from one tap to the next */
    const kn_phase *phase;
    const kn_span *span;           /* by place on this side; from partner to partner it is span_step */
    ptrdiff_t span_step;
    ptrdiff_t count;               /* partners: rows of the image (backward: of windows), */
    const ptrdiff_t *rows;         /* and where each begins */
} kn_row;

/* A vector that passes the end of its row: it has what follows there, or a value instead; or nothing may be read there. */
enum { KN_OPEN, KN_FILLED, KN_CLOSED };

/* Some rows of one slice of this side of a plane, and what they see of the other side, dilation 1: see kn_line.h. */
typedef struct {
    const kn_row *row;
    const kn_span *d, *h;             /* of the slice, and of the first of */
    ptrdiff_t rows;                   /* the rows; whole vectors can be read and written */
    ptrdiff_t whole;                  /* in so many of them */
    ptrdiff_t step;                   /* from partner to partner, of slices and of rows */
    ptrdiff_t width, height, cells;   /* of the other side: columns, rows of a slice, elements of a plane */
    ptrdiff_t own;                    /* elements of a plane on this side */
    ptrdiff_t planes, joined;         /* one after the other; joined: each without a gap to the next */
    ptrdiff_t lines, pitch, before;   /* scratch: how many lines, elements of one, and where in it a row begins */
} kn_sheet;

/* An axis by lists: result j is the sum of weight[t] times cell index[t] over start[j] <= t < start[j + 1]. */
typedef struct {
    const int *start; /* NULL: the axis stays as it is */
    const int *index;
    const void *weight;
    ptrdiff_t size, out; /* cells, results */
    const struct kn_pick *picks; /* blocks of results, one without any after the last; or NULL */
} kn_lists;

/* A block of results, not more than lanes, and the cells that it reads, not more than a window. By tap, number and
 * weight have a vector: the number of a cell in the window (-1: none), an integer as wide as a weight, and its
 * weight. */
typedef struct kn_pick {
    ptrdiff_t cell, cells, result, results, taps;
    const void *number, *weight;
} kn_pick;

/* The least t >= 0 with start + t * step >= 0, at most n. */
static inline ptrdiff_t kn_enter(ptrdiff_t start, ptrdiff_t step, ptrdiff_t n)
{
    const ptrdiff_t t = start >= 0 ? 0 : step == 1 ? -start : (step - 1 - start) / step;
    return t < n ? t : n;
}

static inline ptrdiff_t kn_gcd(ptrdiff_t a, ptrdiff_t b)
{
    while (b) {
        const ptrdiff_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#endif
