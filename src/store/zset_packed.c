#include "store/zset_packed.h"

#include "base/panic.h"
#include "store/counted.h"
#include "store/zset_item.h"

/* ---- Pairs ---- */

/* A pair about to be written. */
struct pair_code {
    struct rg_element score;
    struct rg_element member;
    size_t body; /* bytes of both */
};

static void score_code(struct rg_element *element, double score)
{
    const double limit = 9223372036854775808.0; /* 2^63 */
    if (score >= -limit && score < limit && score == (double)(int64_t)score) {
        rg_element_of_i64(element, (int64_t)score);
        return;
    }
    element->head[0] = RG_ELEMENT_DOUBLE;
    memcpy(element->head + 1, &score, sizeof(score));
    element->head_len = 1 + sizeof(score);
    element->text = (struct rg_bytes){0};
}

static void pair_code(struct pair_code *code, double score, struct rg_bytes member)
{
    score_code(&code->score, score);
    rg_element_of_text(&code->member, member);
    code->body = rg_element_size(&code->score) + rg_element_size(&code->member);
}

static size_t code_size(const struct pair_code *code)
{
    return code->body + rg_counted_back_size(code->body);
}

static void code_write(char *out, const struct pair_code *code)
{
    rg_element_write(rg_element_write(out, &code->score), &code->member);
    rg_counted_back_write(out + code_size(code), code->body);
}

static const char *score_read(const char *at, double *ret_score)
{
    int64_t integer = 0;
    if ((unsigned char)*at < RG_ELEMENT_TEXT) {
        *ret_score = *at;
        return at + 1;
    }
    if ((unsigned char)*at == RG_ELEMENT_DOUBLE) {
        memcpy(ret_score, at + 1, sizeof(*ret_score));
        return at + 1 + sizeof(*ret_score);
    }
    at = rg_element_integer(at, &integer);
    *ret_score = (double)integer;
    return at;
}

uint32_t rg_zset_packed_skip(const struct rg_zset_packed *packed, uint32_t offset)
{
    const char *at = packed->data + offset;
    const char *end = rg_element_skip(rg_element_skip(at));
    size_t back = rg_counted_back_size((size_t)(end - at));
    return (uint32_t)(end - packed->data) + (uint32_t)back;
}

double rg_zset_packed_score(const struct rg_zset_packed *packed, uint32_t offset)
{
    double score = 0;
    score_read(packed->data + offset, &score);
    return score;
}

uint32_t rg_zset_packed_next(const struct rg_zset_packed *packed, uint32_t offset,
                             char scratch[RG_I64_CHARS], struct rg_zset_pair *ret_pair)
{
    RG_ASSERT(offset < packed->len);
    const char *at = packed->data + offset;
    const char *end = score_read(at, &ret_pair->score);
    end = rg_element_read(end, scratch, &ret_pair->member);
    size_t back = rg_counted_back_size((size_t)(end - at));
    return (uint32_t)(end - packed->data) + (uint32_t)back;
}

static uint32_t skip_back(const struct rg_zset_packed *packed, uint32_t offset)
{
    size_t size = 0;
    RG_ASSERT(offset > 0 && offset <= packed->len);
    const char *end = rg_counted_back_read(packed->data + offset, &size);
    return (uint32_t)(end - packed->data) - (uint32_t)size;
}

uint32_t rg_zset_packed_prev(const struct rg_zset_packed *packed, uint32_t offset,
                             char scratch[RG_I64_CHARS], struct rg_zset_pair *ret_pair)
{
    uint32_t start = skip_back(packed, offset);
    rg_zset_packed_next(packed, start, scratch, ret_pair);
    return start;
}

uint32_t rg_zset_packed_seek(const struct rg_zset_packed *packed, uint64_t rank)
{
    uint32_t offset = 0;
    RG_ASSERT(rank <= packed->count);
    if (rank > packed->count / 2) {
        offset = packed->len;
        for (uint64_t left = packed->count - rank; left > 0; left--)
            offset = skip_back(packed, offset);
        return offset;
    }
    for (; rank > 0; rank--)
        offset = rg_zset_packed_skip(packed, offset);
    return offset;
}

/* ---- Memory ---- */

static size_t item_size(size_t len)
{
    return rg_pool_room(sizeof(struct rg_zset_packed) + len);
}

