#include "core/group_state.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "base/panic.h"

/* ---- Effects ---- */

struct rg_group_effect *rg_group_emit(struct rg_group *group, enum rg_group_effect_type type)
{
    if (group->effects_count == group->effects_cap) {
        group->effects_cap = group->effects_cap ? group->effects_cap * 2 : 32;
        group->effects =
            rg_realloc(group->effects, group->effects_cap * sizeof(struct rg_group_effect));
    }
    struct rg_group_effect *effect = &group->effects[group->effects_count++];
    memset(effect, 0, sizeof(*effect));
    effect->type = type;
    effect->term = group->durable.term;
    return effect;
}

bool rg_group_next_effect(struct rg_group *group, struct rg_group_effect *ret_effect)
{
    if (group->effects_head == group->effects_count) {
        group->effects_head = group->effects_count = 0;
        return false;
    }
    *ret_effect = group->effects[group->effects_head++];
    return true;
}

void rg_group_say(struct rg_group *group, bool warn, const char *format, ...)
{
    struct rg_group_effect *effect = rg_group_emit(group, RG_GROUP_SAY);
    struct rg_buf text = {0};
    va_list args;

    va_start(args, format);
    rg_buf_vprintf(&text, format, args);
    va_end(args);
    size_t len = rg_buf_len(&text);
    if (len >= sizeof(effect->text))
        len = sizeof(effect->text) - 1;
    memcpy(effect->text, text.data + text.head, len); /* emit zeroed the rest */
    effect->warn = warn;
    rg_buf_fini(&text);
}

void rg_group_send(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg)
{
    RG_ASSERT(peer < group->config.members && peer != group->config.self);
    struct rg_group_effect *effect = rg_group_emit(group, RG_GROUP_SEND);
    effect->peer = peer;
    effect->msg = *msg;
}

uint64_t rg_group_persist(struct rg_group *group)
{
    rg_disk_note(group);
    struct rg_group_effect *effect = rg_group_emit(group, RG_GROUP_PERSIST);

    effect->seq = ++group->persist_seq;
    effect->durable = group->durable;
    return effect->seq;
}

/* ---- What all files ask ---- */

const char *rg_group_name_of(const struct rg_group *group, int member)
{
    return member < 0 ? "nobody" : group->members[member].name;
}

int rg_group_position_compare(struct rg_group_position a, struct rg_group_position b)
{
    if (a.term != b.term)
        return a.term < b.term ? -1 : 1;
    return (a.offset > b.offset) - (a.offset < b.offset);
}

unsigned rg_group_majority(const struct rg_group *group)
{
    return group->config.members / 2 + 1;
}

uint32_t rg_group_priority(const struct rg_group *group)
{
    return group->ill ? 0 : group->config.priority;
}

/* A term that is not durable yet is told to nobody (invariant 1): the status is then still that of
 * a follower without a primary in the old term. */
void rg_group_status(const struct rg_group *group, enum rg_group_msg_type type,
                     struct rg_group_msg *ret_msg)
{
    bool told = group->told_term == group->durable.term;
    /* What others told a node that forgot all is its own only when it is durable. */
    bool recalled = group->persisted_seq >= group->recall_persist;

    *ret_msg = (struct rg_group_msg){
        .type = type,
        .term = group->told_term,
        .state = (uint8_t)(recalled ? group->state : RG_MEMBER_FORGOT_ALL),
        .role = (uint8_t)(told ? group->role : RG_ROLE_FOLLOWER),
        .primary = (int16_t)(told ? group->primary : -1),
        .log_term = group->position.term,
        .log_offset = group->position.offset,
        .commit = group->commit,
        .incarnation = group->durable.incarnation,
        .priority = rg_group_priority(group),
        .mode = (uint8_t)rg_commit_mode(group),
        .founded = group->durable.founded,
        .founded_mode = (uint8_t)group->durable.founded_mode,
    };
}

void rg_group_ping_all(struct rg_group *group, int64_t now_us)
{
    struct rg_group_msg msg;

    group->ping_seq++;
    group->ping_sent_us[group->ping_seq % GROUP_PING_RING] = now_us;
    group->next_ping_us = now_us + group->config.heartbeat_us;
    rg_group_status(group, RG_MSG_PING, &msg);
    msg.seq = group->ping_seq;
    for (unsigned i = 0; i < group->config.members; i++) {
        if (i != group->config.self && group->members[i].link_up)
            rg_group_send(group, i, &msg);
    }
}

/* ---- Construction ---- */

static void group_check_config(const struct rg_group_config *config)
{
    RG_ASSERT(config->members >= 1 && config->members <= RG_GROUP_MAX_MEMBERS);
    RG_ASSERT(config->self < config->members);
    RG_ASSERT(config->heartbeat_us > 0 && config->lease_us > 0);
    RG_ASSERT(config->node_timeout_us > config->heartbeat_us);
    RG_ASSERT(config->lease_us <= UINT32_MAX);
}

