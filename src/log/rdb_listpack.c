#include "log/rdb_listpack.h"

#include "base/number.h"

enum { HEAD = 6, END = 0xff, COUNT_UNKNOWN = 65535, INTEGER_CHARS_MAX = 20, CODE_MAX = 9 };

/* The integer's code and bytes; returns how many these are. */
static size_t integer_encode(unsigned char out[CODE_MAX], int64_t value)
{
    static const unsigned char sizes[] = {2, 3, 4, 8};
    uint64_t bits = (uint64_t)value;
    if (value >= 0 && value <= 127) {
        out[0] = (unsigned char)value;
        return 1;
    }
    if (value >= -4096 && value <= 4095) {
        out[0] = (unsigned char)(0xc0 | (bits >> 8 & 0x1f));
        out[1] = (unsigned char)bits;
        return 2;
    }
    unsigned code = 0;
    while (sizes[code] < 8 && value >> (8 * sizes[code] - 1) != value >> 63)
        code++;
    out[0] = (unsigned char)(0xf1 + code);
    for (unsigned i = 0; i < sizes[code]; i++)
        out[1 + i] = (unsigned char)(bits >> 8 * i);
    return 1u + sizes[code];
}

/* The head of a text of this length. */
static size_t text_encode(unsigned char out[CODE_MAX], size_t len)
{
    if (len < 64) {
        out[0] = (unsigned char)(0x80 | len);
        return 1;
    }
    if (len < 4096) {
        out[0] = (unsigned char)(0xe0 | len >> 8);
        out[1] = (unsigned char)len;
        return 2;
    }
    out[0] = 0xf0;
    for (unsigned i = 0; i < 4; i++)
        out[1 + i] = (unsigned char)(len >> 8 * i);
    return 5;
}

/* The element's length in groups of 7 bits, readable backwards. */
static size_t back_encode(unsigned char out[CODE_MAX], size_t len)
{
    size_t groups = len <= 127 ? 1 : len < 16383 ? 2 : len < 2097151 ? 3 : len < 268435455 ? 4 : 5;
    for (size_t i = 0; i < groups; i++)
        out[i] = (unsigned char)((len >> 7 * (groups - 1 - i) & 127) | (i > 0 ? 128 : 0));
    return groups;
}

void rdb_listpack_begin(struct rg_buf *pack)
{
    static const char head[HEAD];
    rg_buf_append(pack, head, sizeof(head));
}

void rdb_listpack_append(struct rg_buf *pack, struct rg_bytes element)
{
    unsigned char code[CODE_MAX];
    unsigned char back[CODE_MAX];
    int64_t value = 0;
    size_t code_len = 0;
    size_t text_len = 0;
    if (element.len > 0 && element.len <= INTEGER_CHARS_MAX && rg_parse_i64(element, &value) == 0) {
        code_len = integer_encode(code, value);
    } else {
        code_len = text_encode(code, element.len);
        text_len = element.len;
    }
    size_t back_len = back_encode(back, code_len + text_len);
    char *out = rg_buf_reserve(pack, code_len + text_len + back_len);
    memcpy(out, code, code_len);
    if (text_len > 0)
        memcpy(out + code_len, element.data, text_len);
    memcpy(out + code_len + text_len, back, back_len);
    rg_buf_commit(pack, code_len + text_len + back_len);
}

void rdb_listpack_end(struct rg_buf *pack, uint64_t items)
{
    rg_buf_append_char(pack, (char)END);
    uint32_t len = (uint32_t)rg_buf_len(pack);
    uint16_t count = items < COUNT_UNKNOWN ? (uint16_t)items : COUNT_UNKNOWN;
    unsigned char *head = (unsigned char *)pack->data + pack->head;
    for (unsigned i = 0; i < 4; i++)
        head[i] = (unsigned char)(len >> 8 * i);
    head[4] = (unsigned char)count;
    head[5] = (unsigned char)(count >> 8);
}
