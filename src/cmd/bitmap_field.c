#include "base/number.h"
#include "cmd/bitmap_value.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* BITFIELD and BITFIELD_RO: integers of any width at any bit of a string. */

enum field_kind { FIELD_GET, FIELD_SET, FIELD_INCRBY };
enum field_overflow { FIELD_WRAP, FIELD_SAT, FIELD_FAIL };

struct field_op {
    enum field_kind kind;
    enum field_overflow overflow;
    bool is_signed;
    unsigned bits;
    uint64_t offset;
    int64_t operand;
};

/* ---- Operations, one after the other from the arguments ---- */

struct field_parser {
    struct rg_cmd_ctx *ctx;
    int next;
    enum field_overflow overflow;
};

/* "i16", "u8". Errors: RG_EINVAL (replied). */
static int field_parse_type(struct rg_cmd_ctx *ctx, int index, struct field_op *op)
{
    struct rg_bytes text = ctx->argv[index];
    int64_t bits = 0;

    op->is_signed = text.len > 0 && text.data[0] == 'i';
    int64_t most = op->is_signed ? 64 : 63;
    if (text.len < 2 || (text.data[0] != 'i' && text.data[0] != 'u') ||
        rg_parse_i64(rg_bytes(text.data + 1, text.len - 1), &bits) < 0 || bits < 1 || bits > most) {
        rg_reply_error(ctx->reply,
                       "ERR Invalid bitfield type. Use something like i16 u8. Note that "
                       "u64 is not supported but i64 is.");
        return RG_EINVAL;
    }
    op->bits = (unsigned)bits;
    return 0;
}

/* Errors: RG_EINVAL (replied). */
static int field_parse_overflow(struct field_parser *parser, int index)
{
    struct rg_cmd_ctx *ctx = parser->ctx;

    if (rg_cmd_arg_is(ctx, index, "WRAP")) {
        parser->overflow = FIELD_WRAP;
    } else if (rg_cmd_arg_is(ctx, index, "SAT")) {
        parser->overflow = FIELD_SAT;
    } else if (rg_cmd_arg_is(ctx, index, "FAIL")) {
        parser->overflow = FIELD_FAIL;
    } else {
        rg_reply_error(ctx->reply, "ERR Invalid OVERFLOW type specified");
        return RG_EINVAL;
    }
    return 0;
}

/* Returns 1 where there was an operation, 0 at the end. Errors: RG_EINVAL (replied). */
static int field_parse(struct field_parser *parser, struct field_op *ret_op)
{
    struct rg_cmd_ctx *ctx = parser->ctx;

    while (parser->next < ctx->argc) {
        int at = parser->next;
        int args = ctx->argc - at - 1;
        struct field_op op = {.overflow = parser->overflow};
        if (args >= 1 && rg_cmd_arg_is(ctx, at, "OVERFLOW")) {
            if (field_parse_overflow(parser, at + 1) < 0)
                return RG_EINVAL;
            parser->next += 2;
            continue;
        }
        if (args >= 2 && rg_cmd_arg_is(ctx, at, "GET")) {
            op.kind = FIELD_GET;
        } else if (args >= 3 && rg_cmd_arg_is(ctx, at, "SET")) {
            op.kind = FIELD_SET;
        } else if (args >= 3 && rg_cmd_arg_is(ctx, at, "INCRBY")) {
            op.kind = FIELD_INCRBY;
        } else {
            rg_cmd_reply_syntax(ctx);
            return RG_EINVAL;
        }
        if (field_parse_type(ctx, at + 1, &op) < 0 ||
            rg_bitmap_arg_offset(ctx, at + 2, op.bits, &op.offset) < 0)
            return RG_EINVAL;
        if (op.kind != FIELD_GET && rg_cmd_arg_i64(ctx, at + 3, &op.operand) < 0)
            return RG_EINVAL;
        parser->next += op.kind == FIELD_GET ? 3 : 4;
        *ret_op = op;
        return 1;
    }
    return 0;
}

/* ---- Fields in bytes ---- */

enum { SPAN_MAX = 9 }; /* bytes that 64 bits at any bit lie in */

struct span {
    unsigned __int128 bits; /* the bytes, the first one highest */
    unsigned shift;         /* of the field's lowest bit */
    size_t at;              /* in the string */
    size_t len;             /* bytes that the field lies in */
};

/* What lies behind the string is zero. */
static struct span span_read(struct rg_bytes bytes, const struct field_op *op)
{
    struct span span = {.at = op->offset / 8, .len = (op->offset % 8 + op->bits + 7) / 8};

    for (size_t i = 0; i < SPAN_MAX; i++) {
        size_t at = span.at + i;
        span.bits = span.bits << 8 | (at < bytes.len ? (unsigned char)bytes.data[at] : 0);
    }
    span.shift = SPAN_MAX * 8 - (unsigned)(op->offset % 8) - op->bits;
    return span;
}

static uint64_t field_mask(const struct field_op *op)
{
    return UINT64_MAX >> (64 - op->bits);
}

/* The lowest bits of a value as a number of the field's type. */
static int64_t field_number(const struct field_op *op, uint64_t value)
{
    uint64_t sign = UINT64_C(1) << (op->bits - 1);

    value &= field_mask(op);
    return (int64_t)(op->is_signed && value & sign ? value | ~field_mask(op) : value);
}

static int64_t span_get(const struct span *span, const struct field_op *op)
{
    return field_number(op, (uint64_t)(span->bits >> span->shift));
}

