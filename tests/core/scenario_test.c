#include "tests/core/group_world.h"
#include "tests/harness.h"

/* Each scenario tells what happened and compares what the members said of it. */

#define MS(n) ((n)*RG_MS_US)

static struct world *group_of(unsigned n, enum rg_mode mode)
{
    struct world *world = world_new(n, mode, 7);

    world->quiet = true;
    world_start_all(world);
    world_run(world, MS(600));
    return world;
}

/* The same, with what was said until then put aside. */
static struct world *formed_group(unsigned n, enum rg_mode mode)
{
    struct world *world = group_of(n, mode);

    (void)world_said(world);
    return world;
}

static void end(struct world *world)
{
    const char *broken = world->broken;

    world_free(world);
    RG_CHECK_STR(broken == NULL ? "" : broken, "");
}

RG_TEST(a_fresh_group_elects_its_first_primary_with_all_promises)
{
    struct world *world = group_of(3, RG_MODE_SEMI_SYNC);

    RG_CHECK_STR(world_said(world), "A: member 1 of 3, fresh, term 0, log ends at (0, 0)\n"
                                    "B: member 2 of 3, fresh, term 0, log ends at (0, 0)\n"
                                    "C: member 3 of 3, fresh, term 0, log ends at (0, 0)\n"
                                    "A: standing for term 1, log ends at (0, 0)\n"
                                    "B: promised term 1 to A:1\n"
                                    "C: promised term 1 to A:1\n"
                                    "A: elected primary of term 1 with 3 of 3 promises\n"
                                    "A: was fresh, now healthy\n"
                                    "B: was fresh, now healthy\n"
                                    "B: following A:1 in term 1\n"
                                    "C: was fresh, now healthy\n"
                                    "C: following A:1 in term 1\n");
    end(world);
}

RG_TEST(a_killed_primary_is_replaced_without_waiting)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_write(world, 0);
    world_run(world, MS(20));
    world_kill(world, 0);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "B: primary A:1 refuses connections: asking the others\n"
                                    "C: primary A:1 refuses connections: asking the others\n"
                                    "B: standing for term 2, log ends at (1, 2)\n"
                                    "C: promised term 2 to B:1\n"
                                    "B: elected primary of term 2 with 2 of 3 promises\n"
                                    "B: the old primary may believe its lease for 230 ms more\n"
                                    "C: following B:1 in term 2\n");
    RG_CHECK_INT(world_primary(world), 1);
    world_start(world, 0);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "A: member 1 of 3, forgot-log, term 1, log ends at (0, 0)\n"
                                    "A: following B:1 in term 2\n"
                                    "A: was forgot-log, now healthy\n");
    end(world);
}

RG_TEST(a_primary_busy_for_half_a_second_is_not_deposed)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_freeze(world, 0, true);
    world_run(world, MS(500));
    world_freeze(world, 0, false);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "");
    RG_CHECK_INT(world_primary(world), 0);
    end(world);
}

RG_TEST(a_silent_primary_is_replaced_after_the_timeout_and_returns_as_follower)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_freeze(world, 0, true);
    world_run(world, MS(1500));
    RG_CHECK_STR(world_said(world), "B: no bytes from primary A:1 for 1000 ms: asking the others\n"
                                    "C: no bytes from primary A:1 for 1000 ms: asking the others\n"
                                    "B: standing for term 2, log ends at (1, 1)\n"
                                    "C: promised term 2 to B:1\n"
                                    "B: elected primary of term 2 with 2 of 3 promises\n"
                                    "C: following B:1 in term 2\n");
    world_freeze(world, 0, false);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "A: term 1 is over: a member holds term 2; stepping down\n"
                                    "A: following B:1 in term 2\n");
    end(world);
}

RG_TEST(a_primary_in_the_minority_serves_nothing)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_isolate(world, 0, true);
    world_run(world, MS(2000));
    RG_CHECK_STR(world_said(world), "B: no bytes from primary A:1 for 1000 ms: asking the others\n"
                                    "C: no bytes from primary A:1 for 1000 ms: asking the others\n"
                                    "B: standing for term 2, log ends at (1, 1)\n"
                                    "C: promised term 2 to B:1\n"
                                    "B: elected primary of term 2 with 2 of 3 promises\n"
                                    "C: following B:1 in term 2\n");
    RG_CHECK(!rg_group_can_serve(world->nodes[0].group, world->now_us));
    RG_CHECK_INT(rg_group_released(world->nodes[0].group, RG_MODE_SEMI_SYNC, world->now_us), 0);
    world_isolate(world, 0, false);
    world_run(world, MS(200));
    RG_CHECK_STR(world_said(world), "A: term 1 is over: a member holds term 2; stepping down\n"
                                    "A: following B:1 in term 2\n");
    end(world);
}

