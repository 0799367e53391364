#include "base/alloc.h"
#include "base/panic.h"
#include "node/node_impl.h"

/*
 * Memory for connections' input and output. A connection has some while it has something to keep
 * there; between times it lies here for the next one, so that neither an idle connection holds any
 * nor a busy one asks the allocator at every turn.
 */

enum { ROOMS = 256 };

static const size_t ROOM_MAX_BYTES = (size_t)1 << 20; /* of one; a larger one is freed at once */
static const size_t ROOMS_MAX_BYTES = (size_t)16 << 20;

void room_take(struct rg_node *node, struct rg_buf *buf)
{
    if (buf->cap > 0 || node->rooms.count == 0)
        return;
    *buf = node->rooms.spare[--node->rooms.count];
    node->rooms.bytes -= buf->cap;
    /* It counts as the clients' at once: to the eviction no memory is gone. */
    node->clients_memory += buf->cap;
    if (node->rooms.count < node->rooms.low)
        node->rooms.low = node->rooms.count;
}

void room_give(struct rg_node *node, struct rg_buf *buf)
{
    struct rg_rooms *rooms = &node->rooms;

    RG_ASSERT(rg_buf_len(buf) == 0);
    if (buf->cap == 0)
        return;
    if (buf->cap > ROOM_MAX_BYTES || buf->cap + rooms->bytes > ROOMS_MAX_BYTES ||
        rooms->count == ROOMS) {
        rg_buf_fini(buf);
        return;
    }
    if (rooms->spare == NULL)
        rooms->spare = RG_NEW_ARRAY(struct rg_buf, ROOMS);
    rg_buf_reset(buf, buf->cap);
    rooms->spare[rooms->count++] = *buf;
    rooms->bytes += buf->cap;
    node->clients_memory -= buf->cap < node->clients_memory ? buf->cap : node->clients_memory;
    *buf = (struct rg_buf){0};
}

void room_cron(struct rg_node *node)
{
    struct rg_rooms *rooms = &node->rooms;

    /* Half of what nobody needed since the last time goes back. */
    for (unsigned unused = (rooms->low + 1) / 2; unused > 0; unused--) {
        struct rg_buf *oldest = &rooms->spare[0];
        rooms->bytes -= oldest->cap;
        rg_buf_fini(oldest);
        *oldest = rooms->spare[--rooms->count];
    }
    rooms->low = rooms->count;
}

void room_fini(struct rg_node *node)
{
    while (node->rooms.count > 0)
        rg_buf_fini(&node->rooms.spare[--node->rooms.count]);
    rg_free(node->rooms.spare);
}
