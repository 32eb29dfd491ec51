/* Functions of a vector: larger, smaller, exp, log. NaN passes through all of them. */

typedef unsigned KN_INT KN(bits) __attribute__((vector_size(KN_VBYTES)));
#define U KN(bits)
#define v_max KN(max)
#define v_min KN(min)
#define v_largest KN(largest)
#define v_exp KN(exp)
#define v_log KN(log)
#define KN_BY_TYPE(f, d) (sizeof(R) == sizeof(float) ? (f) : (d)) /* a constant of float, and the one of double */

/* The larger, the smaller; b where a or b is NaN. */
static inline V KN(max)(V a, V b) { return v_select(a > b, a, b); }
static inline V KN(min)(V a, V b) { return v_select(a < b, a, b); }

/* The largest element; where one is NaN, that or any other. */
static inline R KN(largest)(V v)
{
    typedef R quarter __attribute__((vector_size(16)));
    typedef KN_INT mask __attribute__((vector_size(16)));
    const union { V v; quarter q[KN_VBYTES / 16]; } u = {.v = v};
    quarter w = u.q[0];
    KN_UNROLL for (int i = 1; i < KN_VBYTES / 16; i++) {
        const mask larger = u.q[i] > w;
        w = (quarter)((larger & (mask)u.q[i]) | (~larger & (mask)w));
    }
    R top = w[0];
    KN_UNROLL for (size_t i = 1; i < 16 / sizeof(R); i++) top = w[i] > top ? w[i] : top;
    return top;
}

/* c[0] x^(n-1) + ... + c[n-1], by Horner's rule */
static inline __attribute__((always_inline)) V KN(polynomial)(V x, const double *c, int n)
{
    V y = (R)c[0] * x + (R)c[1];
    KN_UNROLL for (int i = 2; i < n; i++) y = y * x + (R)c[i];
    return y;
}

/* exp, less than 1.1 ulp off; +inf from overflow, 0 from underflow.
 *
 * x = n ln 2 + r with integer n and |r| <= ln 2 / 2; exp(x) = 2^n (1 + r + r^2 q(r)), q minimax for the relative error.
 * The bits of x / ln 2 + 1.5 * 2^(digits) end with those of n; 2^n is applied as 2^(n / 2) twice, which reaches
 * over the whole range of results and beyond its ends. */
static inline V KN(exp)(V x)
{
    static const double f32[] = {0x1.6a23ccp-10, 0x1.123a20p-7, 0x1.5558f2p-5, 0x1.555492p-3, 0x1.fffffcp-2};
    static const double f64[] = {0x1.ad7f298b3baeep-26, 0x1.28ad9b4c37a39p-22, 0x1.71df25bffb6e4p-19,
                                 0x1.a01999e2aa3d4p-16, 0x1.a01a012a09cb2p-13, 0x1.6c16c18438922p-10,
                                 0x1.1111111127d1dp-7,  0x1.555555555083fp-5,  0x1.55555555554f9p-3,
                                 0x1.000000000000ap-1};
    const R low = (R)KN_BY_TYPE(-104, -746), high = (R)KN_BY_TYPE(89, 710);
    const R shift = (R)KN_BY_TYPE(0x1.8p23, 0x1.8p52), per_ln2 = (R)0x1.71547652b82fep0;
    const R ln2_high = (R)KN_BY_TYPE(0x1.63p-1, 0x1.62e42feep-1);
    const R ln2_low = (R)KN_BY_TYPE(-0x1.bd0106p-13, 0x1.a39ef35793c76p-33);
    const unsigned KN_INT bias = KN_BY_TYPE(127, 1023), digits = KN_BY_TYPE(23, 52);
    const unsigned KN_INT at_zero = (unsigned KN_INT)KN_BY_TYPE(0x4b400000, 0x4338000000000000) - 2 * bias;
    x = v_max((V){0} + low, v_min((V){0} + high, x));
    const V shifted = x * per_ln2 + shift, n = shifted - shift;
    const V r = (x - n * ln2_high) - n * ln2_low;
    const V q = KN_BY_TYPE(KN(polynomial)(r, f32, 5), KN(polynomial)(r, f64, 10));
    const V y = (r * r * q + r) + 1;
    const U twice = (U)shifted - at_zero, half = twice >> 1; /* n + 2 bias, and the exponents of both factors */
    return y * (V)(half << digits) * (V)((twice - half) << digits);
}

/* log of normal numbers, inf and NaN, less than 1 ulp off.
 *
 * x = 2^k m with sqrt(1/2) <= m < sqrt(2); with f = m - 1, s = f / (2 + f): log m = f - f^2 / 2 + s (f^2 / 2 + p(s^2)).
 * (FreeBSD's e_log.c and e_logf.c: the coefficients are theirs.) */
static inline V KN(log)(V x)
{
    static const double f32[] = {0xf89e26p-26, 0x91e9eep-25, 0xccce13p-25, 0xaaaaaap-24, 0};
    static const double f64[] = {1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                                 2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                                 6.666666666666735130e-01, 0};
    const R ln2_high = (R)KN_BY_TYPE(0x1.62e3p-1, 0x1.62e42feep-1);
    const R ln2_low = (R)KN_BY_TYPE(0x1.2fefa2p-17, 0x1.a39ef35793c76p-33);
    const unsigned KN_INT digits = KN_BY_TYPE(23, 52), one = KN_BY_TYPE(0x3f800000, 0x3ff0000000000000);
    const unsigned KN_INT root = KN_BY_TYPE(0x3f3504f3, 0x3fe6a09e667f3bcd); /* sqrt(1/2) */
    const unsigned KN_INT power = KN_BY_TYPE(0x4b000000, 0x4330000000000000); /* 2^digits */
    const U b = (U)x + (one - root);
    const V k = (V)((b >> digits) | power) - (R)KN_BY_TYPE(0x1p23 + 127, 0x1p52 + 1023);
    const V f = (V)((b & (((unsigned KN_INT)1 << digits) - 1)) + root) - 1;
    const V s = f / (f + 2), z = s * s, half = (R)0.5 * f * f;
    const V p = KN_BY_TYPE(KN(polynomial)(z, f32, 5), KN(polynomial)(z, f64, 8));
    const V y = k * ln2_high - ((half - (s * (half + p) + k * ln2_low)) - f);
    return v_select(x < (R)__builtin_inf(), y, x);
}
