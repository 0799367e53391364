#ifndef RG_BASE_ELEMENT_H
#define RG_BASE_ELEMENT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/number.h"

/*
 * An element of a packed run: text, or, where the text is just what a 64-bit integer is written
 * as, that integer in 1, 2, 3, 4, 5 or 9 bytes. Every text has exactly one code, so two elements
 * are equal where their bytes are.
 *
 * The codes are those of the listpacks in RDB files (version 10), so that a run out of a file is a
 * run in memory as it is. By the first byte:
 *
 *     0x00 … 0x7f  the integer 0 to 127
 *     0x80 … 0xbf  text; its length in the lower 6 bits
 *     0xc0 … 0xdf  an integer of 13 bits, with the byte that follows, the high ones first
 *     0xe0 … 0xef  text; its length in 12 bits, with the byte that follows
 *     0xf0         text; its length in the 4 bytes that follow, the lowest first
 *     0xf1 … 0xf4  an integer in the 2, 3, 4 or 8 bytes that follow, the lowest first
 *     0xf5         in no file: a double in the 8 bytes that follow
 */
enum {
    RG_ELEMENT_TEXT = 0x80,
    RG_ELEMENT_I13 = 0xc0,
    RG_ELEMENT_TEXT_12 = 0xe0,
    RG_ELEMENT_TEXT_32 = 0xf0,
    RG_ELEMENT_I16 = 0xf1,
    RG_ELEMENT_I64 = 0xf4,
    RG_ELEMENT_DOUBLE = 0xf5,
    RG_ELEMENT_HEAD_MAX = 9,
    RG_ELEMENT_INTEGER_CHARS = 20, /* of the longest text that is one */
};

/* An element about to be written or looked for: its code is head and then text, which is borrowed
 * and empty for integers. */
struct rg_element {
    unsigned char head[RG_ELEMENT_HEAD_MAX];
    unsigned char head_len;
    struct rg_bytes text;
};

/* text is shorter than 4 GiB. */
void rg_element_of_text(struct rg_element *element, struct rg_bytes text);
void rg_element_of_i64(struct rg_element *element, int64_t value);

static inline size_t rg_element_size(const struct rg_element *element)
{
    return element->head_len + element->text.len;
}

/* Writes rg_element_size bytes and returns the byte behind them. */
static inline char *rg_element_write(char *out, const struct rg_element *element)
{
    for (unsigned i = 0; i < element->head_len; i++)
        out[i] = (char)element->head[i];
    out += element->head_len;
    if (element->text.len > 0)
        memcpy(out, element->text.data, element->text.len);
    return out + element->text.len;
}

/* Whether it is the one that is written at `at`. The first byte says how long a head is. */
static inline bool rg_element_is(const struct rg_element *element, const char *at)
{
    return element->head[0] == (unsigned char)at[0] &&
           memcmp(element->head, at, element->head_len) == 0 &&
           (element->text.len == 0 ||
            memcmp(element->text.data, at + element->head_len, element->text.len) == 0);
}

static inline bool rg_element_is_text(const char *at)
{
    unsigned head = (unsigned char)*at;
    return (head >= RG_ELEMENT_TEXT && head < RG_ELEMENT_I13) ||
           (head >= RG_ELEMENT_TEXT_12 && head < RG_ELEMENT_I16);
}

/* The text of one that is, and the byte behind it. */
static inline const char *rg_element_text(const char *at, struct rg_bytes *ret_text)
{
    const unsigned char *p = (const unsigned char *)at;
    size_t head = 1;
    size_t len = p[0] & 0x3f;
    if (__builtin_expect(p[0] >= RG_ELEMENT_TEXT_12, 0)) {
        uint32_t wide = 0;
        head = p[0] == RG_ELEMENT_TEXT_32 ? 5 : 2;
        if (head == 5)
            memcpy(&wide, p + 1, sizeof(wide));
        len = head == 5 ? wide : (size_t)(p[0] & 0xf) << 8 | p[1];
    }
    *ret_text = rg_bytes(at + head, len);
    return at + head + len;
}

/* The integer of one that is no text and no double, and the byte behind it. */
const char *rg_element_integer(const char *at, int64_t *ret_value);

/* As text, which is a view of it, or of scratch; returns the byte behind it. */
static inline const char *rg_element_read(const char *at, char scratch[RG_I64_CHARS],
                                          struct rg_bytes *ret_text)
{
    int64_t value = 0;
    if (__builtin_expect(rg_element_is_text(at), 1))
        return rg_element_text(at, ret_text);
    at = rg_element_integer(at, &value);
    *ret_text = rg_bytes(scratch, rg_format_i64(scratch, value));
    return at;
}

/* The byte behind it. */
static inline const char *rg_element_skip(const char *at)
{
    static const unsigned char rest[] = {3, 4, 5, 9, 9};
    unsigned head = (unsigned char)*at;
    struct rg_bytes text;
    if (head < RG_ELEMENT_TEXT)
        return at + 1;
    if (head < RG_ELEMENT_I13)
        return at + 1 + (head & 0x3f);
    if (head < RG_ELEMENT_TEXT_12)
        return at + 2;
    return head < RG_ELEMENT_I16 ? rg_element_text(at, &text) : at + rest[head - RG_ELEMENT_I16];
}

/*
 * Copies a code of `size` bytes; most are short, and two words do. room, ahead: the bytes that may
 * be written, and read, from where it goes, and comes from, on.
 */
static inline void rg_element_copy(char *out, size_t room, const char *at, size_t ahead,
                                   size_t size)
{
    enum { WORDS = 16 };
    if (__builtin_expect(size <= WORDS && room >= WORDS && ahead >= WORDS, 1))
        memcpy(out, at, WORDS);
    else
        memcpy(out, at, size);
}

/* The length of its text, without writing it. */
size_t rg_element_text_len(const char *at);

/*
 * Bytes from outside: the one at `at`, of which there may be no more than up to end. Returns the
 * byte behind it; NULL where it is none, or not all there. A code that is longer than it had to be
 * clears *exact.
 */
const char *rg_element_check(const char *at, const char *end, bool *exact);

/*
 * A run that is walked in both directions has the size of each element's code behind it, in groups
 * of 7 bits, the lowest last, the high bit saying that more stand before. (The limits are the
 * listpack's: some sizes take a byte more than they need.)
 */
static inline size_t rg_element_back_size(size_t size)
{
    if (__builtin_expect(size <= 127, 1))
        return 1;
    return size < 16383 ? 2 : size < 2097151 ? 3 : size < 268435455 ? 4 : 5;
}

/* Writes rg_element_back_size bytes and returns the byte behind them. */
static inline char *rg_element_back_write(char *out, size_t size)
{
    size_t bytes = rg_element_back_size(size);
    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)((size >> 7 * (bytes - 1 - i) & 127) | (i > 0 ? 128 : 0));
    return out + bytes;
}

/* Where the element begins whose back size ends at end. */
static inline const char *rg_element_back(const char *end)
{
    size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
        size_t group = (unsigned char)*--end;
        size |= (group & 127) << shift;
        if (group < 128)
            return end - size;
    }
}

/* As rg_element_skip, and over the back size. */
static inline const char *rg_element_skip_both(const char *at)
{
    const char *end = rg_element_skip(at);
    return end + rg_element_back_size((size_t)(end - at));
}

/* As rg_element_check, of an element with its back size. */
const char *rg_element_check_both(const char *at, const char *end, bool *exact);
/* All of a run of such; *ret_count: how many. False where it is none. */
bool rg_element_check_run(struct rg_bytes run, uint64_t *ret_count, bool *exact);

#endif
