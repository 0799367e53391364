#include "base/crc64_fold.h"

#ifdef __x86_64__
#include <wmmintrin.h>

#include "base/panic.h"

/*
 * Folding (Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", 2009):
 * 16 bytes count for as much as what they leave, divided by the polynomial, so many bits further
 * on. Their halves are multiplied by x^(64 + bits - 1) and x^(bits - 1) modulo the polynomial; the
 * 1 is what a product of reflected numbers is shifted by.
 */
#define FOLD_BY_512 _mm_set_epi64x((long long)0xf49784a634f014e4, (long long)0xaf86efb16d9ab4fb)
#define FOLD_BY_128 _mm_set_epi64x((long long)0x381d0015c96f4444, (long long)0xd9d7be7d505da32c)

bool rg_crc64_can_fold(void)
{
    return __builtin_cpu_supports("pclmul") != 0;
}

__attribute__((target("pclmul,sse2"))) static inline __m128i fold(__m128i from, __m128i by,
                                                                  __m128i into)
{
    __m128i low = _mm_clmulepi64_si128(from, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(from, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), into);
}

__attribute__((target("pclmul,sse2"))) void rg_crc64_fold(uint64_t crc, const void *data,
                                                          size_t len, unsigned char ret_rest[16])
{
    const __m128i *at = data;
    size_t left = len / RG_CRC64_FOLD_BYTES;
    RG_ASSERT(len >= RG_CRC64_FOLD_MIN && len % RG_CRC64_FOLD_BYTES == 0);
    /* Four at a time, for a multiplication takes as long as four begin in. */
    __m128i a = _mm_xor_si128(_mm_loadu_si128(at), _mm_set_epi64x(0, (long long)crc));
    __m128i b = _mm_loadu_si128(at + 1);
    __m128i c = _mm_loadu_si128(at + 2);
    __m128i d = _mm_loadu_si128(at + 3);
    for (at += 4, left -= 4; left >= 4; at += 4, left -= 4) {
        a = fold(a, FOLD_BY_512, _mm_loadu_si128(at));
        b = fold(b, FOLD_BY_512, _mm_loadu_si128(at + 1));
        c = fold(c, FOLD_BY_512, _mm_loadu_si128(at + 2));
        d = fold(d, FOLD_BY_512, _mm_loadu_si128(at + 3));
    }
    a = fold(fold(fold(a, FOLD_BY_128, b), FOLD_BY_128, c), FOLD_BY_128, d);
    for (; left > 0; at++, left--)
        a = fold(a, FOLD_BY_128, _mm_loadu_si128(at));
    _mm_storeu_si128((__m128i *)(void *)ret_rest, a);
}

#else

#include "base/panic.h"

bool rg_crc64_can_fold(void)
{
    return false;
}

void rg_crc64_fold(uint64_t crc, const void *data, size_t len, unsigned char ret_rest[16])
{
    RG_UNREACHABLE();
}

#endif
