/* Winograd's minimal filtering, in one dimension (two: kn_tiles.h), for float32.
 *
 *     source  V = B' d     filter  U = G w     result  y = A' (sum over channels U * V)
 *
 * F(4, 3): points 0, +-5/8, +-3/2 and infinity. F(4, 2): +-1/2, +-5/4 and infinity, with the rows of B' and G for the
 * negative points negated. Squares and products of the points are exact in binary, and the error is about half of that
 * with the textbook's 0, +-1, +-2 (Barabasz et al., "Error analysis and improving the accuracy of Winograd
 * convolution", 2018, for the choice of points; Lavin and Gray, 2015, for the algorithm). */

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

/* The first columns of a tile in each lane, from four vectors and the four so many columns further on. Of woven tiles u
 * lie side by side, each with every u-th column: those are units of u lanes. */
KN_INLINED void KN(win_columns)(const V x[4], const V y[4], const int u, V t[6])
{
    const V even_low = KN(even_units)(x[0], x[1], u), even_high = KN(even_units)(x[2], x[3], u);
    const V odd_low = KN(odd_units)(x[0], x[1], u), odd_high = KN(odd_units)(x[2], x[3], u);
    t[0] = KN(even_units)(even_low, even_high, u);
    t[1] = KN(even_units)(odd_low, odd_high, u);
    t[2] = KN(odd_units)(even_low, even_high, u);
    t[3] = KN(odd_units)(odd_low, odd_high, u);
    t[4] = KN(even_units)(KN(even_units)(y[0], y[1], u), KN(even_units)(y[2], y[3], u), u);
    t[5] = KN(even_units)(KN(odd_units)(y[0], y[1], u), KN(odd_units)(y[2], y[3], u), u);
}

/* The other way round: four outputs of the tile in each lane, to four vectors of columns. */
KN_INLINED void KN(win_row)(const V y[4], const int u, R *to)
{
    const V a = KN(zip_low_units)(y[0], y[2], u), b = KN(zip_high_units)(y[0], y[2], u);
    const V c = KN(zip_low_units)(y[1], y[3], u), d = KN(zip_high_units)(y[1], y[3], u);
    v_store(to, KN(zip_low_units)(a, c, u));
    v_store(to + KN_LANES, KN(zip_high_units)(a, c, u));
    v_store(to + 2 * KN_LANES, KN(zip_low_units)(b, d, u));
    v_store(to + 3 * KN_LANES, KN(zip_high_units)(b, d, u));
}

#define KN_TAPS 2
#include "kn_tiles.h"
#undef KN_TAPS
#define KN_TAPS 3
#include "kn_tiles.h"
#undef KN_TAPS
