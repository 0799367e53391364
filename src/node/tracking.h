#ifndef RG_NODE_TRACKING_H
#define RG_NODE_TRACKING_H

#include "node/node_impl.h"
#include "store/table.h"

/*
 * CLIENT TRACKING: clients keep what they read, and are told when a key of it changes. A client
 * either has the keys remembered that its reads name (tracking.c), of whatever database, or hears
 * of all keys that begin with its prefixes (tracking_prefix.c).
 */
enum tracking_flag {
    TRACKING_BCAST = 1 << 0,
    TRACKING_OPTIN = 1 << 1,   /* reads count only behind CLIENT CACHING YES */
    TRACKING_OPTOUT = 1 << 2,  /* all but those behind CLIENT CACHING NO */
    TRACKING_NOLOOP = 1 << 3,  /* not told of its own changes */
    TRACKING_CACHING = 1 << 4, /* CLIENT CACHING was the command before */
    TRACKING_BROKEN = 1 << 5,  /* a message could not be redirected */
};

struct tracking_client {
    struct rg_list link; /* in rg_tracking.clients */
    struct rg_conn *conn;
    unsigned flags;        /* enum tracking_flag */
    uint64_t redirect_id;  /* 0: messages go to the client itself */
    struct rg_conn *other; /* whom they go to; NULL: it is gone */
    struct rg_list items;  /* of struct tracked_item: the keys that it read */
    struct rg_list hears;  /* of struct prefix_client */
};

struct rg_tracking {
    struct rg_list clients;
    /* Keys by name (tracking.c); the pool is made with the first one. */
    struct rg_pool *pool;
    struct rg_table keys;
    struct rg_list by_age; /* the one longest remembered is the first */
    uint64_t items;
    uint64_t bytes; /* of keys and items */
    /* Prefixes by name (tracking_prefix.c). */
    struct rg_list prefixes;
    uint64_t prefix_count;
    bool prefix_news; /* a key with one of them changed */
    /* What a client that runs a transaction is to be told behind its reply: lengths and keys. */
    const struct rg_conn *held;
    struct rg_buf pending;
};

/* ---- tracking.c ---- */
struct rg_tracking *tracking_new(void);
/* All clients are off. */
void tracking_free(struct rg_tracking *tracking);
/* conn->tracking is made, or takes the new options. redirect: NULL, or whom to tell instead. */
void tracking_begin(struct rg_node *node, struct rg_conn *conn, unsigned flags,
                    struct rg_conn *redirect);
void tracking_end(struct rg_node *node, struct rg_conn *conn);
/* The connection goes: it is neither told nor tracked any more. */
void tracking_conn_gone(struct rg_node *node, struct rg_conn *conn);
/* The client ran a command that reads. */
void tracking_remember(const struct rg_call *call);
/* Its command is over: CLIENT CACHING holds no longer. */
void tracking_command_over(const struct rg_call *call);
/* A key changed; by: the client that changed it, or NULL. */
void tracking_changed(struct rg_node *node, const struct rg_conn *by, struct rg_bytes key);
/* All keys went. */
void tracking_flushed(struct rg_node *node);
/* What the client would be told waits, as long as it runs a transaction … */
void tracking_hold(struct rg_node *node, const struct rg_conn *conn);
/* … and goes out behind the reply. */
void tracking_settle(struct rg_node *node, struct rg_conn *conn);
uint64_t tracking_memory(const struct rg_node *node);
/*
 * Begins a message to who hears for the client; the keys follow as one value, then
 * tracking_tell_end. False: there is no way to tell it.
 */
struct tracking_message {
    struct rg_conn *conn;
    struct rg_reply reply;
    size_t mark;
};
bool tracking_tell_begin(struct rg_node *node, struct tracking_client *client,
                         struct tracking_message *ret_message);
void tracking_tell_end(struct rg_node *node, struct tracking_message *message);

/* ---- tracking_prefix.c ---- */
/* A prefix that the client has with which this one overlaps: one begins with the other. NULL. */
const struct rg_bytes *prefix_overlap(const struct tracking_client *client, struct rg_bytes prefix);
void prefix_add(struct rg_node *node, struct tracking_client *client, struct rg_bytes name);
void prefix_drop_all(struct rg_node *node, struct tracking_client *client);
/* Keeps the key for the clients of its prefixes … */
void prefix_changed(struct rg_node *node, const struct rg_conn *by, struct rg_bytes key);
/* … who are told of all of them at the end of a run. */
void prefix_tell(struct rg_node *node);
/* The client's prefixes in order; visit may be NULL. Returns their number. */
int64_t prefix_each(const struct tracking_client *client,
                    void (*visit)(void *arg, struct rg_bytes prefix), void *arg);

#endif