RG_TEST(one_member_that_lost_sight_of_the_primary_deposes_nobody)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_cut(world, 0, 2, true);
    world_run(world, MS(4000));
    RG_CHECK_STR(world_said(world), "C: no bytes from primary A:1 for 1000 ms: asking the others\n"
                                    "C: no election in term 2: refused, 1 of 2 promises\n");
    RG_CHECK_INT(world_primary(world), 0);
    RG_CHECK_INT(world->elections, 1);
    world_cut(world, 0, 2, false);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "");
    end(world);
}

RG_TEST(a_split_vote_is_tried_again)
{
    struct world *world = formed_group(5, RG_MODE_QUORUM);

    world->delay_us = MS(30);
    world_run(world, MS(500));
    (void)world_said(world);
    world_kill(world, 0);
    world_run(world, MS(1500));
    RG_CHECK_STR(world_said(world), "B: primary A:1 refuses connections: asking the others\n"
                                    "C: primary A:1 refuses connections: asking the others\n"
                                    "D: primary A:1 refuses connections: asking the others\n"
                                    "E: primary A:1 refuses connections: asking the others\n"
                                    "B: standing for term 2, log ends at (1, 1)\n"
                                    "C: standing for term 2, log ends at (1, 1)\n"
                                    "D: standing for term 2, log ends at (1, 1)\n"
                                    "E: promised term 2 to B:1\n"
                                    "B: no election in term 2: refused, 1 of 3 promises\n"
                                    "C: no election in term 2: refused, 1 of 3 promises\n"
                                    "D: no election in term 2: refused, 1 of 3 promises\n"
                                    "B: standing for term 3, log ends at (1, 1)\n"
                                    "C: standing for term 3, log ends at (1, 1)\n"
                                    "D: standing for term 3, log ends at (1, 1)\n"
                                    "E: promised term 3 to B:1\n"
                                    "B: no election in term 3: refused, 1 of 3 promises\n"
                                    "C: no election in term 3: refused, 1 of 3 promises\n"
                                    "D: no election in term 3: refused, 1 of 3 promises\n"
                                    "B: standing for term 4, log ends at (1, 1)\n"
                                    "C: standing for term 4, log ends at (1, 1)\n"
                                    "D: promised term 4 to B:1\n"
                                    "E: promised term 4 to B:1\n"
                                    "B: elected primary of term 4 with 3 of 5 promises\n"
                                    "C: no election in term 4: refused, 1 of 3 promises\n"
                                    "C: following B:1 in term 4\n"
                                    "D: following B:1 in term 4\n"
                                    "E: following B:1 in term 4\n");
    RG_CHECK(world_primary(world) > 0);
    end(world);
}

RG_TEST(two_amnesiacs_beside_a_primary_load_its_log)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_kill(world, 1);
    world_kill(world, 2);
    world_start(world, 1);
    world_start(world, 2);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "B: member 2 of 3, forgot-log, term 1, log ends at (0, 0)\n"
                                    "C: member 3 of 3, forgot-log, term 1, log ends at (0, 0)\n"
                                    "B: following A:1 in term 1\n"
                                    "C: following A:1 in term 1\n"
                                    "B: was forgot-log, now healthy\n"
                                    "C: was forgot-log, now healthy\n");
    end(world);
}