static void span_put(struct rg_cmd_ctx *ctx, struct rg_entry **entry, struct span *span,
                     const struct field_op *op, int64_t number)
{
    unsigned __int128 mask = (unsigned __int128)field_mask(op) << span->shift;
    unsigned __int128 value = (unsigned __int128)((uint64_t)number & field_mask(op)) << span->shift;
    char bytes[SPAN_MAX];

    span->bits = (span->bits & ~mask) | value;
    for (size_t i = 0; i < SPAN_MAX; i++)
        bytes[i] = (char)(span->bits >> 8 * (SPAN_MAX - 1 - i));
    rg_bitmap_write(ctx, entry, span->at, rg_bytes(bytes, span->len));
}

/* ---- Arithmetic ---- */

/*
 * Below, above or within what the type holds: -1, 1 or 0. For signed fields below 64 bits Redis
 * asks how far it is to the ends, in 64 bits, before it looks where the number is: a number so far
 * below that the distance does not fit is above to it.
 */
static int field_side_signed(const struct field_op *op, int64_t number, int64_t increment)
{
    int64_t max = (int64_t)(field_mask(op) >> 1);
    int64_t min = -max - 1;
    int64_t room_above = (int64_t)((uint64_t)max - (uint64_t)number);
    int64_t room_below = (int64_t)((uint64_t)min - (uint64_t)number);
    bool narrow = op->bits < 64;

    if (number > max || (narrow && increment > room_above) ||
        (number >= 0 && increment > 0 && increment > room_above))
        return 1;
    if (number < min || (narrow && increment < room_below) ||
        (number < 0 && increment < 0 && increment < room_below))
        return -1;
    return 0;
}

static int field_side_unsigned(const struct field_op *op, uint64_t number, int64_t increment)
{
    uint64_t max = field_mask(op);

    if (number > max || (increment > 0 && (uint64_t)increment > max - number))
        return 1;
    return increment < 0 && -(uint64_t)increment > number ? -1 : 0;
}

/*
 * number plus increment as the field will hold it. False where it does not fit and the operation is
 * to fail.
 */
static bool field_add(const struct field_op *op, int64_t number, int64_t increment,
                      int64_t *ret_sum)
{
    int side = op->is_signed ? field_side_signed(op, number, increment)
                             : field_side_unsigned(op, (uint64_t)number, increment);
    uint64_t sum = (uint64_t)number + (uint64_t)increment;

    if (side != 0 && op->overflow == FIELD_FAIL)
        return false;
    if (side != 0 && op->overflow == FIELD_SAT) {
        uint64_t max = op->is_signed ? field_mask(op) >> 1 : field_mask(op);
        uint64_t min = op->is_signed ? ~max : 0;
        sum = side > 0 ? max : min;
    }
    *ret_sum = field_number(op, sum);
    return true;
}

/* ---- Commands ---- */

/* Replies, and returns whether the string changed. */
static bool field_run(struct rg_cmd_ctx *ctx, struct rg_entry **entry, const struct field_op *op)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_bytes bytes = *entry != NULL ? rg_string_get(*entry, scratch) : RG_BYTES("");
    struct span span = span_read(bytes, op);
    int64_t old = span_get(&span, op);
    int64_t fresh = 0;

    if (op->kind == FIELD_GET) {
        rg_reply_i64(ctx->reply, old);
        return false;
    }
    bool sets = op->kind == FIELD_SET;
    if (!field_add(op, sets ? op->operand : old, sets ? 0 : op->operand, &fresh)) {
        rg_reply_null(ctx->reply);
        return false;
    }
    rg_reply_i64(ctx->reply, sets ? old : fresh);
    if (old == fresh)
        return false;
    span_put(ctx, entry, &span, op, fresh);
    return true;
}

struct field_plan {
    int count;
    bool writes;
    uint64_t last_bit; /* of all that are written */
};

/* All operations must be good before the first is done. Errors: RG_EINVAL (replied). */
static int field_plan(struct rg_cmd_ctx *ctx, struct field_plan *plan)
{
    struct field_parser parser = {.ctx = ctx, .next = 2};
    struct field_op op;
    int result = 0;

    *plan = (struct field_plan){0};
    while ((result = field_parse(&parser, &op)) > 0) {
        uint64_t last_bit = op.offset + op.bits - 1;
        plan->count++;
        if (op.kind == FIELD_GET)
            continue;
        plan->writes = true;
        if (last_bit > plan->last_bit)
            plan->last_bit = last_bit;
    }
    return result;
}

static void field_run_all(struct rg_cmd_ctx *ctx, struct rg_entry *entry,
                          const struct field_plan *plan, bool grown)
{
    struct field_parser parser = {.ctx = ctx, .next = 2};
    struct field_op op;
    uint64_t changes = 0;

    rg_reply_array(ctx->reply, plan->count);
    while (field_parse(&parser, &op) > 0)
        changes += field_run(ctx, &entry, &op);
    /* A string that only grew is a change that replicas must see, too. */
    if (grown && changes == 0)
        changes = 1;
    if (changes > 0)
        rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "setbit");
    ctx->dirty += changes;
}

static void field_command(struct rg_cmd_ctx *ctx, bool may_write)
{
    struct rg_entry *entry = NULL;
    struct field_plan plan;
    bool grown = false;

    if (field_plan(ctx, &plan) < 0)
        return;
    if (!plan.writes) {
        if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) == 0)
            field_run_all(ctx, entry, &plan, false);
        return;
    }
    if (!may_write) {
        rg_reply_error(ctx->reply, "ERR BITFIELD_RO only supports the GET subcommand");
        return;
    }
    if (rg_bitmap_open(ctx, plan.last_bit, &entry, &grown) == 0)
        field_run_all(ctx, entry, &plan, grown);
}

void rg_cmd_run_bitfield(struct rg_cmd_ctx *ctx)
{
    field_command(ctx, true);
}

void rg_cmd_run_bitfield_ro(struct rg_cmd_ctx *ctx)
{
    field_command(ctx, false);
}
