#include <stdio.h>
#include <strings.h>

#include "base/glob.h"
#include "base/number.h"
#include "sentinel/state.h"

/* SENTINEL SET, CONFIG, DEBUG and SIMULATE-FAILURE. */

static void set_reply_invalid(struct rg_reply *reply, struct rg_bytes value, struct rg_bytes option)
{
    rg_reply_errorf(reply, "ERR Invalid argument '%.*s' for SENTINEL SET '%.*s'", (int)value.len,
                    value.data, (int)option.len, option.data);
}

static bool set_is_script(struct rg_bytes option)
{
    return rg_bytes_is_nocase(option, "notification-script") ||
           rg_bytes_is_nocase(option, "client-reconfig-script");
}

static void set_told(struct rg_sentinel *s, const struct sentinel_inst *primary,
                     const struct rg_bytes *argv, int taken)
{
    struct rg_buf text = {0};
    bool secret = rg_bytes_is_nocase(argv[0], "auth-pass");

    for (int i = 0; i <= taken; i++)
        rg_buf_printf(&text, " %.*s", secret && i > 0 ? 6 : (int)argv[i].len,
                      secret && i > 0 ? "******" : argv[i].data);
    struct rg_bytes bytes = rg_buf_view(&text);
    sentinel_event(s, RG_SENTINEL_WARNING, "+set", primary, "%.*s", (int)bytes.len, bytes.data);
    rg_buf_fini(&text);
}

/* What was set before a bad option stays set, as in Redis. */
void sentinel_cmd_set(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                      struct rg_reply *reply)
{
    struct sentinel_inst *primary = sentinel_primary_named(s, argv[2]);

    if (primary == NULL) {
        rg_reply_error(reply, "ERR No such master with that name");
        return;
    }
    for (int i = 3; i < argc;) {
        int left = argc - i - 1;
        if (set_is_script(argv[i]) && left > 0 && s->deny_scripts) {
            rg_reply_error(reply,
                           "ERR Reconfiguration of scripts path is denied for security reasons. "
                           "Check the deny-scripts-reconfig configuration directive in your "
                           "Sentinel configuration");
            sentinel_dirty(s);
            return;
        }
        int taken = sentinel_set_option(s, primary, argv[i], argv + i + 1, left);
        if (taken == SENTINEL_SET_UNKNOWN) {
            rg_reply_errorf(reply,
                            "ERR Unknown option or number of arguments for SENTINEL SET '%.*s'",
                            (int)argv[i].len, argv[i].data);
            sentinel_dirty(s);
            return;
        }
        if (taken < 0) {
            set_reply_invalid(reply, argv[i + 1], argv[i]);
            sentinel_dirty(s);
            return;
        }
        set_told(s, primary, argv + i, taken);
        i += taken + 1;
    }
    sentinel_dirty(s);
    rg_reply_simple(reply, "OK");
}

/* ---- CONFIG ---- */

enum { CONFIG_OPTIONS = 6 };
static const char *const config_names[CONFIG_OPTIONS] = {"resolve-hostnames", "announce-hostnames",
                                                         "announce-ip",       "announce-port",
                                                         "sentinel-user",     "sentinel-pass"};

static void config_get(const struct rg_sentinel *s, struct rg_bytes pattern, struct rg_reply *reply)
{
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", s->announce_port);
    const char *const values[CONFIG_OPTIONS] = {
        s->resolve_hostnames ? "yes" : "no",
        s->announce_hostnames ? "yes" : "no",
        s->announce_ip,
        port,
        s->sentinel_user != NULL ? s->sentinel_user : "",
        s->sentinel_pass != NULL ? s->sentinel_pass : "",
    };
    int64_t count = 0;

    for (int i = 0; i < CONFIG_OPTIONS; i++)
        count += rg_glob_match(pattern, rg_bytes_str(config_names[i]), true);
    rg_reply_map(reply, count);
    for (int i = 0; i < CONFIG_OPTIONS; i++) {
        if (!rg_glob_match(pattern, rg_bytes_str(config_names[i]), true))
            continue;
        rg_reply_bulk_str(reply, config_names[i]);
        rg_reply_bulk_str(reply, values[i]);
    }
}

static void config_set(struct rg_sentinel *s, struct rg_bytes option, struct rg_bytes value,
                       struct rg_reply *reply)
{
    struct rg_bytes words[] = {option, value};
    const char *error = NULL;
    bool known = false;

