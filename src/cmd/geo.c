#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "cmd/geo_arg.h"
#include "cmd/handlers.h"
#include "cmd/lookup.h"
#include "cmd/reply.h"
#include "cmd/zset_value.h"

/* GEOADD, GEOPOS, GEODIST and GEOHASH: places are members of a sorted set, their cells its scores.
 */

int rg_geo_arg_point(struct rg_cmd_ctx *ctx, int index, struct rg_geo_point *ret_point)
{
    struct rg_geo_point point = {0};

    if (rg_cmd_arg_double(ctx, index, NULL, &point.longitude) < 0 ||
        rg_cmd_arg_double(ctx, index + 1, NULL, &point.latitude) < 0)
        return RG_EINVAL;
    if (!rg_geo_point_ok(point)) {
        rg_reply_errorf(ctx->reply, "ERR invalid longitude,latitude pair %f,%f", point.longitude,
                        point.latitude);
        return RG_ERANGE;
    }
    *ret_point = point;
    return 0;
}

int rg_geo_arg_unit(struct rg_cmd_ctx *ctx, int index, double *ret_unit_m)
{
    static const struct {
        const char *name;
        double metres;
    } units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};

    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (rg_cmd_arg_is(ctx, index, units[i].name)) {
            *ret_unit_m = units[i].metres;
            return 0;
        }
    }
    rg_reply_error(ctx->reply, "ERR unsupported unit provided. please use M, KM, FT, MI");
    return RG_EINVAL;
}

static void geo_reply_degrees(struct rg_cmd_ctx *ctx, double value)
{
    char text[RG_LONG_DOUBLE_CHARS];

    rg_reply_number_text(ctx->reply, rg_bytes(text, rg_format_long_double(text, value)));
}

void rg_geo_reply_point(struct rg_cmd_ctx *ctx, struct rg_geo_point point)
{
    rg_reply_array(ctx->reply, 2);
    geo_reply_degrees(ctx, point.longitude);
    geo_reply_degrees(ctx, point.latitude);
}

void rg_geo_reply_distance(struct rg_cmd_ctx *ctx, double distance)
{
    char text[RG_DOUBLE_CHARS];
    int len = snprintf(text, sizeof(text), "%.4f", distance);

    rg_reply_bulk(ctx->reply, rg_bytes(text, len < (int)sizeof(text) ? (size_t)len : 0));
}

/* ---- GEOADD ---- */

static int geo_get_words(struct rg_cmd_ctx *ctx, const struct rg_zset_pairs *pairs, uint64_t index,
                         struct rg_bytes *ret_member, double *ret_score)
{
    struct rg_geo_point point;
    int at = pairs->first + (int)index * 3;
    int result = rg_geo_arg_point(ctx, at, &point);

    if (result < 0)
        return result;
    *ret_member = ctx->argv[at + 2];
    *ret_score = rg_geo_score(point);
    return 0;
}

/* The log gets a ZADD with the cells, as Redis has it. */
static void geo_log_add(struct rg_cmd_ctx *ctx, const struct rg_zset_pairs *pairs)
{
    int argc = pairs->first + (int)pairs->pairs * 2;
    struct rg_bytes *argv = rg_alloc((size_t)argc * sizeof(*argv));
    char *digits = rg_alloc((size_t)pairs->pairs * RG_I64_CHARS);

    memcpy(argv, ctx->argv, (size_t)pairs->first * sizeof(*argv));
    argv[0] = RG_BYTES("zadd");
    for (uint64_t i = 0; i < pairs->pairs; i++) {
        char *text = digits + i * RG_I64_CHARS;
        struct rg_bytes *pair = &argv[pairs->first + (int)i * 2];
        double score = 0;
        if (geo_get_words(ctx, pairs, i, &pair[1], &score) == 0)
            pair[0] = rg_bytes(text, rg_format_u64(text, (uint64_t)score));
    }
    rg_cmd_log_instead(ctx, argv, argc);
    rg_free(argv);
    rg_free(digits);
}

