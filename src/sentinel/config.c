#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "sentinel/state.h"

/* The lines of the configuration file, read and written. */

/* Which lines need which others: first what says how names are taken, then the primaries, then what
 * belongs to them. */
int rg_sentinel_pass(struct rg_bytes option)
{
    static const char *const first[] = {
        "announce-ip",        "announce-port", "deny-scripts-reconfig",
        "sentinel-user",      "sentinel-pass", "resolve-hostnames",
        "announce-hostnames", "myid",          "current-epoch"};

    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        if (rg_bytes_is_nocase(option, first[i]))
            return 0;
    }
    return rg_bytes_is_nocase(option, "monitor") ? 1 : 2;
}

static int config_fail(const char **ret_error, const char *why)
{
    *ret_error = why;
    return RG_EINVAL;
}

static int config_bool(struct rg_bytes value, bool *slot, const char **ret_error, const char *why)
{
    if (rg_bytes_is_nocase(value, "yes"))
        *slot = true;
    else if (rg_bytes_is_nocase(value, "no"))
        *slot = false;
    else
        return config_fail(ret_error, why);
    return 0;
}

static int config_monitor(struct rg_sentinel *s, const struct rg_bytes *argv,
                          const char **ret_error)
{
    struct sentinel_addr addr;
    int64_t port = 0;
    int64_t quorum = 0;
    char name[256];

    if (rg_parse_i64(argv[4], &quorum) < 0 || quorum <= 0 || quorum > INT32_MAX)
        return config_fail(ret_error, "Quorum must be 1 or greater.");
    if (sentinel_primary_named(s, argv[1]) != NULL)
        return config_fail(ret_error, "Duplicate master name.");
    if (rg_parse_i64(argv[3], &port) < 0 || port <= 0 || port > UINT16_MAX)
        return config_fail(ret_error, "Invalid port number");
    if (argv[1].len == 0 || argv[1].len >= sizeof(name))
        return config_fail(ret_error, "Invalid master name");
    if (sentinel_addr_make(s, argv[2], port, &addr) < 0)
        return config_fail(ret_error, "Can't resolve instance hostname.");
    (void)snprintf(name, sizeof(name), "%.*s", (int)argv[1].len, argv[1].data);
    sentinel_inst_new(s, KIND_PRIMARY, name, &addr, NULL)->quorum = (unsigned)quorum;
    return 0;
}

static int config_global(struct rg_sentinel *s, const struct rg_bytes *argv, const char **ret_error)
{
    struct rg_bytes option = argv[0];
    int64_t number = 0;

    if (rg_bytes_is_nocase(option, "myid")) {
        if (argv[1].len != SENTINEL_ID_LEN)
            return config_fail(ret_error, "Malformed Sentinel id in myid option.");
        memcpy(s->id, argv[1].data, SENTINEL_ID_LEN);
    } else if (rg_bytes_is_nocase(option, "current-epoch")) {
        uint64_t epoch = 0;
        if (rg_parse_u64(argv[1], &epoch) < 0)
            return config_fail(ret_error, "Invalid epoch");
        if (epoch > s->current_epoch)
            s->current_epoch = epoch;
    } else if (rg_bytes_is_nocase(option, "announce-ip")) {
        (void)snprintf(s->announce_ip, sizeof(s->announce_ip), "%.*s", (int)argv[1].len,
                       argv[1].data);
    } else if (rg_bytes_is_nocase(option, "announce-port")) {
        if (rg_parse_i64(argv[1], &number) < 0 || number < 0 || number > UINT16_MAX)
            return config_fail(ret_error, "Invalid announce-port");
        s->announce_port = (uint16_t)number;
    } else if (rg_bytes_is_nocase(option, "sentinel-user")) {
        sentinel_set_string(&s->sentinel_user, argv[1]);
    } else if (rg_bytes_is_nocase(option, "sentinel-pass")) {
        sentinel_set_string(&s->sentinel_pass, argv[1]);
    } else if (rg_bytes_is_nocase(option, "resolve-hostnames")) {
        return config_bool(argv[1], &s->resolve_hostnames, ret_error,
                           "Please specify yes or no for the resolve-hostnames option.");
    } else if (rg_bytes_is_nocase(option, "announce-hostnames")) {
        return config_bool(argv[1], &s->announce_hostnames, ret_error,
                           "Please specify yes or no for the announce-hostnames option.");
    } else {
        return config_bool(argv[1], &s->deny_scripts, ret_error,
                           "Please specify yes or no for the deny-scripts-reconfig options.");
    }
    return 0;
}

