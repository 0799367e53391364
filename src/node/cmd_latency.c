#include "base/alloc.h"
#include "node/handlers.h"
#include "node/latency.h"

/*
 * LATENCY: events that took at least latency-monitor-threshold, the last 160 of each kind, and the
 * run times of every command.
 */

enum { LATENCY_SAMPLES = 160, LATENCY_BARS = 60 };

static const char *const latency_names[LATENCY_EVENTS] = {
    [LATENCY_COMMAND] = "command",
    [LATENCY_FAST_COMMAND] = "fast-command",
    [LATENCY_EXPIRE_CYCLE] = "expire-cycle",
    [LATENCY_EVICTION_CYCLE] = "eviction-cycle",
};

struct latency_series {
    int64_t time_s[LATENCY_SAMPLES];
    int64_t took_ms[LATENCY_SAMPLES];
    unsigned count; /* ever added; the newest overwrite the oldest */
    int64_t max_ms;
};

struct rg_latency {
    struct latency_series series[LATENCY_EVENTS];
    struct rg_histogram **histograms; /* owned, and each of them; by command id; NULL: not run */
    unsigned commands;
};

struct rg_latency *latency_new(void)
{
    struct rg_latency *latency = RG_NEW(struct rg_latency);

    (void)rg_cmd_table(&latency->commands);
    latency->histograms = RG_NEW_ARRAY(struct rg_histogram *, latency->commands);
    return latency;
}

static void latency_drop_histograms(struct rg_latency *latency)
{
    for (unsigned i = 0; i < latency->commands; i++) {
        rg_free(latency->histograms[i]);
        latency->histograms[i] = NULL;
    }
}

void latency_free(struct rg_latency *latency)
{
    if (latency == NULL)
        return;
    latency_drop_histograms(latency);
    rg_free(latency->histograms);
    rg_free(latency);
}

void latency_forget_commands(struct rg_node *node)
{
    latency_drop_histograms(node->latency);
}

const struct rg_histogram *latency_histogram(const struct rg_node *node, unsigned id)
{
    return node->latency->histograms[id];
}

void latency_event(struct rg_node *node, enum latency_event event, int64_t took_us)
{
    struct latency_series *series = &node->latency->series[event];
    int64_t threshold_ms = node->config->latency_monitor_threshold;
    int64_t took_ms = took_us / RG_MS_US;
    int64_t time_s = node->now.wall_us / RG_S_US;

    if (threshold_ms == 0 || took_ms < threshold_ms)
        return;
    series->max_ms = took_ms > series->max_ms ? took_ms : series->max_ms;
    unsigned last = (series->count + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES;
    if (series->count > 0 && series->time_s[last] == time_s) {
        /* One sample a second: the worst. */
        if (took_ms > series->took_ms[last])
            series->took_ms[last] = took_ms;
        return;
    }
    series->time_s[series->count % LATENCY_SAMPLES] = time_s;
    series->took_ms[series->count % LATENCY_SAMPLES] = took_ms;
    series->count++;
}

void latency_command(struct rg_node *node, const struct rg_command *command, int64_t took_us)
{
    struct rg_histogram **histogram = &node->latency->histograms[command->id];

    latency_event(node, command->flags & RG_CMD_FAST ? LATENCY_FAST_COMMAND : LATENCY_COMMAND,
                  took_us);
    if (!node->config->latency_tracking)
        return;
    if (*histogram == NULL)
        *histogram = RG_NEW(struct rg_histogram);
    histogram_add(*histogram, took_us > INT64_MAX / 1000 ? INT64_MAX : took_us * 1000);
}

static unsigned latency_kept(const struct latency_series *series)
{
    return series->count < LATENCY_SAMPLES ? series->count : LATENCY_SAMPLES;
}

static const struct latency_series *latency_named(const struct rg_call *call)
{
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        if (rg_bytes_is_nocase(call->argv[2], latency_names[i]))
            return &call->node->latency->series[i];
    }
    return NULL;
}

void cmd_latency_history(struct rg_call *call)
{
    const struct latency_series *series = latency_named(call);
    unsigned kept = series ? latency_kept(series) : 0;

    rg_reply_array(&call->reply, kept);
    for (unsigned i = 0; i < kept; i++) {
        unsigned at = (series->count - kept + i) % LATENCY_SAMPLES;
        rg_reply_array(&call->reply, 2);
        rg_reply_i64(&call->reply, series->time_s[at]);
        rg_reply_i64(&call->reply, series->took_ms[at]);
    }
}

void cmd_latency_latest(struct rg_call *call)
{
    int64_t events = 0;

    for (int i = 0; i < LATENCY_EVENTS; i++)
        events += call->node->latency->series[i].count > 0;
    rg_reply_array(&call->reply, events);
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        const struct latency_series *series = &call->node->latency->series[i];
        if (series->count == 0)
            continue;
        unsigned last = (series->count - 1) % LATENCY_SAMPLES;
        rg_reply_array(&call->reply, 4);
        rg_reply_bulk_str(&call->reply, latency_names[i]);
        rg_reply_i64(&call->reply, series->time_s[last]);
        rg_reply_i64(&call->reply, series->took_ms[last]);
        rg_reply_i64(&call->reply, series->max_ms);
    }
}

void cmd_latency_reset(struct rg_call *call)
{
    int64_t reset = 0;

    for (int i = 0; i < LATENCY_EVENTS; i++) {
        bool wanted = call->argc == 2;
        for (int a = 2; a < call->argc; a++)
            wanted |= rg_bytes_is_nocase(call->argv[a], latency_names[i]);
        if (!wanted || call->node->latency->series[i].count == 0)
            continue;
        call->node->latency->series[i] = (struct latency_series){0};
        reset++;
    }
    rg_reply_i64(&call->reply, reset);
}

