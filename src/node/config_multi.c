#include "node/config_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/number.h"
#include "base/panic.h"

/* Directives of several arguments: from what the user wrote to canonical text. */

static int multi_fail(struct rg_buf *ret_error, const char *text)
{
    rg_buf_append_str(ret_error, text);
    return RG_EINVAL;
}

/* Appends the words with single blanks between them. */
static void multi_join(struct rg_buf *out, const struct rg_bytes *argv, int argc)
{
    for (int i = 0; i < argc; i++) {
        if (rg_buf_len(out) > 0)
            rg_buf_append_char(out, ' ');
        rg_buf_append_bytes(out, argv[i]);
    }
}

static int multi_save(const struct rg_config *config, const struct rg_bytes *argv, int argc,
                      bool add, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    int before = add && argc > 0 ? config->save_count : 0;

    if (argc % 2 != 0)
        return multi_fail(ret_error, "Invalid save parameters");
    for (int i = 0; i < argc; i++) {
        int64_t value = 0;
        if (rg_parse_i64(argv[i], &value) < 0 || value < (i % 2 == 0 ? 1 : 0) || value > INT32_MAX)
            return multi_fail(ret_error, "Invalid save parameters");
    }
    if (before + argc / 2 > RG_CONFIG_MAX_SAVE)
        return multi_fail(ret_error, "Too many save parameters");
    for (int i = 0; i < before; i++)
        rg_buf_printf(ret_text, "%s%" PRId64 " %" PRId64, i == 0 ? "" : " ",
                      config->save[i].seconds, config->save[i].changes);
    multi_join(ret_text, argv, argc);
    return 0;
}

static int limit_class(struct rg_bytes word)
{
    if (rg_bytes_is_nocase(word, "normal"))
        return RG_CLASS_NORMAL;
    if (rg_bytes_is_nocase(word, "slave") || rg_bytes_is_nocase(word, "replica"))
        return RG_CLASS_REPLICA;
    if (rg_bytes_is_nocase(word, "pubsub"))
        return RG_CLASS_PUBSUB;
    return -1;
}

/* Classes that the arguments do not name stay as they are. */
static int multi_limit(const struct rg_config *config, const struct rg_bytes *argv, int argc,
                       struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    static const char *const names[RG_CLASSES] = {"normal", "slave", "pubsub"};
    struct rg_config_limit limits[RG_CLASSES];

    memcpy(limits, config->output_limit, sizeof(limits));
    if (argc == 0 || argc % 4 != 0)
        return multi_fail(ret_error, "Wrong number of arguments in buffer limit configuration.");
    for (int i = 0; i < argc; i += 4) {
        int class = limit_class(argv[i]);
        int64_t hard = 0;
        int64_t soft = 0;
        int64_t seconds = 0;
        if (class < 0)
            return multi_fail(ret_error,
                              "Invalid client class specified in buffer limit configuration.");
        if (config_parse_memory(argv[i + 1], &hard) < 0 ||
            config_parse_memory(argv[i + 2], &soft) < 0 ||
            rg_parse_i64(argv[i + 3], &seconds) < 0 || seconds < 0)
            return multi_fail(ret_error, "Error in hard, soft or soft_seconds setting in buffer "
                                         "limit configuration.");
        limits[class] = (struct rg_config_limit){(uint64_t)hard, (uint64_t)soft, seconds};
    }
    for (int i = 0; i < RG_CLASSES; i++)
        rg_buf_printf(ret_text, "%s%s %" PRIu64 " %" PRIu64 " %" PRId64, i == 0 ? "" : " ",
                      names[i], limits[i].hard_bytes, limits[i].soft_bytes, limits[i].soft_seconds);
    return 0;
}

static int multi_replicaof(const struct rg_bytes *argv, int argc, struct rg_buf *ret_text,
                           struct rg_buf *ret_error)
{
    int64_t port = 0;

    if (argc != 2)
        return multi_fail(ret_error, "wrong number of arguments");
    if (rg_bytes_is_nocase(argv[0], "no") && rg_bytes_is_nocase(argv[1], "one"))
        return 0;
    if (rg_parse_i64(argv[1], &port) < 0 || port < 0 || port > 65535 || argv[0].len == 0)
        return multi_fail(ret_error, "Invalid master port");
    multi_join(ret_text, argv, argc);
    return 0;
}