static int config_known(struct rg_sentinel *s, struct sentinel_inst *primary,
                        const struct rg_bytes *argv, int argc, const char **ret_error)
{
    bool sentinel = rg_bytes_is_nocase(argv[0], "known-sentinel");
    struct sentinel_addr addr;
    int64_t port = 0;
    char name[SENTINEL_ID_LEN + 1];

    if (rg_parse_i64(argv[3], &port) < 0 || sentinel_addr_make(s, argv[2], port, &addr) < 0)
        return config_fail(ret_error, sentinel ? "Wrong hostname or port for sentinel."
                                               : "Wrong hostname or port for replica.");
    if (!sentinel) {
        if (sentinel_find(&primary->replicas, &addr) == NULL)
            (void)sentinel_inst_new(s, KIND_REPLICA, NULL, &addr, primary);
        return 0;
    }
    if (argc == 5 && argv[4].len == SENTINEL_ID_LEN &&
        sentinel_find_id(&primary->sentinels, argv[4]) == NULL) {
        memcpy(name, argv[4].data, SENTINEL_ID_LEN);
        name[SENTINEL_ID_LEN] = '\0';
        memcpy(sentinel_inst_new(s, KIND_SENTINEL, name, &addr, primary)->runid, name,
               sizeof(name));
    }
    return 0;
}

static int config_epoch(struct sentinel_inst *primary, const struct rg_bytes *argv,
                        const char **ret_error)
{
    uint64_t epoch = 0;

    if (rg_parse_u64(argv[2], &epoch) < 0)
        return config_fail(ret_error, "Invalid epoch");
    if (rg_bytes_is_nocase(argv[0], "config-epoch"))
        primary->config_epoch = epoch;
    else
        primary->leader_epoch = epoch;
    return 0;
}

static int config_of_primary(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                             const char **ret_error)
{
    struct sentinel_inst *primary = sentinel_primary_named(s, argv[1]);

    if (primary == NULL)
        return config_fail(ret_error, "No such master with specified name.");
    if (argc == 3 && (rg_bytes_is_nocase(argv[0], "config-epoch") ||
                      rg_bytes_is_nocase(argv[0], "leader-epoch")))
        return config_epoch(primary, argv, ret_error);
    if ((argc == 4 && (rg_bytes_is_nocase(argv[0], "known-replica") ||
                       rg_bytes_is_nocase(argv[0], "known-slave"))) ||
        ((argc == 4 || argc == 5) && rg_bytes_is_nocase(argv[0], "known-sentinel")))
        return config_known(s, primary, argv, argc, ret_error);
    if (rg_bytes_is_nocase(argv[0], "quorum"))
        return config_fail(ret_error, "Unrecognized sentinel configuration statement.");
    int taken = sentinel_set_option(s, primary, argv[0], argv + 2, argc - 2);
    if (taken == RG_EINVAL)
        return config_fail(ret_error, rg_bytes_is_nocase(argv[0], "down-after-milliseconds")
                                          ? "negative or zero time parameter."
                                          : "argument out of range");
    if (taken != argc - 2)
        return config_fail(ret_error, "Unrecognized sentinel configuration statement.");
    return 0;
}

int rg_sentinel_directive(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                          const char **ret_error)
{
    int pass = argc > 0 ? rg_sentinel_pass(argv[0]) : 2;

    if (pass == 0 && argc == 2)
        return config_global(s, argv, ret_error);
    if (pass == 1 && argc == 5)
        return config_monitor(s, argv, ret_error);
    if (pass == 2 && argc >= 3)
        return config_of_primary(s, argv, argc, ret_error);
    return config_fail(ret_error, "Unrecognized sentinel configuration statement.");
}

/* ---- Writing ---- */

/* In the quotes that the reader takes, where it needs them. */
static void config_word(struct rg_buf *out, const char *word)
{
    bool plain = word[0] != '\0';

    for (const char *c = word; *c != '\0'; c++)
        plain =
            plain && *c > ' ' && *c < 0x7f && *c != '"' && *c != '\'' && *c != '\\' && *c != '#';
    if (plain) {
        rg_buf_append_str(out, word);
        return;
    }
    rg_buf_append_char(out, '"');
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            rg_buf_printf(out, "\\%c", *c);
        else if (*c < ' ' || *c >= 0x7f)
            rg_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*c);
        else
            rg_buf_append_char(out, *c);
    }
    rg_buf_append_char(out, '"');
}