/* A bar for each sample, the oldest first. */
static void latency_draw(const struct latency_series *series, struct rg_bytes name,
                         struct rg_buf *text)
{
    static const char bars[LATENCY_BARS + 1] =
        "############################################################";
    unsigned kept = latency_kept(series);
    int64_t high_ms = 0;
    int64_t low_ms = INT64_MAX;

    for (unsigned i = 0; i < kept; i++) {
        high_ms = series->took_ms[i] > high_ms ? series->took_ms[i] : high_ms;
        low_ms = series->took_ms[i] < low_ms ? series->took_ms[i] : low_ms;
    }
    rg_buf_printf(text, "%.*s - high %lld ms, low %lld ms (all time high %lld ms)\n", (int)name.len,
                  name.data, (long long)high_ms, (long long)low_ms, (long long)series->max_ms);
    for (unsigned i = 0; i < kept; i++) {
        unsigned at = (series->count - kept + i) % LATENCY_SAMPLES;
        int length = (int)(series->took_ms[at] * LATENCY_BARS / (high_ms > 0 ? high_ms : 1));
        rg_buf_printf(text, "%lld %6lld ms %.*s\n", (long long)series->time_s[at],
                      (long long)series->took_ms[at], length, bars);
    }
}

void cmd_latency_graph(struct rg_call *call)
{
    const struct latency_series *series = latency_named(call);
    struct rg_buf text = {0};

    if (series == NULL || series->count == 0) {
        rg_reply_errorf(&call->reply, "ERR No samples available for event '%.*s'",
                        (int)call->argv[2].len, call->argv[2].data);
        return;
    }
    latency_draw(series, call->argv[2], &text);
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&text));
    rg_buf_fini(&text);
}

void cmd_latency_doctor(struct rg_call *call)
{
    struct rg_buf text = {0};

    if (call->node->config->latency_monitor_threshold == 0)
        rg_buf_append_str(&text, "Latency monitoring is off: set latency-monitor-threshold to the "
                                 "milliseconds from which an event counts as slow.\n");
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        const struct latency_series *series = &call->node->latency->series[i];
        if (series->count > 0)
            rg_buf_printf(&text, "%s: %u slow seconds, at worst %lld ms.\n", latency_names[i],
                          series->count, (long long)series->max_ms);
    }
    if (rg_buf_len(&text) == 0)
        rg_buf_append_str(&text, "No event has been slow.\n");
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&text));
    rg_buf_fini(&text);
}

/* ---- LATENCY HISTOGRAM: how many runs took up to each power of two of 1.024 us ---- */

enum { LATENCY_FIRST_NS = 1024, LATENCY_POWERS = 21 };

struct latency_powers {
    int64_t count;
    int64_t limit_us[LATENCY_POWERS];
    uint64_t runs[LATENCY_POWERS]; /* up to that limit */
};

static void latency_powers(const struct rg_histogram *histogram, struct latency_powers *ret_powers)
{
    uint64_t sum = 0;
    unsigned bin = 0;

    ret_powers->count = 0;
    for (unsigned i = 0; i < LATENCY_POWERS && sum < histogram->total; i++) {
        uint64_t before = sum;
        unsigned last = histogram_bin((int64_t)LATENCY_FIRST_NS << i);
        for (; bin <= last; bin++)
            sum += histogram->counts[bin];
        if (sum == before)
            continue;
        ret_powers->limit_us[ret_powers->count] = histogram_bin_end(last) / 1000;
        ret_powers->runs[ret_powers->count++] = sum;
    }
}

static void latency_reply_histogram(struct rg_call *call, const struct rg_command *command)
{
    const struct rg_histogram *histogram = latency_histogram(call->node, command->id);
    struct latency_powers powers;

    latency_powers(histogram, &powers);
    rg_reply_bulk_str(&call->reply, command->name);
    rg_reply_map(&call->reply, 2);
    rg_reply_bulk_str(&call->reply, "calls");
    rg_reply_i64(&call->reply, (int64_t)histogram->total);
    rg_reply_bulk_str(&call->reply, "histogram_usec");
    rg_reply_map(&call->reply, powers.count);
    for (int64_t i = 0; i < powers.count; i++) {
        rg_reply_i64(&call->reply, powers.limit_us[i]);
        rg_reply_i64(&call->reply, (int64_t)powers.runs[i]);
    }
}

/* Every command that was run, of one container or of all (NULL: top), in the table's order;
 * returns how many. */
static int64_t latency_each(struct rg_call *call, const struct rg_command *only, bool reply)
{
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);
    int64_t found = 0;

    for (unsigned i = 0; i < count; i++) {
        bool wanted = only == NULL || &table[i] == only || table[i].parent == only;
        if (!wanted || latency_histogram(call->node, i) == NULL)
            continue;
        found++;
        if (reply)
            latency_reply_histogram(call, &table[i]);
    }
    return found;
}

static int64_t latency_each_named(struct rg_call *call, bool reply)
{
    int64_t found = 0;

    if (call->argc == 2)
        return latency_each(call, NULL, reply);
    for (int i = 2; i < call->argc; i++) {
        const struct rg_command *command = rg_cmd_by_name(call->argv[i]);
        if (command != NULL)
            found += latency_each(call, command, reply);
    }
    return found;
}

void cmd_latency_histogram(struct rg_call *call)
{
    rg_reply_map(&call->reply, latency_each_named(call, false));
    (void)latency_each_named(call, true);
}
