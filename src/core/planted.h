#ifndef RG_CORE_PLANTED_H
#define RG_CORE_PLANTED_H

/*
 * Faults that the simulator's own test plants to see that its checkers find them. They exist only
 * in objects built with RG_PLANTED_FAULTS, which nothing but that test links.
 */
enum rg_planted {
    RG_PLANTED_VOTE_NOT_DURABLE = 1 << 0,   /* tells a vote before it is durable */
    RG_PLANTED_NO_PROMISES = 1 << 1,        /* promoted with its own vote alone */
    RG_PLANTED_EARLY_ACK = 1 << 2,          /* releases replies before the mode is met */
    RG_PLANTED_DEPOSED_ACKS = 1 << 3,       /* goes on serving after a higher term was seen */
    RG_PLANTED_STALE_LEASE = 1 << 4,        /* believes its lease for ever */
    RG_PLANTED_EMPTY_NODE_LEADS = 1 << 5,   /* a node that forgot votes and stands as if healthy */
    RG_PLANTED_KEEPS_DIVERGED_LOG = 1 << 6, /* a diverged log goes on as if it agreed */
    RG_PLANTED_ACK_COUNTED_TWICE = 1 << 7,  /* one member's acknowledgement counts as two */
    RG_PLANTED_HALF_TRANSACTIONS = 1 << 8,  /* applies a transaction's commands as they come */
    RG_PLANTED_ACK_BEFORE_DURABLE = 1 << 9, /* says that memory is disk */
    RG_PLANTED_DISK_OFF_BY_NOTE = 1 << 12,  /* takes a file's notes for bytes of the log */
    RG_PLANTED_BELIEVES_SYNC = 1 << 10,     /* a sync that failed counts as one that did not */
    RG_PLANTED_LOSES_ASIDE = 1 << 11, /* a snapshot drops what changes while a value is written */
};

#ifdef RG_PLANTED_FAULTS
#define RG_PLANTED(mask, fault) (((mask) & (unsigned)(fault)) != 0)
#else
#define RG_PLANTED(mask, fault) ((void)(mask), 0)
#endif

#endif
