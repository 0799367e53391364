#include "base/element.h"

#include "base/panic.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers lie lowest byte first");

/* Bytes of the wide integers, by their code from RG_ELEMENT_I16 on. */
static const unsigned char widths[] = {2, 3, 4, 8};

void rg_element_of_i64(struct rg_element *element, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    unsigned code = 0;
    element->text = (struct rg_bytes){0};
    if (value >= 0 && value <= 127) {
        element->head[0] = (unsigned char)value;
        element->head_len = 1;
        return;
    }
    if (value >= -4096 && value <= 4095) {
        element->head[0] = (unsigned char)(RG_ELEMENT_I13 | (bits >> 8 & 0x1f));
        element->head[1] = (unsigned char)bits;
        element->head_len = 2;
        return;
    }
    while (widths[code] < 8 && value >> (8 * widths[code] - 1) != value >> 63)
        code++;
    element->head[0] = (unsigned char)(RG_ELEMENT_I16 + code);
    memcpy(element->head + 1, &bits, sizeof(bits));
    element->head_len = (unsigned char)(1 + widths[code]);
}

/* Whether it may be an integer's text; most texts are told by their first byte. */
static bool may_be_integer(struct rg_bytes text)
{
    return text.len > 0 && text.len <= RG_ELEMENT_INTEGER_CHARS &&
           ((text.data[0] >= '0' && text.data[0] <= '9') || text.data[0] == '-');
}

void rg_element_of_text(struct rg_element *element, struct rg_bytes text)
{
    int64_t value = 0;
    if (may_be_integer(text) && rg_parse_i64(text, &value) == 0) {
        rg_element_of_i64(element, value);
        return;
    }
    RG_ASSERT(text.len <= UINT32_MAX);
    element->text = text;
    if (text.len < 64) {
        element->head[0] = (unsigned char)(RG_ELEMENT_TEXT | text.len);
        element->head_len = 1;
    } else if (text.len < 4096) {
        element->head[0] = (unsigned char)(RG_ELEMENT_TEXT_12 | text.len >> 8);
        element->head[1] = (unsigned char)text.len;
        element->head_len = 2;
    } else {
        uint32_t len = (uint32_t)text.len;
        element->head[0] = RG_ELEMENT_TEXT_32;
        memcpy(element->head + 1, &len, sizeof(len));
        element->head_len = 5;
    }
}

const char *rg_element_integer(const char *at, int64_t *ret_value)
{
    unsigned head = (unsigned char)*at;
    if (head < RG_ELEMENT_TEXT) {
        *ret_value = head;
        return at + 1;
    }
    if (head < RG_ELEMENT_TEXT_12) {
        int value = (int)((head & 0x1f) << 8 | (unsigned char)at[1]);
        *ret_value = value < 4096 ? value : value - 8192;
        return at + 2;
    }
    RG_ASSERT(head >= RG_ELEMENT_I16 && head <= RG_ELEMENT_I64);
    unsigned width = widths[head - RG_ELEMENT_I16];
    unsigned unused = 64 - 8 * width;
    uint32_t low = 0;
    uint64_t bits = 0;
    if (width == 8) {
        memcpy(&bits, at + 1, 8);
    } else if (width == 4) {
        memcpy(&low, at + 1, 4);
        bits = low;
    } else {
        bits = (unsigned char)at[1] | (uint64_t)(unsigned char)at[2] << 8;
        bits |= width == 3 ? (uint64_t)(unsigned char)at[3] << 16 : 0;
    }
    *ret_value = (int64_t)(bits << unused) >> unused;
    return at + 1 + width;
}

size_t rg_element_text_len(const char *at)
{
    char scratch[RG_I64_CHARS];
    struct rg_bytes text;
    rg_element_read(at, scratch, &text);
    return text.len;
}

/* Bytes of the code of an integer. */
static int integer_size(int64_t value)
{
    if (value >= -4096 && value <= 4095)
        return value >= 0 && value <= 127 ? 1 : 2;
    if (value >= INT32_MIN && value <= INT32_MAX) {
        if (value >= INT16_MIN && value <= INT16_MAX)
            return 3;
        return value >= -(1 << 23) && value < 1 << 23 ? 4 : 5;
    }
    return 9;
}

/* Bytes of a code by its first one, as far as that tells; 0 where it is none. */
static size_t head_size(unsigned head)
{
    if (head < RG_ELEMENT_I13)
        return 1;
    if (head < RG_ELEMENT_TEXT_32)
        return 2;
    if (head == RG_ELEMENT_TEXT_32)
        return 5;
    return head <= RG_ELEMENT_I64 ? 1u + widths[head - RG_ELEMENT_I16] : 0;
}

