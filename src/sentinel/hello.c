#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "sentinel/state.h"

/*
 * What sentinels say of themselves and of their configuration, on a channel of every node that they
 * watch and to each other: "ip,port,id,current epoch,name,ip,port,config epoch", the last four of a
 * primary. So they find each other, and the newest configuration wins.
 */

enum { HELLO_WORDS = 8 };

void sentinel_hello_soon(struct sentinel_inst *primary)
{
    struct rg_list *lists[] = {&primary->replicas, &primary->sentinels};

    primary->last_pub_ms = 0;
    for (int i = 0; i < 2; i++) {
        RG_LIST_EACH(at, lists[i])
        {
            RG_CONTAINER_OF(at, struct sentinel_inst, link)->last_pub_ms = 0;
        }
    }
}

void sentinel_hello_send(struct rg_sentinel *s, struct sentinel_inst *inst)
{
    const struct sentinel_inst *primary = inst->primary;
    const struct sentinel_addr *at = sentinel_current_addr(primary);
    struct rg_buf text = {0};

    if (!sentinel_link_is_up(inst))
        return;
    rg_buf_printf(&text, "%s,%u,%s,%llu,%s,%s,%u,%llu",
                  s->announce_ip[0] != '\0' ? s->announce_ip : inst->cmd->local,
                  s->announce_port != 0 ? s->announce_port : s->port, s->id,
                  (unsigned long long)s->current_epoch, primary->name, sentinel_addr_host(s, at),
                  at->port, (unsigned long long)primary->config_epoch);
    struct rg_bytes argv[] = {RG_BYTES("PUBLISH"), RG_BYTES(RG_SENTINEL_CHANNEL),
                              rg_buf_view(&text)};
    if (sentinel_send(s, inst, ASK_HELLO, argv, 3))
        inst->last_pub_ms = s->now_ms;
    rg_buf_fini(&text);
}

struct hello {
    struct sentinel_addr addr;
    struct rg_bytes id;
    uint64_t current_epoch;
    struct rg_bytes name;
    struct sentinel_addr primary;
    uint64_t config_epoch;
};

static bool hello_addr(const struct rg_sentinel *s, struct rg_bytes host, struct rg_bytes port,
                       struct sentinel_addr *ret_addr)
{
    int64_t number = 0;

    return rg_parse_i64(port, &number) == 0 && number > 0 &&
           sentinel_addr_make(s, host, number, ret_addr) == 0;
}

static bool hello_read(const struct rg_sentinel *s, struct rg_bytes message, struct hello *hello)
{
    struct rg_bytes words[HELLO_WORDS];

    for (int i = 0; i < HELLO_WORDS; i++) {
        if (message.len == 0)
            return false;
        words[i] = rg_bytes_cut(&message, ',');
    }
    hello->id = words[2];
    hello->name = words[4];
    return message.len == 0 && words[2].len == SENTINEL_ID_LEN &&
           hello_addr(s, words[0], words[1], &hello->addr) &&
           rg_parse_u64(words[3], &hello->current_epoch) == 0 &&
           hello_addr(s, words[5], words[6], &hello->primary) &&
           rg_parse_u64(words[7], &hello->config_epoch) == 0;
}

/* A sentinel that was not known, or is at another address now. */
static struct sentinel_inst *hello_join(struct rg_sentinel *s, struct sentinel_inst *primary,
                                        const struct hello *hello)
{
    struct sentinel_inst *known = sentinel_find_id(&primary->sentinels, hello->id);
    char name[SENTINEL_ID_LEN + 1];
    bool moved = known != NULL;

    if (moved) {
        sentinel_event(s, RG_SENTINEL_NOTICE, "+sentinel-address-switch", primary,
                       " ip %s port %u for %.*s", hello->addr.host, hello->addr.port,
                       SENTINEL_ID_LEN, hello->id.data);
        sentinel_inst_free(s, known);
    }
    struct sentinel_inst *other = sentinel_find(&primary->sentinels, &hello->addr);
    if (other != NULL) {
        /* Where the other one was there is this one now; it will say where it went to. */
        sentinel_event(s, RG_SENTINEL_NOTICE, "+sentinel-invalid-addr", other, "%s", "");
        other->addr.port = 0;
        sentinel_link_drop(s, &other->cmd);
    }
    (void)snprintf(name, sizeof(name), "%.*s", SENTINEL_ID_LEN, hello->id.data);
    struct sentinel_inst *sentinel =
        sentinel_inst_new(s, KIND_SENTINEL, name, &hello->addr, primary);
    memcpy(sentinel->runid, name, sizeof(name));
    if (!moved)
        sentinel_event(s, RG_SENTINEL_NOTICE, "+sentinel", sentinel, "%s", "");
    sentinel_dirty(s);
    return sentinel;
}

static void hello_configuration(struct rg_sentinel *s, struct sentinel_inst *primary,
                                struct sentinel_inst *from, const struct hello *hello)
{
    struct sentinel_addr before = *sentinel_current_addr(primary);
    /* An own failover of an older epoch is over, also where it is back to the address before it. */
    bool overtaken =
        (primary->flags & FLAG_FAILOVER) && primary->failover_epoch < hello->config_epoch;

    if (primary->config_epoch >= hello->config_epoch)
        return;
    primary->config_epoch = hello->config_epoch;
    sentinel_dirty(s);
    if (!overtaken && sentinel_addr_equal(&before, &hello->primary))
        return;
    sentinel_event(s, RG_SENTINEL_WARNING, "+config-update-from", from, "%s", "");
    sentinel_event(s, RG_SENTINEL_WARNING, "+switch-master", NULL, "%s %s %u %s %u", primary->name,
                   sentinel_addr_host(s, &before), before.port,
                   sentinel_addr_host(s, &hello->primary), hello->primary.port);
    sentinel_script_reconfig(s, primary, "observer", &before, &hello->primary);
    sentinel_primary_move(s, primary, &hello->primary);
}

void rg_sentinel_hello(struct rg_sentinel *s, struct rg_bytes message, struct rg_time now)
{
    struct hello hello;

    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    if (!hello_read(s, message, &hello) || rg_bytes_is(hello.id, s->id))
        return;
    struct sentinel_inst *primary = sentinel_primary_named(s, hello.name);
    if (primary == NULL)
        return;
    struct sentinel_inst *from = sentinel_find_id(&primary->sentinels, hello.id);
    if (from == NULL || !sentinel_addr_equal(&from->addr, &hello.addr))
        from = hello_join(s, primary, &hello);
    from->last_hello_ms = s->now_ms;
    if (hello.current_epoch > s->current_epoch)
        sentinel_new_epoch(s, primary, hello.current_epoch);
    hello_configuration(s, primary, from, &hello);
}