RG_TEST(two_amnesiacs_without_a_primary_wait_for_the_operator)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_kill(world, 0);
    world_kill(world, 1);
    world_start(world, 0);
    world_start(world, 1);
    world_run(world, MS(1500));
    RG_CHECK_STR(world_said(world),
                 "A: member 1 of 3, forgot-log, term 1, log ends at (0, 0)\n"
                 "B: member 2 of 3, forgot-log, term 1, log ends at (0, 0)\n"
                 "C: primary A:1 says that it is primary no longer: asking the others\n"
                 "C: no election in term 2: refused, 1 of 2 promises\n"
                 "C: 2 of 3 members have forgotten: no election can succeed, acknowledged writes "
                 "may be gone; GROUP RECOVER on the member that is to count as the truth decides\n"
                 "C:   A:1: forgot-log, its log ends at (0, 0)\n"
                 "C:   B:1: forgot-log, its log ends at (0, 0)\n"
                 "C:   C:1: healthy, its log ends at (1, 1)\n"
                 "A: 2 of 3 members have forgotten: no election can succeed, acknowledged writes "
                 "may be gone; GROUP RECOVER on the member that is to count as the truth decides\n"
                 "A:   A:1: forgot-log, its log ends at (0, 0)\n"
                 "A:   B:1: forgot-log, its log ends at (0, 0)\n"
                 "A:   C:1: healthy, its log ends at (1, 1)\n"
                 "B: 2 of 3 members have forgotten: no election can succeed, acknowledged writes "
                 "may be gone; GROUP RECOVER on the member that is to count as the truth decides\n"
                 "B:   A:1: forgot-log, its log ends at (0, 0)\n"
                 "B:   B:1: forgot-log, its log ends at (0, 0)\n"
                 "B:   C:1: healthy, its log ends at (1, 1)\n");
    RG_CHECK_INT(world_primary(world), -1);
    RG_CHECK_INT(rg_group_recover(world->nodes[2].group, world->now_us), 0);
    world_run(world, MS(200));
    RG_CHECK_STR(world_said(world),
                 "C: operator: this node's log, ending at (1, 1), counts as whole\n"
                 "C: standing for term 1000001, log ends at (1, 1)\n"
                 "A: promised term 1000001 to C:1\n"
                 "B: promised term 1000001 to C:1\n"
                 "C: elected primary of term 1000001 with 2 of 3 promises\n"
                 "A: following C:1 in term 1000001\n"
                 "B: following C:1 in term 1000001\n"
                 "A: was forgot-log, now healthy\n"
                 "B: was forgot-log, now healthy\n");
    end(world);
}

RG_TEST(a_lost_disk_asks_the_others_for_their_terms)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_kill(world, 2);
    world_lose_disk(world, 2);
    world_start(world, 2);
    world_run(world, MS(1500));
    RG_CHECK_STR(world_said(world), "C: member 3 of 3, fresh, term 0, log ends at (0, 0)\n"
                                    "C: A:1 was in this group with a primary, and this node knows "
                                    "nothing of it: its state was lost\n"
                                    "C: was fresh, now forgot-all\n"
                                    "C: 2 members told their terms: the newest is 1\n"
                                    "C: was forgot-all, now forgot-log\n"
                                    "C: following A:1 in term 1\n"
                                    "C: was forgot-log, now healthy\n");
    end(world);
}

RG_TEST(a_member_without_memory_is_not_fooled_by_a_deposed_primary)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_isolate(world, 0, true);
    world_run(world, MS(1500));
    world_kill(world, 2);
    world_lose_disk(world, 2);
    (void)world_said(world);
    world_cut(world, 1, 2, true);
    world_cut(world, 0, 2, false);
    world_start(world, 2);
    world_run(world, MS(2000));
    RG_CHECK_STR(world_said(world), "C: member 3 of 3, fresh, term 0, log ends at (0, 0)\n"
                                    "C: A:1 was in this group with a primary, and this node knows "
                                    "nothing of it: its state was lost\n"
                                    "C: was fresh, now forgot-all\n");
    world_cut(world, 1, 2, false);
    world_cut(world, 0, 1, false);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "A: term 1 is over: a member holds term 2; stepping down\n"
                                    "A: following B:1 in term 2\n"
                                    "C: 2 members told their terms: the newest is 2\n"
                                    "C: was forgot-all, now forgot-log\n"
                                    "C: following B:1 in term 2\n"
                                    "C: was forgot-log, now healthy\n");
    end(world);
}

