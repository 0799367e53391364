#include "log/aof.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"

enum { AOF_LINE_MAX = 1024, AOF_MAX_DB = INT32_MAX };

static const char aof_head_word[] = "#REGENT-LOG:";
static const char aof_term_word[] = "#REGENT-TERM:";
static const char aof_time_word[] = "#TS:";

/* ---- Writing ---- */

void rg_aof_term_format(const struct rg_history_term *term, struct rg_buf *out)
{
    rg_buf_printf(out, "%s%llu:%s:%llu\r\n", aof_term_word, (unsigned long long)term->term,
                  term->replid, (unsigned long long)term->start);
}

void rg_aof_time_format(int64_t unix_s, struct rg_buf *out)
{
    rg_buf_printf(out, "%s%lld\r\n", aof_time_word, (long long)unix_s);
}

void rg_aof_head_format(const struct rg_aof_head *head, struct rg_buf *out)
{
    char digits[16];

    rg_buf_printf(out, "%s1:%llu:%d:%u\r\n", aof_head_word, (unsigned long long)head->start,
                  head->db, head->history.count);
    for (unsigned i = 0; i < head->history.count; i++)
        rg_aof_term_format(&head->history.terms[i], out);
    if (head->db < 0)
        return;
    (void)snprintf(digits, sizeof(digits), "%d", head->db);
    rg_request_write_strs(out, "SELECT", digits, NULL);
}

/* ---- Reading ---- */

struct rg_aof_reader {
    struct rg_buf in;
    size_t taken;      /* of in: the last item, which is lent until the next call */
    uint64_t position; /* of the front of in, in the file */
    struct rg_request_parser parser;
    struct rg_aof_head head; /* being read, while head_left says so */
    bool in_head;
    unsigned terms_left;
    uint64_t head_position;
    int failed;
    char error[200];
};

struct rg_aof_reader *rg_aof_reader_new(uint64_t position)
{
    struct rg_aof_reader *reader = RG_NEW(struct rg_aof_reader);

    reader->position = position;
    /* What a command may hold was for the server that wrote it to say. */
    reader->parser.max_bulk_len = INT64_MAX / 2;
    reader->parser.authenticated = true;
    return reader;
}

void rg_aof_reader_free(struct rg_aof_reader *reader)
{
    if (reader == NULL)
        return;
    rg_request_parser_fini(&reader->parser);
    rg_buf_fini(&reader->in);
    rg_free(reader);
}

static void aof_drop_taken(struct rg_aof_reader *reader)
{
    rg_buf_consume(&reader->in, reader->taken);
    reader->position += reader->taken;
    reader->taken = 0;
}

void rg_aof_reader_feed(struct rg_aof_reader *reader, struct rg_bytes piece)
{
    aof_drop_taken(reader);
    rg_buf_append_bytes(&reader->in, piece);
}

const char *rg_aof_reader_error(const struct rg_aof_reader *reader)
{
    return reader->error;
}

uint64_t rg_aof_reader_position(const struct rg_aof_reader *reader)
{
    return reader->in_head ? reader->head_position : reader->position + reader->taken;
}

size_t rg_aof_reader_left(const struct rg_aof_reader *reader)
{
    uint64_t head = reader->in_head ? reader->position - reader->head_position : 0;

    return rg_buf_len(&reader->in) - reader->taken + (size_t)head;
}

static int aof_fail(struct rg_aof_reader *reader, const char *what)
{
    (void)snprintf(reader->error, sizeof(reader->error), "%s at offset %llu", what,
                   (unsigned long long)reader->position);
    reader->failed = RG_ECORRUPT;
    return RG_ECORRUPT;
}

/* The fields of a line behind its word. Errors: RG_EINVAL. */
static int aof_parse_head(struct rg_bytes text, struct rg_aof_head *head, unsigned *ret_terms)
{
    uint64_t version = 0;
    uint64_t terms = 0;
    int64_t db = 0;

    if (rg_parse_u64(rg_bytes_cut(&text, ':'), &version) < 0 || version != 1 ||
        rg_parse_u64(rg_bytes_cut(&text, ':'), &head->start) < 0 || head->start > INT64_MAX ||
        rg_parse_i64(rg_bytes_cut(&text, ':'), &db) < 0 || db < -1 || db > AOF_MAX_DB ||
        rg_parse_u64(text, &terms) < 0 || terms > RG_HISTORY_MAX)
        return RG_EINVAL;
    head->db = (int)db;
    head->history.count = 0;
    *ret_terms = (unsigned)terms;
    return 0;
}

static int aof_parse_term(struct rg_bytes text, struct rg_history_term *ret_term)
{
    struct rg_history one;

    if (rg_history_parse(text, &one) < 0 || one.count != 1)
        return RG_EINVAL;
    *ret_term = one.terms[0];
    return 0;
}

static bool aof_behind(struct rg_bytes line, const char *word, struct rg_bytes *ret_rest)
{
    if (!rg_bytes_starts_with(line, rg_bytes_str(word)))
        return false;
    *ret_rest = rg_bytes(line.data + strlen(word), line.len - strlen(word));
    return true;
}

