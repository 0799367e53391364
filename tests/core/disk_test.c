#include "core/group.h"
#include "tests/harness.h"

/* A group of one, moved by hand: what counts as held, and the claim in its state file. */

struct alone {
    struct rg_group *group;
    struct rg_group_durable disk; /* the newest that was to be written */
    uint64_t seq;
    bool leads;
};

static void alone_drain(struct alone *alone)
{
    struct rg_group_effect effect;

    while (rg_group_next_effect(alone->group, &effect)) {
        if (effect.type == RG_GROUP_PERSIST) {
            alone->disk = effect.durable;
            alone->seq = effect.seq;
        }
        alone->leads = alone->leads || effect.type == RG_GROUP_LEAD;
    }
}

static void alone_persisted(struct alone *alone)
{
    for (uint64_t before = 0; before != alone->seq;) {
        before = alone->seq;
        rg_group_persisted(alone->group, alone->seq, RG_S_US);
        alone_drain(alone);
    }
}

static void alone_start(struct alone *alone, const struct rg_group_durable *disk, bool complete,
                        struct rg_group_position position)
{
    struct rg_group_config config = {
        .members = 1,
        .names = {"a:1"},
        .node_timeout_us = RG_S_US,
        .heartbeat_us = 50 * RG_MS_US,
        .lease_us = 250 * RG_MS_US,
        .mode = RG_MODE_QUORUM,
        .priority = 100,
    };

    *alone = (struct alone){.group = rg_group_new(&config, disk, complete, position, RG_S_US)};
    rg_group_log_on_disk(alone->group, true, false, (struct rg_group_position){0, 0}, RG_S_US);
    alone_drain(alone);
}

/* … and the primary of term 1, whose record ends at 10. */
static void alone_lead(struct alone *alone)
{
    alone_start(alone, NULL, false, (struct rg_group_position){0, 0});
    for (int i = 0; i < 10 && !alone->leads; i++) {
        alone_persisted(alone);
        rg_group_tick(alone->group, RG_S_US);
        alone_drain(alone);
    }
    RG_CHECK(alone->leads);
    rg_group_log_at(alone->group, (struct rg_group_position){1, 10});
    rg_group_led(alone->group, 10, RG_S_US);
    alone_drain(alone);
    alone_persisted(alone);
}

static void alone_synced(struct alone *alone, uint64_t offset)
{
    rg_group_log_on_disk(alone->group, true, true, (struct rg_group_position){1, offset}, RG_S_US);
    alone_drain(alone);
}

static bool alone_says_on_disk(const struct alone *alone)
{
    struct rg_group_view view;

    rg_group_view(alone->group, RG_S_US, &view);
    return view.on_disk;
}

RG_TEST(only_what_is_synced_counts_and_is_released)
{
    struct alone alone;

    alone_lead(&alone);
    RG_CHECK_INT(rg_group_held(alone.group), 0);
    RG_CHECK_INT(rg_group_released(alone.group, RG_MODE_QUORUM, RG_S_US), 0);
    alone_synced(&alone, 4);
    RG_CHECK_INT(rg_group_held(alone.group), 4);
    RG_CHECK_INT(rg_group_released(alone.group, RG_MODE_QUORUM, RG_S_US), 0);
    alone_synced(&alone, 10);
    RG_CHECK_INT(rg_group_released(alone.group, RG_MODE_QUORUM, RG_S_US), 10);
    rg_group_log_at(alone.group, (struct rg_group_position){1, 30});
    RG_CHECK_INT(rg_group_held(alone.group), 10);
    /* A file that was given up holds nothing that may be counted on. */
    rg_group_log_on_disk(alone.group, true, false, (struct rg_group_position){0, 0}, RG_S_US);
    RG_CHECK_INT(rg_group_held(alone.group), 0);
    rg_group_free(alone.group);
}

RG_TEST(the_claim_is_told_when_the_state_file_holds_it)
{
    struct alone alone;

    alone_lead(&alone);
    rg_group_log_at(alone.group, (struct rg_group_position){1, 20});
    RG_CHECK(!alone.disk.on_disk);
    /* The log ended at 0 when this node became healthy: it acknowledged nothing in memory. */
    alone_synced(&alone, 9);
    RG_CHECK(alone.disk.on_disk && alone.disk.disk.term == 1 && alone.disk.disk.offset == 9);
    RG_CHECK(!alone_says_on_disk(&alone));
    alone_persisted(&alone);
    RG_CHECK(alone_says_on_disk(&alone));
    rg_group_free(alone.group);
}

RG_TEST(memory_counts_only_once_the_claim_is_gone_from_the_disk)
{
    struct alone alone;

    alone_lead(&alone);
    alone_synced(&alone, 10);
    alone_persisted(&alone);
    rg_group_log_at(alone.group, (struct rg_group_position){1, 50});
    rg_group_log_on_disk(alone.group, false, true, (struct rg_group_position){1, 10}, RG_S_US);
    alone_drain(&alone);
    RG_CHECK(!alone.disk.on_disk && alone.disk.disk.offset == 0);
    RG_CHECK_INT(rg_group_held(alone.group), 10);
    alone_persisted(&alone);
    RG_CHECK_INT(rg_group_held(alone.group), 50);
    /* … and back: what was acknowledged in memory has to reach the disk first. */
    alone_synced(&alone, 10);
    RG_CHECK(!alone.disk.on_disk);
    RG_CHECK_INT(rg_group_held(alone.group), 10);
    alone_synced(&alone, 50);
    RG_CHECK(alone.disk.on_disk);
    rg_group_free(alone.group);
}

