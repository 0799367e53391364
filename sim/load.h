#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct sim_machine;

/* What a machine's node is given of its disk before it begins (sim/load.c). Private to machine.c.
 */
enum { SIM_LOAD_PATH = 128 };
struct sim_load {
    bool on; /* there is more */
    bool log;
    unsigned file; /* of the log's */
    char name[SIM_LOAD_PATH];
    size_t position; /* in that file */
};

/* The state file goes to the node at once; load->on says whether there is more. Errors: those of
 * the node's loading, RG_EIO. */
int sim_load_begin(struct sim_load *load, struct sim_machine *machine);
/* The next piece. Errors: the same. */
int sim_load_step(struct sim_load *load, struct sim_machine *machine);

#endif
