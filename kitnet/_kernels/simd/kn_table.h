/* The table of micro-kernels: one kn_ops per instruction set and dtype, filled by kn_isa.inc.
 *
 * Arrays cross this border as void pointers, so that one struct (and one declaration in _dispatch.pxd) serves
 * float and double; every micro-kernel turns them into its own type in its first lines. Sizes are in elements.
 * A micro-kernel never allocates, never starts a thread, never fails and touches no byte outside its operands. */
#ifndef KN_TABLE_H
#define KN_TABLE_H

#include "kn_grid.h"
#include "kn_kinds.h"
#include <stddef.h>
#include <stdint.h>

/* Capacities of the table; what an instruction set really has, its kn_ops says. */
enum { KN_MAX_MAC_ROWS = 14, KN_MAX_DOT_ROWS = 6, KN_MAX_DOT_COLS = 4, KN_MAX_CAST_ROWS = 14,
       KN_MAX_CAST_WEIGHT_ROWS = 9 };

/* c[i][j] (+)= sum_k a[k * lda + i] * b[off[k] + j]   for i < m, j < vectors(m) * lanes */
typedef void (*kn_mac)(ptrdiff_t kc, const void *a, ptrdiff_t lda, const void *b, const ptrdiff_t *off,
                       void *c, ptrdiff_t ldc, int accumulate);

/* c[i * ldc + j] (+)= sum_{p < n} a[i * lda + p] * b[off[j] + p]   for i < m, j < cols <= dot_cols;
 * off has dot_cols entries, all of them readable rows */
typedef void (*kn_dot)(ptrdiff_t n, const void *a, ptrdiff_t lda, const void *b, const ptrdiff_t *off,
                       void *c, ptrdiff_t ldc, ptrdiff_t cols, int accumulate);

/* c[i * pitch + f] (+)= sum_k x[off[k] + i * step] * w[k][f]   for i < m pixels, f < nv * lanes filters; prefetches x
 * `ahead` */
typedef void (*kn_cast)(ptrdiff_t kc, const void *x, const ptrdiff_t *off, const void *w, void *c, ptrdiff_t pitch,
                        int accumulate, ptrdiff_t ahead);

/* c[i][f] (+)= sum_{r < rows, q < n} x[off[i] + r * (n * step + gap) + q * step] * dy[r * n + q][f]
 * for i < m taps, f < nv * lanes filters */
typedef void (*kn_cast_weight)(ptrdiff_t rows, ptrdiff_t n, const void *x, const ptrdiff_t *off, ptrdiff_t gap,
                               const void *dy, void *c, int accumulate);

/* c[i][f] (+)= sum_{l < lines, j < 3} x[off[l] + i + j - 1] * w[l][j][f]   for i < m pixels, f < lanes filters; the first
 * pixel and the last one only where the flags say so */
typedef void (*kn_threes_tile)(ptrdiff_t lines, const void *x, const ptrdiff_t *off, const void *w, int before,
                               int behind, void *c, int accumulate);

/* Rows of n pixels of dy under a kernel of 3x3: line i of it meets row r in row y + r * step + i * apart of the source,
 * and what its middle tap meets begins that row; before and behind that there is a pixel, or padding. */
typedef struct {
    ptrdiff_t rows, n;
    ptrdiff_t height, width; /* of the source */
    ptrdiff_t y, step, apart;
    int before, behind;
} kn_threes;

/* A vector of Winograd tiles: one strip of them, or two or four shorter ones, from as many rows of tiles. Each quarter
 * of the vector is read from four rows of its own (or on from the quarter before): row i begins at off[quarter][i] in
 * the plane, KN_NOWHERE where it lies in the padding, and its elements are those from low[quarter] to high[quarter].
 * Under a dilation so many tiles side by side are woven: each has every second, or fourth, column. */
#define KN_NOWHERE PTRDIFF_MIN

typedef struct {
    ptrdiff_t off[4][6];
    ptrdiff_t low[4];
    ptrdiff_t high[4];
    ptrdiff_t strips; /* 1, 2 or 4 */
    ptrdiff_t tiles;  /* in a strip */
    ptrdiff_t place;  /* of the first tile in the row of results; the strips follow each other */
    ptrdiff_t woven;  /* 1, 2 or 4 */
    ptrdiff_t down, along; /* elements of a transformed tile that are wanted: all, or all but the last */
} kn_tiles;

