#include <stdlib.h>

#include "base/number.h"
#include "sentinel/sentinel.h"
#include "sim/sentinel_world.h"

/* The command line of the sentinels' simulator. A failing seed is named, and replays exactly. */

struct options {
    uint64_t first;
    uint64_t seeds;
    unsigned planted;
    bool trace;
};

static bool run_option(struct options *options, const char *name, const char *value)
{
    if (value == NULL)
        return false;
    if (strcmp(name, "--seed") == 0)
        return rg_parse_u64(rg_bytes_str(value), &options->first) == 0;
    if (strcmp(name, "--seeds") == 0)
        return rg_parse_u64(rg_bytes_str(value), &options->seeds) == 0;
#ifdef RG_PLANTED_FAULTS
    if (strcmp(name, "--planted") == 0 && strcmp(value, "vote-twice") == 0)
        options->planted = RG_SENTINEL_PLANTED_VOTE_TWICE;
#endif
    return options->planted != 0;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .seeds = 1};
    struct sim_sentinel_result total = {0};
    uint64_t failed = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            options.trace = true;
        } else if (run_option(&options, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            i++;
        } else {
            (void)fputs("usage: regent-sim-sentinel [--seed N] [--seeds N] [--trace] [--planted "
                        "NAME]\nRuns simulated sentinels over data nodes under faults, and checks "
                        "what docs/sentinel.md promises.\n",
                        stderr);
            return 2;
        }
    }
    for (uint64_t i = 0; i < options.seeds; i++) {
        struct sim_sentinel_config config = {.seed = options.first + i,
                                             .planted = options.planted,
                                             .text = options.trace ? stdout : NULL};
        struct sim_sentinel_result result;
        sim_sentinel_world_run(&config, &result);
        total.simulated_us += result.simulated_us;
        total.faults += result.faults;
        total.leaders += result.leaders;
        total.promotions += result.promotions;
        if (result.settle_us > total.settle_us)
            total.settle_us = result.settle_us;
        if (!result.failed)
            continue;
        failed++;
        printf("seed %llu failed after %.3f s: %s\nreplay: %s --seed %llu --trace\n",
               (unsigned long long)config.seed, (double)result.simulated_us / 1e6, result.failure,
               argv[0], (unsigned long long)config.seed);
        (void)fflush(stdout);
        if (options.planted != 0)
            return EXIT_SUCCESS;
    }
    printf("%llu seeds, %llu failed, %.2f simulated hours, %llu faults, %llu leaders, %llu "
           "promotions, slowest to agree %.1f s\n",
           (unsigned long long)options.seeds, (unsigned long long)failed,
           (double)total.simulated_us / 3.6e9, (unsigned long long)total.faults,
           (unsigned long long)total.leaders, (unsigned long long)total.promotions,
           (double)total.settle_us / 1e6);
    return failed > 0 || options.planted != 0;
}