RG_TEST(a_hand_over_loses_nothing_and_waits_for_no_lease)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_write(world, 0);
    RG_CHECK_INT(rg_group_hand_over(world->nodes[0].group, 2, MS(500), world->now_us), 0);
    RG_CHECK_INT(rg_group_hand_over(world->nodes[0].group, 1, MS(500), world->now_us), RG_EEXIST);
    world_run(world, MS(100));
    RG_CHECK_STR(world_said(world), "A: handing over to C:1\n"
                                    "C: A:1 hands over to this node\n"
                                    "C: standing for term 2, log ends at (1, 2)\n"
                                    "A: promised term 2 to C:1\n"
                                    "B: promised term 2 to C:1\n"
                                    "C: elected primary of term 2 with 2 of 3 promises\n"
                                    "A: following C:1 in term 2\n"
                                    "A: handed over to C:1\n"
                                    "B: following C:1 in term 2\n");
    RG_CHECK_INT(world->last_resume, 1);
    RG_CHECK_INT(world_primary(world), 2);
    end(world);
}

RG_TEST(a_hand_over_that_comes_too_late_changes_nothing)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_freeze(world, 2, true);
    world_write(world, 0);
    RG_CHECK_INT(rg_group_hand_over(world->nodes[0].group, 2, MS(300), world->now_us), 0);
    world_run(world, MS(400));
    RG_CHECK_STR(world_said(world), "A: handing over to C:1\n"
                                    "A: hand-over to C:1 failed\n");
    RG_CHECK_INT(world->last_resume, 0);
    RG_CHECK_INT(world_primary(world), 0);
    end(world);
}

RG_TEST(in_semi_sync_three_of_five_are_too_few)
{
    struct world *world = formed_group(5, RG_MODE_SEMI_SYNC);

    world_kill(world, 0);
    world_kill(world, 1);
    world_run(world, MS(1500));
    RG_CHECK_STR(world_said(world), "C: primary A:1 refuses connections: asking the others\n"
                                    "D: primary A:1 refuses connections: asking the others\n"
                                    "E: primary A:1 refuses connections: asking the others\n"
                                    "C: no election in term 2: refused, 2 of 4 promises\n"
                                    "D: no election in term 2: refused, 2 of 4 promises\n"
                                    "E: no election in term 2: refused, 2 of 4 promises\n");
    end(world);
}

RG_TEST(after_a_change_to_sync_three_of_five_are_enough)
{
    struct world *world = formed_group(5, RG_MODE_SEMI_SYNC);

    world_set_mode(world, 0, RG_MODE_SYNC);
    world_run(world, MS(200));
    world_kill(world, 0);
    world_kill(world, 1);
    world_run(world, MS(400));
    RG_CHECK_STR(world_said(world), "C: primary A:1 refuses connections: asking the others\n"
                                    "D: primary A:1 refuses connections: asking the others\n"
                                    "E: primary A:1 refuses connections: asking the others\n"
                                    "C: standing for term 2, log ends at (1, 2)\n"
                                    "D: promised term 2 to C:1\n"
                                    "E: promised term 2 to C:1\n"
                                    "C: elected primary of term 2 with 3 of 5 promises\n"
                                    "C: the old primary may believe its lease for 200 ms more\n"
                                    "D: following C:1 in term 2\n"
                                    "E: following C:1 in term 2\n");
    end(world);
}

RG_TEST(a_change_of_mode_that_is_not_committed_keeps_the_old_demand)
{
    struct world *world = formed_group(5, RG_MODE_SEMI_SYNC);

    world_isolate(world, 1, true);
    world_set_mode(world, 0, RG_MODE_SYNC);
    world_run(world, MS(200));
    world_kill(world, 0);
    world_run(world, MS(800));
    RG_CHECK_STR(world_said(world),
                 "C: primary A:1 refuses connections: asking the others\n"
                 "D: primary A:1 refuses connections: asking the others\n"
                 "E: primary A:1 refuses connections: asking the others\n"
                 "C: no election in term 2: refused, 2 of 4 promises\n"
                 "D: no election in term 2: refused, 2 of 4 promises\n"
                 "E: no election in term 2: refused, 2 of 4 promises\n"
                 "B: no bytes from primary A:1 for 1000 ms: asking the others\n");
    RG_CHECK_INT(world_primary(world), -1);
    end(world);
}