/* A piece of a kernel: at most the 2x2 or 3x3 taps that F(4x4, 2x2) or F(4x4, 3x3) can take. */
typedef struct {
    ptrdiff_t shift[3]; /* its first tap, in the kernel */
    ptrdiff_t high;     /* taps down, */
    ptrdiff_t wide;     /* and along */
} kn_piece;

/* The transforms of F(4x4, 2x2) or F(4x4, 3x3): see kn_tiles.h. */
typedef struct {
    void (*source)(const void *plane, const kn_tiles *tiles, void *dst, ptrdiff_t step);
    void (*filter)(const void *w, const kn_piece *piece, ptrdiff_t row, ptrdiff_t column, ptrdiff_t n, void *dst,
                   ptrdiff_t step);
    void (*result)(const void *src, ptrdiff_t step, ptrdiff_t n, ptrdiff_t woven, void *dst, ptrdiff_t line);
    void (*source_lanes)(const void *src, ptrdiff_t line, ptrdiff_t column, ptrdiff_t tiles, void *dst, ptrdiff_t step,
                         ptrdiff_t pitch);
    void (*gradient_lanes)(const void *src, ptrdiff_t line, ptrdiff_t column, ptrdiff_t tiles, void *dst,
                           ptrdiff_t step, ptrdiff_t pitch);
    void (*weight)(const void *m, ptrdiff_t step, ptrdiff_t n, const kn_piece *piece, void *w, ptrdiff_t apart,
                   ptrdiff_t row);
} kn_winograd;

/* A plane under a kernel: line i of it meets row r of the result in row top[i] + r * step_h of the slice at base[i]
 * (KN_NOWHERE: in the padding), and its tap j meets column q at left[j] + q * step_w. */
typedef struct {
    ptrdiff_t height, width; /* of the source */
    ptrdiff_t rows, columns; /* of the result */
    ptrdiff_t lines, taps;   /* of the kernel */
    ptrdiff_t square;        /* lines and taps, of a single slice, that lie side by side; else 0 */
    ptrdiff_t step_h, step_w;
    ptrdiff_t to_row, to_step; /* in the destination */
    ptrdiff_t past;            /* whether the result had better go past the caches */
    const ptrdiff_t *base, *top, *left;
} kn_plane;

/* Response normalisation of channels whose numbers lie `inner` apart: each divided by d^beta, where d is base + share
 * times the sum of the squares of the channels from `before` in front of it to `after` behind it; of a negative d,
 * d^-beta is `below` times that of |d| */
typedef struct {
    ptrdiff_t channels, inner, before, after;
    double share, base, beta, below;
} kn_response;

/* one step of an optimizer over n elements, a multiple of lanes: param and up to three arrays of state, NULL where a rule
 * has fewer, change in place; c has the coefficients of the rule, see kn_optim.h */
typedef void (*kn_update)(void *param, const void *grad, void *const *state, ptrdiff_t n, const double *c);

