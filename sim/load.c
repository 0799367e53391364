#include "sim/load.h"

#include <stdio.h>

#include "sim/machine.h"

/*
 * What a process finds on its disk goes to the node in pieces, a turn for each, as the host does
 * it: the node is up meanwhile, and answers what may be answered without the data.
 */

enum { LOAD_PIECE_LEAST = 64, LOAD_PIECE_MOST = 4096 };

/* Errors: RG_EIO: it is not there. */
static int load_open(struct sim_load *load, const struct sim_machine *machine, const char *name)
{
    if (sim_disk_find(&machine->disk, name) == NULL) {
        sim_fail(machine->loop, "n%u: %s is not there", machine->index, name);
        return RG_EIO;
    }
    (void)snprintf(load->name, sizeof(load->name), "%s", name);
    load->position = 0;
    return 0;
}

/* The log on disk. RG_ENOENT: the node begins with its RDB. */
static int load_begin_log(struct sim_load *load, struct sim_machine *machine)
{
    const struct sim_file *manifest =
        sim_disk_find(&machine->disk, "appendonlydir/appendonly.aof.manifest");
    char path[SIM_LOAD_PATH];
    int result = 0;

    if (manifest == NULL)
        return RG_ENOENT;
    result = rg_node_load_manifest(machine->node, rg_buf_view(&manifest->data));
    if (result < 0)
        return result;
    if (!rg_node_load_log_file(machine->node, 0, path, sizeof(path)))
        return RG_ENOENT;
    rg_node_load_log_begin(machine->node, 0, sim_machine_time(machine));
    load->on = load->log = true;
    return load_open(load, machine, path);
}

int sim_load_begin(struct sim_load *load, struct sim_machine *machine)
{
    const struct sim_file *state = sim_disk_find(&machine->disk, RG_NODE_STATE_FILE);
    const struct sim_file *rdb = sim_disk_find(&machine->disk, "dump.rdb");
    int result = 0;

    *load = (struct sim_load){0};
    if (state != NULL)
        result = rg_node_load_state(machine->node, rg_buf_view(&state->data));
    if (result < 0)
        return result;
    result = load_begin_log(load, machine);
    if (result != RG_ENOENT)
        return result;
    if (rdb == NULL)
        return 0;
    load->on = true;
    rg_node_load_begin(machine->node, rg_buf_len(&rdb->data), sim_machine_time(machine));
    return load_open(load, machine, "dump.rdb");
}

static int load_piece(const struct sim_load *load, struct sim_machine *machine,
                      struct rg_bytes piece)
{
    return load->log ? rg_node_load_log(machine->node, piece)
                     : rg_node_load_rdb(machine->node, piece);
}

int sim_load_step(struct sim_load *load, struct sim_machine *machine)
{
    const struct sim_file *file = sim_disk_find(&machine->disk, load->name);
    char path[SIM_LOAD_PATH];

    if (file == NULL)
        return RG_EIO;
    struct rg_bytes rest = rg_buf_view(&file->data);
    rest = rg_bytes(rest.data + load->position, rest.len - load->position);
    if (rest.len > 0) {
        size_t most = (size_t)sim_between(machine->loop, LOAD_PIECE_LEAST, LOAD_PIECE_MOST);
        size_t len = rest.len < most ? rest.len : most;
        load->position += len;
        return load_piece(load, machine, rg_bytes(rest.data, len));
    }
    int result = load_piece(load, machine, rg_bytes("", 0));
    if (result < 0)
        return result;
    load->file++;
    if (load->log && rg_node_load_log_file(machine->node, load->file, path, sizeof(path)))
        return load_open(load, machine, path);
    load->on = false;
    return 0;
}
