#include "script/untail.h"

/* ---- Just enough of Lua's words ---- */

struct untail_reader {
    struct rg_bytes text;
    size_t at;
};

static char untail_peek(const struct untail_reader *reader, size_t ahead)
{
    return reader->at + ahead < reader->text.len ? reader->text.data[reader->at + ahead] : '\0';
}

static bool untail_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool untail_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* The level of "[[", "[=[" … at `ahead`; -1 where there is none. */
static int untail_long_level(const struct untail_reader *reader, size_t ahead)
{
    int level = 0;

    if (untail_peek(reader, ahead) != '[')
        return -1;
    while (untail_peek(reader, ahead + 1 + (size_t)level) == '=')
        level++;
    return untail_peek(reader, ahead + 1 + (size_t)level) == '[' ? level : -1;
}

/* Passes over a long string or comment from its first bracket on. */
static void untail_skip_long(struct untail_reader *reader, int level)
{
    reader->at += (size_t)level + 2;
    for (; reader->at < reader->text.len; reader->at++) {
        int closed = 0;
        if (untail_peek(reader, 0) != ']')
            continue;
        while (closed < level && untail_peek(reader, 1 + (size_t)closed) == '=')
            closed++;
        if (closed == level && untail_peek(reader, 1 + (size_t)level) == ']') {
            reader->at += (size_t)level + 2;
            return;
        }
    }
}

static void untail_skip_quoted(struct untail_reader *reader)
{
    char quote = untail_peek(reader, 0);

    reader->at++;
    while (reader->at < reader->text.len && untail_peek(reader, 0) != quote)
        reader->at += untail_peek(reader, 0) == '\\' ? 2 : 1;
    reader->at = reader->at < reader->text.len ? reader->at + 1 : reader->text.len;
}

static void untail_skip_comment(struct untail_reader *reader)
{
    int level = untail_long_level(reader, 2);

    if (level >= 0) {
        reader->at += 2;
        untail_skip_long(reader, level);
        return;
    }
    while (reader->at < reader->text.len && untail_peek(reader, 0) != '\n')
        reader->at++;
}

/* Passes over one string, comment or long string; false where none begins here. */
static bool untail_skip_opaque(struct untail_reader *reader)
{
    char c = untail_peek(reader, 0);

    if (c == '"' || c == '\'')
        untail_skip_quoted(reader);
    else if (c == '-' && untail_peek(reader, 1) == '-')
        untail_skip_comment(reader);
    else if (untail_long_level(reader, 0) >= 0)
        untail_skip_long(reader, untail_long_level(reader, 0));
    else
        return false;
    return true;
}

static void untail_skip_blanks(struct untail_reader *reader)
{
    while (untail_is_blank(untail_peek(reader, 0)))
        reader->at++;
}

static struct rg_bytes untail_word(struct untail_reader *reader)
{
    size_t begin = reader->at;

    while (untail_is_word(untail_peek(reader, 0)))
        reader->at++;
    return rg_bytes(reader->text.data + begin, reader->at - begin);
}

/* ---- Calls ---- */

/* Passes over "name(" or "library.name(" where all such functions have one result at most. */
static bool untail_call_begins(struct untail_reader *reader)
{
    struct rg_bytes name = untail_word(reader);
    bool all = rg_bytes_is(name, "redis") || rg_bytes_is(name, "cjson");
    bool some = rg_bytes_is(name, "struct") || rg_bytes_is(name, "cmsgpack");

    if (all || some) {
        if (untail_peek(reader, 0) != '.')
            return false;
        reader->at++;
        struct rg_bytes function = untail_word(reader);
        if (some && !rg_bytes_is(function, "pack") && !rg_bytes_is(function, "size"))
            return false;
    } else if (!rg_bytes_is(name, "error") && !rg_bytes_is(name, "setmetatable") &&
               !rg_bytes_is(name, "rawset")) {
        return false;
    }
    untail_skip_blanks(reader);
    return untail_peek(reader, 0) == '(';
}

/* Passes over the arguments, from their bracket on; false where they do not end. */
static bool untail_arguments(struct untail_reader *reader)
{
    size_t depth = 0;

    while (reader->at < reader->text.len) {
        char c = untail_peek(reader, 0);
        if (untail_skip_opaque(reader))
            continue;
        reader->at++;
        depth += c == '(';
        if (c == ')' && --depth == 0)
            return true;
    }
    return false;
}

void script_untail(struct rg_bytes text, struct rg_buf *out)
{
    struct untail_reader reader = {.text = text};
    size_t copied = 0;

    while (reader.at < text.len) {
        if (untail_skip_opaque(&reader))
            continue;
        if (!untail_is_word(untail_peek(&reader, 0))) {
            reader.at++;
            continue;
        }
        if (!rg_bytes_is(untail_word(&reader), "return"))
            continue;
        untail_skip_blanks(&reader);
        size_t begin = reader.at;
        if (!untail_call_begins(&reader) || !untail_arguments(&reader)) {
            reader.at = begin;
            continue;
        }
        size_t end = reader.at;
        rg_buf_append(out, text.data + copied, begin - copied);
        rg_buf_append_char(out, '(');
        rg_buf_append(out, text.data + begin, end - begin);
        rg_buf_append_char(out, ')');
        copied = end;
    }
    rg_buf_append(out, text.data + copied, text.len - copied);
}
