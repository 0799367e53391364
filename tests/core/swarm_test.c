#include <stdio.h>
#include <stdlib.h>

#include "tests/core/group_world.h"

/*
 * Random faults over the group machines, then peace, then a primary is demanded (invariant 6).
 *     test_core_swarm [SEEDS [FIRST [PLANTED]]]     one seed again: test_core_swarm 1 SEED
 */

/* A group of which no disk knows any more has truly forgotten that it ever was. */
static bool swarm_may_lose(const struct world *world, unsigned node)
{
    for (unsigned i = 0; i < world->n; i++) {
        if (i != node && world->nodes[i].has_file && world->nodes[i].disk.formed)
            return true;
    }
    return false;
}

static void swarm_fault(struct world *world, struct rg_rand *rand)
{
    unsigned node = (unsigned)rg_rand_below(rand, world->n);
    unsigned other = (unsigned)rg_rand_below(rand, world->n);
    unsigned down = 0;

    for (unsigned i = 0; i < world->n; i++)
        down += world->nodes[i].group == NULL;
    switch (rg_rand_below(rand, 21) / 2) {
    case 0:
    case 1:
        if (down < world->n / 2)
            world_kill(world, node);
        break;
    case 2:
        for (unsigned i = 0; i < world->n; i++) {
            if (world->nodes[i].group == NULL)
                world_start(world, i);
        }
        break;
    case 3:
        if (node != other)
            world_cut(world, node, other, rg_rand_below(rand, 2) == 0);
        break;
    case 4:
        world_isolate(world, node, true);
        break;
    case 5:
        world_isolate(world, node, false);
        break;
    case 6:
        world_freeze(world, node, world->nodes[node].group != NULL && rg_rand_below(rand, 2) == 0);
        break;
    case 7:
        world->nodes[node].disk_us = (int64_t)rg_rand_below(rand, 300000);
        break;
    case 8:
        if (world->nodes[node].leads && world->nodes[node].group != NULL) {
            if (rg_group_hand_over(world->nodes[node].group, -1, 500 * RG_MS_US, world->now_us) ==
                0)
                world->last_resume = -1;
        }
        break;
    case 9:
        world_set_mode(world, node, (enum rg_mode)(1 + rg_rand_below(rand, 3)));
        break;
    case 10:
        if (swarm_may_lose(world, node)) {
            world_kill(world, node);
            world_lose_disk(world, node);
            world_start(world, node);
        }
        break;
    }
}

static void swarm_heal(struct world *world)
{
    for (unsigned i = 0; i < world->n; i++) {
        world->nodes[i].disk_us = 1000;
        world->nodes[i].frozen = false;
        world_isolate(world, i, false);
        if (world->nodes[i].group == NULL)
            world_start(world, i);
    }
}

static bool swarm_stuck(struct world *world)
{
    for (unsigned i = 0; i < world->n; i++) {
        struct rg_group_view view;
        rg_group_view(world->nodes[i].group, world->now_us, &view);
        if (view.stuck)
            return true;
    }
    return false;
}

/* The node that an operator would choose: the one that is ahead of those that ask for one. */
static int swarm_choice(struct world *world)
{
    int best = world_primary(world);
    bool best_healthy = best >= 0;
    uint64_t best_term = 0;
    uint64_t best_end = 0;

    for (unsigned i = 0; i < world->n && world_primary(world) < 0; i++) {
        struct rg_group_view view;
        rg_group_view(world->nodes[i].group, world->now_us, &view);
        if (!view.stuck)
            continue;
        struct rg_group_position at = view.members[i].position;
        bool healthy = view.state == RG_MEMBER_HEALTHY;
        bool ahead = at.term > best_term || (at.term == best_term && at.offset > best_end);
        if (best < 0 || (healthy && !best_healthy) || (healthy == best_healthy && ahead)) {
            best = (int)i;
            best_healthy = healthy;
            best_term = at.term;
            best_end = at.offset;
        }
    }
    return best;
}

