#include "base/alloc.h"
#include "base/panic.h"
#include "cmd/hyperloglog_value.h"

/*
 * Changing one register of a sparse HyperLogLog: the run it is in is taken apart, and equal values
 * that come to stand beside each other are joined, exactly as Redis does it: two servers that added
 * the same elements in the same order hold the same bytes.
 */
enum {
    ENCODING_AT = 4,
    ZEROES_SHORT_MAX = 64, /* registers of a run in one byte */
    VALUES_MAX = 4,
    VALUE_MAX = 32, /* greater ones need the dense form */
    APART_MAX = 5,  /* bytes that a run taken apart fills */
    JOIN_RUNS = 5,  /* how many runs, from the one before the change, are looked at */
};

void rg_hll_work_init(struct rg_hll_work *work, struct rg_bytes bytes, size_t changes,
                      size_t sparse_max)
{
    /* Taking a run apart makes it three bytes longer at most; it may become dense at any time. */
    size_t need = bytes.len + 3 * changes;

    if (need < RG_HLL_DENSE_BYTES)
        need = RG_HLL_DENSE_BYTES;
    work->bytes = need <= sizeof(work->small) ? work->small : rg_alloc(need);
    work->cap = need <= sizeof(work->small) ? sizeof(work->small) : need;
    work->len = bytes.len;
    work->sparse_max = sparse_max;
    memcpy(work->bytes, bytes.data, bytes.len);
}

void rg_hll_work_fini(struct rg_hll_work *work)
{
    if (work->bytes != work->small)
        rg_free(work->bytes);
}

void rg_hll_work_make_stale(struct rg_hll_work *work)
{
    char *highest = work->bytes + RG_HLL_CACHE_AT + RG_HLL_CACHE_BYTES - 1;

    *highest = rg_hll_stale_byte(*highest);
}

static struct rg_bytes work_view(const struct rg_hll_work *work)
{
    return rg_bytes(work->bytes, work->len);
}

int rg_hll_work_to_dense(struct rg_hll_work *work)
{
    uint8_t registers[RG_HLL_REGISTERS] = {0};

    if (!rg_hll_is_sparse(work_view(work)))
        return 0;
    if (rg_hll_merge(work_view(work), registers) < 0)
        return RG_EPROTO;
    memset(work->bytes + RG_HLL_HEADER_BYTES, 0, RG_HLL_DENSE_BYTES - RG_HLL_HEADER_BYTES);
    work->bytes[ENCODING_AT] = 0;
    work->len = RG_HLL_DENSE_BYTES;
    for (unsigned i = 0; i < RG_HLL_REGISTERS; i++) {
        if (registers[i] > 0)
            rg_hll_dense_set(work->bytes, i, registers[i]);
    }
    return 0;
}

static int dense_raise(struct rg_hll_work *work, unsigned index, unsigned value)
{
    if (rg_hll_dense_get(work->bytes, index) >= value)
        return 0;
    rg_hll_dense_set(work->bytes, index, value);
    return 1;
}

/* Errors: RG_EPROTO. */
static int raise_densely(struct rg_hll_work *work, unsigned index, unsigned value)
{
    int result = rg_hll_work_to_dense(work);

    return result < 0 ? result : dense_raise(work, index, value);
}

/* ---- Runs ---- */

static char *write_zeroes(char *out, unsigned len)
{
    if (len > ZEROES_SHORT_MAX) {
        *out++ = (char)(0x40 | (len - 1) >> 8);
        *out++ = (char)(len - 1);
    } else if (len > 0) {
        *out++ = (char)(len - 1);
    }
    return out;
}

static char *write_values(char *out, unsigned value, unsigned len)
{
    if (len > 0)
        *out++ = (char)(0x80 | (value - 1) << 2 | (len - 1));
    return out;
}

static char *write_run(char *out, unsigned value, unsigned len)
{
    return value == 0 ? write_zeroes(out, len) : write_values(out, value, len);
}

/* Where a register lies: the run it is in and the one before it. */
struct place {
    size_t at;
    size_t before;  /* at itself, where there is none */
    unsigned first; /* register of the run */
    struct rg_hll_run run;
};

/* Most of the time of an addition goes by here. Errors: RG_EPROTO. */
static int place_find(const struct rg_hll_work *work, unsigned index, struct place *ret_place)
{
    const unsigned char *bytes = (const unsigned char *)work->bytes;
    size_t at = RG_HLL_HEADER_BYTES;
    size_t before = at;
    unsigned first = 0;

    while (at < work->len) {
        unsigned byte = bytes[at];
        unsigned len = (byte & 0x3f) + 1;
        unsigned size = 1;
        if (byte & 0x80) {
            len = (byte & 3) + 1;
        } else if (byte & 0x40) {
            if (at + 2 > work->len)
                return RG_EPROTO;
            len = ((byte & 0x3f) << 8 | bytes[at + 1]) + 1;
            size = 2;
        }
        if (index < first + len) {
            struct rg_hll_run run = rg_hll_run_read(rg_bytes(work->bytes + at, work->len - at));
            *ret_place = (struct place){at, before, first, run};
            return 0;
        }
        before = at;
        at += size;
        first += len;
    }
    return RG_EPROTO;
}

/* Joins neighbours of the same value as far as one byte can hold them. */
static void join_values(struct rg_hll_work *work, size_t at)
{
    for (int left = JOIN_RUNS; left > 0 && at < work->len; left--) {
        struct rg_hll_run run = rg_hll_run_read(rg_bytes(work->bytes + at, work->len - at));
        if (run.value > 0 && at + 1 < work->len) {
            struct rg_hll_run next =
                rg_hll_run_read(rg_bytes(work->bytes + at + 1, work->len - at - 1));
            if (next.value == run.value && run.len + next.len <= VALUES_MAX) {
                write_values(work->bytes + at + 1, run.value, run.len + next.len);
                memmove(work->bytes + at, work->bytes + at + 1, work->len - at - 1);
                work->len--;
                continue; /* perhaps with one more */
            }
        }
        at += run.size;
    }
}

int rg_hll_work_raise(struct rg_hll_work *work, unsigned index, unsigned value)
{
    char apart[APART_MAX];
    struct place place;

    if (!rg_hll_is_sparse(work_view(work)))
        return dense_raise(work, index, value);
    if (value > VALUE_MAX)
        return raise_densely(work, index, value);
    if (place_find(work, index, &place) < 0)
        return RG_EPROTO;
    if (place.run.value >= value)
        return 0;
    unsigned last = place.first + place.run.len - 1;
    char *end = write_run(apart, place.run.value, index - place.first);
    end = write_values(end, value, 1);
    end = write_run(end, place.run.value, last - index);
    size_t size = (size_t)(end - apart);
    size_t old_size = place.run.size;
    if (size > old_size && work->len + size - old_size > work->sparse_max)
        return raise_densely(work, index, value);
    RG_ASSERT(work->len + size - old_size <= work->cap);
    memmove(work->bytes + place.at + size, work->bytes + place.at + old_size,
            work->len - place.at - old_size);
    memcpy(work->bytes + place.at, apart, size);
    work->len = work->len + size - old_size;
    join_values(work, place.before);
    rg_hll_work_make_stale(work);
    return 1;
}
