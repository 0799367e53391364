#ifndef RG_SENTINEL_STATE_H
#define RG_SENTINEL_STATE_H

#include "base/list.h"
#include "base/rand.h"
#include "sentinel/sentinel.h"

/*
 * What the files of src/sentinel share. Times are monotonic milliseconds, as Redis Sentinel shows
 * them; 0 is "never". Every input ends in a step (sentinel.c), which looks at all that may be due.
 */

enum {
    SENTINEL_ID_LEN = 40,
    SENTINEL_HOST_CHARS = 256,
    SENTINEL_MAX_PENDING = 100,
    SENTINEL_SCRIPT_QUEUE = 256,
    SENTINEL_SCRIPT_RUNNING = 16,
    SENTINEL_SCRIPT_RETRIES = 10,
    /* Every step that could be waited for is shorter where somebody is down. */
    SENTINEL_TICK_MS = 100,
    SENTINEL_TICK_BUSY_MS = 20,
};

/* The timers that SENTINEL DEBUG shows, in its order; milliseconds. */
enum sentinel_timer {
    TIMER_INFO,
    TIMER_PING,
    TIMER_ASK,
    TIMER_PUBLISH,
    TIMER_DOWN_AFTER,
    TIMER_FAILOVER_TIMEOUT,
    TIMER_TILT_TRIGGER,
    TIMER_TILT,
    TIMER_RECONF,
    TIMER_RECONNECT,
    TIMER_ELECTION,
    TIMER_SCRIPT_RUN,
    TIMER_SCRIPT_RETRY,
    TIMERS
};

/* Where a node is. host: as it was given, a name or an address; ip: "" while nobody knows. */
struct sentinel_addr {
    char host[SENTINEL_HOST_CHARS];
    char ip[64];
    uint16_t port; /* 0: known to be wrong */
};

enum sentinel_kind { KIND_PRIMARY, KIND_REPLICA, KIND_SENTINEL };

enum sentinel_flag {
    FLAG_S_DOWN = 1 << 0,
    FLAG_O_DOWN = 1 << 1,
    FLAG_MASTER_DOWN = 1 << 2, /* of a sentinel: it says that the primary is down */
    FLAG_FAILOVER = 1 << 3,
    FLAG_PROMOTED = 1 << 4,
    FLAG_RECONF_SENT = 1 << 5,
    FLAG_RECONF_INPROG = 1 << 6,
    FLAG_RECONF_DONE = 1 << 7,
    FLAG_FORCE_FAILOVER = 1 << 8,
    FLAG_SCRIPT_KILL_SENT = 1 << 9,
    FLAG_MASTER_REBOOT = 1 << 10,
};

/* What a reply on a link is the answer to. */
enum sentinel_ask { ASK_NOTHING, ASK_PING, ASK_INFO, ASK_HELLO, ASK_DOWN };

struct rg_sentinel_link {
    struct rg_list all;          /* in sentinel->links */
    struct sentinel_inst *owner; /* NULL: nobody wants to hear of it any more */
    void *user;
    bool pubsub;
    bool open;
    bool closing;
    bool subscribed;
    int64_t opened_ms;
    unsigned char pending[SENTINEL_MAX_PENDING + 32]; /* enum sentinel_ask, oldest first */
    unsigned pending_count;
    char local[64]; /* our end's address */
};

/*
 *  NONE --+try-failover--> WAIT_START --elected--> SELECT --+selected-slave--> SEND_NOONE --sent-->
 *  WAIT_PROMOTION --it says that it is a primary--> RECONF --all follow it--> UPDATE --> NONE
 */
enum sentinel_failover {
    FAILOVER_NONE,
    FAILOVER_WAIT_START,
    FAILOVER_SELECT,
    FAILOVER_SEND_NOONE,
    FAILOVER_WAIT_PROMOTION,
    FAILOVER_RECONF,
    FAILOVER_UPDATE,
};

/* A directive of one primary that renames a command on its nodes. */
struct sentinel_rename {
    struct rg_list link;
    char *from; /* owned */
    char *to;   /* owned */
};

/* A primary, or a replica or sentinel of one. Fields of one kind only are marked. */
struct sentinel_inst {
    struct rg_list link; /* in sentinel->primaries, or the primary's replicas or sentinels */
    enum sentinel_kind kind;
    struct sentinel_inst *primary; /* itself for a primary */
    unsigned flags;
    char *name; /* owned */
    char runid[SENTINEL_ID_LEN + 1];
    struct sentinel_addr addr;