/* Acknowledged writes may be gone by then; what the operator chose has to lead. */
static void swarm_recover(struct world *world)
{
    int choice = swarm_choice(world);

    world->lossy = true;
    if (rg_group_recover(world->nodes[choice].group, world->now_us) < 0) {
        world->broken = "a group that waits for an operator refuses his word";
        return;
    }
    world_run(world, 6 * RG_S_US);
    if (world->broken == NULL && swarm_stuck(world))
        world->broken = "an operator's word changed nothing";
}

static void swarm_demand(struct world *world)
{
    int primary = world_primary(world);

    if (world->broken != NULL)
        return;
    if (primary < 0 || !rg_group_can_serve(world->nodes[primary].group, world->now_us)) {
        world->broken = "invariant 6: no primary after the heal";
        return;
    }
    for (unsigned i = 0; i < world->n; i++) {
        if (world->nodes[i].log.len != world->nodes[primary].log.len)
            world->broken = "invariant 6: a member did not catch up after the heal";
    }
}

static bool swarm_run(uint64_t seed, unsigned planted, bool quiet, unsigned *elections,
                      unsigned *writes, unsigned *stuck)
{
    struct rg_rand rand;

    rg_rand_init(&rand, seed);
    unsigned n = rg_rand_below(&rand, 3) == 0 ? 5 : 3;
    struct world *world =
        world_new(n, (enum rg_mode)(1 + rg_rand_below(&rand, 3)), rg_rand_u64(&rand));
    world->quiet = quiet;
    world->planted = planted;
    world->jitter_us = (int64_t)rg_rand_below(&rand, 20000);
    for (unsigned i = 0; i < n; i++) {
        world->nodes[i].keeps_log = rg_rand_below(&rand, 2) == 0;
        world->nodes[i].priority = (uint32_t)rg_rand_below(&rand, 3) * 50;
    }
    world->nodes[0].priority = 100;
    world_start_all(world);
    /* Some know trouble before they are a group. */
    int64_t calm_us =
        rg_rand_below(&rand, 3) == 0 ? (int64_t)rg_rand_below(&rand, 120 * 1000) : 1500 * RG_MS_US;
    world_run(world, calm_us);
    uint64_t faults = 4 + rg_rand_below(&rand, 30);
    for (uint64_t i = 0; i < faults && world->broken == NULL; i++) {
        swarm_fault(world, &rand);
        for (unsigned w = 0; w < 4; w++) {
            for (unsigned node = 0; node < n; node++)
                *writes += world_write(world, node);
            world_run(world, (int64_t)rg_rand_below(&rand, 120 * 1000));
        }
    }
    swarm_heal(world);
    world_run(world, 8 * RG_S_US);
    if (world->broken == NULL && swarm_stuck(world)) {
        *stuck += 1;
        swarm_recover(world);
    }
    swarm_demand(world);
    *elections += world->elections;
    if (world->broken != NULL)
        printf("# seed %llu, %u members: %s\n", (unsigned long long)seed, n, world->broken);
    bool ok = world->broken == NULL;
    world_free(world);
    return ok;
}

static unsigned long swarm_argument(int argc, char **argv, int index, unsigned long otherwise)
{
    return argc > index ? strtoul(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    unsigned long seeds = swarm_argument(argc, argv, 1, 1000);
    unsigned long first = swarm_argument(argc, argv, 2, 1);
    unsigned planted = (unsigned)swarm_argument(argc, argv, 3, 0);
    unsigned elections = 0;
    unsigned writes = 0;
    unsigned stuck = 0;
    unsigned failed = 0;

    for (unsigned long i = 0; i < seeds && failed < (planted != 0 ? 1 : 5); i++)
        failed += !swarm_run(first + i, planted, seeds != 1, &elections, &writes, &stuck);
    printf("# %lu seeds from %lu: %u elections, %u writes, %u groups waited for an operator\n",
           seeds, first, elections, writes, stuck);
    /* A planted fault has to be found. */
    bool ok = (failed > 0) == (planted != 0);
    printf("%sok 1 - %s\n1..1\n", ok ? "" : "not ",
           planted != 0 ? "the planted fault is found" : "invariants hold under random faults");
    return !ok;
}
