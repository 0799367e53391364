#include <strings.h>

#include "base/alloc.h"
#include "base/glob.h"
#include "base/number.h"
#include "sentinel/state.h"

/* SENTINEL …, as clients and other sentinels send it; those that change directives are in
 * command_set.c. */

struct command {
    struct rg_sentinel *s;
    const struct rg_bytes *argv;
    int argc;
    struct rg_reply *reply;
    int64_t wait; /* the state that must be durable before the reply goes out; 0 */
};

/* NULL: it is replied that there is none. */
static struct sentinel_inst *command_primary(struct command *command)
{
    struct sentinel_inst *primary = sentinel_primary_named(command->s, command->argv[2]);

    if (primary == NULL)
        rg_reply_error(command->reply, "ERR No such master with that name");
    return primary;
}

/* The reply waits until what was changed is on disk. */
static void command_wait_durable(struct command *command)
{
    const struct rg_sentinel *s = command->s;

    if (!sentinel_is_settled(s))
        command->wait = (int64_t)(s->seq + (s->dirty ? 1 : 0));
}

static void command_list(struct command *command, const struct rg_list *list)
{
    int64_t shown = 0;

    RG_LIST_EACH(at, list)
    {
        const struct sentinel_inst *inst = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        shown += inst->announced;
    }
    rg_reply_array(command->reply, shown);
    RG_LIST_EACH(at, list)
    {
        const struct sentinel_inst *inst = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (inst->announced)
            sentinel_report(command->s, inst, command->reply);
    }
}

static void command_masters(struct command *command)
{
    command_list(command, &command->s->primaries);
}

static void command_master(struct command *command)
{
    const struct sentinel_inst *primary = command_primary(command);

    if (primary != NULL)
        sentinel_report(command->s, primary, command->reply);
}

static void command_replicas(struct command *command)
{
    const struct sentinel_inst *primary = command_primary(command);

    if (primary != NULL)
        command_list(command, &primary->replicas);
}

static void command_sentinels(struct command *command)
{
    const struct sentinel_inst *primary = command_primary(command);

    if (primary != NULL)
        command_list(command, &primary->sentinels);
}

static void command_get_addr(struct command *command)
{
    const struct sentinel_inst *primary = sentinel_primary_named(command->s, command->argv[2]);

    if (primary == NULL) {
        rg_reply_null_array(command->reply);
        return;
    }
    const struct sentinel_addr *addr = sentinel_current_addr(primary);
    rg_reply_array(command->reply, 2);
    rg_reply_bulk_str(command->reply, sentinel_addr_host(command->s, addr));
    rg_reply_bulk_i64(command->reply, addr->port);
}

static void command_myid(struct command *command)
{
    rg_reply_bulk_str(command->reply, command->s->id);
}

static void command_is_down(struct command *command)
{
    struct rg_sentinel *s = command->s;
    struct sentinel_addr addr = {0};
    struct sentinel_inst *primary = NULL;
    int64_t port = 0;
    int64_t epoch = 0;
    const char *leader = NULL;
    uint64_t leader_epoch = 0;
    char candidate[SENTINEL_ID_LEN + 1] = "";

    if (rg_parse_i64(command->argv[3], &port) < 0 || rg_parse_i64(command->argv[4], &epoch) < 0) {
        rg_reply_error(command->reply, "ERR value is not an integer or out of range");
        return;
    }
    if (sentinel_addr_make(s, command->argv[2], port, &addr) == 0)
        primary = sentinel_find(&s->primaries, &addr);
    bool down = !s->tilt && primary != NULL && (primary->flags & FLAG_S_DOWN);
    if (primary != NULL && command->argv[5].len == SENTINEL_ID_LEN && epoch >= 0) {
        memcpy(candidate, command->argv[5].data, SENTINEL_ID_LEN);
        leader = sentinel_vote(s, primary, (uint64_t)epoch, candidate, &leader_epoch);
        command_wait_durable(command);
    }
    rg_reply_array(command->reply, 3);
    rg_reply_i64(command->reply, down);
    rg_reply_bulk_str(command->reply, leader != NULL && leader[0] != '\0' ? leader : "*");
    rg_reply_i64(command->reply, (int64_t)leader_epoch);
}

static void command_reset(struct command *command)
{
    int64_t count = 0;

    RG_LIST_EACH(at, &command->s->primaries)
    {
        struct sentinel_inst *primary = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (!rg_glob_match(command->argv[2], rg_bytes_str(primary->name), true))
            continue;
        sentinel_primary_reset(command->s, primary, true);
        sentinel_event(command->s, RG_SENTINEL_WARNING, "+reset-master", primary, "%s", "");
        count++;
    }
    if (count > 0)
        sentinel_dirty(command->s);
    rg_reply_i64(command->reply, count);
}

