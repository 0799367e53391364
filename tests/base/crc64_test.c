#include "base/crc64.h"

#include "base/rand.h"
#include "tests/harness.h"

/* Bit by bit, as the polynomial says. */
static uint64_t plain_crc64(uint64_t crc, const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT64_C(0x95ac9329ac4bc9b5) : 0);
    }
    return crc;
}

RG_TEST(check_value)
{
    RG_CHECK(rg_crc64(0, "123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
    RG_CHECK(rg_crc64(5, "", 0) == 5);
}

/* Every length through what tables, folding by one and by four, and their rests are for. */
RG_TEST(lengths_and_places)
{
    enum { MOST = 700 };
    unsigned char data[MOST + 16];
    struct rg_rand rand;
    rg_rand_init(&rand, 11);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)rg_rand_u64(&rand);
    for (size_t len = 0; len <= MOST; len++) {
        uint64_t crc = rg_rand_u64(&rand);
        const unsigned char *at = data + len % 16;
        RG_CHECK(rg_crc64(crc, at, len) == plain_crc64(crc, at, len));
    }
}

RG_TEST(in_parts)
{
    enum { LEN = 100000 };
    static unsigned char data[LEN];
    struct rg_rand rand;
    rg_test_note("seed %d", 12);
    rg_rand_init(&rand, 12);
    for (size_t i = 0; i < LEN; i++)
        data[i] = (unsigned char)rg_rand_u64(&rand);
    uint64_t whole = plain_crc64(0, data, LEN);
    uint64_t crc = 0;
    for (size_t at = 0; at < LEN;) {
        size_t len = (size_t)rg_rand_below(&rand, 5000);
        len = len < LEN - at ? len : LEN - at;
        crc = rg_crc64(crc, data + at, len);
        at += len;
    }
    RG_CHECK(crc == whole);
    RG_CHECK(rg_crc64(0, data, LEN) == whole);
}