void rg_cmd_run_geoadd(struct rg_cmd_ctx *ctx)
{
    struct rg_zset_pairs pairs = {.get = geo_get_words, .first = 2};

    for (; pairs.first < ctx->argc; pairs.first++) {
        if (rg_cmd_arg_is(ctx, pairs.first, "NX"))
            pairs.options.nx = true;
        else if (rg_cmd_arg_is(ctx, pairs.first, "XX"))
            pairs.options.xx = true;
        else if (rg_cmd_arg_is(ctx, pairs.first, "CH"))
            pairs.options.ch = true;
        else
            break;
    }
    int words = ctx->argc - pairs.first;
    if (words % 3 != 0 || words == 0 || (pairs.options.nx && pairs.options.xx)) {
        rg_cmd_reply_syntax(ctx);
        return;
    }
    pairs.pairs = (uint64_t)words / 3;
    rg_zset_add(ctx, &pairs);
    if (ctx->dirty > 0)
        geo_log_add(ctx, &pairs);
}

/* ---- Single places ---- */

static bool geo_find(const struct rg_entry *entry, struct rg_bytes member,
                     struct rg_geo_point *ret_point)
{
    double score = 0;

    if (entry == NULL || !rg_zset_score(entry, member, &score))
        return false;
    *ret_point = rg_geo_decode(score);
    return true;
}

void rg_cmd_run_geopos(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    struct rg_geo_point point;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    rg_reply_array(ctx->reply, ctx->argc - 2);
    for (int i = 2; i < ctx->argc; i++) {
        if (geo_find(entry, ctx->argv[i], &point))
            rg_geo_reply_point(ctx, point);
        else
            rg_reply_null_array(ctx->reply);
    }
}

void rg_cmd_run_geodist(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    struct rg_geo_point a;
    struct rg_geo_point b;
    double unit_m = 1;

    if (ctx->argc > 5) {
        rg_cmd_reply_syntax(ctx);
        return;
    }
    if ((ctx->argc == 5 && rg_geo_arg_unit(ctx, 4, &unit_m) < 0) ||
        rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    if (geo_find(entry, ctx->argv[2], &a) && geo_find(entry, ctx->argv[3], &b))
        rg_geo_reply_distance(ctx, rg_geo_distance(a, b) / unit_m);
    else
        rg_reply_null(ctx->reply);
}

/*
 * The text of http://geohash.org reaches to the poles and has five bits a letter. 52 bits are kept,
 * so that the eleventh letter says nothing.
 */
static void geo_reply_hash(struct rg_cmd_ctx *ctx, struct rg_geo_point point)
{
    enum { LETTERS = 10, LETTER_BITS = 5 };
    static const char alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    uint64_t bits = rg_geo_encode(point, 90, RG_GEO_STEP_MAX).bits;
    char text[LETTERS + 1];

    for (unsigned i = 0; i < LETTERS; i++)
        text[i] = alphabet[bits >> (RG_GEO_STEP_MAX * 2 - (i + 1) * LETTER_BITS) & 0x1f];
    text[LETTERS] = alphabet[0];
    rg_reply_bulk(ctx->reply, rg_bytes(text, sizeof(text)));
}

void rg_cmd_run_geohash(struct rg_cmd_ctx *ctx)
{
    struct rg_entry *entry = NULL;
    struct rg_geo_point point;

    if (rg_lookup_read_type(ctx, ctx->argv[1], RG_TYPE_ZSET, &entry) < 0)
        return;
    rg_reply_array(ctx->reply, ctx->argc - 2);
    for (int i = 2; i < ctx->argc; i++) {
        if (geo_find(entry, ctx->argv[i], &point))
            geo_reply_hash(ctx, point);
        else
            rg_reply_null(ctx->reply);
    }
}
