#ifndef RG_SIM_HISTORY_H
#define RG_SIM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What clients did and saw. A register is a key, or a field of a hash, that takes unique values; a
 * counter is a key that is only incremented. A paired register has a twin, written in the same
 * transaction and read by the same command: whoever sees them differ saw the middle of one. Moments
 * are numbers in order of happening, so that no two are equal.
 */
enum {
    SIM_REGISTERS = 12,
    SIM_HASH_REGISTERS = 4,   /* the last ones are fields of one hash */
    SIM_PAIRED_REGISTERS = 3, /* those before them are written together with a twin */
    SIM_COUNTERS = 2,
};
enum { SIM_NO_VALUE = -1 };

enum sim_op_kind { SIM_OP_WRITE, SIM_OP_READ, SIM_OP_REPLICA_READ, SIM_OP_INCR, SIM_OP_OTHER };

enum sim_outcome {
    SIM_PENDING, /* no answer: may take effect at any later time, or never */
    SIM_OK,
    SIM_REFUSED, /* certainly without effect */
    SIM_UNKNOWN,
};

struct sim_op {
    enum sim_op_kind kind;
    enum sim_outcome outcome;
    unsigned client;
    unsigned target; /* register or counter */
    unsigned before; /* replies that are still to come in front of the one that tells */
    int64_t value;   /* written or read; SIM_NO_VALUE: nothing there */
    uint64_t began;
    uint64_t ended;
    int64_t began_us;
};

struct sim_history {
    struct sim_op *ops; /* owned */
    size_t count;
    size_t cap;
    uint64_t moment;
    int64_t next_value;
    uint64_t acked_writes;
    uint64_t reads;
    uint64_t unknown;
    int64_t last_write_us; /* true time of the last acknowledged write */
};

void sim_history_fini(struct sim_history *history);
/* Returns the operation's number. */
size_t sim_history_begin(struct sim_history *history, const struct sim_op *op, int64_t now_us);
void sim_history_end(struct sim_history *history, size_t number, enum sim_outcome outcome,
                     int64_t value, int64_t now_us);

#endif
