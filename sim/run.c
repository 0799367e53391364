#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "core/planted.h"
#include "sim/world.h"

/*
 * The simulator's command line. Every failure names its seed and the command that replays it.
 */
struct run_options {
    uint64_t first_seed;
    uint64_t seeds;
    int64_t seconds; /* 0: as many seeds as asked */
    unsigned nodes;
    int mode;
    unsigned planted;
    const char *planted_name;
    bool expect_failure; /* stop at the first failing seed, and fail where there is none */
    bool trace;
    const char *program;
};

static const struct {
    const char *name;
    unsigned fault;
} run_planted[] = {
    {"vote-not-durable", RG_PLANTED_VOTE_NOT_DURABLE},
    {"no-promises", RG_PLANTED_NO_PROMISES},
    {"early-ack", RG_PLANTED_EARLY_ACK},
    {"deposed-acks", RG_PLANTED_DEPOSED_ACKS},
    {"stale-lease", RG_PLANTED_STALE_LEASE},
    {"empty-node-leads", RG_PLANTED_EMPTY_NODE_LEADS},
    {"keeps-diverged-log", RG_PLANTED_KEEPS_DIVERGED_LOG},
    {"ack-counted-twice", RG_PLANTED_ACK_COUNTED_TWICE},
    {"half-transactions", RG_PLANTED_HALF_TRANSACTIONS},
    {"disk-off-by-note", RG_PLANTED_DISK_OFF_BY_NOTE},
    {"ack-before-durable", RG_PLANTED_ACK_BEFORE_DURABLE},
    {"believes-sync", RG_PLANTED_BELIEVES_SYNC},
    {"loses-aside", RG_PLANTED_LOSES_ASIDE},
};
enum { RUN_PLANTED = sizeof(run_planted) / sizeof(run_planted[0]) };

static const char run_usage[] =
    "usage: regent-sim [--seed N] [--seeds N | --seconds S] [--nodes 3|5]\n"
    "                  [--mode async|semi-sync|sync|quorum] [--trace] [--planted NAME]\n"
    "Runs simulated groups under faults, one per seed, and checks what docs/failover.md promises.\n"
    "--planted (only in regent-sim-planted) plants a fault and succeeds once a seed finds it.\n";

/* The seed under way, for the line that is printed when an assertion ends the process. */
static char run_current[160];

