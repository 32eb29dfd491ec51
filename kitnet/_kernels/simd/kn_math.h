/* Functions of a vector: larger, smaller, exp, log and what is made of them. NaN passes through all of them.
 *
 * The errors are relative ones, in epsilons of the dtype: the bounds that tests/kernels/test_accuracy.py holds them to. */

typedef unsigned KN_INT KN(bits) __attribute__((vector_size(KN_VBYTES)));
#define U KN(bits)
#define v_largest KN(largest)
#define v_of KN(of)
#define v_exp KN(exp)
#define v_log KN(log)
#define v_root KN(root)
#define KN_BY_TYPE(f, d) (sizeof(R) == sizeof(float) ? (f) : (d)) /* a constant of float, and the one of double */
#define KN_BIAS ((unsigned KN_INT)KN_BY_TYPE(127, 1023))
#define KN_DIGITS KN_BY_TYPE(23, 52)

/* The number in every lane. */
static inline V KN(of)(R r) { return (V){0} + r; }

static inline V KN(magnitude)(V x) { return (V)((U)x << 1 >> 1); }

/* 1 or -1; x itself where that is 0 or NaN */
static inline V KN(sign)(V x) { return v_select(x > 0, v_of(1), v_select(x < 0, v_of(-1), x)); }

/* x, which is 0 or more, with the sign of y */
static inline V KN(signed)(V x, V y) { return (V)((U)x | ((U)y ^ (U)KN(magnitude)(y))); }

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

/* Square roots; one lane at a time where no instruction was named, which compilers join again. */
static inline V KN(root)(V x)
{
#if defined(KN_AVX512) && KN_SIZE == 4
    return _mm512_sqrt_ps(x);
#elif defined(KN_AVX512)
    return _mm512_sqrt_pd(x);
#elif defined(KN_AVX2) && KN_SIZE == 4
    return _mm256_sqrt_ps(x);
#elif defined(KN_AVX2)
    return _mm256_sqrt_pd(x);
#elif KN_SIZE == 4
    return (V){__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]), __builtin_sqrtf(x[3])};
#else
    return (V){__builtin_sqrt(x[0]), __builtin_sqrt(x[1])};
#endif
}

/* c[0] x^(n-1) + ... + c[n-1], by Horner's rule */
static inline __attribute__((always_inline)) V KN(polynomial)(V x, const double *c, int n)
{
    V y = (R)c[0] * x + (R)c[1];
    KN_UNROLL for (int i = 2; i < n; i++) y = y * x + (R)c[i];
    return y;
}

/* y 2^n for an integer n, where shifted is n + KN_SHIFT: its bits end with those of n. 2^n is applied as 2^(n / 2)
 * twice, which reaches over the whole range of results and beyond its ends. */
#define KN_SHIFT ((R)KN_BY_TYPE(0x1.8p23, 0x1.8p52))
static inline V KN(scale)(V y, V shifted)
{
#if defined(KN_AVX512) && KN_SIZE == 4
    return _mm512_scalef_ps(y, shifted - KN_SHIFT);
#elif defined(KN_AVX512)
    return _mm512_scalef_pd(y, shifted - KN_SHIFT);
#else
    const U twice = (U)shifted - ((U)v_of(KN_SHIFT) - 2 * KN_BIAS), half = twice >> 1; /* both exponents */
    return y * (V)(half << KN_DIGITS) * (V)((twice - half) << KN_DIGITS);
#endif
}

/* 2^n, which must be a normal number */
static inline V KN(power_of_2)(V shifted) { return (V)(((U)shifted - ((U)v_of(KN_SHIFT) - KN_BIAS)) << KN_DIGITS); }

/* exp(x + low) = 2^n (1 + p), with |low| far below 1 (none: not added at all); shifted becomes n + KN_SHIFT.
 *
 * x + low = n ln 2 + r with integer n and |r| <= ln 2 / 2; p = r + r^2 q(r), q minimax for the relative error of exp. */