typedef struct {
    ptrdiff_t lanes;                      /* elements in a vector */
    ptrdiff_t mac_rows;                   /* the tallest mac tile */
    ptrdiff_t dot_rows;                   /* the tallest dot tile */
    ptrdiff_t pick_cells;                 /* the cells that resampling can pick from, 0 where it cannot */
    ptrdiff_t dot_cols;                   /* the width of every dot tile, in rows of b */
    ptrdiff_t mac_vectors[KN_MAX_MAC_ROWS + 1]; /* the width of the tile of m rows, in vectors */
    kn_mac mac[KN_MAX_MAC_ROWS + 1];
    kn_mac mac_half[KN_MAX_MAC_ROWS + 1]; /* of half the width, rounded up */
    kn_dot dot[KN_MAX_DOT_ROWS + 1];
    ptrdiff_t cast_rows;                  /* the most pixels of a cast tile */
    kn_cast cast[4][KN_MAX_CAST_ROWS + 1]; /* [2 * (step - 1) + nv - 1][m] for steps and vectors 1 and 2 */
    kn_threes_tile threes[KN_MAX_CAST_ROWS + 1]; /* of m pixels */
    ptrdiff_t cast_weight_rows;           /* the most taps of a cast_weight tile */
    kn_cast_weight cast_weight[4][KN_MAX_CAST_WEIGHT_ROWS + 1]; /* as cast */
    /* c[tap][f] (+)= sum of what the tap meets * dy[pixel][f], for 1 or 2 channels; zeros: a row of them */
    void (*threes_weight)(const kn_threes *g, const void *x, ptrdiff_t channels, ptrdiff_t plane, const void *zeros,
                          const void *dy, void *c, int accumulate);
    /* fetches src[0] to src[n - 1] into the caches */
    void (*fetch)(const void *src, ptrdiff_t n);
    /* fetches the lines of dst[f * plane] to be written, or added, f < filters */
    void (*cast_ahead)(const void *dst, ptrdiff_t filters, ptrdiff_t plane);
    /* dst[f * plane + i * step] = clip(c[i * pitch + f] + bias[f] + add[f * plane + i], low, high), NaN kept; add may
     * be NULL, otherwise step is 1 */
    void (*cast_out)(const void *c, ptrdiff_t pitch, ptrdiff_t m, ptrdiff_t filters, const void *bias, const void *add,
                     double low, double high, void *dst, ptrdiff_t plane, ptrdiff_t step);
    /* dst[r * dst_step + q] = src[r * src_step + first + q * step], 0 where that is outside of [0, size) in its row;
     * writes up to a vector, less one element, behind each row */
    void (*rows_in)(const void *src, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t size, ptrdiff_t first,
                    ptrdiff_t step, void *dst, ptrdiff_t dst_step, ptrdiff_t n);
    /* both phases of a stride of two: e = src[r * src_step + first + 2 * q] goes to dst[r / 2 * dst_step + r % 2 * other
     * + q], the element behind e `odd` further; 0 where that is outside of [0, size), or r of [low, high); writes up to
     * a vector, less one element, behind each row */
    void (*rows_apart)(const void *src, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t low, ptrdiff_t high,
                       ptrdiff_t size, ptrdiff_t first, void *dst, ptrdiff_t odd, ptrdiff_t other, ptrdiff_t dst_step,
                       ptrdiff_t n);
    /* dst[r * dst_step + q * step] = clip(src[r * src_step + q] + bias + add[r * dst_step + q], low, high), NaN kept;
     * add may be NULL, otherwise step is 1 */
    void (*rows_out)(const void *src, ptrdiff_t src_step, ptrdiff_t rows, ptrdiff_t n, double bias, const void *add,
                     double low, double high, void *dst, ptrdiff_t dst_step, ptrdiff_t step);
    /* one plane under one kernel, and the gradient of its weights: see kn_window.h */
    void (*window)(const kn_plane *g, const void *src, const void *w, double bias, double low, double high, void *dst);
    void (*window_pair)(const kn_plane *even, const kn_plane *odd, const void *src, const void *even_w,
                        const void *odd_w, double bias, double low, double high, void *dst);
    int (*window_back)(const kn_plane *const *g, const void *src, const void *const *w, double bias, double low,
                       double high, void *dst);
    double (*window_weight)(const kn_plane *g, const void *dy, ptrdiff_t dy_ahead, const void *src, ptrdiff_t src_ahead,
                            void *sums);
    kn_winograd winograd[2]; /* F(4x4, 2x2) and F(4x4, 3x3), float32 only */
    /* dst[q * step + c] = src[c * plane + first + q], zeros outside: see kn_rows.h */
    void (*turn)(const void *src, ptrdiff_t plane, ptrdiff_t channels, ptrdiff_t size, ptrdiff_t first, void *dst,
                 ptrdiff_t step, ptrdiff_t n);
    /* whether n elements are all finite */
    int (*finite)(const void *x, ptrdiff_t n);
    /* the sum of n elements */
    double (*total)(const void *x, ptrdiff_t n);
    /* the activation of that number in kn_kinds.h, and its gradient */
    void (*activation)(int kind, const void *x, void *y, ptrdiff_t n, double a, double b);
    void (*activation_backward)(int kind, const void *dy, const void *x, void *dx, ptrdiff_t n, double a, double b);
    /* rows of n, a weight a row; sums[row] adds to the gradient of its weight */
    void (*prelu)(const void *x, const void *weight, void *y, ptrdiff_t rows, ptrdiff_t n);
    void (*prelu_backward)(const void *dy, const void *x, const void *weight, void *dx, double *sums, ptrdiff_t rows,
                           ptrdiff_t n);
    /* rows of n numbers and n gates: y = x sigmoid(gate) */
    void (*glu)(const void *x, void *y, ptrdiff_t rows, ptrdiff_t n);
    void (*glu_backward)(const void *dy, const void *x, void *dx, ptrdiff_t rows, ptrdiff_t n);
    /* the loss of that number in kn_kinds.h: the sum, and each in y unless that is NULL; dx = dy times its derivative,
     * `one`: with one dy for all */
    double (*loss)(int kind, const void *x, const void *target, void *y, ptrdiff_t n, double a, double b);
    void (*loss_backward)(int kind, const void *dy, int one, const void *x, const void *target, void *dx, ptrdiff_t n,
                          double a, double b);
    /* y = a * b, and y = a + b, where y may be a */
    void (*multiply)(const void *a, const void *b, void *y, ptrdiff_t n);
    void (*add)(const void *a, const void *b, void *y, ptrdiff_t n);
    /* rows of n, one after the other: y = softmax(x), and its gradient */
    void (*softmax)(const void *x, void *y, ptrdiff_t rows, ptrdiff_t n);
    void (*softmax_backward)(const void *dy, const void *y, void *dx, ptrdiff_t rows, ptrdiff_t n);
    void (*log_softmax)(const void *x, void *y, ptrdiff_t rows, ptrdiff_t n);
    void (*log_softmax_backward)(const void *dy, const void *y, void *dx, ptrdiff_t rows, ptrdiff_t n);
    /* the same, or with the logarithm, down the first ``width`` columns of n rows of ``inner`` */
    void (*softmax_across)(const void *x, void *y, ptrdiff_t n, ptrdiff_t inner, ptrdiff_t width, int log);
    void (*softmax_across_backward)(const void *dy, const void *y, void *dx, ptrdiff_t n, ptrdiff_t inner,
                                    ptrdiff_t width, int log);
    /* prob = softmax(x), loss = -sum of q log prob, a number a row;  dx = (prob sum of q - q) dloss; see kn_softmax.h
     * for q, which target (or soft, or NULL), weight (or NULL) and smoothing make */
    void (*cross_entropy)(const void *x, const int64_t *target, const void *soft, const void *weight, double smoothing,
                          void *prob, void *loss, ptrdiff_t rows, ptrdiff_t n);
    void (*cross_entropy_backward)(const void *dloss, const void *prob, const int64_t *target, const void *soft,
                                   const void *weight, double smoothing, void *dx, ptrdiff_t rows, ptrdiff_t n);
    /* rows of n, `stride` apart. Sums over all, or by columns: mean and sum of (x - mean)^2; sum of dy and of
     * dy (x - mean). Coefficients, `step` from one to the next, for each row, or by columns for each column:
     * y = clip(x scale + shift, low, high), NaN kept; dx = ((dy factor - delta) + (x - mean) slope) scale, in the
     * order mean, delta, slope, scale, factor */
    void (*norm_moments)(const void *x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns, double *out);
    void (*norm_slopes)(const void *dy, const void *x, const void *mean, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n,
                        int by_columns, double *out);
    void (*norm_apply)(const void *x, const void *coefficients, ptrdiff_t step, double low, double high, void *y,
                       ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns);
    void (*norm_gradient)(const void *dy, const void *x, const void *coefficients, ptrdiff_t step, void *dx,
                          ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, int by_columns);
    /* a row whose every element has a weight: y; the sums of dy gamma and dy gamma (x - mean); of rows `stride` apart,
     * dx from mean, delta, slope and scale, which are `step` apart, with what they add to dgamma and dbeta */
    void (*rownorm_apply)(const void *x, const void *gamma, const void *beta, double mean, double scale, void *y,
                          ptrdiff_t n);
    void (*rownorm_slopes)(const void *dy, const void *x, const void *gamma, double mean, ptrdiff_t n, double *out);
    void (*rownorm_gradient)(const void *dy, const void *x, const void *gamma, const double *found, ptrdiff_t step,
                             void *dx, void *dgamma, void *dbeta, ptrdiff_t n, ptrdiff_t rows, ptrdiff_t stride);
    /* the first `width` columns; memory has 4 vectors for each channel of a window, and backward for each channel */
    void (*response)(const kn_response *g, const void *x, void *y, ptrdiff_t width, void *memory);
    void (*response_backward)(const kn_response *g, const void *dy, const void *x, void *dx, ptrdiff_t width,
                              void *memory);
    kn_update sgd, asgd, rprop, lion, adam, adamax, lamb, rmsprop, adadelta, average;
    /* the sum of n products a[i] b[i] */
    double (*inner)(const void *a, const void *b, ptrdiff_t n);
    /* pooling, one row: see kn_pool.h */
    void (*max_row)(const kn_row *g, const void *frame, int absolute, const ptrdiff_t *places, void *y, void *index);
    void (*scatter)(const void *dy, const int *index, ptrdiff_t n, void *dx, ptrdiff_t plane);
    void (*sum_row)(const kn_row *g, const void *frame, int absolute, const void *count, double scale, void *y);
    void (*norm_row)(const kn_row *g, const void *frame, double p, void *y);
    void (*slope_row)(const kn_row *g, const void *dy, const void *y, const void *x, double p, void *dx);
    void (*weigh)(void *frame, const void *weight, double scale, ptrdiff_t n);
    void (*planes_in)(const void *src, ptrdiff_t pitch, ptrdiff_t planes, ptrdiff_t n, ptrdiff_t ahead, void *dst,
                      ptrdiff_t step);
    void (*planes_out)(const void *src, ptrdiff_t n, ptrdiff_t planes, void *dst, ptrdiff_t pitch, int index);
    /* pooling, some rows of a plane as it lies: see kn_line.h */
    void (*mean_rows)(const kn_sheet *s, const void *x, const void *by_row, const void *by_column, void *lines,
                      void *y);
    void (*spread_rows)(const kn_sheet *s, const void *dy, const void *by_row, const void *by_column, void *lines,
                        void *dx);
    void (*peak_rows)(const kn_sheet *s, const void *x, void *lines, void *y, int *index);
    /* resampling by lists: rows [from, to) of a plane, where w has picks; those across rows; along lines: see
     * kn_resample.h */
    void (*resample_plane)(const kn_lists *h, const kn_lists *w, const void *x, void *y, ptrdiff_t from, ptrdiff_t to);
    void (*resample_across)(const kn_lists *axis, ptrdiff_t from, ptrdiff_t to, const void *x, ptrdiff_t base, void *y,
                            ptrdiff_t inner);
    void (*resample_along)(const kn_lists *axis, const void *x, void *y, ptrdiff_t lines);
    /* im2col and back: see kn_columns.h, kn_fold.h */
    void (*fold_row)(const kn_row *g, const void *cols, ptrdiff_t apart, ptrdiff_t ahead, void *lines, void *x);
    void (*unfold_row)(const kn_row *g, const void *x, ptrdiff_t pitch, ptrdiff_t k, ptrdiff_t rows, void *dst);
    void (*im2col_row)(const kn_row *g, const void *x, ptrdiff_t channels, ptrdiff_t plane, ptrdiff_t ahead,
                       void *cols);
    void (*clear)(void *dst, ptrdiff_t n);
} kn_ops;

typedef struct {
    const char *isa;
    const kn_ops *ops[2]; /* float, double */
} kn_table;

extern const kn_table kn_table_baseline;
extern const kn_table kn_table_avx2;
extern const kn_table kn_table_avx512;
extern const kn_table kn_table_neon;

#endif
