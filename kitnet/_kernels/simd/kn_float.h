/* Flush-to-zero: subnormal numbers count as zero inside kernels, where they would cost a hundred times as much and
 * mean nothing. Each thread sets its own mode and puts the caller's back. */
#ifndef KN_FLOAT_H
#define KN_FLOAT_H

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
static inline unsigned long long kn_flush_on(void)
{
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040); /* FTZ, DAZ */
    return mode;
}
static inline void kn_flush_restore(unsigned long long mode) { _mm_setcsr((unsigned)mode); }
#elif defined(__aarch64__) && defined(__GNUC__)
static inline unsigned long long kn_flush_on(void)
{
    unsigned long long mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | 1ull << 24));
    return mode;
}
static inline void kn_flush_restore(unsigned long long mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
static inline unsigned long long kn_flush_on(void) { return 0; }
static inline void kn_flush_restore(unsigned long long mode) { (void)mode; }
#endif

#endif