static inline __attribute__((always_inline)) V KN(exp_parts)(V x, const V *low, V *shifted)
{
    static const double f32[] = {0x1.6a23ccp-10, 0x1.123a20p-7, 0x1.5558f2p-5, 0x1.555492p-3, 0x1.fffffcp-2};
    static const double f64[] = {0x1.ad7f298b3baeep-26, 0x1.28ad9b4c37a39p-22, 0x1.71df25bffb6e4p-19,
                                 0x1.a01999e2aa3d4p-16, 0x1.a01a012a09cb2p-13, 0x1.6c16c18438922p-10,
                                 0x1.1111111127d1dp-7,  0x1.555555555083fp-5,  0x1.55555555554f9p-3,
                                 0x1.000000000000ap-1};
    const R per_ln2 = (R)0x1.71547652b82fep0;
    const R ln2_high = (R)KN_BY_TYPE(0x1.63p-1, 0x1.62e42feep-1);
    const R ln2_low = (R)KN_BY_TYPE(-0x1.bd0106p-13, 0x1.a39ef35793c76p-33);
    *shifted = (low ? x + *low : x) * per_ln2 + KN_SHIFT;
    const V n = *shifted - KN_SHIFT;
    V r = (x - n * ln2_high) - n * ln2_low;
    if (low) r += *low;
    return r * r * KN_BY_TYPE(KN(polynomial)(r, f32, 5), KN(polynomial)(r, f64, 10)) + r;
}

/* exp, 1.1 eps; +inf from overflow, 0 from underflow */
static inline V KN(exp)(V x)
{
    const R lowest = (R)KN_BY_TYPE(-104, -746), highest = (R)KN_BY_TYPE(89, 710);
    V shifted;
    const V p = KN(exp_parts)(v_max(v_of(lowest), v_min(v_of(highest), x)), NULL, &shifted);
    return KN(scale)(p + 1, shifted);
}

/* x <= 0 as exp(x) = t (1 + p) with t = 2^n; the smallest t are as good as 0 beside 1 */
static inline V KN(decay)(V x, V *t)
{
    V shifted;
    const V p = KN(exp_parts)(v_max(v_of((R)KN_BY_TYPE(-20, -40)), x), NULL, &shifted);
    *t = KN(power_of_2)(shifted);
    return p;
}

/* exp(x) - 1 for x <= 0, 1.1 eps */
static inline V KN(expm1)(V x)
{
    V t;
    const V p = KN(decay)(x, &t);
    return p * t + (t - 1);
}

/* log of normal numbers, inf and NaN, 1 eps.
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
    const unsigned KN_INT one = KN_BY_TYPE(0x3f800000, 0x3ff0000000000000);
    const unsigned KN_INT root = KN_BY_TYPE(0x3f3504f3, 0x3fe6a09e667f3bcd); /* sqrt(1/2) */
    const unsigned KN_INT power = KN_BY_TYPE(0x4b000000, 0x4330000000000000); /* 2^digits */
    const U b = (U)x + (one - root);
    const V k = (V)((b >> KN_DIGITS) | power) - (R)KN_BY_TYPE(0x1p23 + 127, 0x1p52 + 1023);
    const V f = (V)((b & (((unsigned KN_INT)1 << KN_DIGITS) - 1)) + root) - 1;
    const V s = f / (f + 2), z = s * s, half = (R)0.5 * f * f;
    const V p = KN_BY_TYPE(KN(polynomial)(z, f32, 5), KN(polynomial)(z, f64, 8));
    const V y = k * ln2_high - ((half - (s * (half + p) + k * ln2_low)) - f);
    return v_select(x < (R)__builtin_inf(), y, x);
}

/* log of any number: -inf of 0 (which subnormal numbers are here), NaN of negative ones; 1 eps */
static inline V KN(ln)(V x)
{
    const V none = v_select(x < 0, v_of((R)__builtin_nan("")), v_of(-(R)__builtin_inf()));
    return v_select(x < (R)KN_BY_TYPE(__FLT_MIN__, __DBL_MIN__), none, v_log(x));
}

/* log(1 - x) for x <= 1, 1.5 eps: what 1 - x loses by rounding is put back. */
static inline V KN(log_rest)(V x)
{
    const V rest = 1 - x, lost = (1 - rest) - x;
    return v_select(x < (R)0.5, v_log(rest) + lost / rest, KN(ln)(rest));
}

