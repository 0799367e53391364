#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "sentinel/state.h"

/*
 * The links to those who are watched: one for commands, and to primaries and replicas one more that
 * listens to what other sentinels say of themselves. Replies come in the order of the commands.
 */

enum { LINK_REPLY_MAX = 1 << 20, LINK_DEPTH = 8 };

void rg_sentinel_link_set_user(struct rg_sentinel_link *link, void *user)
{
    link->user = user;
}

void *rg_sentinel_link_user(const struct rg_sentinel_link *link)
{
    return link->user;
}

bool sentinel_link_is_up(const struct sentinel_inst *inst)
{
    return inst->cmd != NULL && inst->cmd->open;
}

/* ---- Dialling ---- */

static struct rg_sentinel_link *link_new(struct rg_sentinel *s, struct sentinel_inst *inst,
                                         bool pubsub)
{
    struct rg_sentinel_link *link = RG_NEW(struct rg_sentinel_link);
    struct sentinel_effect *item = sentinel_effect_add(s, RG_SENTINEL_CONNECT);

    rg_list_append(&s->links, &link->all);
    link->owner = inst;
    link->pubsub = pubsub;
    inst->dialled_ms[pubsub] = s->now_ms;
    item->effect.link = link;
    item->effect.port = inst->addr.port;
    item->text = rg_alloc_copy(inst->addr.host, strlen(inst->addr.host));
    return link;
}

void sentinel_link_dial(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    /* Who is looked for gets a try more often than every second. */
    int64_t pause_ms = s->timers[TIMER_PING];
    const struct sentinel_inst *primary = inst->primary;

    if (inst->addr.port == 0)
        return;
    if (inst->broke_ms != 0 && s->now_ms - inst->broke_ms < inst->down_after_ms && pause_ms > 100)
        pause_ms = 100;
    else if ((primary->flags & FLAG_FAILOVER) && inst->kind == KIND_REPLICA && pause_ms > 100)
        pause_ms = 100;
    if (inst->cmd == NULL &&
        (inst->dialled_ms[0] == 0 || s->now_ms - inst->dialled_ms[0] >= pause_ms))
        inst->cmd = link_new(s, inst, false);
    if (inst->kind != KIND_SENTINEL && inst->sub == NULL &&
        (inst->dialled_ms[1] == 0 || s->now_ms - inst->dialled_ms[1] >= s->timers[TIMER_PING]))
        inst->sub = link_new(s, inst, true);
}

void sentinel_link_drop(struct rg_sentinel *s, struct rg_sentinel_link **slot)
{
    struct rg_sentinel_link *link = *slot;

    if (link == NULL)
        return;
    *slot = NULL;
    link->owner = NULL;
    link->open = false;
    link->closing = true;
    sentinel_effect_add(s, RG_SENTINEL_CLOSE)->effect.link = link;
}

/* ---- Sending ---- */

/* What the primary's administrator calls the command on its nodes. */
static struct rg_bytes link_renamed(const struct sentinel_inst *inst, struct rg_bytes command)
{
    if (inst->kind == KIND_SENTINEL)
        return command;
    RG_LIST_EACH(at, &inst->primary->renames)
    {
        const struct sentinel_rename *rename = RG_CONTAINER_OF(at, struct sentinel_rename, link);
        if (rg_bytes_is_nocase(command, rename->from))
            return rg_bytes_str(rename->to);
    }
    return command;
}

static void link_send(struct rg_sentinel *s, struct sentinel_inst *inst,
                      struct rg_sentinel_link *link, enum sentinel_ask ask,
                      const struct rg_bytes *argv, int argc)
{
    enum { LINK_WORDS = 16 };
    struct rg_bytes words[LINK_WORDS];
    struct sentinel_effect *item = sentinel_effect_add(s, RG_SENTINEL_SEND);

    if (argc > LINK_WORDS)
        argc = LINK_WORDS;
    memcpy(words, argv, sizeof(words[0]) * (size_t)argc);
    words[0] = link_renamed(inst, words[0]);
    item->effect.link = link;
    rg_request_write(&item->bytes, words, argc);
    if (!link->pubsub)
        link->pending[link->pending_count++] = (unsigned char)ask;
}

bool sentinel_send(struct rg_sentinel *s, struct sentinel_inst *inst, enum sentinel_ask ask,
                   const struct rg_bytes *argv, int argc)
{
    if (!sentinel_link_is_up(inst) || inst->cmd->pending_count >= sizeof(inst->cmd->pending))
        return false;
    link_send(s, inst, inst->cmd, ask, argv, argc);
    return true;
}

