#include "proto/resp.h"

/*
 * A line is read byte by byte; a zero byte ends it, as it ends a line of redis.conf. Quotes may
 * open inside an argument, but a closing one must be followed by a blank or the end.
 */
struct split {
    struct rg_bytes line;
    size_t at;
    struct rg_buf *out;
};

/* The byte `ahead` of the current one; 0 past the end. */
static char split_peek(const struct split *split, size_t ahead)
{
    size_t left = split->line.len - split->at;

    return ahead < left ? split->line.data[split->at + ahead] : '\0';
}

static bool split_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Unquoted text ends at fewer characters than may stand between arguments. */
static bool split_is_end(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0';
}

static int split_hex(char c)
{
    c = rg_ascii_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char split_unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    default:
        return c;
    }
}

/* Behind an opening quote; leaves the place behind the closing one. */
static int split_quoted(struct split *split, char quote)
{
    for (;;) {
        char c = split_peek(split, 0);
        char next = split_peek(split, 1);

        if (c == '\0')
            return RG_EINVAL;
        if (c == quote) {
            split->at++;
            return next == '\0' || split_is_space(next) ? 0 : RG_EINVAL;
        }
        if (quote == '"' && c == '\\' && next == 'x' && split_hex(split_peek(split, 2)) >= 0 &&
            split_hex(split_peek(split, 3)) >= 0) {
            rg_buf_append_char(split->out, (char)(split_hex(split_peek(split, 2)) * 16 +
                                                  split_hex(split_peek(split, 3))));
            split->at += 4;
        } else if (quote == '"' && c == '\\' && next != '\0') {
            rg_buf_append_char(split->out, split_unescape(next));
            split->at += 2;
        } else if (quote == '\'' && c == '\\' && next == '\'') {
            rg_buf_append_char(split->out, '\'');
            split->at += 2;
        } else {
            rg_buf_append_char(split->out, c);
            split->at++;
        }
    }
}

static int split_one(struct split *split)
{
    while (!split_is_end(split_peek(split, 0))) {
        char c = split_peek(split, 0);

        split->at++;
        if (c != '"' && c != '\'') {
            rg_buf_append_char(split->out, c);
            continue;
        }
        /* What follows a closing quote is a blank or the end, so the argument ends there. */
        return split_quoted(split, c);
    }
    return 0;
}

int rg_split_args(struct rg_bytes line, struct rg_buf *out, size_t *ret_lens, int max_args)
{
    struct split split = {line, 0, out};
    int count = 0;

    for (;;) {
        while (split_is_space(split_peek(&split, 0)))
            split.at++;
        if (split_peek(&split, 0) == '\0')
            return count;
        if (count == max_args)
            return RG_ELIMIT;
        size_t before = rg_buf_len(out);
        if (split_one(&split) < 0)
            return RG_EINVAL;
        ret_lens[count++] = rg_buf_len(out) - before;
    }
}