RG_TEST(priority_0_leaves_office_to_others)
{
    struct world *world = world_new(3, RG_MODE_SEMI_SYNC, 7);

    world->quiet = true;
    world->nodes[1].priority = 0;
    world_start_all(world);
    world_run(world, MS(600));
    (void)world_said(world);

    world_kill(world, 0);
    world_run(world, MS(300));
    RG_CHECK_STR(world_said(world), "B: primary A:1 refuses connections: asking the others\n"
                                    "C: primary A:1 refuses connections: asking the others\n"
                                    "C: standing for term 2, log ends at (1, 1)\n"
                                    "B: promised term 2 to C:1\n"
                                    "C: elected primary of term 2 with 2 of 3 promises\n"
                                    "C: the old primary may believe its lease for 200 ms more\n"
                                    "B: following C:1 in term 2\n");
    end(world);
}

RG_TEST(priority_0_that_alone_holds_a_write_saves_it_and_hands_over)
{
    struct world *world = world_new(3, RG_MODE_SEMI_SYNC, 7);

    world->quiet = true;
    world->nodes[1].priority = 0;
    world_start_all(world);
    world_run(world, MS(600));
    (void)world_said(world);

    world_cut(world, 0, 2, true);
    world_cut(world, 1, 2, true);
    world_write(world, 0);
    world_run(world, MS(20));
    world_cut(world, 1, 2, false);
    world_kill(world, 0);
    world_run(world, MS(1500));
    RG_CHECK_STR(world_said(world), "B: primary A:1 refuses connections: asking the others\n"
                                    "C: no bytes from primary A:1 for 1000 ms: asking the others\n"
                                    "C: no election in term 2: refused, 1 of 2 promises\n"
                                    "B: standing for term 2, log ends at (1, 2)\n"
                                    "C: promised term 2 to B:1\n"
                                    "B: elected primary of term 2 with 2 of 3 promises\n"
                                    "C: following B:1 in term 2\n"
                                    "B: handing over to C:1\n"
                                    "C: B:1 hands over to this node\n"
                                    "C: standing for term 3, log ends at (2, 3)\n"
                                    "B: promised term 3 to C:1\n"
                                    "C: elected primary of term 3 with 2 of 3 promises\n"
                                    "B: following C:1 in term 3\n"
                                    "B: handed over to C:1\n");
    end(world);
}

RG_TEST(the_greater_position_stands)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_cut(world, 0, 1, true);
    world_write(world, 0);
    world_run(world, MS(100));
    world_kill(world, 0);
    world_run(world, MS(1500));
    RG_CHECK_STR(world_said(world), "C: primary A:1 refuses connections: asking the others\n"
                                    "C: no election in term 2: refused, 1 of 2 promises\n"
                                    "B: no bytes from primary A:1 for 1000 ms: asking the others\n"
                                    "B: no election in term 2: refused, 1 of 2 promises\n"
                                    "C: standing for term 2, log ends at (1, 2)\n"
                                    "B: promised term 2 to C:1\n"
                                    "C: elected primary of term 2 with 2 of 3 promises\n"
                                    "B: following C:1 in term 2\n");
    RG_CHECK_INT(world_primary(world), 2);
    end(world);
}

/* A and C know of A's office, B, D and E do not, and cannot hear of it. */
static void part_from_a_and_c(struct world *world, bool cut)
{
    for (unsigned i = 1; i < 5; i++) {
        if (i == 2)
            continue;
        world_cut(world, 0, i, cut);
        world_cut(world, 2, i, cut);
    }
}

/* A group of five whose first primary, A, is cut off with C as soon as it has every promise. */
static struct world *found_and_part(enum rg_mode of_a)
{
    struct world *world = world_new(5, RG_MODE_QUORUM, 7);

    world->quiet = true;
    world->nodes[0].mode = of_a;
    world_start_all(world);
    for (unsigned i = 0; i < 10000 && world_primary(world) < 0; i++)
        world_run(world, 100);
    part_from_a_and_c(world, true);
    world_run(world, MS(300));
    return world;
}

/* Moreover a hand-over that cannot succeed raises the term. */
static struct world *parted_at_its_founding(void)
{
    struct world *world = found_and_part(RG_MODE_QUORUM);

    RG_CHECK_INT(rg_group_hand_over(world->nodes[0].group, 2, MS(500), world->now_us), 0);
    world_run(world, MS(100));
    (void)world_said(world);
    return world;
}