static void run_died(int signal_number)
{
    /* NOLINTNEXTLINE(bugprone-signal-handler,cert-err33-c): write is safe here */
    ssize_t ignored = write(STDERR_FILENO, run_current, strlen(run_current));

    (void)ignored;
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static void run_replay_command(const struct run_options *options, uint64_t seed, char *text,
                               size_t size)
{
    int n =
        snprintf(text, size, "replay: %s --seed %llu", options->program, (unsigned long long)seed);

    if (options->nodes > 0 && n > 0)
        n += snprintf(text + n, size - (size_t)n, " --nodes %u", options->nodes);
    if (options->mode != SIM_ANY_MODE && n > 0)
        n += snprintf(text + n, size - (size_t)n, " --mode %s",
                      rg_mode_name((enum rg_mode)options->mode));
    if (options->planted != 0 && n > 0)
        n += snprintf(text + n, size - (size_t)n, " --planted %s", options->planted_name);
    if (n > 0)
        (void)snprintf(text + n, size - (size_t)n, " --trace\n");
}

/* ---- Options ---- */

static bool run_number(const char *text, uint64_t *ret_value)
{
    return text != NULL && rg_parse_u64(rg_bytes_str(text), ret_value) == 0;
}

static bool run_mode(const char *text, int *ret_mode)
{
    for (int mode = 0; text != NULL && mode < RG_MODES; mode++) {
        if (strcmp(text, rg_mode_name((enum rg_mode)mode)) == 0) {
            *ret_mode = mode;
            return true;
        }
    }
    return false;
}

static bool run_planted_fault(const char *text, struct run_options *options)
{
    for (unsigned i = 0; text != NULL && i < RUN_PLANTED; i++) {
        if (strcmp(text, run_planted[i].name) == 0) {
            options->planted = run_planted[i].fault;
            options->planted_name = run_planted[i].name;
            options->expect_failure = true;
            return true;
        }
    }
    return false;
}

/* One option and its value. Returns how many words it took; 0: not understood. */
static int run_option(struct run_options *options, const char *name, const char *value)
{
    uint64_t number = 0;

    if (strcmp(name, "--trace") == 0) {
        options->trace = true;
        return 1;
    }
    if (strcmp(name, "--mode") == 0)
        return run_mode(value, &options->mode) ? 2 : 0;
    if (strcmp(name, "--planted") == 0)
        return run_planted_fault(value, options) ? 2 : 0;
    if (!run_number(value, &number))
        return 0;
    if (strcmp(name, "--seed") == 0) {
        options->first_seed = number;
        return 2;
    }
    if (strcmp(name, "--seeds") == 0) {
        options->seeds = number;
        return 2;
    }
    if (strcmp(name, "--seconds") == 0) {
        options->seconds = (int64_t)number;
        return 2;
    }
    if (strcmp(name, "--nodes") == 0 && (number == 3 || number == 5)) {
        options->nodes = (unsigned)number;
        return 2;
    }
    return 0;
}

static bool run_options_read(struct run_options *options, int argc, char **argv)
{
    *options =
        (struct run_options){.first_seed = 1, .seeds = 1, .mode = SIM_ANY_MODE, .program = argv[0]};
    for (int i = 1; i < argc;) {
        int used = run_option(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (used == 0)
            return false;
        i += used;
    }
    return true;
}

/* ---- Running ---- */

struct run_totals {
    uint64_t seeds;
    uint64_t failures;
    uint64_t stuck;
    uint64_t injected[SIM_FAULTS];
    uint64_t acked;
    uint64_t reads;
    uint64_t unknown;
    uint64_t terms;
    uint64_t digests;
    int64_t simulated_us;
    int64_t slowest_us;
};

static void run_add(struct run_totals *totals, const struct sim_world_result *result)
{
    totals->seeds++;
    totals->failures += result->failed;
    totals->stuck += result->stuck;
    for (int i = 0; i < SIM_FAULTS; i++)
        totals->injected[i] += result->injected[i];
    totals->acked += result->acked_writes;
    totals->reads += result->reads;
    totals->unknown += result->unknown;
    totals->terms += result->terms;
    totals->digests += result->digests_compared;
    totals->simulated_us += result->simulated_us;
    if (!result->stuck && result->settle_us > totals->slowest_us)
        totals->slowest_us = result->settle_us;
}

static void run_print(const struct run_totals *totals)
{
    uint64_t faults = 0;

    for (int i = 0; i < SIM_FAULTS; i++)
        faults += totals->injected[i];
    printf("%llu seeds, %llu failed, %.2f simulated hours, %llu faults, %llu terms\n",
           (unsigned long long)totals->seeds, (unsigned long long)totals->failures,
           (double)totals->simulated_us / 3.6e9, (unsigned long long)faults,
           (unsigned long long)totals->terms);
    printf("%llu writes acknowledged, %llu of unknown outcome, %llu reads, %llu digests compared\n",
           (unsigned long long)totals->acked, (unsigned long long)totals->unknown,
           (unsigned long long)totals->reads, (unsigned long long)totals->digests);
    printf("slowest to settle after the heal: %.2f s; groups left to an operator: %llu\nfaults:",
           (double)totals->slowest_us / 1e6, (unsigned long long)totals->stuck);
    for (int i = 0; i < SIM_FAULTS; i++)
        printf(" %s %llu", sim_fault_name((enum sim_fault)i),
               (unsigned long long)totals->injected[i]);
    printf("\n");
}

static bool run_seed(const struct run_options *options, uint64_t seed, struct run_totals *totals)
{
    struct sim_world_result result;
    struct sim_world_config config = {
        .seed = seed,
        .nodes = options->nodes,
        .mode = options->mode,
        .planted = options->planted,
        .text = options->trace ? stdout : NULL,
    };

    run_replay_command(options, seed, run_current, sizeof(run_current));
    sim_world_run(&config, &result);
    run_add(totals, &result);
    if (options->trace)
        printf("trace of seed %llu: %016llx, %llu events\n", (unsigned long long)seed,
               (unsigned long long)result.hash, (unsigned long long)result.events);
    if (!result.failed)
        return true;
    printf("seed %llu (%u nodes, %s) failed after %.3f s: %s\n%s", (unsigned long long)seed,
           result.nodes, rg_mode_name(result.mode), (double)result.simulated_us / 1e6,
           result.failure, run_current);
    (void)fflush(stdout);
    return false;
}

static int run_all(const struct run_options *options)
{
    struct run_totals totals = {0};
    time_t until = time(NULL) + options->seconds;

    for (uint64_t i = 0; options->seconds > 0 ? time(NULL) < until : i < options->seeds; i++) {
        bool passed = run_seed(options, options->first_seed + i, &totals);
        if (!passed && options->expect_failure) {
            printf("%s: found by seed %llu, the %lluth\n", options->planted_name,
                   (unsigned long long)options->first_seed + i, (unsigned long long)i + 1);
            return 0;
        }
    }
    run_print(&totals);
    if (options->expect_failure) {
        printf("%s: found by none of %llu seeds\n", options->planted_name,
               (unsigned long long)totals.seeds);
        return 1;
    }
    return totals.failures > 0;
}

int main(int argc, char **argv)
{
    struct run_options options;

    if (!run_options_read(&options, argc, argv)) {
        (void)fputs(run_usage, stderr);
        return 2;
    }
#ifndef RG_PLANTED_FAULTS
    if (options.planted != 0) {
        (void)fputs("faults can be planted in regent-sim-planted only\n", stderr);
        return 2;
    }
#endif
    (void)signal(SIGABRT, run_died);
    (void)signal(SIGSEGV, run_died);
    return run_all(&options);
}
