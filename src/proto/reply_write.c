#include "proto/resp.h"

#include <stdio.h>

#include "base/number.h"
#include "base/panic.h"

enum { WRITE_HEAD_MAX = RG_I64_CHARS + 3 }; /* type, number, CR LF */

static void write_head(struct rg_buf *out, char type, int64_t number)
{
    char *room = rg_buf_reserve(out, WRITE_HEAD_MAX);
    size_t len = 1;

    room[0] = type;
    len += rg_format_i64(room + len, number);
    room[len++] = '\r';
    room[len++] = '\n';
    rg_buf_commit(out, len);
}

static void write_bulk(struct rg_buf *out, struct rg_bytes value)
{
    char *room = rg_buf_reserve(out, WRITE_HEAD_MAX + value.len + 2);
    size_t len = 1;

    room[0] = '$';
    len += rg_format_u64(room + len, value.len);
    room[len++] = '\r';
    room[len++] = '\n';
    if (value.len > 0)
        memcpy(room + len, value.data, value.len);
    len += value.len;
    room[len++] = '\r';
    room[len++] = '\n';
    rg_buf_commit(out, len);
}

void rg_request_write(struct rg_buf *out, const struct rg_bytes *argv, int argc)
{
    write_head(out, '*', argc);
    for (int i = 0; i < argc; i++)
        write_bulk(out, argv[i]);
}

void rg_request_write_strs(struct rg_buf *out, const char *first, ...)
{
    va_list counted;
    va_list args;
    int argc = 1;

    RG_ASSERT(first != NULL);
    va_start(args, first);
    va_copy(counted, args);
    while (va_arg(counted, const char *) != NULL)
        argc++;
    va_end(counted);
    write_head(out, '*', argc);
    write_bulk(out, rg_bytes_str(first));
    while (--argc > 0)
        write_bulk(out, rg_bytes_str(va_arg(args, const char *)));
    va_end(args);
}

static bool reply_is_resp3(const struct rg_reply *reply)
{
    RG_ASSERT(reply->proto == 2 || reply->proto == 3);
    return reply->proto == 3;
}

void rg_reply_simple(struct rg_reply *reply, const char *text)
{
    size_t len = strlen(text);
    char *room = rg_buf_reserve(reply->out, len + 3);

    *room++ = '+';
    for (size_t i = 0; i < len; i++)
        *room++ = text[i];
    *room++ = '\r';
    *room = '\n';
    rg_buf_commit(reply->out, len + 3);
}

void rg_reply_error(struct rg_reply *reply, const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n'))
        len--;
    char *room = rg_buf_reserve(reply->out, len + 3);
    *room++ = '-';
    for (size_t i = 0; i < len; i++)
        *room++ = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
    *room++ = '\r';
    *room = '\n';
    rg_buf_commit(reply->out, len + 3);
}

void rg_reply_errorf(struct rg_reply *reply, const char *format, ...)
{
    struct rg_buf text = {0};
    va_list args;

    va_start(args, format);
    rg_buf_vprintf(&text, format, args);
    va_end(args);
    rg_buf_append_char(&text, '\0');
    rg_reply_error(reply, rg_buf_view(&text).data);
    rg_buf_fini(&text);
}

void rg_reply_i64(struct rg_reply *reply, int64_t value)
{
    write_head(reply->out, ':', value);
}

void rg_reply_bulk(struct rg_reply *reply, struct rg_bytes value)
{
    write_bulk(reply->out, value);
}

void rg_reply_bulk_lent(struct rg_reply *reply, struct rg_bytes value)
{
    struct rg_lents *lents = reply->lents;

    if (lents == NULL || value.len < RG_LENT_MIN_BYTES || lents->count == RG_LENTS_MAX) {
        write_bulk(reply->out, value);
        return;
    }
    write_head(reply->out, '$', (int64_t)value.len);
    lents->items[lents->count++] = (struct rg_lent){rg_buf_len(reply->out), value};
    rg_buf_append(reply->out, "\r\n", 2);
}

void rg_reply_bulk_str(struct rg_reply *reply, const char *value)
{
    write_bulk(reply->out, rg_bytes_str(value));
}

void rg_reply_bulk_i64(struct rg_reply *reply, int64_t value)
{
    char digits[RG_I64_CHARS];

    write_bulk(reply->out, rg_bytes(digits, rg_format_i64(digits, value)));
}

void rg_reply_null(struct rg_reply *reply)
{
    rg_buf_append_str(reply->out, reply_is_resp3(reply) ? "_\r\n" : "$-1\r\n");
}

void rg_reply_null_array(struct rg_reply *reply)
{
    rg_buf_append_str(reply->out, reply_is_resp3(reply) ? "_\r\n" : "*-1\r\n");
}

void rg_reply_array(struct rg_reply *reply, int64_t len)
{
    write_head(reply->out, '*', len);
}

void rg_reply_map(struct rg_reply *reply, int64_t pairs)
{
    if (reply_is_resp3(reply))
        write_head(reply->out, '%', pairs);
    else
        write_head(reply->out, '*', pairs * 2);
}

void rg_reply_set(struct rg_reply *reply, int64_t len)
{
    write_head(reply->out, reply_is_resp3(reply) ? '~' : '*', len);
}

void rg_reply_push(struct rg_reply *reply, int64_t len)
{
    write_head(reply->out, reply_is_resp3(reply) ? '>' : '*', len);
}

void rg_reply_bool(struct rg_reply *reply, bool value)
{
    if (reply_is_resp3(reply))
        rg_buf_append_str(reply->out, value ? "#t\r\n" : "#f\r\n");
    else
        rg_reply_i64(reply, value ? 1 : 0);
}

void rg_reply_number_text(struct rg_reply *reply, struct rg_bytes text)
{
    if (!reply_is_resp3(reply)) {
        write_bulk(reply->out, text);
        return;
    }
    rg_buf_append_char(reply->out, ',');
    rg_buf_append_bytes(reply->out, text);
    rg_buf_append(reply->out, "\r\n", 2);
}

void rg_reply_double(struct rg_reply *reply, double value)
{
    char text[RG_DOUBLE_CHARS];

    rg_reply_number_text(reply, rg_bytes(text, rg_format_double(text, value)));
}

void rg_reply_verbatim(struct rg_reply *reply, const char *format, struct rg_bytes value)
{
    RG_ASSERT(strlen(format) == 3);
    if (!reply_is_resp3(reply)) {
        write_bulk(reply->out, value);
        return;
    }
    write_head(reply->out, '=', (int64_t)value.len + 4);
    rg_buf_append(reply->out, format, 3);
    rg_buf_append_char(reply->out, ':');
    rg_buf_append_bytes(reply->out, value);
    rg_buf_append(reply->out, "\r\n", 2);
}