static void command_failover(struct command *command)
{
    struct sentinel_inst *primary = command_primary(command);
    struct rg_sentinel *s = command->s;

    if (primary == NULL)
        return;
    if (primary->flags & FLAG_FAILOVER) {
        rg_reply_error(command->reply, "INPROG Failover already in progress");
        return;
    }
    if (primary->in_group) {
        rg_reply_error(command->reply, "ERR The primary is a member of a group, which hands over "
                                       "by GROUP FAILOVER");
        return;
    }
    if (sentinel_select(s, primary) == NULL) {
        rg_reply_error(command->reply, "NOGOODSLAVE No suitable replica to promote");
        return;
    }
    sentinel_say(s, RG_SENTINEL_WARNING, "Executing user requested FAILOVER of '%s'",
                 primary->name);
    sentinel_failover_begin(s, primary);
    primary->flags |= FLAG_FORCE_FAILOVER;
    rg_reply_simple(command->reply, "OK");
}

static void command_monitor(struct command *command)
{
    struct rg_sentinel *s = command->s;
    const struct rg_bytes *argv = command->argv;
    struct rg_bytes words[] = {RG_BYTES("monitor"), argv[2], argv[3], argv[4], argv[5]};
    const char *error = NULL;
    struct sentinel_addr addr;
    int64_t number = 0;

    if (rg_parse_i64(argv[5], &number) < 0) {
        rg_reply_error(command->reply, "ERR Invalid quorum");
        return;
    }
    if (rg_parse_i64(argv[4], &number) < 0) {
        rg_reply_error(command->reply, "ERR Invalid port");
        return;
    }
    /* An address that cannot be one is told before everything else. */
    if (sentinel_addr_make(s, argv[3], 1, &addr) < 0) {
        rg_reply_error(command->reply, "ERR Invalid IP address or hostname specified");
        return;
    }
    if (rg_sentinel_directive(s, words, 5, &error) < 0) {
        bool port = strcmp(error, "Invalid port number") == 0;
        rg_reply_errorf(command->reply, "ERR %s%s", error, port ? "." : "");
        return;
    }
    const struct sentinel_inst *primary = sentinel_primary_named(s, argv[2]);
    sentinel_event(s, RG_SENTINEL_WARNING, "+monitor", primary, " quorum %u", primary->quorum);
    sentinel_dirty(s);
    rg_reply_simple(command->reply, "OK");
}

static void command_remove(struct command *command)
{
    struct sentinel_inst *primary = command_primary(command);

    if (primary == NULL)
        return;
    sentinel_event(command->s, RG_SENTINEL_WARNING, "-monitor", primary, "%s", "");
    sentinel_inst_free(command->s, primary);
    sentinel_dirty(command->s);
    rg_reply_simple(command->reply, "OK");
}

static void command_flushconfig(struct command *command)
{
    sentinel_dirty(command->s);
    command_wait_durable(command);
    rg_reply_simple(command->reply, "OK");
}

static void command_ckquorum(struct command *command)
{
    const struct sentinel_inst *primary = command_primary(command);
    unsigned usable = 1;

    if (primary == NULL)
        return;
    unsigned voters = sentinel_count(&primary->sentinels) + 1;
    RG_LIST_EACH(at, &primary->sentinels)
    {
        usable +=
            !(RG_CONTAINER_OF(at, struct sentinel_inst, link)->flags & (FLAG_S_DOWN | FLAG_O_DOWN));
    }
    bool quorum = usable >= primary->quorum;
    bool majority = usable >= voters / 2 + 1;
    if (quorum && majority) {
        char text[128];
        struct rg_buf out = {0};
        rg_buf_printf(&out,
                      "OK %u usable Sentinels. Quorum and failover authorization can be reached",
                      usable);
        size_t len = rg_buf_len(&out) < sizeof(text) ? rg_buf_len(&out) : sizeof(text) - 1;
        memcpy(text, rg_buf_view(&out).data, len);
        text[len] = '\0';
        rg_buf_fini(&out);
        rg_reply_simple(command->reply, text);
        return;
    }
    rg_reply_errorf(command->reply, "NOQUORUM %u usable Sentinels. %s%s%s", usable,
                    quorum ? ""
                           : "Not enough available Sentinels to reach the specified quorum for "
                             "this master",
                    !quorum && !majority ? ". " : "",
                    majority ? ""
                             : "Not enough available Sentinels to reach the majority and "
                               "authorize a failover");
}