const char *rg_element_check(const char *at, const char *end, bool *exact)
{
    size_t left = (size_t)(end - at);
    size_t head = left > 0 ? head_size((unsigned char)*at) : 0;
    int64_t value = 0;
    if (head == 0 || head > left)
        return NULL;
    if (!rg_element_is_text(at)) {
        const char *behind = rg_element_integer(at, &value);
        if (integer_size(value) != behind - at)
            *exact = false;
        return behind;
    }
    struct rg_bytes text;
    rg_element_text(at, &text);
    if (text.len > left - head)
        return NULL;
    if ((text.len < 64) != (head == 1) || (text.len < 4096) != (head <= 2) ||
        (may_be_integer(text) && rg_parse_i64(text, &value) == 0))
        *exact = false;
    return at + head + text.len;
}

/* As rg_element_check_both, however few bytes are left. */
static const char *check_both_plain(const char *at, const char *end, bool *exact)
{
    const char *behind = rg_element_check(at, end, exact);
    if (behind == NULL)
        return NULL;
    size_t size = (size_t)(behind - at);
    if (size <= 127)
        return behind < end && (size_t)(unsigned char)*behind == size ? behind + 1 : NULL;
    size_t back = rg_element_back_size(size);
    char want[8];
    rg_element_back_write(want, size);
    if (back > (size_t)(end - behind) || memcmp(want, behind, back) != 0)
        return NULL;
    return behind + back;
}

/* A short text with its back size: most of what comes. */
static const char *check_short_text(const char *at, const char *end, bool *exact)
{
    int64_t value = 0;
    struct rg_bytes text = rg_bytes(at + 1, (unsigned char)*at & 0x3f);
    if (text.len + 2 > (size_t)(end - at) || (unsigned char)at[text.len + 1] != text.len + 1)
        return NULL;
    if (may_be_integer(text) && rg_parse_i64(text, &value) == 0)
        *exact = false;
    return at + text.len + 2;
}

/* A wide integer with its back size; nine bytes can be read behind its first one. */
static const char *check_wide(const char *at, bool *exact)
{
    /* Of integers that fewer bytes are enough for, the least one, negated. */
    static const uint64_t fewer[] = {1 << 12, 1 << 15, 1 << 23, UINT64_C(1) << 31};
    unsigned code = (unsigned char)*at - (unsigned)RG_ELEMENT_I16;
    size_t size = 1u + widths[code];
    unsigned unused = 64 - 8 * widths[code];
    uint64_t bits = 0;
    memcpy(&bits, at + 1, sizeof(bits));
    uint64_t value = (uint64_t)((int64_t)(bits << unused) >> unused);
    if (value + fewer[code] < 2 * fewer[code])
        *exact = false;
    return (unsigned char)at[size] == size ? at + size + 1 : NULL;
}

static inline const char *check_both(const char *at, const char *end, bool *exact)
{
    enum { AHEAD = 1 + RG_ELEMENT_HEAD_MAX };
    unsigned head = at < end ? (unsigned char)*at : 0;
    if (head >= RG_ELEMENT_TEXT && head < RG_ELEMENT_I13)
        return check_short_text(at, end, exact);
    if (end - at < AHEAD)
        return check_both_plain(at, end, exact);
    if (head < RG_ELEMENT_TEXT)
        return at[1] == 1 ? at + 2 : NULL;
    if (head >= RG_ELEMENT_I16 && head <= RG_ELEMENT_I64)
        return check_wide(at, exact);
    if (head >= RG_ELEMENT_TEXT_12)
        return check_both_plain(at, end, exact);
    if (head == RG_ELEMENT_I13 && (unsigned char)at[1] <= 127)
        *exact = false;
    return at[2] == 2 ? at + 3 : NULL;
}

const char *rg_element_check_both(const char *at, const char *end, bool *exact)
{
    return check_both(at, end, exact);
}

bool rg_element_check_run(struct rg_bytes run, uint64_t *ret_count, bool *exact)
{
    /* Four integers below 128 with their back sizes. */
    const uint64_t mask = UINT64_C(0xff80ff80ff80ff80);
    const uint64_t four = UINT64_C(0x0100010001000100);
    const char *at = run.data;
    const char *end = run.data + run.len;
    uint64_t count = 0;
    while (at < end) {
        uint64_t word = 0;
        if ((unsigned char)*at < RG_ELEMENT_TEXT && end - at >= (ptrdiff_t)sizeof(word)) {
            memcpy(&word, at, sizeof(word));
            if ((word & mask) == four) {
                at += sizeof(word);
                count += 4;
                continue;
            }
        }
        at = check_both(at, end, exact);
        if (at == NULL)
            return false;
        count++;
    }
    *ret_count = count;
    return true;
}