static int multi_percentiles(const struct rg_bytes *argv, int argc, struct rg_buf *ret_text,
                             struct rg_buf *ret_error)
{
    for (int i = 0; i < argc; i++) {
        double value = 0;
        if (rg_parse_double(argv[i], &value) < 0)
            return multi_fail(ret_error, "Invalid latency-tracking-info-percentiles parameters");
        if (!(value >= 0.0 && value <= 100.0))
            return multi_fail(ret_error, "latency-tracking-info-percentiles parameters should sit "
                                         "between [0.0,100.0]");
        rg_buf_printf(ret_text, "%s%.10g", i == 0 ? "" : " ", value);
    }
    return 0;
}

static int multi_oom(const struct rg_bytes *argv, int argc, struct rg_buf *ret_text,
                     struct rg_buf *ret_error)
{
    if (argc != 3)
        return multi_fail(ret_error, "wrong number of arguments");
    for (int i = 0; i < argc; i++) {
        int64_t value = 0;
        if (rg_parse_i64(argv[i], &value) < 0 || value < -2000 || value > 2000)
            return multi_fail(ret_error, "Invalid oom-score-adj-values, elements must be between "
                                         "-2000 and 2000.");
    }
    multi_join(ret_text, argv, argc);
    return 0;
}

static int multi_flags(const struct config_directive *directive, const struct rg_bytes *argv,
                       int argc, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    if (argc == 0)
        return multi_fail(ret_error, "wrong number of arguments");
    for (const char *const *word = directive->values; *word != NULL; word++) {
        bool named = false;
        for (int i = 0; i < argc; i++)
            named = named || rg_bytes_is_nocase(argv[i], *word);
        /* The first word says "nothing in particular", which others overrule. */
        if (named && !(word == directive->values && argc > 1))
            rg_buf_printf(ret_text, "%s%s", rg_buf_len(ret_text) == 0 ? "" : " ", *word);
    }
    return 0;
}

static int multi_members(const struct rg_config *config, const struct rg_bytes *argv, int argc,
                         bool add, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    int before = add ? config->group_member_count : 0;

    if (before + argc > RG_CONFIG_MAX_GROUP) {
        rg_buf_printf(ret_error, "a group has at most %d members", RG_CONFIG_MAX_GROUP);
        return RG_EINVAL;
    }
    for (int i = 0; i < before; i++) {
        struct rg_bytes member = rg_bytes_str(config->group_members[i]);
        multi_join(ret_text, &member, 1);
    }
    multi_join(ret_text, argv, argc);
    return 0;
}

int config_parse_multi(const struct rg_config *config, const struct config_directive *directive,
                       const struct rg_bytes *argv, int argc, bool add, struct rg_buf *ret_text,
                       struct rg_buf *ret_error)
{
    switch (directive->kind) {
    case CONFIG_FLAGS:
        return multi_flags(directive, argv, argc, ret_text, ret_error);
    case CONFIG_BIND:
        if (argc > RG_CONFIG_MAX_BIND)
            return multi_fail(ret_error, "Too many bind addresses specified.");
        multi_join(ret_text, argv, argc);
        return 0;
    case CONFIG_SAVE:
        return multi_save(config, argv, argc, add, ret_text, ret_error);
    case CONFIG_LIMIT:
        return multi_limit(config, argv, argc, ret_text, ret_error);
    case CONFIG_REPLICAOF:
        return multi_replicaof(argv, argc, ret_text, ret_error);
    case CONFIG_PERCENTILES:
        return multi_percentiles(argv, argc, ret_text, ret_error);
    case CONFIG_OOM:
        return multi_oom(argv, argc, ret_text, ret_error);
    case CONFIG_MEMBERS:
        return multi_members(config, argv, argc, add, ret_text, ret_error);
    case CONFIG_LINES:
        if (argc < directive->min || argc > directive->max)
            return multi_fail(ret_error, "Bad directive or wrong number of arguments");
        multi_join(ret_text, argv, argc);
        return 0;
    default:
        RG_UNREACHABLE();
    }
}
