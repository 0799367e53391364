#ifndef RG_BASE_BUF_H
#define RG_BASE_BUF_H

#include <stdarg.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * A growable run of bytes, written at the end and consumed at the front. Zeroed is empty and ready.
 * Views into it hold until the next call that changes it.
 */
struct rg_buf {
    char *data;
    size_t head; /* first byte not yet consumed */
    size_t tail; /* one past the last byte */
    size_t cap;
};

void rg_buf_fini(struct rg_buf *buf);

static inline size_t rg_buf_len(const struct rg_buf *buf)
{
    return buf->tail - buf->head;
}

static inline struct rg_bytes rg_buf_view(const struct rg_buf *buf)
{
    /* An empty buffer has no memory, and adding even 0 to NULL is undefined. */
    const char *begin = buf->head == 0 ? buf->data : buf->data + buf->head;

    return (struct rg_bytes){begin, buf->tail - buf->head};
}

/* Moves or grows the buffer. */
char *rg_buf_reserve_more(struct rg_buf *buf, size_t n);
/* Room for at least n bytes at the end, to be written and then committed. */
static inline char *rg_buf_reserve(struct rg_buf *buf, size_t n)
{
    if (buf->data != NULL && buf->cap - buf->tail >= n)
        return buf->data + buf->tail;
    return rg_buf_reserve_more(buf, n);
}
/* The same for a size the outside chose. Errors: RG_ENOMEM. */
RG_MUST_USE int rg_buf_try_reserve(struct rg_buf *buf, size_t n, char **ret_room);
void rg_buf_commit(struct rg_buf *buf, size_t n);

void rg_buf_append(struct rg_buf *buf, const void *data, size_t len);
void rg_buf_append_bytes(struct rg_buf *buf, struct rg_bytes bytes);
void rg_buf_append_str(struct rg_buf *buf, const char *str);
void rg_buf_append_char(struct rg_buf *buf, char c);
void rg_buf_printf(struct rg_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
void rg_buf_vprintf(struct rg_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), nonnull(2)));

/* Drops n bytes at the front; n is at most the length. */
void rg_buf_consume(struct rg_buf *buf, size_t n);
/* Drops bytes at the end so that len remain. */
void rg_buf_truncate(struct rg_buf *buf, size_t len);
/* Empties it; memory over keep_bytes goes back to the allocator. */
void rg_buf_reset(struct rg_buf *buf, size_t keep_bytes);

#endif
