#include "base/panic.h"
#include "node/node_impl.h"

/*
 * Large values on their way out that are not copied: between two pieces of a connection's output
 * stands what the store holds. It stays as it is until something is run that may change a value, or
 * the host was asked for the output and did not take all of it; before that, what is left becomes a
 * part of the output (lend_end). So nobody else has to know of it, and in nearly every case the
 * value was sent by then.
 */

bool lend_allowed(const struct rg_command *command)
{
    enum { CHANGES = RG_CMD_WRITE | RG_CMD_MAY_REPLICATE };

    return command->run != NULL && (command->flags & RG_CMD_READONLY) &&
           !(command->flags & (uint32_t)CHANGES);
}

void lend_begin(struct rg_node *node, struct rg_conn *conn)
{
    RG_ASSERT(conn->lents.count > 0 && conn->gated_bytes == 0);
    if (rg_list_empty(&conn->lend_link))
        rg_list_append(&node->lending, &conn->lend_link);
}

unsigned lend_output(const struct rg_conn *conn, size_t ready, struct rg_bytes *ret_runs,
                     unsigned max)
{
    const char *out = rg_buf_view(&conn->out).data;
    size_t at = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < conn->lents.count && n < max; i++) {
        const struct rg_lent *lent = &conn->lents.items[i];
        RG_ASSERT(lent->at >= at && lent->at < ready);
        if (lent->at > at)
            ret_runs[n++] = rg_bytes(out + at, lent->at - at);
        at = lent->at;
        if (n < max)
            ret_runs[n++] = lent->bytes;
        else
            return n;
    }
    if (n < max && ready > at)
        ret_runs[n++] = rg_bytes(out + at, ready - at);
    return n;
}

size_t lend_sent(struct rg_conn *conn, size_t n)
{
    struct rg_lents *lents = &conn->lents;
    size_t own = 0;
    unsigned done = 0;

    for (; done < lents->count; done++) {
        struct rg_lent *lent = &lents->items[done];
        size_t before = lent->at - own;
        if (n <= before)
            break;
        own += before;
        n -= before;
        size_t taken = n < lent->bytes.len ? n : lent->bytes.len;
        lent->bytes = rg_bytes(lent->bytes.data + taken, lent->bytes.len - taken);
        n -= taken;
        if (lent->bytes.len > 0)
            break;
    }
    own += n;
    lents->count -= done;
    for (unsigned i = 0; i < lents->count; i++) {
        lents->items[i] = lents->items[i + done];
        lents->items[i].at -= own;
    }
    return own;
}

uint64_t lend_bytes(const struct rg_conn *conn)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < conn->lents.count; i++)
        bytes += conn->lents.items[i].bytes.len;
    return bytes;
}

void lend_end(struct rg_conn *conn)
{
    enum { RUNS = 2 * RG_LENTS_MAX + 1 };
    struct rg_bytes runs[RUNS];
    struct rg_buf whole = {0};

    rg_list_remove(&conn->lend_link);
    if (conn->lents.count == 0)
        return;
    unsigned count = lend_output(conn, rg_buf_len(&conn->out), runs, RUNS);
    (void)rg_buf_reserve(&whole, rg_buf_len(&conn->out) + lend_bytes(conn));
    for (unsigned i = 0; i < count; i++)
        rg_buf_append_bytes(&whole, runs[i]);
    conn->lents.count = 0;
    rg_buf_fini(&conn->out);
    conn->out = whole;
}

void lend_end_all(struct rg_node *node)
{
    RG_LIST_EACH(link, &node->lending)
    {
        lend_end(RG_CONTAINER_OF(link, struct rg_conn, lend_link));
    }
}
