#include "sim/check_promises.h"

#include "proto/resp.h"

enum { TAP_NEW, TAP_HELLO, TAP_MEMBER, TAP_OTHER };

static struct rg_group_durable promises_on_disk(const struct sim_machine *machine)
{
    const struct sim_file *file = sim_disk_find(&machine->disk, RG_NODE_STATE_FILE);
    struct rg_group_durable durable = {.voted_for = -1};

    if (file != NULL && rg_group_durable_parse(rg_buf_view(&file->data), &durable) < 0)
        return (struct rg_group_durable){.voted_for = -1};
    return durable;
}

static void promises_judge(struct sim_check_promises *check, unsigned from, unsigned to,
                           const struct rg_group_msg *msg)
{
    struct rg_group_durable disk = promises_on_disk(&check->machines[from]);
    bool own_vote = msg->type == RG_MSG_VOTE;
    bool given_vote = msg->type == RG_MSG_VOTED && msg->granted;
    int candidate = (int)(own_vote ? from : to);

    if (msg->type == RG_MSG_PREVOTE)
        return;
    if (msg->term > disk.term)
        sim_fail(check->loop, "invariant 1: n%u tells term %llu by %s, but its disk says %llu",
                 from, (unsigned long long)msg->term, rg_group_msg_name(msg->type),
                 (unsigned long long)disk.term);
    else if ((own_vote || given_vote) && disk.term == msg->term && disk.voted_for != candidate)
        sim_fail(check->loop,
                 "invariant 1: n%u votes for n%d in term %llu, but its disk says it voted for %d",
                 from, candidate, (unsigned long long)msg->term, disk.voted_for);
}

/* Takes the line of the greeting off the front. False: it is not whole yet. */
static bool promises_skip_line(struct rg_buf *bytes)
{
    struct rg_bytes view = rg_buf_view(bytes);
    const char *end = view.len > 0 ? memchr(view.data, '\n', view.len) : NULL;

    if (end == NULL)
        return false;
    rg_buf_consume(bytes, (size_t)(end - view.data) + 1);
    return true;
}

static void promises_tap(void *arg, struct sim_end *from, struct rg_bytes bytes)
{
    struct sim_check_promises *check = arg;
    struct sim_end *to = sim_end_peer(from);
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_request request;
    struct rg_group_msg msg;

    if (from->host >= check->count || to->host >= check->count)
        return;
    if (from->tapped == TAP_NEW && from->side == 0) {
        bool member = rg_bytes_starts_with(bytes, RG_BYTES("GROUP HELLO"));
        from->tapped = to->tapped = member ? TAP_HELLO : TAP_OTHER;
    }
    if (from->tapped != TAP_HELLO && from->tapped != TAP_MEMBER)
        return;
    rg_buf_append_bytes(&from->tap_bytes, bytes);
    if (from->tapped == TAP_HELLO && !promises_skip_line(&from->tap_bytes))
        return;
    from->tapped = TAP_MEMBER;
    while (rg_buf_len(&from->tap_bytes) > 0 &&
           rg_request_parse(&parser, rg_buf_view(&from->tap_bytes), &request) == 0) {
        if (rg_group_msg_read(request.argv, request.argc, &msg) == 0)
            promises_judge(check, from->host, to->host, &msg);
        rg_buf_consume(&from->tap_bytes, request.size);
        rg_request_parser_fini(&parser);
        parser = (struct rg_request_parser){.authenticated = true};
    }
    rg_request_parser_fini(&parser);
    if (rg_buf_len(&from->tap_bytes) == 0)
        rg_buf_reset(&from->tap_bytes, 1024);
}

void sim_check_promises_init(struct sim_check_promises *check, struct sim_network *network,
                             struct sim_machine *machines, unsigned count)
{
    *check = (struct sim_check_promises){network->loop, network, machines, count};
    network->tap = promises_tap;
    network->tap_arg = check;
}
