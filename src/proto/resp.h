#ifndef RG_PROTO_RESP_H
#define RG_PROTO_RESP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * RESP2 and RESP3, both directions. Format: the "Redis serialization protocol specification".
 */

/* ---- Requests: what clients, replicas' links and group peers send. ---- */

/* Redis 7's limits: arguments of a request, and bytes of a header or of an inline command. */
enum {
    RG_RESP_MAX_ARGS = INT32_MAX,
    RG_RESP_MAX_LINE = 64 * 1024,
};

/*
 * Parses arrays of bulk strings and inline commands from the front of a connection's input. Zeroed
 * is ready; the caller sets the two limits. It remembers how far it got, so that a large argument
 * that arrives in pieces is not scanned again; between calls the input may only grow at its end.
 */
struct rg_request_parser {
    uint64_t max_bulk_len; /* proto-max-bulk-len; 0 means 512 MiB */
    bool authenticated;    /* false: Redis' tighter limits (10 arguments, 16384 bytes a bulk) */

    /* What the parser itself keeps. */
    struct rg_bytes *argv; /* owned */
    size_t *starts;        /* owned: offsets of the arguments in the input */
    int argc;
    int argv_cap;
    int64_t args_left; /* of the array being read; 0: between requests */
    int64_t bulk_len;  /* of the bulk being read; -1: its header is next */
    size_t pos;
    size_t scanned;            /* bytes behind pos that hold no end of line */
    struct rg_buf inline_copy; /* unquoted arguments of an inline command */
    const char *error;         /* after RG_EPROTO: the text behind "Protocol error: " */
    char error_text[24];       /* room for the one error that names a byte */
};

struct rg_request {
    struct rg_bytes *argv; /* borrowed from the parser and the input, until the next parse */
    int argc;              /* may be 0: an empty line or array, to be skipped */
    size_t size;           /* bytes of the input that it took */
};

void rg_request_parser_fini(struct rg_request_parser *parser);
/* Between requests: gives back the memory that it keeps for the next one. */
void rg_request_parser_rest(struct rg_request_parser *parser);

/*
 * Errors: RG_EAGAIN (the request is not whole yet), RG_EPROTO (parser->error says why; the
 * connection is to be closed behind "-ERR Protocol error: …", and every later call says the same).
 * Whether bytes arrive at once or one by one changes nothing.
 */
RG_MUST_USE int rg_request_parse(struct rg_request_parser *parser, struct rg_bytes input,
                                 struct rg_request *ret_request);

/* Bytes behind an input of so many that are known to belong to the bulk which is being read; 0: it
 * is not known. */
size_t rg_request_missing(const struct rg_request_parser *parser, size_t input_len);

/* The length of the bulk that is being read where it is the last of its request, and where in the
 * input it begins; 0 otherwise. */
size_t rg_request_last(const struct rg_request_parser *parser, size_t *ret_at);
/* That bulk came another way: the request is what lies before it in the input, and last. */
void rg_request_end_last(struct rg_request_parser *parser, struct rg_bytes input,
                         struct rg_bytes last, struct rg_request *ret_request);

/*
 * One whole request in its plain form (an array of bulk strings, its numbers written as Redis
 * writes them) at the front of the input, while the parser is between requests. The views are put
 * into the caller's argv and point into the input. Returns how many they are; *ret_size takes the
 * request's bytes. Nothing is changed in the parser. Errors: RG_EAGAIN (it is not whole, has more
 * than max_args arguments, or is anything else: rg_request_parse says what).
 */
RG_MUST_USE int rg_request_parse_plain(const struct rg_request_parser *parser,
                                       struct rg_bytes input, struct rg_bytes *argv, int max_args,
                                       size_t *ret_size);

/*
 * Splits a line as redis.conf and inline commands do: blanks separate, "…" with \n \r \t \b \a \xHH
 * and '…' with \' quote. The arguments are appended to out one after the other; ret_lens (room for
 * max_args) takes their lengths. Returns their number. Errors: RG_EINVAL (unbalanced quotes),
 * RG_ELIMIT (more than max_args).
 */
RG_MUST_USE int rg_split_args(struct rg_bytes line, struct rg_buf *out, size_t *ret_lens,
                              int max_args);