    /* Its links. */
    struct rg_sentinel_link *cmd;
    struct rg_sentinel_link *sub; /* primaries and replicas */
    int64_t dialled_ms[2];
    int64_t cmd_open_ms;
    int64_t sub_open_ms;
    int64_t sub_active_ms;
    int64_t act_ping_ms; /* when the oldest PING without an answer was sent */
    int64_t last_ping_ms;
    int64_t last_avail_ms; /* last answer that shows it able to serve */
    int64_t last_pong_ms;
    bool refused;     /* the last dial found nobody there */
    int64_t broke_ms; /* when its command link broke; 0: it stands */

    int64_t down_after_ms;
    int64_t s_down_since_ms;
    int64_t o_down_since_ms;
    int64_t last_pub_ms;
    int64_t last_hello_ms; /* sentinels */

    /* From INFO. */
    int64_t info_ms; /* when it was refreshed */
    int64_t info_asked_ms;
    enum sentinel_kind role; /* PRIMARY or REPLICA */
    int64_t role_ms;
    struct rg_buf info;
    bool in_group; /* a member of a Regent group, which elects its primary itself */
    uint64_t group_term;
    bool group_leads; /* it is the primary of its group in that term */

    /* Replicas. */
    int64_t link_down_ms; /* for how long it has been without its primary */
    int64_t priority;
    int64_t reconf_sent_ms;
    struct sentinel_addr follows; /* host "" : unknown */
    bool link_up;
    uint64_t offset;
    int64_t follows_ms; /* since when */
    bool announced;

    /* Sentinels. */
    char leader[SENTINEL_ID_LEN + 1]; /* its vote; of a primary: ours. "" */
    uint64_t leader_epoch;
    int64_t asked_ms;
    int64_t answered_ms;
    uint64_t asked_epoch; /* the last in which it was asked for its vote */

    /* Primaries. */
    struct rg_list replicas;
    struct rg_list sentinels;
    struct rg_list renames;
    unsigned quorum;
    int64_t parallel_syncs;
    int64_t failover_timeout_ms;
    uint64_t config_epoch;
    char *auth_user; /* owned; NULL */
    char *auth_pass;
    char *notification_script;
    char *reconfig_script;
    int64_t reboot_down_after_ms;
    int64_t reboot_ms;
    enum sentinel_failover state;
    int64_t state_ms;
    uint64_t failover_epoch;
    int64_t failover_start_ms; /* when the attempt began, or one of another was voted for */
    int64_t failover_next_ms;  /* not before */
    unsigned failed_attempts;  /* in a row */
    struct sentinel_inst *promoted;
};

struct sentinel_script {
    struct rg_list link;
    uint64_t id;
    char *argv[RG_SENTINEL_SCRIPT_ARGS + 1]; /* owned */
    int retries;
    bool running;
    bool killed;
    int64_t start_ms; /* of the run, or not before; 0: at once */
};

struct sentinel_effect {
    struct rg_list link;
    struct rg_sentinel_effect effect;
    struct rg_buf bytes;
    char *text; /* host or channel; owned */
};

struct rg_sentinel {
    struct rg_rand rand;
    struct rg_time now;
    int64_t now_ms;
    uint16_t port;
    char *requirepass; /* owned; "" */
    unsigned planted;
    char id[SENTINEL_ID_LEN + 1];
    bool started;
    uint64_t current_epoch;
    struct rg_list primaries;
    int64_t timers[TIMERS];
    bool tilt;
    int64_t tilt_ms;
    int64_t stepped_ms;
    int64_t wake_ms; /* the next step, where nothing happens */

    /* What has to be on disk: seq is the newest, durable what is there of it. */
    uint64_t seq;
    uint64_t durable;
    bool dirty; /* something changed since seq was given out */
    bool disk_failed;
    int64_t persist_retry_ms;

    /* Global directives. */
    char announce_ip[SENTINEL_HOST_CHARS];
    uint16_t announce_port;
    bool deny_scripts;
    bool resolve_hostnames;
    bool announce_hostnames;
    char *sentinel_user; /* owned; NULL */
    char *sentinel_pass;
    unsigned simulate; /* enum sentinel_simulate */

    struct rg_list links;
    struct rg_list scripts;
    unsigned scripts_count;
    unsigned scripts_running;
    uint64_t next_script;

    struct rg_list effects;
    struct sentinel_effect *pulled;
};

enum sentinel_simulate { SIMULATE_AFTER_ELECTION = 1, SIMULATE_AFTER_PROMOTION = 2 };

