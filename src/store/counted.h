#ifndef RG_STORE_COUNTED_H
#define RG_STORE_COUNTED_H

#include "base/bytes.h"

/*
 * Counted bytes: their number in base 128, lowest digit first, the high bit saying that more
 * follow, and then they themselves. The packed forms are such runs in a row, and the tables' items
 * begin with one.
 */

static inline size_t rg_counted_size(size_t len)
{
    size_t size = 1 + len;
    for (; len >= 0x80; len >>= 7)
        size++;
    return size;
}

/* Writes rg_counted_size bytes and returns the byte behind them. */
static inline char *rg_counted_write(char *out, struct rg_bytes bytes)
{
    size_t digits = bytes.len;
    for (; digits >= 0x80; digits >>= 7)
        *out++ = (char)(digits | 0x80);
    *out++ = (char)digits;
    if (bytes.len > 0)
        memcpy(out, bytes.data, bytes.len);
    return out + bytes.len;
}

/* Returns the byte behind them. */
static inline const char *rg_counted_read(const char *at, struct rg_bytes *ret_bytes)
{
    size_t len = (unsigned char)*at++;
    if (__builtin_expect(len >= 0x80, 0)) {
        len &= 0x7f;
        for (unsigned shift = 7;; shift += 7) {
            size_t digit = (unsigned char)*at++;
            len |= (digit & 0x7f) << shift;
            if (digit < 0x80)
                break;
        }
    }
    *ret_bytes = rg_bytes(at, len);
    return at + len;
}

/*
 * The number alone, written so that it is read from behind: lowest digit last, the high bit saying
 * that more stand before.
 */
static inline size_t rg_counted_back_size(size_t number)
{
    size_t size = 1;
    for (; number >= 0x80; number >>= 7)
        size++;
    return size;
}

/* Ends at `end`. */
static inline void rg_counted_back_write(char *end, size_t number)
{
    for (; number >= 0x80; number >>= 7)
        *--end = (char)(number | 0x80);
    *--end = (char)number;
}

/* Returns where the number begins. */
static inline const char *rg_counted_back_read(const char *end, size_t *ret_number)
{
    size_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
        size_t digit = (unsigned char)*--end;
        number |= (digit & 0x7f) << shift;
        if (digit < 0x80)
            break;
    }
    *ret_number = number;
    return end;
}

#endif