static void config_text(struct rg_buf *out, const char *option, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    rg_buf_printf(out, "sentinel %s ", option);
    if (name != NULL) {
        config_word(out, name);
        rg_buf_append_char(out, ' ');
    }
    config_word(out, value);
    rg_buf_append_char(out, '\n');
}

static void config_number(struct rg_buf *out, const char *option, const char *name, int64_t value,
                          int64_t usual)
{
    if (value == usual)
        return;
    rg_buf_printf(out, "sentinel %s ", option);
    config_word(out, name);
    rg_buf_printf(out, " %lld\n", (long long)value);
}

static void config_write_known(const struct rg_sentinel *s, const struct sentinel_inst *primary,
                               struct rg_buf *out)
{
    const struct sentinel_addr *current = sentinel_current_addr(primary);

    RG_LIST_EACH(at, &primary->replicas)
    {
        const struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        /* Where a replica took the primary's place, the two change it here too. */
        const struct sentinel_addr *addr =
            sentinel_addr_equal(&replica->addr, current) ? &primary->addr : &replica->addr;
        rg_buf_append_str(out, "sentinel known-replica ");
        config_word(out, primary->name);
        rg_buf_printf(out, " %s %u\n",
                      s->resolve_hostnames ? addr->host : sentinel_addr_host(s, addr), addr->port);
    }
    RG_LIST_EACH(at, &primary->sentinels)
    {
        const struct sentinel_inst *other = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        rg_buf_append_str(out, "sentinel known-sentinel ");
        config_word(out, primary->name);
        rg_buf_printf(out, " %s %u %s\n", other->addr.host, other->addr.port, other->runid);
    }
}

static void config_write_primary(const struct rg_sentinel *s, const struct sentinel_inst *primary,
                                 struct rg_buf *out)
{
    const struct sentinel_addr *addr = sentinel_current_addr(primary);
    const char *name = primary->name;

    rg_buf_append_str(out, "sentinel monitor ");
    config_word(out, name);
    rg_buf_printf(out, " %s %u %u\n", addr->host, addr->port, primary->quorum);
    config_number(out, "down-after-milliseconds", name, primary->down_after_ms,
                  s->timers[TIMER_DOWN_AFTER]);
    config_number(out, "failover-timeout", name, primary->failover_timeout_ms,
                  s->timers[TIMER_FAILOVER_TIMEOUT]);
    config_number(out, "parallel-syncs", name, primary->parallel_syncs, 1);
    config_text(out, "notification-script", name, primary->notification_script);
    config_text(out, "client-reconfig-script", name, primary->reconfig_script);
    config_text(out, "auth-pass", name, primary->auth_pass);
    config_text(out, "auth-user", name, primary->auth_user);
    config_number(out, "master-reboot-down-after-period", name, primary->reboot_down_after_ms, 0);
    config_number(out, "config-epoch", name, (int64_t)primary->config_epoch, -1);
    config_number(out, "leader-epoch", name, (int64_t)primary->leader_epoch, -1);
    config_write_known(s, primary, out);
    RG_LIST_EACH(at, &primary->renames)
    {
        const struct sentinel_rename *rename = RG_CONTAINER_OF(at, struct sentinel_rename, link);
        rg_buf_append_str(out, "sentinel rename-command ");
        config_word(out, name);
        rg_buf_append_char(out, ' ');
        config_word(out, rename->from);
        rg_buf_append_char(out, ' ');
        config_word(out, rename->to);
        rg_buf_append_char(out, '\n');
    }
}

void rg_sentinel_write(const struct rg_sentinel *s, struct rg_buf *out)
{
    config_text(out, "myid", NULL, s->id);
    if (!s->deny_scripts)
        config_text(out, "deny-scripts-reconfig", NULL, "no");
    if (s->resolve_hostnames)
        config_text(out, "resolve-hostnames", NULL, "yes");
    if (s->announce_hostnames)
        config_text(out, "announce-hostnames", NULL, "yes");
    RG_LIST_EACH(at, &s->primaries)
    {
        config_write_primary(s, RG_CONTAINER_OF(at, struct sentinel_inst, link), out);
    }
    rg_buf_printf(out, "sentinel current-epoch %llu\n", (unsigned long long)s->current_epoch);
    config_text(out, "announce-ip", NULL, s->announce_ip);
    if (s->announce_port != 0)
        rg_buf_printf(out, "sentinel announce-port %u\n", s->announce_port);
    config_text(out, "sentinel-user", NULL, s->sentinel_user);
    config_text(out, "sentinel-pass", NULL, s->sentinel_pass);
}