static void command_pending_scripts(struct command *command)
{
    const struct rg_sentinel *s = command->s;
    struct rg_reply *reply = command->reply;

    rg_reply_array(reply, s->scripts_count);
    RG_LIST_EACH(at, &s->scripts)
    {
        const struct sentinel_script *script = RG_CONTAINER_OF(at, struct sentinel_script, link);
        int argc = 0;
        while (script->argv[argc] != NULL)
            argc++;
        int64_t wait_ms = script->start_ms - s->now_ms;
        rg_reply_map(reply, 5);
        rg_reply_bulk_str(reply, "argv");
        rg_reply_array(reply, argc);
        for (int i = 0; i < argc; i++)
            rg_reply_bulk_str(reply, script->argv[i]);
        rg_reply_bulk_str(reply, "flags");
        rg_reply_bulk_str(reply, script->running ? "running" : "scheduled");
        rg_reply_bulk_str(reply, "pid");
        rg_reply_bulk_i64(reply, script->running ? (int64_t)script->id : 0);
        rg_reply_bulk_str(reply, script->running ? "run-time" : "run-delay");
        rg_reply_bulk_i64(reply, script->running ? -wait_ms : (wait_ms > 0 ? wait_ms : 0));
        rg_reply_bulk_str(reply, "retry-num");
        rg_reply_bulk_i64(reply, script->retries);
    }
}

static void command_info_one(const struct command *command, const struct sentinel_inst *inst)
{
    rg_reply_array(command->reply, 2);
    rg_reply_bulk_i64(command->reply, inst->info_ms != 0 ? command->s->now_ms - inst->info_ms : 0);
    if (inst->info_ms != 0)
        rg_reply_bulk(command->reply, rg_buf_view(&inst->info));
    else
        rg_reply_null(command->reply);
}

static bool command_info_wanted(const struct command *command, const struct sentinel_inst *primary)
{
    for (int i = 2; i < command->argc; i++) {
        if (rg_bytes_is(command->argv[i], primary->name))
            return true;
    }
    return false;
}

static void command_info_cache(struct command *command)
{
    int64_t count = 0;

    RG_LIST_EACH(at, &command->s->primaries)
    {
        count += command_info_wanted(command, RG_CONTAINER_OF(at, struct sentinel_inst, link));
    }
    rg_reply_map(command->reply, count);
    RG_LIST_EACH(at, &command->s->primaries)
    {
        const struct sentinel_inst *primary = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        if (!command_info_wanted(command, primary))
            continue;
        rg_reply_bulk_str(command->reply, primary->name);
        rg_reply_array(command->reply, 1 + (int64_t)sentinel_count(&primary->replicas));
        command_info_one(command, primary);
        RG_LIST_EACH(of, &primary->replicas)
        {
            command_info_one(command, RG_CONTAINER_OF(of, struct sentinel_inst, link));
        }
    }
}

static void command_set(struct command *command)
{
    sentinel_cmd_set(command->s, command->argv, command->argc, command->reply);
    command_wait_durable(command);
}

static void command_config(struct command *command)
{
    sentinel_cmd_config(command->s, command->argv, command->argc, command->reply);
}

static void command_debug(struct command *command)
{
    sentinel_cmd_debug(command->s, command->argv, command->argc, command->reply);
}

static void command_simulate(struct command *command)
{
    sentinel_cmd_simulate(command->s, command->argv, command->argc, command->reply);
}

int64_t rg_sentinel_command(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                            struct rg_reply *reply, struct rg_time now)
{
    static const struct {
        const char *name;
        int arity; /* negative: at least */
        void (*run)(struct command *command);
    } commands[] = {
        {"ckquorum", 3, command_ckquorum},
        {"config", -3, command_config},
        {"debug", -2, command_debug},
        {"failover", 3, command_failover},
        {"flushconfig", 2, command_flushconfig},
        {"get-master-addr-by-name", 3, command_get_addr},
        {"get-primary-addr-by-name", 3, command_get_addr},
        {"info-cache", -3, command_info_cache},
        {"is-master-down-by-addr", 6, command_is_down},
        {"is-primary-down-by-addr", 6, command_is_down},
        {"master", 3, command_master},
        {"masters", 2, command_masters},
        {"monitor", 6, command_monitor},
        {"myid", 2, command_myid},
        {"pending-scripts", 2, command_pending_scripts},
        {"primaries", 2, command_masters},
        {"primary", 3, command_master},
        {"remove", 3, command_remove},
        {"replicas", 3, command_replicas},
        {"reset", 3, command_reset},
        {"sentinels", 3, command_sentinels},
        {"set", -5, command_set},
        {"simulate-failure", -3, command_simulate},
        {"slaves", 3, command_replicas},
    };
    struct command command = {.s = s, .argv = argv, .argc = argc, .reply = reply};

    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!rg_bytes_is_nocase(argv[1], commands[i].name))
            continue;
        if (commands[i].arity > 0 ? argc != commands[i].arity : argc < -commands[i].arity)
            return RG_EINVAL;
        commands[i].run(&command);
        return command.wait;
    }
    return RG_ENOENT;
}