/* Appends a word in quotes, as rg_split_args reads it back. */
void rg_quote_arg(struct rg_buf *out, struct rg_bytes word);

/* Appends a request as an array of bulk strings. */
void rg_request_write(struct rg_buf *out, const struct rg_bytes *argv, int argc);
/* The same from C strings, ended by NULL. */
void rg_request_write_strs(struct rg_buf *out, const char *first, ...) __attribute__((sentinel));

/* ---- Replies, as a writer: one per connection and command. ---- */

/*
 * Bulks that are not copied: their bytes lie elsewhere, and go out between those of the buffer. Who
 * offers room for them sees to it that they stay as they are until then.
 */
enum { RG_LENTS_MAX = 4, RG_LENT_MIN_BYTES = 8 << 10 };
struct rg_lents {
    unsigned count;
    struct rg_lent {
        size_t at; /* bytes of the buffer that stand before it */
        struct rg_bytes bytes;
    } items[RG_LENTS_MAX];
};

struct rg_reply {
    struct rg_buf *out;     /* borrowed */
    int proto;              /* 2 or 3 */
    struct rg_lents *lents; /* borrowed; NULL: everything is copied */
};

void rg_reply_simple(struct rg_reply *reply, const char *text);
/* text with its code, without the '-': "ERR syntax error". CR and LF in it become spaces. */
void rg_reply_error(struct rg_reply *reply, const char *text);
void rg_reply_errorf(struct rg_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void rg_reply_i64(struct rg_reply *reply, int64_t value);
void rg_reply_bulk(struct rg_reply *reply, struct rg_bytes value);
/* The same; where it is large and there is room for it, it is lent. */
void rg_reply_bulk_lent(struct rg_reply *reply, struct rg_bytes value);
void rg_reply_bulk_str(struct rg_reply *reply, const char *value);
void rg_reply_bulk_i64(struct rg_reply *reply, int64_t value);
void rg_reply_null(struct rg_reply *reply);       /* $-1 or _ */
void rg_reply_null_array(struct rg_reply *reply); /* *-1 or _ */
void rg_reply_array(struct rg_reply *reply, int64_t len);
void rg_reply_map(struct rg_reply *reply, int64_t pairs);   /* an array of 2n in RESP2 */
void rg_reply_set(struct rg_reply *reply, int64_t len);     /* an array in RESP2 */
void rg_reply_push(struct rg_reply *reply, int64_t len);    /* an array in RESP2 */
void rg_reply_bool(struct rg_reply *reply, bool value);     /* 1 or 0 in RESP2 */
void rg_reply_double(struct rg_reply *reply, double value); /* a bulk in RESP2 */
/* The same with a text of the caller's. */
void rg_reply_number_text(struct rg_reply *reply, struct rg_bytes text);
/* A bulk in RESP2; format is "txt" or "mkd". */
void rg_reply_verbatim(struct rg_reply *reply, const char *format, struct rg_bytes value);

/* ---- Replies, as a reader: what primaries, peers and tools' servers send back. ---- */

enum rg_frame_type {
    RG_FRAME_SIMPLE,
    RG_FRAME_ERROR,
    RG_FRAME_INTEGER,
    RG_FRAME_BULK,  /* also verbatim (without its format) and big numbers */
    RG_FRAME_NULL,  /* $-1, *-1 and _ */
    RG_FRAME_ARRAY, /* also sets and pushes; len elements follow as frames of their own */
    RG_FRAME_MAP,   /* 2 * len frames follow */
    RG_FRAME_BOOL,
    RG_FRAME_DOUBLE,
};

/* One frame: a scalar whole, or the head of an aggregate whose elements follow. */
struct rg_frame {
    enum rg_frame_type type;
    bool push;             /* an array that is a RESP3 push */
    struct rg_bytes bytes; /* borrowed from the input */
    int64_t integer;       /* INTEGER and BOOL */
    double number;         /* DOUBLE */
    int64_t len;           /* ARRAY and MAP */
};

/*
 * Reads one frame at the front of input; ret_used takes its size. Errors: RG_EAGAIN, RG_EPROTO.
 */
RG_MUST_USE int rg_frame_parse(struct rg_bytes input, size_t *ret_used, struct rg_frame *ret_frame);

#endif