bool sentinel_send_words(struct rg_sentinel *s, struct sentinel_inst *inst, enum sentinel_ask ask,
                         const char *const *words)
{
    enum { SEND_WORDS = 8 };
    struct rg_bytes argv[SEND_WORDS];
    int argc = 0;

    for (; argc < SEND_WORDS && words[argc] != NULL; argc++)
        argv[argc] = rg_bytes_str(words[argc]);
    return sentinel_send(s, inst, ask, argv, argc);
}

bool sentinel_send_slaveof(struct rg_sentinel *s, struct sentinel_inst *inst, const char *host,
                           uint16_t port)
{
    char number[8];

    (void)snprintf(number, sizeof(number), "%u", port);
    if (!sentinel_link_is_up(inst) || inst->cmd->pending_count >= SENTINEL_MAX_PENDING)
        return false;
    /* In one transaction: clients that would write to what is no primary any more are sent away
     * together with the change. */
    (void)sentinel_send_strs(s, inst, ASK_NOTHING, "MULTI", NULL);
    if (host == NULL)
        (void)sentinel_send_strs(s, inst, ASK_NOTHING, "SLAVEOF", "NO", "ONE", NULL);
    else
        (void)sentinel_send_strs(s, inst, ASK_NOTHING, "SLAVEOF", host, number, NULL);
    (void)sentinel_send_strs(s, inst, ASK_NOTHING, "CONFIG", "REWRITE", NULL);
    (void)sentinel_send_strs(s, inst, ASK_NOTHING, "CLIENT", "KILL", "TYPE", "normal", NULL);
    (void)sentinel_send_strs(s, inst, ASK_NOTHING, "CLIENT", "KILL", "TYPE", "pubsub", NULL);
    (void)sentinel_send_strs(s, inst, ASK_NOTHING, "EXEC", NULL);
    return true;
}

void sentinel_send_ping(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    if (!sentinel_send_strs(s, inst, ASK_PING, "PING", NULL))
        return;
    inst->last_ping_ms = s->now_ms;
    if (inst->act_ping_ms == 0)
        inst->act_ping_ms = s->now_ms;
}

void sentinel_send_info(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    if (sentinel_send_strs(s, inst, ASK_INFO, "INFO", NULL))
        inst->info_asked_ms = s->now_ms;
}

/* How often it is worth asking: a replica on which something depends now is asked often. */
static int64_t link_info_period(const struct rg_sentinel *s, const struct sentinel_inst *inst)
{
    enum { LINK_INFO_FAST_MS = 1000, LINK_INFO_FAILOVER_MS = 100 };
    const struct sentinel_inst *primary = inst->primary;
    int64_t period_ms = s->timers[TIMER_INFO];

    if (primary->in_group && (primary->flags & (FLAG_S_DOWN | FLAG_O_DOWN)))
        period_ms = LINK_INFO_FAILOVER_MS;
    else if (inst->kind == KIND_REPLICA && primary->state >= FAILOVER_WAIT_PROMOTION)
        period_ms = LINK_INFO_FAILOVER_MS;
    else if (inst->kind == KIND_REPLICA &&
             ((primary->flags & (FLAG_O_DOWN | FLAG_FAILOVER)) || inst->link_down_ms != 0))
        period_ms = LINK_INFO_FAST_MS;
    return period_ms < s->timers[TIMER_INFO] ? period_ms : s->timers[TIMER_INFO];
}

void sentinel_link_periodic(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    /* Silence counts from a PING on: where it is to be noticed soon, they come often. */
    int64_t often_ms = inst->down_after_ms / 5 > 50 ? inst->down_after_ms / 5 : 50;
    int64_t ping_ms = often_ms < s->timers[TIMER_PING] ? often_ms : s->timers[TIMER_PING];
    int64_t since_info_ms =
        s->now_ms - (inst->info_asked_ms > inst->info_ms ? inst->info_asked_ms : inst->info_ms);

    if (!sentinel_link_is_up(inst) || inst->cmd->pending_count >= SENTINEL_MAX_PENDING)
        return;
    if (inst->kind != KIND_SENTINEL && ((inst->info_ms == 0 && inst->info_asked_ms == 0) ||
                                        since_info_ms >= link_info_period(s, inst)))
        sentinel_send_info(s, inst);
    if (s->now_ms - inst->last_pong_ms > ping_ms && s->now_ms - inst->last_ping_ms > ping_ms / 2)
        sentinel_send_ping(s, inst);
    if (s->now_ms - inst->last_pub_ms > s->timers[TIMER_PUBLISH] && sentinel_is_settled(s))
        sentinel_hello_send(s, inst);
}