/* An item with room for cap bytes that begins as packed was, or empty for NULL. */
static struct rg_zset_packed *packed_resize(struct rg_pool *pool, struct rg_zset_packed *packed,
                                            size_t cap)
{
    size_t size = item_size(cap);
    if (packed == NULL) {
        packed = rg_pool_alloc(pool, size);
        packed->count = 0;
        packed->len = 0;
    } else {
        packed = rg_pool_realloc(pool, packed, sizeof(*packed) + packed->cap, size);
    }
    packed->cap = (uint32_t)(size - sizeof(*packed));
    return packed;
}

struct rg_zset_packed *rg_zset_packed_new(struct rg_pool *pool)
{
    return packed_resize(pool, NULL, 0);
}

struct rg_zset_packed *rg_zset_packed_copy(struct rg_pool *pool,
                                           const struct rg_zset_packed *packed)
{
    struct rg_zset_packed *copy = packed_resize(pool, NULL, packed->len);
    copy->count = packed->count;
    copy->len = packed->len;
    memcpy(copy->data, packed->data, packed->len);
    return copy;
}

void rg_zset_packed_free(struct rg_pool *pool, struct rg_zset_packed *packed)
{
    if (packed != NULL)
        rg_pool_free(pool, packed, sizeof(*packed) + packed->cap);
}

size_t rg_zset_packed_memory(const struct rg_zset_packed *packed)
{
    return rg_pool_cost(sizeof(*packed) + packed->cap);
}

/* Room for len bytes; large ones grow by an eighth more, small ones by what is asked. */
static struct rg_zset_packed *packed_grow(struct rg_pool *pool, struct rg_zset_packed *packed,
                                          size_t len)
{
    enum { EXACT_BYTES = 1024 };
    RG_ASSERT(len <= RG_ZSET_PACKED_MAX);
    if (len <= packed->cap)
        return packed;
    return packed_resize(pool, packed, len <= EXACT_BYTES ? len : len + len / 8);
}

/* ---- Single members ---- */

bool rg_zset_packed_find(const struct rg_zset_packed *packed, struct rg_bytes member,
                         uint32_t *ret_offset, uint64_t *ret_rank, double *ret_score)
{
    struct rg_element wanted;
    uint32_t offset = 0;
    if (member.len > RG_ZSET_PACKED_MAX)
        return false;
    rg_element_of_text(&wanted, member);
    for (uint32_t rank = 0; rank < packed->count; rank++) {
        if (rg_element_is(&wanted, rg_element_skip(packed->data + offset))) {
            if (ret_offset != NULL)
                *ret_offset = offset;
            if (ret_rank != NULL)
                *ret_rank = rank;
            if (ret_score != NULL)
                *ret_score = rg_zset_packed_score(packed, offset);
            return true;
        }
        offset = rg_zset_packed_skip(packed, offset);
    }
    return false;
}

/* The offset of the first pair behind this one. */
static uint32_t packed_place(const struct rg_zset_packed *packed, double score,
                             struct rg_bytes member)
{
    uint32_t offset = 0;
    while (offset < packed->len) {
        char scratch[RG_I64_CHARS];
        struct rg_bytes other;
        double other_score = 0;
        const char *at = packed->data + offset;
        const char *end = score_read(at, &other_score);
        if (other_score > score)
            break;
        if (other_score < score) {
            end = rg_element_skip(end);
        } else {
            end = rg_element_read(end, scratch, &other);
            if (rg_bytes_compare(other, member) > 0)
                break;
        }
        size_t body = (size_t)(end - at);
        offset += (uint32_t)(body + rg_counted_back_size(body));
    }
    return offset;
}

struct rg_zset_packed *rg_zset_packed_insert(struct rg_pool *pool, struct rg_zset_packed *packed,
                                             double score, struct rg_bytes member)
{
    struct pair_code code;
    pair_code(&code, score, member);
    size_t size = code_size(&code);
    uint32_t offset = packed_place(packed, score, member);
    packed = packed_grow(pool, packed, packed->len + size);
    char *at = packed->data + offset;
    memmove(at + size, at, packed->len - offset);
    code_write(at, &code);
    packed->len += (uint32_t)size;
    packed->count++;
    return packed;
}

struct rg_zset_packed *rg_zset_packed_erase(struct rg_pool *pool, struct rg_zset_packed *packed,
                                            uint32_t from, uint32_t to, uint64_t count)
{
    RG_ASSERT(from <= to && to <= packed->len && count <= packed->count);
    memmove(packed->data + from, packed->data + to, packed->len - to);
    packed->len -= to - from;
    packed->count -= (uint32_t)count;
    if (item_size(packed->len + packed->len / 4) >= item_size(packed->cap))
        return packed;
    return packed_resize(pool, packed, packed->len);
}

