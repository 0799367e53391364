#include "cmd/handlers.h"
#include "cmd/hyperloglog.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"

/* PFDEBUG and PFSELFTEST. */

/* Errors: RG_EPROTO (replied). */
static int debug_to_dense(struct rg_cmd_ctx *ctx, struct rg_entry **entry, struct rg_bytes bytes)
{
    struct rg_hll_work work;

    rg_hll_work_init(&work, bytes, 0, 0);
    int result = rg_hll_work_to_dense(&work);
    if (result == 0) {
        rg_string_rewrite(ctx->db, entry, rg_bytes(work.bytes, work.len));
        ctx->dirty++; /* replicas shall hold the same bytes; who watches the key sees no change */
    } else {
        rg_hll_reply_corrupted(ctx);
    }
    rg_hll_work_fini(&work);
    return result;
}

static void debug_getreg(struct rg_cmd_ctx *ctx, struct rg_entry *entry, struct rg_bytes bytes)
{
    char scratch[RG_STRING_SCRATCH];

    if (rg_hll_is_sparse(bytes) && debug_to_dense(ctx, &entry, bytes) < 0)
        return;
    bytes = rg_string_get(entry, scratch);
    rg_reply_array(ctx->reply, RG_HLL_REGISTERS);
    for (unsigned i = 0; i < RG_HLL_REGISTERS; i++)
        rg_reply_i64(ctx->reply, rg_hll_dense_get(bytes.data, i));
}

static void debug_decode(struct rg_cmd_ctx *ctx, struct rg_bytes bytes)
{
    struct rg_buf text = {0};

    if (!rg_hll_is_sparse(bytes)) {
        rg_reply_error(ctx->reply, "ERR HLL encoding is not sparse");
        return;
    }
    for (size_t at = RG_HLL_HEADER_BYTES; at < bytes.len;) {
        struct rg_hll_run run = rg_hll_run_read(rg_bytes(bytes.data + at, bytes.len - at));
        if (at > RG_HLL_HEADER_BYTES)
            rg_buf_append_char(&text, ' ');
        if (run.value > 0)
            rg_buf_printf(&text, "v:%u,%u", run.value, run.len);
        else
            rg_buf_printf(&text, "%c:%u", run.size == 1 ? 'z' : 'Z', run.len);
        at += run.size;
    }
    rg_reply_bulk(ctx->reply, rg_buf_view(&text));
    rg_buf_fini(&text);
}

void rg_cmd_run_pfdebug(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = rg_lookup_write(ctx, ctx->argv[2]);
    struct rg_bytes bytes;

    if (entry == NULL) {
        rg_reply_error(ctx->reply, "ERR The specified key does not exist");
        return;
    }
    if (rg_hll_open(ctx, &entry, &bytes) < 0)
        return;
    bool sparse = rg_hll_is_sparse(bytes);
    if (rg_cmd_arg_is(ctx, 1, "GETREG")) {
        debug_getreg(ctx, entry, bytes);
    } else if (rg_cmd_arg_is(ctx, 1, "DECODE")) {
        debug_decode(ctx, bytes);
    } else if (rg_cmd_arg_is(ctx, 1, "ENCODING")) {
        rg_reply_simple(ctx->reply, sparse ? "sparse" : "dense");
    } else if (rg_cmd_arg_is(ctx, 1, "TODENSE")) {
        if (!sparse || debug_to_dense(ctx, &entry, bytes) == 0)
            rg_reply_i64(ctx->reply, sparse);
    } else {
        rg_reply_errorf(ctx->reply, "ERR Unknown PFDEBUG subcommand '%.*s'", (int)ctx->argv[1].len,
                        ctx->argv[1].data);
    }
}

/* ---- PFSELFTEST ---- */

/* Random values in all registers of a dense one come back. */
static bool selftest_registers(struct rg_rand *rand)
{
    enum { ROUNDS = 20 };
    char dense[RG_HLL_DENSE_BYTES] = {0};
    uint8_t model[RG_HLL_REGISTERS];

    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < RG_HLL_REGISTERS; i++) {
            model[i] = (uint8_t)rg_rand_below(rand, RG_HLL_VALUES);
            rg_hll_dense_set(dense, i, model[i]);
        }
        for (unsigned i = 0; i < RG_HLL_REGISTERS; i++) {
            if (rg_hll_dense_get(dense, i) != model[i])
                return false;
        }
    }
    return true;
}

/* A sparse and a dense one of the same elements agree, and both are about right. */
static bool selftest_counts(struct rg_rand *rand, size_t sparse_max)
{
    enum { ELEMENTS = 100000, FEW = 100 };
    const double error = 1.04 / 128; /* of the mean, with 2^14 registers */
    struct rg_hll_work sparse;
    struct rg_hll_work dense;
    char empty[RG_HLL_EMPTY_BYTES];
    unsigned counts[RG_HLL_VALUES];
    unsigned dense_counts[RG_HLL_VALUES];
    bool good = true;

    rg_hll_empty_write(empty);
    rg_hll_work_init(&sparse, rg_bytes(empty, sizeof(empty)), 0, sparse_max);
    rg_hll_work_init(&dense, rg_bytes(empty, sizeof(empty)), 0, 0);
    uint64_t element = rg_rand_u64(rand);
    for (int64_t i = 1, next = FEW; i <= ELEMENTS && good; i++, element++) {
        unsigned index = 0;
        unsigned value = 0;
        rg_hll_place(rg_bytes(&element, sizeof(element)), &index, &value);
        good = rg_hll_work_raise(&sparse, index, value) >= 0 &&
               rg_hll_work_raise(&dense, index, value) >= 0;
        if (i < next || !good)
            continue;
        good = rg_hll_histogram(rg_bytes(sparse.bytes, sparse.len), counts) == 0 &&
               rg_hll_histogram(rg_bytes(dense.bytes, dense.len), dense_counts) == 0 &&
               memcmp(counts, dense_counts, sizeof(counts)) == 0;
        double off = (double)rg_hll_estimate(counts) - (double)i;
        double allowed = 6 * error * (double)i + 5; /* as wide as Redis' own test */
        good = good && off <= allowed && -off <= allowed;
        next *= 10;
    }
    rg_hll_work_fini(&sparse);
    rg_hll_work_fini(&dense);
    return good;
}

void rg_cmd_run_pfselftest(struct rg_cmd_ctx *ctx)
{
    enum { SPARSE_MAX = 3000 };

    if (!selftest_registers(ctx->rand))
        rg_reply_error(ctx->reply, "TESTFAILED Register does not hold the value that was set");
    else if (!selftest_counts(ctx->rand, SPARSE_MAX))
        rg_reply_error(ctx->reply,
                       "TESTFAILED The sparse and the dense form or the count disagree");
    else
        rg_cmd_reply_ok(ctx);
}
