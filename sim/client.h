#ifndef RG_SIM_CLIENT_H
#define RG_SIM_CLIENT_H

#include "sim/check_loss.h"
#include "sim/history.h"
#include "sim/network.h"

/*
 * A client of the group, which knows nothing but bytes: it asks a node who is primary, as clients
 * of Sentinel do, talks to that one, and asks again when it is refused or cut off. Everything that
 * it does and sees goes into the history; what it was shown is checked at once (sim/check_loss.h).
 */
enum { SIM_MAX_PIPELINE = 16 };

enum sim_client_kind {
    SIM_CLIENT_WRITER, /* reads and writes at the primary */
    SIM_CLIENT_READER, /* reads at any node */
    SIM_CLIENT_ADMIN,  /* says one command to one node, when told to */
};

enum sim_client_phase {
    SIM_PHASE_LOAD,
    SIM_PHASE_QUIET, /* begins nothing new */
    SIM_PHASE_AUDIT, /* reads every register once, from the primary */
};

/* What all clients of a world share. */
struct sim_workload {
    struct sim_loop *loop;
    struct sim_network *network;
    struct sim_history history;
    struct sim_log_tree *tree;
    enum rg_mode mode;
    unsigned nodes;
    unsigned registers; /* in use */
    uint16_t base_port;
    int64_t think_us; /* mean pause between operations */
    int64_t timeout_us;
    enum sim_client_phase phase;
    double reads;  /* share of reads among operations */
    double others; /* share of operations that only change keys */
};

enum sim_client_state { SIM_CLIENT_IDLE, SIM_CLIENT_DIALING, SIM_CLIENT_ASKING, SIM_CLIENT_READY };

struct sim_client {
    struct sim_workload *load;
    enum sim_client_kind kind;
    unsigned index;
    unsigned host;
    unsigned pipeline; /* most operations under way */
    enum sim_client_state state;
    struct sim_end *end; /* NULL: not connected */
    unsigned node;       /* whom it talks to, or will dial next */
    struct rg_buf in;
    size_t waiting[SIM_MAX_PIPELINE]; /* operations without an answer, oldest first */
    unsigned waiting_count;
    int64_t since_us; /* when it last dialled, asked, or was answered */
    struct sim_event timer;
    unsigned audited; /* registers read in the audit */
    char command[64]; /* ADMIN */
    uint64_t reconnects;
};

void sim_client_init(struct sim_client *client, struct sim_workload *load,
                     enum sim_client_kind kind, unsigned index);
void sim_client_fini(struct sim_client *client);
/* ADMIN: dials node and says command (inline form). */
void sim_client_say(struct sim_client *client, unsigned node, const char *command);
/* The phase changed. */
void sim_client_wake(struct sim_client *client);
bool sim_client_idle(const struct sim_client *client);

#endif
