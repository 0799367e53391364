#include "base/number.h"
#include "base/panic.h"
#include "cmd/bitmap_value.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* SETBIT, GETBIT, BITCOUNT and BITPOS. */

int rg_bitmap_arg_offset(struct rg_cmd_ctx *ctx, int index, unsigned bits, uint64_t *ret_offset)
{
    struct rg_bytes text = ctx->argv[index];
    int64_t factor = 1;
    int64_t offset = 0;

    if (bits > 0 && text.len > 0 && text.data[0] == '#') {
        text = rg_bytes(text.data + 1, text.len - 1);
        factor = bits;
    }
    /* What the primary wrote is written here too, whatever this node's own limit. */
    uint64_t limit = ctx->expiry == RG_EXPIRY_IGNORE ? UINT64_MAX : ctx->max_bulk_len;
    if (rg_parse_i64(text, &offset) < 0 || __builtin_mul_overflow(offset, factor, &offset) ||
        offset < 0 || (uint64_t)offset / 8 >= limit) {
        rg_reply_error(ctx->reply, "ERR bit offset is not an integer or out of range");
        return RG_EINVAL;
    }
    *ret_offset = (uint64_t)offset;
    return 0;
}

int rg_bitmap_open(struct rg_cmd_ctx *ctx, uint64_t last_bit, struct rg_entry **ret_entry,
                   bool *ret_grown)
{
    struct rg_entry *entry = NULL;
    char scratch[RG_STRING_SCRATCH];
    size_t last_byte = last_bit / 8;
    char last = 0;

    if (rg_lookup_write_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return RG_ETYPE;
    bool created = entry == NULL;
    if (created) {
        entry = rg_db_put_string(ctx->db, ctx->argv[1], RG_BYTES(""));
        rg_lookup_touch(ctx, entry);
    }
    struct rg_bytes bytes = rg_string_get(entry, scratch);
    *ret_grown = created || bytes.len <= last_byte;
    /* Writing what is there makes the string raw, as in Redis, and no integer. */
    if (bytes.len > last_byte)
        last = bytes.data[last_byte];
    if (rg_string_write_at(ctx->db, &entry, last_byte, rg_bytes(&last, 1)) < 0) {
        if (created)
            rg_db_delete(ctx->db, ctx->argv[1]);
        rg_cmd_reply_out_of_memory(ctx);
        return RG_ENOMEM;
    }
    if (created)
        rg_cmd_note_new(ctx, ctx->db_index, ctx->argv[1]);
    *ret_entry = entry;
    return 0;
}

void rg_bitmap_write(struct rg_cmd_ctx *ctx, struct rg_entry **entry, size_t at,
                     struct rg_bytes bytes)
{
    RG_ASSERT(at + bytes.len <= rg_string_len(*entry));
    int result = rg_string_write_at(ctx->db, entry, at, bytes);
    RG_ASSERT(result == 0); /* it is long enough and needs no memory */
}

/* ---- Single bits ---- */

void rg_cmd_run_setbit(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    uint64_t offset = 0;
    int64_t bit = 0;
    bool grown = false;

    if (rg_bitmap_arg_offset(ctx, 2, 0, &offset) < 0 ||
        rg_cmd_arg_i64_in(ctx, 3, 0, 1, "ERR bit is not an integer or out of range", &bit) < 0 ||
        rg_bitmap_open(ctx, offset, &entry, &grown) < 0)
        return;
    unsigned mask = 0x80U >> (offset & 7);
    unsigned byte = (unsigned char)rg_string_get(entry, scratch).data[offset / 8];
    bool was_set = (byte & mask) != 0;
    if (grown || was_set != (bit != 0)) {
        char changed = (char)(bit != 0 ? byte | mask : byte & ~mask);
        rg_bitmap_write(ctx, &entry, offset / 8, rg_bytes(&changed, 1));
        rg_cmd_note(ctx, ctx->argv[1], RG_NOTE_STRING, "setbit");
        ctx->dirty++;
    }
    rg_reply_i64(ctx->reply, was_set);
}

static bool bit_at(struct rg_bytes bytes, uint64_t bit)
{
    return ((unsigned char)bytes.data[bit / 8] & 0x80U >> (bit & 7)) != 0;
}

void rg_cmd_run_getbit(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    uint64_t offset = 0;

    if (rg_bitmap_arg_offset(ctx, 2, 0, &offset) < 0 ||
        rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    struct rg_bytes bytes = entry != NULL ? rg_string_get(entry, scratch) : RG_BYTES("");
    rg_reply_i64(ctx->reply, offset / 8 < bytes.len && bit_at(bytes, offset));
}

/* ---- Ranges ---- */

/* Bits from first up to, not including, end; first == end is empty. */
struct bit_range {
    uint64_t first;
    uint64_t end;
};

/* Errors: RG_EINVAL (replied). */
static int range_unit(struct rg_cmd_ctx *ctx, int index, bool *ret_bits)
{
    *ret_bits = rg_cmd_arg_is(ctx, index, "BIT");
    if (*ret_bits || rg_cmd_arg_is(ctx, index, "BYTE"))
        return 0;
    rg_cmd_reply_syntax(ctx);
    return RG_EINVAL;
}

/* From start to end, both inclusive, in bytes or bits of a string; negative counts from its end. */
static struct bit_range range_of(int64_t start, int64_t end, bool in_bits, size_t len)
{
    int64_t total = (int64_t)len * (in_bits ? 8 : 1);
    uint64_t unit = in_bits ? 1 : 8;

    if (start < 0)
        start = start + total > 0 ? start + total : 0;
    if (end < 0)
        end = end + total > 0 ? end + total : 0;
    if (end >= total)
        end = total - 1;
    if (start > end)
        return (struct bit_range){0};
    return (struct bit_range){(uint64_t)start * unit, ((uint64_t)end + 1) * unit};
}

static uint64_t word_at(const char *at)
{
    uint64_t word = 0;

    memcpy(&word, at, sizeof(word));
    return __builtin_bswap64(word); /* the first bit is the highest */
}

/* Up to eight bytes from `at` on, as the highest ones of a word. */
static uint64_t word_of(struct rg_bytes bytes, size_t at)
{
    uint64_t word = 0;

    for (size_t i = 0; i < sizeof(word); i++)
        word = word << 8 | (at + i < bytes.len ? (unsigned char)bytes.data[at + i] : 0);
    return word;
}

/* The word that begins with the byte that the range begins in, and bits outside of it zero. */
static uint64_t range_word(struct rg_bytes bytes, struct bit_range range, uint64_t *ret_begin)
{
    uint64_t begin = range.first & ~UINT64_C(7);
    uint64_t word =
        begin / 8 + 8 <= bytes.len ? word_at(bytes.data + begin / 8) : word_of(bytes, begin / 8);

    word &= UINT64_MAX >> (range.first - begin);
    if (range.end < begin + 64)
        word &= ~(UINT64_MAX >> (range.end - begin));
    *ret_begin = begin;
    return word;
}

static uint64_t count_bytes(const char *at, size_t words)
{
    uint64_t count = 0;

    for (size_t i = 0; i < words; i++, at += 8)
        count += (uint64_t)__builtin_popcountll(word_at(at));
    return count;
}

static uint64_t range_count(struct rg_bytes bytes, struct bit_range range)
{
    uint64_t count = 0;

    while (range.first < range.end) {
        uint64_t begin = 0;
        if (range.first % 8 == 0 && range.end - range.first >= 64) {
            size_t words = (range.end - range.first) / 64;
            count += count_bytes(bytes.data + range.first / 8, words);
            range.first += words * 64;
            continue;
        }
        count += (uint64_t)__builtin_popcountll(range_word(bytes, range, &begin));
        range.first = begin + 64;
    }
    return count;
}

/* Errors: RG_EINVAL (replied). */
static int count_range(struct rg_cmd_ctx *ctx, size_t len, struct bit_range *ret_range)
{
    int64_t start = 0;
    int64_t end = -1;
    bool in_bits = false;

    if (ctx->argc != 2 && ctx->argc != 4 && ctx->argc != 5) {
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    if (ctx->argc > 2 && (rg_cmd_arg_i64(ctx, 2, &start) < 0 || rg_cmd_arg_i64(ctx, 3, &end) < 0))
        return RG_EINVAL;
    /* Two ends in the wrong order count nothing, before the unit is looked at. */
    bool nothing = start < 0 && end < 0 && start > end;
    if (ctx->argc == 5 && !nothing && range_unit(ctx, 4, &in_bits) < 0)
        return RG_EINVAL;
    *ret_range = nothing ? (struct bit_range){0} : range_of(start, end, in_bits, len);
    return 0;
}

void rg_cmd_run_bitcount(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    struct bit_range range;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_i64(ctx->reply, 0);
        return;
    }
    struct rg_bytes bytes = rg_string_get(entry, scratch);
    if (count_range(ctx, bytes.len, &range) == 0)
        rg_reply_i64(ctx->reply, (int64_t)range_count(bytes, range));
}

/* How many bytes at the front are all of bits that are not looked for, in steps of four words. */
static size_t find_skip(const char *at, size_t len, bool bit)
{
    uint64_t none = bit ? 0 : UINT64_MAX;
    uint64_t words[4];
    size_t skip = 0;

    for (; len - skip >= sizeof(words); skip += sizeof(words)) {
        memcpy(words, at + skip, sizeof(words));
        if (((words[0] ^ none) | (words[1] ^ none) | (words[2] ^ none) | (words[3] ^ none)) != 0)
            break;
    }
    return skip;
}

/* The first such bit of the range, or its end. */
static uint64_t range_find(struct rg_bytes bytes, struct bit_range range, bool bit)
{
    while (range.first < range.end) {
        uint64_t begin = 0;
        if (range.first % 8 == 0) {
            size_t len = (range.end - range.first) / 8;
            range.first += find_skip(bytes.data + range.first / 8, len, bit) * 8;
            if (range.first == range.end)
                break;
        }
        uint64_t word = range_word(bytes, range, &begin);
        if (!bit) {
            /* The same with what is in the range turned over. */
            uint64_t inside = UINT64_MAX >> (range.first - begin);
            if (range.end < begin + 64)
                inside &= ~(UINT64_MAX >> (range.end - begin));
            word ^= inside;
        }
        if (word != 0)
            return begin + (uint64_t)__builtin_clzll(word);
        range.first = begin + 64;
    }
    return range.end;
}

/* Errors: RG_EINVAL (replied). */
static int find_range(struct rg_cmd_ctx *ctx, size_t len, struct bit_range *ret_range)
{
    int64_t start = 0;
    int64_t end = -1;
    bool in_bits = false;

    if (ctx->argc > 6) {
        rg_cmd_reply_syntax(ctx);
        return RG_EINVAL;
    }
    if (ctx->argc > 3 && rg_cmd_arg_i64(ctx, 3, &start) < 0)
        return RG_EINVAL;
    if (ctx->argc > 5 && range_unit(ctx, 5, &in_bits) < 0)
        return RG_EINVAL;
    if (ctx->argc > 4 && rg_cmd_arg_i64(ctx, 4, &end) < 0)
        return RG_EINVAL;
    *ret_range = range_of(start, end, in_bits, len);
    return 0;
}

void rg_cmd_run_bitpos(struct rg_cmd_ctx *ctx)
{
    char scratch[RG_STRING_SCRATCH];
    struct rg_entry *entry = NULL;
    struct bit_range range;
    int64_t bit = 0;

    if (rg_cmd_arg_i64(ctx, 2, &bit) < 0)
        return;
    if (bit != 0 && bit != 1) {
        rg_reply_error(ctx->reply, "ERR The bit argument must be 1 or 0.");
        return;
    }
    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_STRING, &entry) < 0)
        return;
    if (entry == NULL) {
        rg_reply_i64(ctx->reply, bit == 0 ? 0 : -1);
        return;
    }
    struct rg_bytes bytes = rg_string_get(entry, scratch);
    if (find_range(ctx, bytes.len, &range) < 0)
        return;
    uint64_t found = range_find(bytes, range, bit != 0);
    /* Behind the string there are zeroes, unless an end is given. */
    bool none = found == range.end && (range.first == range.end || bit == 1 || ctx->argc > 4);
    rg_reply_i64(ctx->reply, none ? -1 : (int64_t)found);
}
