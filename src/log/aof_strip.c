#include "log/aof_strip.h"

#include <string.h>

enum { STRIP_MAX_DIGITS = 18 };

void rg_aof_strip_init(struct rg_aof_strip *strip)
{
    *strip = (struct rg_aof_strip){.state = RG_AOF_STRIP_START};
}

bool rg_aof_strip_whole(const struct rg_aof_strip *strip)
{
    return strip->state == RG_AOF_STRIP_START;
}

static struct rg_bytes strip_behind(struct rg_bytes bytes, size_t n)
{
    return rg_bytes(bytes.data + n, bytes.len - n);
}

static void strip_notes(struct rg_aof_strip *strip, struct rg_bytes *piece)
{
    while (piece->len > 0) {
        if (strip->state == RG_AOF_STRIP_START && piece->data[0] == '#')
            strip->state = RG_AOF_STRIP_NOTE;
        if (strip->state != RG_AOF_STRIP_NOTE)
            return;
        const char *end = memchr(piece->data, '\n', piece->len);
        *piece = strip_behind(*piece, end != NULL ? (size_t)(end - piece->data) + 1 : piece->len);
        if (end != NULL)
            strip->state = RG_AOF_STRIP_START;
    }
}

static int strip_number_begins(struct rg_aof_strip *strip, char c, char sign,
                               enum rg_aof_strip_state state)
{
    if (c != sign)
        return RG_ECORRUPT;
    strip->number = 0;
    strip->digits = 0;
    strip->state = state;
    return 0;
}

static int strip_digit(struct rg_aof_strip *strip, char c)
{
    if (c == '\r' && strip->digits > 0) {
        strip->state++; /* its line's end is due */
        return 0;
    }
    if (c < '0' || c > '9' || strip->digits == STRIP_MAX_DIGITS)
        return RG_ECORRUPT;
    strip->digits++;
    strip->number = strip->number * 10 + (uint64_t)(c - '0');
    return 0;
}

/* A byte outside of values and notes. */
static int strip_byte(struct rg_aof_strip *strip, char c)
{
    switch (strip->state) {
    case RG_AOF_STRIP_START:
        return strip_number_begins(strip, c, '*', RG_AOF_STRIP_COUNT);
    case RG_AOF_STRIP_WORD:
        return strip_number_begins(strip, c, '$', RG_AOF_STRIP_LENGTH);
    case RG_AOF_STRIP_COUNT:
    case RG_AOF_STRIP_LENGTH:
        return strip_digit(strip, c);
    case RG_AOF_STRIP_COUNT_END:
        strip->words = strip->number;
        strip->state = RG_AOF_STRIP_WORD;
        return c == '\n' && strip->words > 0 ? 0 : RG_ECORRUPT;
    case RG_AOF_STRIP_LENGTH_END:
        strip->number += 2;
        strip->state = RG_AOF_STRIP_VALUE;
        return c == '\n' ? 0 : RG_ECORRUPT;
    default:
        return RG_ECORRUPT;
    }
}

/* Returns how many of the bytes belong to the value. */
static size_t strip_value(struct rg_aof_strip *strip, size_t len)
{
    size_t n = len < strip->number ? len : (size_t)strip->number;

    strip->number -= n;
    if (strip->number > 0)
        return n;
    strip->words--;
    strip->state = strip->words > 0 ? RG_AOF_STRIP_WORD : RG_AOF_STRIP_START;
    return n;
}

int rg_aof_strip_next(struct rg_aof_strip *strip, struct rg_bytes *piece, struct rg_bytes *ret_run)
{
    size_t at = 0;

    strip_notes(strip, piece);
    if (piece->len == 0)
        return RG_EAGAIN;
    while (at < piece->len) {
        char c = piece->data[at];
        if (strip->state == RG_AOF_STRIP_START && c == '#')
            break;
        if (strip->state == RG_AOF_STRIP_VALUE)
            at += strip_value(strip, piece->len - at);
        else if (strip_byte(strip, c) == 0)
            at++;
        else
            return RG_ECORRUPT;
    }
    *ret_run = rg_bytes(piece->data, at);
    *piece = strip_behind(*piece, at);
    return 0;
}