static void group_init_members(struct rg_group *group, int64_t now_us)
{
    for (unsigned i = 0; i < group->config.members; i++) {
        struct group_member *member = &group->members[i];
        member->name = rg_alloc_copy(group->config.names[i], strlen(group->config.names[i]));
        member->primary = -1;
        member->lease_given_us = INT64_MIN / 2;
        member->lease_from_us = INT64_MIN / 2;
        member->last_pong_us = INT64_MIN / 2;
        group->config.names[i] = member->name;
    }
    group->primary_heard_us = now_us;
}

struct rg_group *rg_group_new(const struct rg_group_config *config,
                              const struct rg_group_durable *durable, bool log_complete,
                              struct rg_group_position position, int64_t now_us)
{
    group_check_config(config);
    struct rg_group *group = RG_NEW(struct rg_group);
    group->config = *config;
    group->start_us = now_us;
    group->position = position;
    group->primary = group->switched = -1;
    rg_rand_init(&group->rand, config->seed);
    group_init_members(group, now_us);
    if (durable != NULL)
        group->durable = *durable;
    else
        group->durable.voted_for = -1;
    group->told_term = group->seen_term = group->durable.term;
    group->state = rg_amnesia_at_start(group, durable != NULL, log_complete);
    bool claimed = group->durable.on_disk;
    if (group->state != RG_MEMBER_HEALTHY) {
        group->durable.on_disk = false;
        group->durable.disk = (struct rg_group_position){0, 0};
    }
    group->recall_from_us = RG_NEVER;
    rg_commit_modes_init(group, config->mode, group->durable.formed);
    rg_lease_init(group, group->durable.term > 0);
    rg_election_init(group);
    /* Numbers of an earlier start must not be taken for this one's. */
    group->ping_seq = rg_rand_below(&group->rand, UINT32_MAX) << 8;
    group->election.seq = rg_rand_below(&group->rand, UINT32_MAX) << 8;

    /* What a clean stop left holds until now only: from here on the log moves. */
    group->durable.incarnation++;
    group->durable.clean = false;
    rg_group_say(group, false, "member %u of %u, %s, term %llu, log ends at (%llu, %llu)",
                 config->self + 1, config->members, rg_member_state_name(group->state),
                 (unsigned long long)group->durable.term, (unsigned long long)position.term,
                 (unsigned long long)position.offset);
    group->term_persist = group->formed_persist = rg_group_persist(group);
    /* What the file said holds until another one is there. */
    group->disk.persist = claimed ? group->persist_seq : 0;
    group->next_ping_us = now_us;
    return group;
}

void rg_group_free(struct rg_group *group)
{
    if (group == NULL)
        return;
    for (unsigned i = 0; i < group->config.members; i++)
        rg_free(group->members[i].name);
    rg_free(group->effects);
    rg_free(group);
}

/* ---- Time ---- */

static void group_step(struct rg_group *group, int64_t now_us)
{
    rg_amnesia_step(group, now_us);
    rg_disk_step(group);
    rg_detector_step(group, now_us);
    rg_election_step(group, now_us);
    if (group->role == RG_ROLE_PRIMARY && !rg_lease_waits(group, now_us))
        group->lease_wait_us = 0;
    rg_commit_step(group, now_us);
    rg_handover_step(group, now_us);
    if (now_us >= group->next_ping_us && group->config.members > 1)
        rg_group_ping_all(group, now_us);
}

static int64_t group_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t rg_group_deadline(const struct rg_group *group)
{
    int64_t deadline = group->config.members > 1 ? group->next_ping_us : RG_NEVER;

    deadline = group_earlier(deadline, rg_detector_deadline(group));
    deadline = group_earlier(deadline, rg_election_deadline(group));
    deadline = group_earlier(deadline, rg_handover_deadline(group));
    deadline = group_earlier(deadline, group->recall_from_us);
    if (group->role == RG_ROLE_PRIMARY && group->lease_wait_us != 0)
        deadline = group_earlier(deadline, group->lease_wait_us);
    return deadline;
}

void rg_group_tick(struct rg_group *group, int64_t now_us)
{
    group_step(group, now_us);
}

/* ---- Events ---- */

void rg_group_log_at(struct rg_group *group, struct rg_group_position position)
{
    if (rg_group_position_compare(position, group->position) < 0)
        rg_commit_log_lost(group);
    group->position = position;
    rg_amnesia_catch_up(group);
    if (group->config.members == 1) /* nobody's message will come to look at it */
        rg_commit_step(group, RG_NEVER - 1);
}

void rg_group_set_priority(struct rg_group *group, uint32_t priority)
{
    group->config.priority = priority;
}

