#include "base/number.h"
#include "node/info.h"
#include "node/latency.h"

/* What INFO says of commands: how often and how long they ran, and what errors they replied. */

typedef unsigned long long ull;

enum { INFO_MAX_PERCENTILES = 32 };

void info_commandstats(const struct rg_node *node, struct rg_buf *out)
{
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);

    for (unsigned i = 0; i < count; i++) {
        const struct rg_command_stats *stats = &node->stats.per_command[i];
        if (stats->calls == 0 && stats->rejected == 0)
            continue;
        rg_buf_printf(out,
                      "cmdstat_%s:calls=%llu,usec=%lld,usec_per_call=%.2f,rejected_calls=%llu,"
                      "failed_calls=%llu\r\n",
                      table[i].name, (ull)stats->calls, (long long)stats->usec,
                      stats->calls > 0 ? (double)stats->usec / (double)stats->calls : 0.0,
                      (ull)stats->rejected, (ull)stats->failed);
    }
}

void info_errorstats(const struct rg_node *node, struct rg_buf *out)
{
    const struct rg_error_stats *stats = &node->stats.errors;

    for (unsigned i = 0; i < stats->count; i++)
        rg_buf_printf(out, "errorstat_%s:count=%llu\r\n", stats->codes[i].code,
                      (ull)stats->codes[i].count);
}

void error_stats_note(struct rg_error_stats *stats, struct rg_bytes text, uint64_t times)
{
    char code[RG_ERROR_CODE_LEN] = "ERR";
    size_t len = 0;
    unsigned at = 0;

    while (len < text.len && text.data[len] > ' ')
        len++;
    if (len > 0 && len < sizeof(code)) {
        memcpy(code, text.data, len);
        code[len] = '\0';
    }
    stats->total += times;
    while (at < stats->count && strcmp(stats->codes[at].code, code) < 0)
        at++;
    if (at == stats->count || strcmp(stats->codes[at].code, code) != 0) {
        if (stats->count == RG_ERROR_CODES)
            return;
        memmove(&stats->codes[at + 1], &stats->codes[at],
                (stats->count - at) * sizeof(stats->codes[0]));
        stats->count++;
        memcpy(stats->codes[at].code, code, sizeof(code));
        stats->codes[at].count = 0;
    }
    stats->codes[at].count += times;
}

/* ---- Latencystats ---- */

struct info_percentiles {
    double values[INFO_MAX_PERCENTILES];
    int count;
};

static void info_take_percentiles(void *arg, const char *name, struct rg_bytes value)
{
    struct info_percentiles *taken = arg;
    size_t at = 0;

    (void)name;
    while (at < value.len && taken->count < INFO_MAX_PERCENTILES) {
        const char *blank = memchr(value.data + at, ' ', value.len - at);
        size_t end = blank != NULL ? (size_t)(blank - value.data) : value.len;
        if (rg_parse_double(rg_bytes(value.data + at, end - at), &taken->values[taken->count]) == 0)
            taken->count++;
        at = end + 1;
    }
}

void info_latencystats(const struct rg_node *node, struct rg_buf *out)
{
    struct rg_bytes name = RG_BYTES("latency-tracking-info-percentiles");
    struct info_percentiles wanted = {.count = 0};
    unsigned count = 0;
    const struct rg_command *table = rg_cmd_table(&count);

    rg_config_get(node->config, &name, 1, info_take_percentiles, &wanted);
    for (unsigned i = 0; i < count; i++) {
        const struct rg_histogram *histogram = latency_histogram(node, i);
        if (histogram == NULL)
            continue;
        rg_buf_printf(out, "latency_percentiles_usec_%s:", table[i].name);
        for (int p = 0; p < wanted.count; p++)
            rg_buf_printf(out, "%sp%.9g=%.3f", p > 0 ? "," : "", wanted.values[p],
                          (double)histogram_percentile(histogram, wanted.values[p]) / 1000);
        rg_buf_append_str(out, "\r\n");
    }
}