RG_TEST(a_log_shorter_than_the_claim_is_not_the_one_it_speaks_of)
{
    struct rg_group_durable durable = {
        .term = 3, .voted_for = 0, .formed = true, .founded = 1, .on_disk = true, .disk = {3, 100}};
    struct rg_group_view view;
    struct alone alone;

    RG_CHECK(rg_group_disk_complete(&durable, (struct rg_group_position){3, 100}));
    RG_CHECK(rg_group_disk_complete(&durable, (struct rg_group_position){4, 90}));
    RG_CHECK(!rg_group_disk_complete(&durable, (struct rg_group_position){3, 99}));
    RG_CHECK(!rg_group_disk_complete(&durable, (struct rg_group_position){2, 500}));
    alone_start(&alone, &durable, true, (struct rg_group_position){3, 120});
    rg_group_view(alone.group, RG_S_US, &view);
    RG_CHECK_INT(view.state, RG_MEMBER_HEALTHY);
    RG_CHECK(alone.disk.on_disk);
    rg_group_free(alone.group);
    /* Where it is not, the next start must not believe the claim either. */
    alone_start(&alone, &durable, false, (struct rg_group_position){3, 99});
    rg_group_view(alone.group, RG_S_US, &view);
    RG_CHECK_INT(view.state, RG_MEMBER_FORGOT_LOG);
    RG_CHECK(!alone.disk.on_disk && alone.disk.disk.offset == 0);
    durable.on_disk = false;
    RG_CHECK(!rg_group_disk_complete(&durable, (struct rg_group_position){9, 900}));
    rg_group_free(alone.group);
}

static enum rg_member_state state_of(struct alone *alone)
{
    struct rg_group_view view;

    alone_drain(alone);
    rg_group_view(alone->group, RG_S_US, &view);
    return view.state;
}

RG_TEST(who_forgot_is_healthy_only_where_the_primary_was_when_it_spoke)
{
    struct rg_group_config config = {
        .members = 3,
        .names = {"a:1", "b:2", "c:3"},
        .node_timeout_us = RG_S_US,
        .heartbeat_us = 50 * RG_MS_US,
        .lease_us = 250 * RG_MS_US,
        .mode = RG_MODE_QUORUM,
        .priority = 100,
    };
    struct rg_group_durable durable = {
        .term = 2, .voted_for = -1, .formed = true, .founded = 1, .founded_mode = RG_MODE_QUORUM};
    struct rg_group_msg ping = {.type = RG_MSG_PING,
                                .term = 2,
                                .seq = 1,
                                .state = RG_MEMBER_HEALTHY,
                                .role = RG_ROLE_PRIMARY,
                                .primary = -1,
                                .log_term = 2,
                                .log_offset = 100,
                                .priority = 100,
                                .founded = 1,
                                .founded_mode = RG_MODE_QUORUM};
    struct alone alone = {.group = rg_group_new(&config, &durable, false,
                                                (struct rg_group_position){2, 50}, RG_S_US)};

    RG_CHECK_INT(state_of(&alone), RG_MEMBER_FORGOT_LOG);
    alone_persisted(&alone);
    rg_group_link(alone.group, 1, true, RG_S_US);
    rg_group_receive(alone.group, 1, &ping, RG_S_US);
    alone_drain(&alone);
    alone_persisted(&alone);
    rg_group_stream(alone.group, RG_STREAM_UP, RG_S_US);
    /* A partial resync: the logs agree up to 50, but this node may have acknowledged up to 100. */
    rg_group_stream(alone.group, RG_STREAM_SYNCED, RG_S_US);
    RG_CHECK_INT(state_of(&alone), RG_MEMBER_FORGOT_LOG);
    rg_group_log_at(alone.group, (struct rg_group_position){2, 99});
    RG_CHECK_INT(state_of(&alone), RG_MEMBER_FORGOT_LOG);
    rg_group_log_at(alone.group, (struct rg_group_position){2, 100});
    RG_CHECK_INT(state_of(&alone), RG_MEMBER_HEALTHY);
    rg_group_free(alone.group);
}

RG_TEST(a_node_that_cannot_persist_tells_no_priority)
{
    struct rg_group_view view;
    struct alone alone;

    alone_lead(&alone);
    rg_group_set_ill(alone.group, true, RG_S_US);
    alone_drain(&alone);
    rg_group_view(alone.group, RG_S_US, &view);
    RG_CHECK(view.ill && view.members[0].priority == 0);
    rg_group_set_ill(alone.group, false, RG_S_US);
    alone_drain(&alone);
    rg_group_view(alone.group, RG_S_US, &view);
    RG_CHECK(!view.ill && view.members[0].priority == 100);
    rg_group_free(alone.group);
}