/* ---- What happens to links ---- */

static void link_log_in(struct rg_sentinel *s, struct sentinel_inst *inst,
                        struct rg_sentinel_link *link)
{
    const char *user = inst->primary->auth_user;
    const char *pass = inst->primary->auth_pass;

    if (inst->kind == KIND_SENTINEL) {
        user = s->sentinel_user;
        pass = s->sentinel_pass;
        if (pass == NULL && s->requirepass[0] != '\0')
            pass = s->requirepass;
    }
    if (pass == NULL)
        return;
    struct rg_bytes argv[] = {RG_BYTES("AUTH"), rg_bytes_str(user != NULL ? user : pass),
                              rg_bytes_str(pass)};
    link_send(s, inst, link, ASK_NOTHING, argv, user != NULL ? 3 : 2);
}

void rg_sentinel_opened(struct rg_sentinel *s, struct rg_sentinel_link *link, const char *peer,
                        const char *local, struct rg_time now)
{
    struct sentinel_inst *inst = link->owner;
    char name[32];

    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    if (inst == NULL)
        return;
    link->open = true;
    link->opened_ms = s->now_ms;
    (void)snprintf(link->local, sizeof(link->local), "%s", local);
    (void)snprintf(inst->addr.ip, sizeof(inst->addr.ip), "%s", peer);
    link_log_in(s, inst, link);
    (void)snprintf(name, sizeof(name), "sentinel-%.8s-%s", s->id, link->pubsub ? "pubsub" : "cmd");
    struct rg_bytes set_name[] = {RG_BYTES("CLIENT"), RG_BYTES("SETNAME"), rg_bytes_str(name)};
    link_send(s, inst, link, ASK_NOTHING, set_name, 3);
    if (link->pubsub) {
        struct rg_bytes subscribe[] = {RG_BYTES("SUBSCRIBE"), RG_BYTES(RG_SENTINEL_CHANNEL)};
        inst->sub_open_ms = inst->sub_active_ms = s->now_ms;
        link_send(s, inst, link, ASK_NOTHING, subscribe, 2);
        return;
    }
    inst->cmd_open_ms = s->now_ms;
    inst->refused = false;
    sentinel_send_ping(s, inst);
    if (inst->kind != KIND_SENTINEL && (inst->broke_ms != 0 || inst->info_ms == 0))
        sentinel_send_info(s, inst);
    inst->broke_ms = 0;
    sentinel_wake(s, 0);
}

/* The primary's command link broke: its replicas know at once whether it is gone for them too. */
static void link_ask_replicas(struct rg_sentinel *s, const struct sentinel_inst *primary)
{
    RG_LIST_EACH(at, &primary->replicas)
    {
        sentinel_send_info(s, RG_CONTAINER_OF(at, struct sentinel_inst, link));
    }
}

void rg_sentinel_closed(struct rg_sentinel *s, struct rg_sentinel_link *link, bool refused,
                        struct rg_time now)
{
    struct sentinel_inst *inst = link->owner;

    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    sentinel_effects_forget(s, link);
    if (inst != NULL && link == inst->cmd) {
        bool was_open = link->open;
        inst->cmd = NULL;
        inst->refused = refused;
        if (was_open) {
            inst->broke_ms = s->now_ms;
            inst->dialled_ms[0] = 0;
        }
        if (inst->kind == KIND_PRIMARY && refused && inst->broke_ms != 0)
            link_ask_replicas(s, inst);
        sentinel_wake(s, 0);
    } else if (inst != NULL && link == inst->sub) {
        inst->sub = NULL;
    }
    rg_list_remove(&link->all);
    rg_free(link);
}

/* ---- What comes in ---- */