struct rg_zset_packed *rg_zset_packed_rescore(struct rg_pool *pool, struct rg_zset_packed *packed,
                                              uint32_t offset, double score, struct rg_bytes member)
{
    struct pair_code code;
    pair_code(&code, score, member);
    uint32_t size = (uint32_t)code_size(&code);
    uint32_t old = rg_zset_packed_skip(packed, offset) - offset;
    uint32_t place = packed_place(packed, score, member);
    if (size > old)
        packed = packed_grow(pool, packed, packed->len + (size - old));
    char *data = packed->data;
    uint32_t behind = packed->len - (place > offset ? place : offset + old);
    /* What lies between moves over the old place; what lies behind both, by the difference. */
    if (size > old)
        memmove(data + packed->len - behind + (size - old), data + packed->len - behind, behind);
    if (place > offset) {
        place -= old;
        memmove(data + offset, data + offset + old, place - offset);
    } else {
        memmove(data + place + size, data + place, offset - place);
    }
    if (size < old)
        memmove(data + packed->len - behind - (old - size), data + packed->len - behind, behind);
    code_write(data + place, &code);
    packed->len = packed->len - old + size;
    return packed;
}

/* ---- Runs ---- */

bool rg_zset_score_of_element(const char *at, double *ret_score)
{
    struct rg_bytes text;
    if (!rg_element_is_text(at)) {
        score_read(at, ret_score);
        return true;
    }
    rg_element_text(at, &text);
    return rg_parse_double(text, ret_score) == 0;
}

/* Whether a member comes before another one; both as elements. */
static bool member_before(const char *a, const char *b)
{
    char scratch_a[RG_I64_CHARS];
    char scratch_b[RG_I64_CHARS];
    struct rg_bytes text_a;
    struct rg_bytes text_b;
    rg_element_read(a, scratch_a, &text_a);
    rg_element_read(b, scratch_b, &text_b);
    return rg_bytes_compare(text_a, text_b) < 0;
}

/* Appends a pair of a run, of which it is the next one behind `last`; false where it may not. */
static bool run_append(struct rg_zset_packed *packed, const char *member, const char *score_at,
                       const char *end, const char *last, double *last_score)
{
    struct rg_element code;
    double score = 0;
    size_t member_size = (size_t)(rg_element_skip(member) - member);
    if (!rg_zset_score_of_element(score_at, &score))
        return false;
    if (last != NULL &&
        (*last_score > score || (*last_score == score && !member_before(last, member))))
        return false;
    score_code(&code, score);
    size_t body = rg_element_size(&code) + member_size;
    char *out = rg_element_write(packed->data + packed->len, &code);
    const char *out_end = packed->data + packed->cap;
    rg_element_copy(out, (size_t)(out_end - out), member, (size_t)(end - member), member_size);
    packed->len += (uint32_t)(body + rg_counted_back_size(body));
    rg_counted_back_write(packed->data + packed->len, body);
    packed->count++;
    *last_score = score;
    return true;
}

/* False where it may not be taken as it is. */
static bool run_append_all(struct rg_zset_packed *packed, struct rg_bytes run)
{
    const char *last = NULL;
    double last_score = 0;
    for (const char *at = run.data; at < run.data + run.len;) {
        const char *score = rg_element_skip_both(at);
        if (!run_append(packed, at, score, run.data + run.len, last, &last_score))
            return false;
        last = at;
        at = rg_element_skip_both(score);
    }
    return true;
}

struct rg_zset_packed *rg_zset_packed_of_run(struct rg_pool *pool, struct rg_bytes run,
                                             uint32_t count)
{
    enum {
        SCORE_MORE = RG_ELEMENT_HEAD_MAX - 2, /* what a score may take beyond its own there */
        FEW_BYTES = 4096
    };
    _Alignas(struct rg_zset_packed) char few[FEW_BYTES];
    struct rg_zset_packed *packed = NULL;
    size_t most = run.len + (size_t)count * SCORE_MORE;
    if (sizeof(*packed) + most <= sizeof(few)) {
        /* Where it fits, it is made here first, for then it is known how large it is. */
        packed = (struct rg_zset_packed *)(void *)few;
        *packed = (struct rg_zset_packed){.cap = sizeof(few) - sizeof(*packed)};
        return run_append_all(packed, run) ? rg_zset_packed_copy(pool, packed) : NULL;
    }
    packed = packed_resize(pool, NULL, most);
    if (!run_append_all(packed, run)) {
        rg_zset_packed_free(pool, packed);
        return NULL;
    }
    return packed_resize(pool, packed, packed->len);
}