/* ---- inst.c ---- */
/* Replicas and sentinels take most from their primary. name NULL: "host:port". */
struct sentinel_inst *sentinel_inst_new(struct rg_sentinel *s, enum sentinel_kind kind,
                                        const char *name, const struct sentinel_addr *addr,
                                        struct sentinel_inst *primary);
/* Takes it out of its list and frees it, with all that hangs on it. */
void sentinel_inst_free(struct rg_sentinel *s, struct sentinel_inst *inst);
struct sentinel_inst *sentinel_primary_named(const struct rg_sentinel *s, struct rg_bytes name);
/* NULL: none at that address. */
struct sentinel_inst *sentinel_find(const struct rg_list *list, const struct sentinel_addr *addr);
struct sentinel_inst *sentinel_find_id(const struct rg_list *list, struct rg_bytes runid);
unsigned sentinel_count(const struct rg_list *list);
/* Forgets what was seen of a primary; its replicas too, and its sentinels where asked. */
void sentinel_primary_reset(struct rg_sentinel *s, struct sentinel_inst *primary, bool sentinels);
/* The primary is at another address from here on; who was there is a replica. */
void sentinel_primary_move(struct rg_sentinel *s, struct sentinel_inst *primary,
                           const struct sentinel_addr *addr);
/* Errors: RG_EINVAL (neither address nor a name that may be used), RG_ERANGE (port). */
RG_MUST_USE int sentinel_addr_make(const struct rg_sentinel *s, struct rg_bytes host, int64_t port,
                                   struct sentinel_addr *ret_addr);
bool sentinel_addr_equal(const struct sentinel_addr *a, const struct sentinel_addr *b);
/* host is one of the names of addr, at the same port. */
bool sentinel_addr_is(const struct sentinel_addr *addr, const char *host, uint16_t port);
/* As others are told. */
const char *sentinel_addr_host(const struct rg_sentinel *s, const struct sentinel_addr *addr);
/* The primary's address, or that of the replica that took its place. */
const struct sentinel_addr *sentinel_current_addr(const struct sentinel_inst *primary);
void sentinel_set_string(char **slot, struct rg_bytes value); /* "": NULL */

/* ---- link.c ---- */
void sentinel_link_dial(struct rg_sentinel *s, struct sentinel_inst *inst);
void sentinel_link_drop(struct rg_sentinel *s, struct rg_sentinel_link **slot);
bool sentinel_link_is_up(const struct sentinel_inst *inst);
/* Sends on the command link. False: it is not open. */
bool sentinel_send(struct rg_sentinel *s, struct sentinel_inst *inst, enum sentinel_ask ask,
                   const struct rg_bytes *argv, int argc);
/* The same of C strings, ended by NULL. */
bool sentinel_send_words(struct rg_sentinel *s, struct sentinel_inst *inst, enum sentinel_ask ask,
                         const char *const *words);
#define sentinel_send_strs(s, inst, ask, ...)                                                      \
    sentinel_send_words(s, inst, ask, (const char *const[]){__VA_ARGS__})
/* host NULL: it becomes a primary. */
bool sentinel_send_slaveof(struct rg_sentinel *s, struct sentinel_inst *inst, const char *host,
                           uint16_t port);
void sentinel_send_ping(struct rg_sentinel *s, struct sentinel_inst *inst);
void sentinel_send_info(struct rg_sentinel *s, struct sentinel_inst *inst);
/* What is sent every so often. */
void sentinel_link_periodic(struct rg_sentinel *s, struct sentinel_inst *inst);

/* ---- hello.c ---- */
void sentinel_hello_send(struct rg_sentinel *s, struct sentinel_inst *inst);
/* All who know of the primary are to be told soon. */
void sentinel_hello_soon(struct sentinel_inst *primary);

/* ---- info.c ---- */
void sentinel_info_take(struct rg_sentinel *s, struct sentinel_inst *inst, struct rg_bytes text);

/* ---- down.c ---- */
void sentinel_check_sdown(struct rg_sentinel *s, struct sentinel_inst *inst);
void sentinel_check_odown(struct rg_sentinel *s, struct sentinel_inst *primary);
/* Asks the others what they think of it; forced: and for their votes, at once. */
void sentinel_ask_others(struct rg_sentinel *s, struct sentinel_inst *primary, bool forced);
void sentinel_answer_down(struct rg_sentinel *s, struct sentinel_inst *inst, int64_t down,
                          struct rg_bytes leader, int64_t epoch);