    for (int i = 0; i < CONFIG_OPTIONS; i++)
        known = known || rg_bytes_is_nocase(option, config_names[i]);
    if (!known) {
        rg_reply_errorf(reply, "ERR Invalid argument '%.*s' to SENTINEL CONFIG SET",
                        (int)option.len, option.data);
        return;
    }
    if (rg_sentinel_directive(s, words, 2, &error) < 0) {
        rg_reply_errorf(reply, "ERR Invalid value '%.*s' to SENTINEL CONFIG SET '%.*s'",
                        (int)value.len, value.data, (int)option.len, option.data);
        return;
    }
    sentinel_dirty(s);
    rg_reply_simple(reply, "OK");
}

void sentinel_cmd_config(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                         struct rg_reply *reply)
{
    if (rg_bytes_is_nocase(argv[2], "set") && argc == 5)
        config_set(s, argv[3], argv[4], reply);
    else if (rg_bytes_is_nocase(argv[2], "get") && argc == 4)
        config_get(s, argv[3], reply);
    else
        rg_reply_error(reply, "ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are "
                              "supported.");
}

/* ---- DEBUG ---- */

static const char *const timer_names[TIMERS] = {
    [TIMER_INFO] = "INFO-PERIOD",
    [TIMER_PING] = "PING-PERIOD",
    [TIMER_ASK] = "ASK-PERIOD",
    [TIMER_PUBLISH] = "PUBLISH-PERIOD",
    [TIMER_DOWN_AFTER] = "DEFAULT-DOWN-AFTER",
    [TIMER_FAILOVER_TIMEOUT] = "DEFAULT-FAILOVER-TIMEOUT",
    [TIMER_TILT_TRIGGER] = "TILT-TRIGGER",
    [TIMER_TILT] = "TILT-PERIOD",
    [TIMER_RECONF] = "SLAVE-RECONF-TIMEOUT",
    [TIMER_RECONNECT] = "MIN-LINK-RECONNECT-PERIOD",
    [TIMER_ELECTION] = "ELECTION-TIMEOUT",
    [TIMER_SCRIPT_RUN] = "SCRIPT-MAX-RUNTIME",
    [TIMER_SCRIPT_RETRY] = "SCRIPT-RETRY-DELAY",
};

static int debug_find(struct rg_bytes name)
{
    for (int i = 0; i < TIMERS; i++) {
        if (rg_bytes_is_nocase(name, timer_names[i]))
            return i;
    }
    return RG_ENOENT;
}

void sentinel_cmd_debug(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                        struct rg_reply *reply)
{
    if (argc == 2) {
        rg_reply_map(reply, TIMERS);
        for (int i = 0; i < TIMERS; i++) {
            rg_reply_bulk_str(reply, timer_names[i]);
            rg_reply_bulk_i64(reply, s->timers[i]);
        }
        return;
    }
    for (int i = 2; i < argc; i += 2) {
        int timer = debug_find(argv[i]);
        int64_t value = 0;
        if (timer < 0 || i + 1 >= argc) {
            rg_reply_errorf(reply,
                            "ERR Unknown option or number of arguments for SENTINEL DEBUG '%.*s'",
                            (int)argv[i].len, argv[i].data);
            return;
        }
        if (rg_parse_i64(argv[i + 1], &value) < 0 || value <= 0) {
            rg_reply_errorf(reply, "ERR Invalid argument '%.*s' for SENTINEL DEBUG '%.*s'",
                            (int)argv[i + 1].len, argv[i + 1].data, (int)argv[i].len, argv[i].data);
            return;
        }
        s->timers[timer] = value;
    }
    rg_reply_simple(reply, "OK");
}

/* ---- SIMULATE-FAILURE ---- */

void sentinel_cmd_simulate(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                           struct rg_reply *reply)
{
    s->simulate = 0;
    for (int i = 2; i < argc; i++) {
        if (rg_bytes_is_nocase(argv[i], "crash-after-election")) {
            s->simulate |= SIMULATE_AFTER_ELECTION;
            sentinel_say(s, RG_SENTINEL_WARNING,
                         "Failure simulation: this Sentinel will crash "
                         "after being successfully elected as failover "
                         "leader");
        } else if (rg_bytes_is_nocase(argv[i], "crash-after-promotion")) {
            s->simulate |= SIMULATE_AFTER_PROMOTION;
            sentinel_say(s, RG_SENTINEL_WARNING,
                         "Failure simulation: this Sentinel will crash "
                         "after promoting the selected replica to master");
        } else if (rg_bytes_is_nocase(argv[i], "help")) {
            rg_reply_array(reply, 2);
            rg_reply_bulk_str(reply, "crash-after-election");
            rg_reply_bulk_str(reply, "crash-after-promotion");
            return;
        } else {
            rg_reply_error(reply, "ERR Unknown failure simulation specified");
            return;
        }
    }
    rg_reply_simple(reply, "OK");
}