static bool aof_term_follows(const struct rg_history *history, const struct rg_history_term *term)
{
    return history->count == 0 || history->terms[history->count - 1].start < term->start ||
           (history->terms[history->count - 1].start == term->start && term->start == 0);
}

/* A term of the head that is being read. */
static int aof_head_term(struct rg_aof_reader *reader, const struct rg_history_term *term)
{
    struct rg_history *history = &reader->head.history;

    if (!aof_term_follows(history, term) || term->start > reader->head.start)
        return aof_fail(reader, "The history of terms does not fit");
    history->terms[history->count++] = *term;
    reader->terms_left--;
    return 0;
}

/* One line. Returns 1 where it is an item for the caller. */
static int aof_line(struct rg_aof_reader *reader, struct rg_bytes line, struct rg_aof_item *item)
{
    struct rg_bytes rest;

    if (aof_behind(line, aof_term_word, &rest)) {
        item->type = RG_AOF_TERM;
        if (aof_parse_term(rest, &item->term) < 0)
            return aof_fail(reader, "A line of a term that is none");
        return reader->in_head ? aof_head_term(reader, &item->term) : 1;
    }
    if (reader->in_head)
        return aof_fail(reader, "The head of the file ends too early");
    if (aof_behind(line, aof_head_word, &rest)) {
        if (aof_parse_head(rest, &reader->head, &reader->terms_left) < 0)
            return aof_fail(reader, "A head of the log that is none");
        reader->in_head = true;
        reader->head_position = reader->position;
        return 0;
    }
    item->type = RG_AOF_NOTE;
    if (aof_behind(line, aof_time_word, &rest) && rg_parse_i64(rest, &item->unix_s) == 0)
        item->type = RG_AOF_TIME;
    return 1;
}

/* The head is whole once its terms, and the SELECT if any, were read. */
static bool aof_head_whole(const struct rg_aof_reader *reader)
{
    return reader->in_head && reader->terms_left == 0 && reader->head.db < 0;
}

static void aof_give_head(struct rg_aof_reader *reader, struct rg_aof_item *item)
{
    reader->in_head = false;
    item->type = RG_AOF_HEAD;
    item->position = reader->head_position;
    item->size = reader->position + reader->taken - reader->head_position;
    item->head = &reader->head;
}

static int aof_take_line(struct rg_aof_reader *reader, struct rg_aof_item *item)
{
    struct rg_bytes in = rg_buf_view(&reader->in);
    const char *end = memchr(in.data, '\n', in.len < AOF_LINE_MAX ? in.len : AOF_LINE_MAX);

    if (end == NULL)
        return in.len < AOF_LINE_MAX ? RG_EAGAIN : aof_fail(reader, "A line too long");
    size_t size = (size_t)(end - in.data) + 1;
    size_t len = size > 1 && end[-1] == '\r' ? size - 2 : size - 1;
    int result = aof_line(reader, rg_bytes(in.data, len), item);
    if (result < 0)
        return result;
    reader->taken = size;
    item->raw = rg_bytes(in.data, size);
    item->position = reader->position;
    item->size = size;
    if (aof_head_whole(reader)) {
        aof_give_head(reader, item);
        return 1;
    }
    return result;
}

/* The SELECT of a head. */
static int aof_head_select(struct rg_aof_reader *reader, const struct rg_request *request,
                           struct rg_aof_item *item)
{
    int64_t db = -1;

    if (reader->terms_left > 0 || request->argc != 2 ||
        !rg_bytes_is_nocase(request->argv[0], "select") ||
        rg_parse_i64(request->argv[1], &db) < 0 || db != reader->head.db)
        return aof_fail(reader, "The head of the file ends too early");
    aof_give_head(reader, item);
    return 1;
}

static int aof_take_command(struct rg_aof_reader *reader, struct rg_aof_item *item)
{
    struct rg_bytes in = rg_buf_view(&reader->in);

    if (in.data[0] != '*')
        return aof_fail(reader, "Neither a command nor a line of notes");
    int result = rg_request_parse(&reader->parser, in, &item->request);
    if (result == RG_EPROTO)
        return aof_fail(reader, "A command that is none");
    if (result < 0)
        return result;
    if (item->request.argc == 0)
        return aof_fail(reader, "A command without words");
    reader->taken = item->request.size;
    item->type = RG_AOF_COMMAND;
    item->raw = rg_bytes(in.data, item->request.size);
    item->position = reader->position;
    item->size = item->request.size;
    return reader->in_head ? aof_head_select(reader, &item->request, item) : 1;
}

int rg_aof_reader_next(struct rg_aof_reader *reader, struct rg_aof_item *ret_item)
{
    struct rg_aof_item item = {.type = RG_AOF_NOTE};
    int result = 0;

    if (reader->failed < 0)
        return reader->failed;
    while (result == 0) {
        aof_drop_taken(reader);
        struct rg_bytes in = rg_buf_view(&reader->in);
        if (in.len == 0)
            return RG_EAGAIN;
        result = in.data[0] == '#' ? aof_take_line(reader, &item) : aof_take_command(reader, &item);
    }
    if (result < 0)
        return result;
    *ret_item = item;
    return 0;
}
