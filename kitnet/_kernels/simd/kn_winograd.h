/* Winograd's minimal filtering, in one dimension (two: kn_tiles.h), for float32.
 *
 *     source  V = B' d     filter  U = G w     result  y = A' (sum over channels U * V)
 *
 * F(4, 3): points 0, +-5/8, +-3/2 and infinity. F(4, 2): +-1/2, +-5/4 and infinity, with the rows of B' and G for the
 * negative points negated. Squares and products of the points are exact in binary, and the error is about half of that
 * with the textbook's 0, +-1, +-2 (Barabasz et al., "Error analysis and improving the accuracy of Winograd
 * convolution", 2018, for the choice of points; Lavin and Gray, 2015, for the algorithm). */

#if KN_SIZE == 4

#define WA ((R)0.625)
#define WB ((R)1.5)
#define WA2 ((R)0.390625)
#define WB2 ((R)2.25)
#define WNA ((R)(1 / (2 * 0.390625 * (0.390625 - 2.25))))
#define WNB ((R)(1 / (2 * 2.25 * (2.25 - 0.390625))))

KN_INLINED void KN(win3_source)(const V d[6], V t[6])
{
    const V even_a = d[4] - WB2 * d[2], odd_a = WA * (d[3] - WB2 * d[1]);
    const V even_b = d[4] - WA2 * d[2], odd_b = WB * (d[3] - WA2 * d[1]);
    t[0] = (d[4] - (WA2 + WB2) * d[2]) + (WA2 * WB2) * d[0];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = (d[5] - (WA2 + WB2) * d[3]) + (WA2 * WB2) * d[1];
}

KN_INLINED void KN(win3_filter)(const V w[3], V t[6])
{
    const V even_a = WNA * w[0] + (WNA * WA2) * w[2], odd_a = (WNA * WA) * w[1];
    const V even_b = WNB * w[0] + (WNB * WB2) * w[2], odd_b = (WNB * WB) * w[1];
    t[0] = (R)(1 / (0.390625 * 2.25)) * w[0];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = w[2];
}

KN_INLINED void KN(win3_result)(const V m[6], V y[4])
{
    const V sum_a = m[1] + m[2], diff_a = m[1] - m[2], sum_b = m[3] + m[4], diff_b = m[3] - m[4];
    y[0] = m[0] + (sum_a + sum_b);
    y[1] = WA * diff_a + WB * diff_b;
    y[2] = WA2 * sum_a + WB2 * sum_b;
    y[3] = (WA * WA2) * diff_a + ((WB * WB2) * diff_b + m[5]);
}

KN_INLINED void KN(win3_gradient)(const V y[4], V t[6])
{
    const V even_a = y[0] + WA2 * y[2], odd_a = WA * (y[1] + WA2 * y[3]);
    const V even_b = y[0] + WB2 * y[2], odd_b = WB * (y[1] + WB2 * y[3]);
    t[0] = y[0];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = y[3];
}

KN_INLINED void KN(win3_weight)(const V m[6], V w[3])
{
    const V sum_a = WNA * (m[1] + m[2]), sum_b = WNB * (m[3] + m[4]);
    w[0] = (R)(1 / (0.390625 * 2.25)) * m[0] + (sum_a + sum_b);
    w[1] = (WNA * WA) * (m[1] - m[2]) + (WNB * WB) * (m[3] - m[4]);
    w[2] = WA2 * sum_a + (WB2 * sum_b + m[5]);
}

#undef WA
#undef WB
#undef WA2
#undef WB2
#undef WNA
#undef WNB
#define WA ((R)0.5)
#define WB ((R)1.25)
#define WA2 ((R)0.25)
#define WB2 ((R)1.5625)
#define WNA ((R)(1 / (2 * 0.5 * (0.25 - 1.5625))))
#define WNB ((R)(1 / (2 * 1.25 * (1.5625 - 0.25))))

KN_INLINED void KN(win2_source)(const V d[5], V t[5])
{
    const V even_a = WA * (d[2] - WB2 * d[0]), odd_a = d[3] - WB2 * d[1];
    const V even_b = WB * (d[2] - WA2 * d[0]), odd_b = d[3] - WA2 * d[1];
    t[0] = even_a + odd_a;
    t[1] = even_a - odd_a;
    t[2] = even_b + odd_b;
    t[3] = even_b - odd_b;
    t[4] = (d[4] - (WA2 + WB2) * d[2]) + (WA2 * WB2) * d[0];
}

KN_INLINED void KN(win2_filter)(const V w[2], V t[5])
{
    t[0] = WNA * w[0] + (WNA * WA) * w[1];
    t[1] = WNA * w[0] - (WNA * WA) * w[1];
    t[2] = WNB * w[0] + (WNB * WB) * w[1];
    t[3] = WNB * w[0] - (WNB * WB) * w[1];
    t[4] = w[1];
}

KN_INLINED void KN(win2_result)(const V m[5], V y[4])
{
    const V sum_a = m[0] + m[1], diff_a = m[0] - m[1], sum_b = m[2] + m[3], diff_b = m[2] - m[3];
    y[0] = sum_a + sum_b;
    y[1] = WA * diff_a + WB * diff_b;
    y[2] = WA2 * sum_a + WB2 * sum_b;
    y[3] = (WA * WA2) * diff_a + ((WB * WB2) * diff_b + m[4]);
}

KN_INLINED void KN(win2_gradient)(const V y[4], V t[5])
{
    const V even_a = y[0] + WA2 * y[2], odd_a = WA * (y[1] + WA2 * y[3]);
    const V even_b = y[0] + WB2 * y[2], odd_b = WB * (y[1] + WB2 * y[3]);
    t[0] = even_a + odd_a;
    t[1] = even_a - odd_a;
    t[2] = even_b + odd_b;
    t[3] = even_b - odd_b;
    t[4] = y[3];
}

KN_INLINED void KN(win2_weight)(const V m[5], V w[2])
{
    w[0] = WNA * (m[0] + m[1]) + WNB * (m[2] + m[3]);
    w[1] = (WNA * WA) * (m[0] - m[1]) + ((WNB * WB) * (m[2] - m[3]) + m[4]);
}

/* Phases 0 to 3 of the elements that four vectors hold: one tile's first four columns in each lane. */
KN_INLINED void KN(win_columns)(V a, V b, V c, V d, V t[4])
{
    const V even_low = KN(even)(a, b), even_high = KN(even)(c, d), odd_low = KN(odd)(a, b), odd_high = KN(odd)(c, d);
    t[0] = KN(even)(even_low, even_high);
    t[1] = KN(even)(odd_low, odd_high);
    t[2] = KN(odd)(even_low, even_high);
    t[3] = KN(odd)(odd_low, odd_high);
}

#define KN_TAPS 2
#include "kn_tiles.h"
#undef KN_TAPS
#define KN_TAPS 3
#include "kn_tiles.h"
#undef KN_TAPS

#endif