/* A whole reply; its frames, as far as there is room, one after the other. */
static int link_reply(struct rg_bytes input, size_t *ret_used, struct rg_frame *frames, int max)
{
    int64_t left = 1;
    size_t used = 0;
    int count = 0;

    while (left > 0) {
        struct rg_frame frame;
        size_t n = 0;
        int result = rg_frame_parse(rg_bytes(input.data + used, input.len - used), &n, &frame);
        if (result < 0)
            return result;
        used += n;
        left--;
        if (frame.type == RG_FRAME_ARRAY || frame.type == RG_FRAME_MAP) {
            if (frame.len < 0 || frame.len > LINK_REPLY_MAX)
                return RG_EPROTO;
            left += frame.type == RG_FRAME_MAP ? 2 * frame.len : frame.len;
        }
        if (count < max)
            frames[count++] = frame;
    }
    *ret_used = used;
    return count;
}

static bool link_starts(struct rg_bytes text, const char *with)
{
    return rg_bytes_starts_with(text, rg_bytes_str(with));
}

static void link_take_pong(struct rg_sentinel *s, struct sentinel_inst *inst,
                           const struct rg_frame *frame)
{
    if (frame->type != RG_FRAME_SIMPLE && frame->type != RG_FRAME_ERROR)
        return;
    inst->last_pong_ms = s->now_ms;
    if (link_starts(frame->bytes, "PONG") || link_starts(frame->bytes, "LOADING") ||
        link_starts(frame->bytes, "MASTERDOWN")) {
        inst->last_avail_ms = s->now_ms;
        inst->act_ping_ms = 0;
        if (link_starts(frame->bytes, "PONG"))
            inst->flags &= ~(unsigned)FLAG_MASTER_REBOOT;
        return;
    }
    if (link_starts(frame->bytes, "BUSY") && (inst->flags & FLAG_S_DOWN) &&
        !(inst->flags & FLAG_SCRIPT_KILL_SENT)) {
        if (sentinel_send_strs(s, inst, ASK_NOTHING, "SCRIPT", "KILL", NULL))
            inst->flags |= FLAG_SCRIPT_KILL_SENT;
    }
}

static void link_take(struct rg_sentinel *s, struct sentinel_inst *inst, enum sentinel_ask ask,
                      const struct rg_frame *frames, int count)
{
    switch (ask) {
    case ASK_NOTHING:
        break;
    case ASK_PING:
        link_take_pong(s, inst, &frames[0]);
        break;
    case ASK_INFO:
        if (frames[0].type == RG_FRAME_BULK)
            sentinel_info_take(s, inst, frames[0].bytes);
        break;
    case ASK_HELLO:
        /* Nothing else says that it was heard; it counts from the answer. */
        if (frames[0].type == RG_FRAME_INTEGER)
            inst->last_pub_ms = s->now_ms;
        break;
    case ASK_DOWN:
        if (count == 4 && frames[0].type == RG_FRAME_ARRAY && frames[0].len == 3 &&
            frames[1].type == RG_FRAME_INTEGER && frames[2].type == RG_FRAME_BULK &&
            frames[3].type == RG_FRAME_INTEGER)
            sentinel_answer_down(s, inst, frames[1].integer, frames[2].bytes, frames[3].integer);
        break;
    }
}

static void link_take_message(struct rg_sentinel *s, struct sentinel_inst *inst,
                              const struct rg_frame *frames, int count)
{
    if (count != 4 || !rg_bytes_is(frames[1].bytes, "message") ||
        !rg_bytes_is(frames[2].bytes, RG_SENTINEL_CHANNEL))
        return;
    inst->sub_active_ms = s->now_ms;
    rg_sentinel_hello(s, frames[3].bytes, s->now);
}

int64_t rg_sentinel_received(struct rg_sentinel *s, struct rg_sentinel_link *link,
                             struct rg_bytes bytes, struct rg_time now)
{
    struct rg_frame frames[LINK_DEPTH];
    size_t taken = 0;

    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    while (taken < bytes.len && link->owner != NULL) {
        size_t used = 0;
        int count =
            link_reply(rg_bytes(bytes.data + taken, bytes.len - taken), &used, frames, LINK_DEPTH);
        if (count == RG_EAGAIN)
            break;
        if (count < 0 || (!link->pubsub && link->pending_count == 0))
            return RG_EPROTO;
        taken += used;
        if (link->pubsub) {
            link_take_message(s, link->owner, frames, count);
            continue;
        }
        enum sentinel_ask ask = (enum sentinel_ask)link->pending[0];
        memmove(link->pending, link->pending + 1, --link->pending_count);
        link_take(s, link->owner, ask, frames, count);
        sentinel_wake(s, 0);
    }
    return link->owner == NULL ? (int64_t)bytes.len : (int64_t)taken;
}
