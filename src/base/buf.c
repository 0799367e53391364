#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/panic.h"

enum { BUF_FIRST_CAP = 64 };

void rg_buf_fini(struct rg_buf *buf)
{
    if (buf == NULL)
        return;
    rg_free(buf->data);
    *buf = (struct rg_buf){0};
}

int rg_buf_try_reserve(struct rg_buf *buf, size_t n, char **ret_room)
{
    RG_ASSERT(buf->head <= buf->tail && buf->tail <= buf->cap);
    if (n > SIZE_MAX / 4 - buf->tail)
        return RG_ENOMEM;
    if (buf->cap - buf->tail < n && buf->head >= buf->tail - buf->head) {
        /* At least half is consumed: moving the rest down is cheaper than growing. */
        size_t len = buf->tail - buf->head;
        if (len > 0) {
            RG_ASSERT(buf->data != NULL);
            memcpy(buf->data, buf->data + buf->head, len);
        }
        buf->head = 0;
        buf->tail = len;
    }
    if (buf->cap - buf->tail < n) {
        size_t cap = buf->cap < BUF_FIRST_CAP ? BUF_FIRST_CAP : buf->cap * 2;
        while (cap - buf->tail < n)
            cap *= 2;
        char *data = rg_try_realloc(buf->data, cap);
        if (data == NULL)
            return RG_ENOMEM;
        buf->data = data;
        buf->cap = cap;
    }
    /* Nothing was asked of an empty buffer: adding even 0 to NULL is undefined. */
    *ret_room = buf->tail == 0 ? buf->data : buf->data + buf->tail;
    return 0;
}

char *rg_buf_reserve_more(struct rg_buf *buf, size_t n)
{
    char *room = NULL;

    if (rg_buf_try_reserve(buf, n, &room) < 0)
        rg_panic(__FILE__, __LINE__, "out of memory");
    return room;
}

void rg_buf_commit(struct rg_buf *buf, size_t n)
{
    RG_ASSERT(n <= buf->cap - buf->tail);
    buf->tail += n;
}

void rg_buf_append(struct rg_buf *buf, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(rg_buf_reserve(buf, len), data, len);
    buf->tail += len;
}

void rg_buf_append_bytes(struct rg_buf *buf, struct rg_bytes bytes)
{
    rg_buf_append(buf, bytes.data, bytes.len);
}

void rg_buf_append_str(struct rg_buf *buf, const char *str)
{
    rg_buf_append(buf, str, strlen(str));
}

void rg_buf_append_char(struct rg_buf *buf, char c)
{
    rg_buf_append(buf, &c, 1);
}

void rg_buf_vprintf(struct rg_buf *buf, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    RG_ASSERT(len >= 0);
    char *room = rg_buf_reserve(buf, (size_t)len + 1);
    (void)vsnprintf(room, (size_t)len + 1, format, again);
    va_end(again);
    rg_buf_commit(buf, (size_t)len);
}

void rg_buf_printf(struct rg_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    rg_buf_vprintf(buf, format, args);
    va_end(args);
}

void rg_buf_consume(struct rg_buf *buf, size_t n)
{
    RG_ASSERT(n <= rg_buf_len(buf));
    buf->head += n;
    if (buf->head == buf->tail)
        buf->head = buf->tail = 0;
}

void rg_buf_truncate(struct rg_buf *buf, size_t len)
{
    RG_ASSERT(len <= rg_buf_len(buf));
    buf->tail = buf->head + len;
}

void rg_buf_reset(struct rg_buf *buf, size_t keep_bytes)
{
    if (buf->cap > keep_bytes) {
        rg_buf_fini(buf);
        return;
    }
    buf->head = buf->tail = 0;
}
