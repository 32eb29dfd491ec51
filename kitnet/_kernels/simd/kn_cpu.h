/* What this CPU and this operating system can run: CPUID for the instructions, XGETBV for the registers that the
 * system saves. Levels are ordered; each contains the ones before it. */
#ifndef KN_CPU_H
#define KN_CPU_H

#include "kn_table.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>

static inline unsigned kn_xcr0(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* 0: baseline, 1: AVX2 and FMA, 2: AVX-512 F, VL, DQ, BW */
static inline int kn_cpu_level(void)
{
    unsigned a, b, c, d, feature, extended;
    if (!__get_cpuid(1, &a, &b, &feature, &d)) return 0;
    const unsigned need = bit_FMA | bit_AVX | bit_OSXSAVE;
    if ((feature & need) != need || !__get_cpuid_count(7, 0, &a, &extended, &c, &d)) return 0;
    const unsigned saved = kn_xcr0(), avx512 = bit_AVX512F | bit_AVX512VL | bit_AVX512DQ | bit_AVX512BW;
    if ((saved & 0x06) != 0x06 || !(extended & bit_AVX2)) return 0;
    return (saved & 0xe6) == 0xe6 && (extended & avx512) == avx512 ? 2 : 1;
}

static inline const kn_table *kn_table_of(int level)
{
    return level == 2 ? &kn_table_avx512 : level == 1 ? &kn_table_avx2 : &kn_table_baseline;
}
#elif defined(__aarch64__)
static inline int kn_cpu_level(void) { return 0; }
static inline const kn_table *kn_table_of(int level) { (void)level; return &kn_table_neon; }
#else
static inline int kn_cpu_level(void) { return 0; }
static inline const kn_table *kn_table_of(int level) { (void)level; return &kn_table_baseline; }
#endif

#endif