/* Nothing suspicious is known of the primary. */
bool sentinel_primary_sane(const struct rg_sentinel *s, const struct sentinel_inst *primary);
bool sentinel_not_down_for(const struct rg_sentinel *s, const struct sentinel_inst *inst,
                           int64_t ms);

/* ---- vote.c ---- */
/* The vote for that epoch, given now where it was not yet; "" where there is none. */
const char *sentinel_vote(struct rg_sentinel *s, struct sentinel_inst *primary, uint64_t epoch,
                          const char *candidate, uint64_t *ret_epoch);
/* Who leads in that epoch; NULL: nobody yet. lost: this one cannot win any more. */
const char *sentinel_leader(struct rg_sentinel *s, struct sentinel_inst *primary, uint64_t epoch,
                            bool *ret_lost);
void sentinel_new_epoch(struct rg_sentinel *s, struct sentinel_inst *primary, uint64_t epoch);

/* ---- failover.c, select.c ---- */
void sentinel_failover_begin(struct rg_sentinel *s, struct sentinel_inst *primary);
/* True: an attempt began. */
bool sentinel_failover_if_needed(struct rg_sentinel *s, struct sentinel_inst *primary);
void sentinel_failover_run(struct rg_sentinel *s, struct sentinel_inst *primary);
void sentinel_failover_abort(struct rg_sentinel *s, struct sentinel_inst *primary);
void sentinel_failover_state(struct rg_sentinel *s, struct sentinel_inst *primary,
                             enum sentinel_failover state);
void sentinel_failover_promoted(struct rg_sentinel *s, struct sentinel_inst *replica);
const char *sentinel_failover_name(enum sentinel_failover state);
/* The best replica; NULL: none that may take over. */
struct sentinel_inst *sentinel_select(const struct rg_sentinel *s,
                                      const struct sentinel_inst *primary);

/* ---- event.c ---- */
/* Logged, published where it is no DEBUG, and given to the primary's script where it is a WARNING.
 * inst: stands before the text; NULL: the text alone. */
void sentinel_event(struct rg_sentinel *s, enum rg_sentinel_level level, const char *type,
                    const struct sentinel_inst *inst, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void sentinel_say(struct rg_sentinel *s, enum rg_sentinel_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct sentinel_effect *sentinel_effect_add(struct rg_sentinel *s,
                                            enum rg_sentinel_effect_type type);
/* Nothing more is to be done for the link. */
void sentinel_effects_forget(struct rg_sentinel *s, const struct rg_sentinel_link *link);
void sentinel_effects_fini(struct rg_sentinel *s);

/* ---- script.c ---- */
void sentinel_script_reconfig(struct rg_sentinel *s, struct sentinel_inst *primary,
                              const char *role, const struct sentinel_addr *from,
                              const struct sentinel_addr *to);
void sentinel_script_notify(struct rg_sentinel *s, const struct sentinel_inst *primary,
                            const char *type, const char *text);
void sentinel_scripts_run(struct rg_sentinel *s);
void sentinel_script_free(struct sentinel_script *script);

/* ---- set.c, config.c ---- */
#define SENTINEL_SET_UNKNOWN 0
/* One option of SENTINEL SET and of the file. Returns how many of the words behind the option it
 * took; 0: there is no such option with so many. Errors: RG_EINVAL; RG_ENOENT: the script is not
 * there. */
RG_MUST_USE int sentinel_set_option(struct rg_sentinel *s, struct sentinel_inst *primary,
                                    struct rg_bytes option, const struct rg_bytes *values,
                                    int count);
void sentinel_down_after_spread(struct sentinel_inst *primary);

/* ---- sentinel.c ---- */
/* Something that must survive changed. */
void sentinel_dirty(struct rg_sentinel *s);
/* All that must survive does: epochs and votes may be told. */
bool sentinel_is_settled(const struct rg_sentinel *s);
/* A step is wanted soon. */
void sentinel_wake(struct rg_sentinel *s, int64_t in_ms);

/* ---- report.c, command.c, command_set.c ---- */
void sentinel_report(const struct rg_sentinel *s, const struct sentinel_inst *inst,
                     struct rg_reply *reply);
void sentinel_cmd_set(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                      struct rg_reply *reply);
void sentinel_cmd_config(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                         struct rg_reply *reply);
void sentinel_cmd_debug(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                        struct rg_reply *reply);
void sentinel_cmd_simulate(struct rg_sentinel *s, const struct rg_bytes *argv, int argc,
                           struct rg_reply *reply);

#endif
