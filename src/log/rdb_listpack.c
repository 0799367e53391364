#include "log/rdb_listpack.h"

#include "base/element.h"

enum { HEAD = 6, END = 0xff, COUNT_UNKNOWN = 65535 };

void rdb_listpack_begin(struct rg_buf *pack)
{
    static const char head[HEAD];
    rg_buf_append(pack, head, sizeof(head));
}

void rdb_listpack_append(struct rg_buf *pack, struct rg_bytes element)
{
    struct rg_element code;
    rg_element_of_text(&code, element);
    size_t size = rg_element_size(&code);
    size_t both = size + rg_element_back_size(size);
    rg_element_back_write(rg_element_write(rg_buf_reserve(pack, both), &code), size);
    rg_buf_commit(pack, both);
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