void rg_group_link(struct rg_group *group, unsigned peer, bool up, int64_t now_us)
{
    RG_ASSERT(peer < group->config.members && peer != group->config.self);
    bool was_up = group->members[peer].link_up;

    group->members[peer].link_up = up;
    if (up && !was_up) {
        struct rg_group_msg msg;
        rg_group_status(group, RG_MSG_PING, &msg);
        msg.seq = ++group->ping_seq;
        group->ping_sent_us[msg.seq % GROUP_PING_RING] = now_us;
        rg_group_send(group, peer, &msg);
    }
    group_step(group, now_us);
}

void rg_group_set_ill(struct rg_group *group, bool ill, int64_t now_us)
{
    if (ill == group->ill)
        return;
    group->ill = ill;
    rg_group_say(group, ill,
                 ill ? "this node cannot persist: another one should lead"
                     : "this node can persist again");
    rg_group_tick(group, now_us);
}

static void group_note_status(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg)
{
    struct group_member *member = &group->members[peer];

    member->heard = true;
    member->state = msg->state;
    member->role = msg->role;
    member->primary = msg->primary;
    member->term = msg->term;
    member->position = (struct rg_group_position){msg->log_term, msg->log_offset};
    member->incarnation = msg->incarnation;
    member->priority = msg->priority;
}

static void group_on_ping(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                          int64_t now_us)
{
    struct rg_group_msg pong;

    group_note_status(group, peer, msg);
    rg_amnesia_heard(group, peer, msg, now_us);
    rg_follow_status(group, peer, msg, now_us);
    rg_group_status(group, RG_MSG_PONG, &pong);
    pong.seq = msg->seq;
    if (msg->role == RG_ROLE_PRIMARY)
        rg_lease_give(group, peer, now_us);
    rg_group_send(group, peer, &pong);
}

static void group_on_pong(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                          int64_t now_us)
{
    group_note_status(group, peer, msg);
    rg_amnesia_heard(group, peer, msg, now_us);
    rg_follow_status(group, peer, msg, now_us);
    rg_lease_pong(group, peer, msg, now_us);
}

static void group_on_want(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                          int64_t now_us)
{
    (void)now_us;
    if (msg->term == group->durable.term)
        rg_commit_wanted(group, peer, msg->commit);
}

static void group_on_commit(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                            int64_t now_us)
{
    (void)now_us;
    if (msg->term == group->durable.term && group->primary == (int)peer)
        rg_commit_heard(group, msg->commit);
}

typedef void group_handler(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                           int64_t now_us);

static group_handler *const group_handlers[RG_MSG_TYPES] = {
    [RG_MSG_PING] = group_on_ping,         [RG_MSG_PONG] = group_on_pong,
    [RG_MSG_PREVOTE] = rg_vote_asked,      [RG_MSG_PREVOTED] = rg_election_answer,
    [RG_MSG_VOTE] = rg_vote_asked,         [RG_MSG_VOTED] = rg_election_answer,
    [RG_MSG_TAKEOVER] = rg_handover_asked, [RG_MSG_WANT] = group_on_want,
    [RG_MSG_COMMIT] = group_on_commit,
};

/* PREVOTE only asks what if; every other message's term is one that its sender holds durable. */
static bool group_tells_term(enum rg_group_msg_type type)
{
    return type != RG_MSG_PREVOTE && type != RG_MSG_VOTE;
}

void rg_group_receive(struct rg_group *group, unsigned peer, const struct rg_group_msg *msg,
                      int64_t now_us)
{
    if (peer >= group->config.members || peer == group->config.self ||
        (unsigned)msg->type >= RG_MSG_TYPES || msg->primary >= (int)group->config.members)
        return;
    group->members[peer].last_seen_us = now_us;
    if (group->primary == (int)peer)
        group->primary_heard_us = now_us;
    if (group_tells_term(msg->type) && msg->term > group->durable.term) {
        if (msg->term > group->seen_term)
            group->seen_term = msg->term;
        if (group->role == RG_ROLE_PRIMARY) {
            rg_follow_step_down(group, msg->term, now_us);
            rg_handover_settle(group, false);
        }
    }
    group_handlers[msg->type](group, peer, msg, now_us);
    group_step(group, now_us);
}

void rg_group_persisted(struct rg_group *group, uint64_t seq, int64_t now_us)
{
    RG_ASSERT(seq <= group->persist_seq);
    if (seq <= group->persisted_seq)
        return;
    group->persisted_seq = seq;
    if (seq >= group->term_persist && group->told_term != group->durable.term) {
        group->told_term = group->durable.term;
        /* Whoever waits for this term's news (the primary for its lease) need not wait longer. */
        group->next_ping_us = now_us;
    }
    rg_vote_persisted(group, now_us);
    rg_election_persisted(group, now_us);
    group_step(group, now_us);
}