/* log(1 + u) for 0 <= u <= 1, 1.5 eps: with s = u / (2 + u) it is 2 artanh(s) = 2 s + s^3 q(s^2), q minimax. */
static inline V KN(log1p)(V u)
{
    static const double f32[] = {0x1.1ef86p-2, 0x1.1eb61ap-2, 0x1.99d27ap-2, 0x1.5555p-1};
    static const double f64[] = {0x1.5c8b5757b0562p-3, 0x1.559b2493b8dc1p-4, 0x1.efddcde9b3688p-4,
                                 0x1.1067636851ad3p-3, 0x1.3b1de39462d1ap-3, 0x1.745cb39587860p-3,
                                 0x1.c71c741fbc719p-3, 0x1.249249208507cp-2, 0x1.99999999a084fp-2,
                                 0x1.5555555555535p-1};
    const V s = u / (u + 2), z = s * s;
    const V q = KN_BY_TYPE(KN(polynomial)(z, f32, 4), KN(polynomial)(z, f64, 10));
    return s * z * q + 2 * s;
}

/* tanh, 1.5 eps: with exp(-2 |x|) = t (1 + p) it is (1 - t - t p) / (1 + t + t p), where 1 - t and 1 + t are exact. */
static inline V KN(tanh)(V x)
{
    V t;
    const V p = KN(decay)(-2 * KN(magnitude)(x), &t);
    return KN(signed)(((1 - t) - p * t) / ((1 + t) + p * t), x);
}

/* 1 / (1 + exp(-x)), 1.7 eps, and rest = 1 - that, as exactly: neither end is lost to cancellation. */
static inline V KN(logistic)(V x, V *rest)
{
    const V e = v_exp(-KN(magnitude)(x)), larger = 1 / (1 + e), smaller = e * larger;
    const M negative = x < 0;
    *rest = v_select(negative, larger, smaller);
    return v_select(negative, smaller, larger);
}

static inline V KN(sigmoid)(V x) { return 1 / (1 + v_exp(-x)); }

/* log(1 + exp(x)), 2 eps */
static inline V KN(softplus)(V x)
{
    return v_max((V){0}, x) + KN(log1p)(v_exp(-KN(magnitude)(x)));
}

/* What lies beyond a = |x| of a normal distribution is bell times the result, bell = exp(-a^2 / 2); 3 eps, far out too.
 *
 * The result is d q(1 - 2 a d) with d = 1 / (a + k), q minimax: exp takes the fall, and what is left falls like 1 / a
 * (Shepherd and Laframboise 1981). a^2 is split so that exp sees all of its digits. */
static inline __attribute__((always_inline)) V KN(normal_tail)(V x, V *bell)
{
    static const double f32[] = {0x1.196cfp-13, 0x1.6e4bfap-13, -0x1.9b262ap-10, -0x1.cc173ep-9, 0x1.ed17ep-8,
                                 0x1.eed34cp-5, 0x1.7e001ep-3,  0x1.8c6d9ep-2,   0x1.373e38p-1,  0x1.82b4bcp-1};
    static const double f64[] = {
        0x1.6d579a81efc23p-31,  -0x1.3ea5a65c2cdccp-28, 0x1.bf95e52f1b59bp-38,  0x1.6f3d174527b75p-25,
        0x1.595835fc28b2ep-27,  -0x1.4cf1a3c876b2dp-22, -0x1.cf36863326bdcp-22, 0x1.e31144afeacc1p-20,
        0x1.c8280e1076ef8p-18,  -0x1.20b76d8ba5d93p-20, -0x1.0f973d493c1c4p-14, -0x1.7c5723277abd4p-13,
        0x1.13bbf539d699cp-15,  0x1.1764cd568b085p-9,   0x1.48a83bcd090aep-7,   0x1.fba9d530b9cc2p-6,
        0x1.33e777760e0aap-4,   0x1.38b069dbb38e3p-3,   0x1.1267d7383d82bp-2,   0x1.a7d6577269c58p-2,
        0x1.234fe3fd925c3p-1,   0x1.66eaa7d09640ep-1,   0x1.8e010d2b8a0eap-1};
    const R k = KN_BY_TYPE(4, 6);
    const V a = v_min(v_of((R)KN_BY_TYPE(15, 40)), KN(magnitude)(x)); /* there, and beyond, bell is 0 */
    const V head = (V)((U)a >> KN_BY_TYPE(12, 27) << KN_BY_TYPE(12, 27)), low = (R)0.5 * (head - a) * (head + a);
    const V d = 1 / (a + k), w = 1 - 2 * (a * d);
    V shifted;
    const V p = KN(exp_parts)((R)-0.5 * head * head, &low, &shifted);
    *bell = KN(scale)(p + 1, shifted);
    return d * KN_BY_TYPE(KN(polynomial)(w, f32, 10), KN(polynomial)(w, f64, 23));
}