static void join_again(struct world *world)
{
    for (unsigned i = 0; i < 5; i++)
        world_isolate(world, i, false);
    world_run(world, MS(3000));
}

static enum rg_member_state state_of(const struct world *world, unsigned node)
{
    struct rg_group_view view;

    rg_group_view(world->nodes[node].group, world->now_us, &view);
    return view.state;
}

RG_TEST(who_promised_the_first_primary_and_never_heard_of_it_forgot_nothing)
{
    struct world *world = parted_at_its_founding();

    for (unsigned i = 1; i < 5; i++)
        RG_CHECK_INT(state_of(world, i), i == 2 ? RG_MEMBER_HEALTHY : RG_MEMBER_FRESH);
    /* What a node promised is in its state file: a restart changes nothing. */
    world_kill(world, 3);
    world_start(world, 3);
    world_run(world, MS(100));
    for (unsigned i = 0; i < 5; i++)
        world_isolate(world, i, false);
    world_run(world, MS(20));
    for (unsigned i = 1; i < 5; i++)
        RG_CHECK_INT(state_of(world, i), RG_MEMBER_HEALTHY);
    world_run(world, MS(1500));
    RG_CHECK(world_primary(world) >= 0 && strstr(world_said(world), "forgot") == NULL);
    RG_CHECK(rg_group_can_serve(world->nodes[world_primary(world)].group, world->now_us));
    end(world);
}

/* D, fresh and cut off, stands for `term` and asks `node`. */
static void promise_to_d(struct world *world, unsigned node, uint64_t term)
{
    struct rg_group_msg vote = {.type = RG_MSG_VOTE,
                                .term = term,
                                .seq = 5,
                                .state = RG_MEMBER_FRESH,
                                .primary = -1,
                                .bootstrap = 1};

    rg_group_receive(world->nodes[node].group, 3, &vote, world->now_us);
    world_run(world, MS(60)); /* its next heartbeat carries out what it decided */
    RG_CHECK_INT(world->nodes[node].disk.term, term);
    RG_CHECK_INT(world->nodes[node].disk.voted_for, 3);
}

RG_TEST(a_later_promise_in_a_first_election_does_not_hide_the_one_that_was_won)
{
    struct world *world = parted_at_its_founding();

    promise_to_d(world, 1, 2);
    promise_to_d(world, 1, 3);
    join_again(world);
    RG_CHECK(strstr(world_said(world), "forgot") == NULL);
    RG_CHECK(world_primary(world) >= 0);
    end(world);
}

RG_TEST(who_lost_its_disk_after_the_first_primary_is_found_out_whatever_it_promised)
{
    for (unsigned promised = 0; promised < 2; promised++) {
        struct world *world = parted_at_its_founding();
        world_kill(world, 4);
        world_lose_disk(world, 4);
        world_start(world, 4);
        world_run(world, MS(1100));
        /* It hears only of fresh ones, and may promise one that does not know either. */
        RG_CHECK_INT(state_of(world, 4), RG_MEMBER_FRESH);
        if (promised)
            promise_to_d(world, 4, 2);
        (void)world_said(world);
        join_again(world);
        const char *said = world_said(world);
        RG_CHECK(strstr(said, "E: was fresh, now forgot-all\n") != NULL);
        RG_CHECK(strstr(said, "E: was forgot-all, now forgot-log\n") != NULL);
        RG_CHECK(strstr(said, "E: was forgot-log, now healthy\n") != NULL);
        RG_CHECK(strstr(said, "B: was fresh, now healthy\n") != NULL);
        RG_CHECK_INT(state_of(world, 4), RG_MEMBER_HEALTHY);
        end(world);
    }
}

RG_TEST(where_nobody_knows_the_first_term_a_fresh_node_is_judged_with_care)
{
    struct world *world = parted_at_its_founding();

    /* As a file of version 1 reads: A and C are in a group, and do not know since when. */
    for (unsigned i = 0; i < 3; i += 2) {
        world_kill(world, i);
        RG_CHECK(world->nodes[i].disk.formed && world->nodes[i].disk.founded == 1);
        world->nodes[i].disk.founded = 0;
        world->nodes[i].disk.first_promise = 0;
        world_start(world, i);
    }
    join_again(world);
    for (unsigned i = 1; i < 5; i++)
        RG_CHECK_INT(state_of(world, i), i == 2 ? RG_MEMBER_FORGOT_LOG : RG_MEMBER_FORGOT_ALL);
    RG_CHECK_INT(world_primary(world), -1);
    end(world);
}

RG_TEST(who_missed_the_first_record_counts_promises_by_its_mode)
{
    struct world *world = found_and_part(RG_MODE_SEMI_SYNC);

    /* Two copies are enough for A; B, D and E, set up for quorum, would elect with three promises.
     */
    world_write(world, 0);
    world_run(world, MS(100));
    RG_CHECK_INT(world->acked_len, 2);
    world_cut(world, 2, 1, false);
    world_cut(world, 2, 3, false);
    world_cut(world, 2, 4, false);
    world_run(world, MS(20));
    part_from_a_and_c(world, true);
    for (unsigned i = 1; i < 5; i++)
        RG_CHECK_INT(state_of(world, i), RG_MEMBER_HEALTHY);
    world_run(world, MS(3000));
    RG_CHECK_INT(world_primary(world), 0);
    RG_CHECK_INT(world->elections, 1);
    part_from_a_and_c(world, false);
    world_run(world, MS(500));
    for (unsigned i = 0; i < 5; i++)
        RG_CHECK_INT(world->nodes[i].log.len, 2);
    end(world);
}

static void lose(struct world *world, unsigned node)
{
    world_kill(world, node);
    world_lose_disk(world, node);
    world_start(world, node);
}

RG_TEST(a_term_that_was_told_and_is_not_durable_tells_nobody)
{
    struct world *world = formed_group(5, RG_MODE_SEMI_SYNC);

    /* E hears from A, B and C what the newest term is, and cannot write it down. */
    world->nodes[4].disk_us = RG_NEVER;
    lose(world, 4);
    world_run(world, MS(1500));
    RG_CHECK(strstr(world_said(world), "E: 3 members told") != NULL);
    world_isolate(world, 0, true);
    lose(world, 3);
    world_run(world, MS(3000));
    RG_CHECK(strstr(world_said(world), "D: 3 members told") == NULL);
    RG_CHECK_INT(state_of(world, 3), RG_MEMBER_FORGOT_ALL);
    world_isolate(world, 0, false);
    world_run(world, MS(500));
    RG_CHECK(strstr(world_said(world), "D: 3 members told") != NULL);
    end(world);
}

RG_TEST(an_operator_keeps_the_log_of_a_primary_beside_two_that_lost_their_disks)
{
    struct world *world = formed_group(3, RG_MODE_SEMI_SYNC);

    world_write(world, 0);
    world_run(world, MS(100));
    RG_CHECK_INT(rg_group_recover(world->nodes[0].group, world->now_us), RG_EINVAL);
    lose(world, 1);
    lose(world, 2);
    world_run(world, MS(3000));
    RG_CHECK_INT(state_of(world, 1), RG_MEMBER_FORGOT_ALL);
    RG_CHECK_INT(state_of(world, 2), RG_MEMBER_FORGOT_ALL);
    RG_CHECK_INT(world_primary(world), 0);
    (void)world_said(world);
    RG_CHECK_INT(rg_group_recover(world->nodes[0].group, world->now_us), 0);
    world_run(world, MS(1000));
    RG_CHECK_STR(world_said(world),
                 "A: operator: this node's log, ending at (1, 2), counts as whole\n"
                 "A: standing for term 1000001, log ends at (1, 2)\n"
                 "B: promised term 1000001 to A:1\n"
                 "C: promised term 1000001 to A:1\n"
                 "A: elected primary of term 1000001 with 2 of 3 promises\n"
                 "B: was forgot-all, now forgot-log\n"
                 "B: following A:1 in term 1000001\n"
                 "C: was forgot-all, now forgot-log\n"
                 "C: following A:1 in term 1000001\n"
                 "B: was forgot-log, now healthy\n"
                 "C: was forgot-log, now healthy\n");
    RG_CHECK_INT(world_primary(world), 0);
    RG_CHECK_INT(state_of(world, 1), RG_MEMBER_HEALTHY);
    RG_CHECK_INT(state_of(world, 2), RG_MEMBER_HEALTHY);
    end(world);
}
