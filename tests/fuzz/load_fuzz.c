#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "node/node.h"

/*
 * A node's start from what a disk may hold: the input's parts, each behind two bytes of its length,
 * are the manifest and then the files in the order in which the node asks for them. The first byte
 * says whether it is a member of a group, and in pieces of which size the files come. Whatever they
 * hold, the node refuses them with words or starts, and then answers.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fuzz_plain[] = "save ''\nappendonly yes\nloglevel warning\n";
static const char fuzz_member[] = "save ''\nappendonly yes\nloglevel warning\ngroup-name g\n"
                                  "group-members 10.0.0.1:1 10.0.0.2:1 10.0.0.3:1\n";

static struct rg_bytes fuzz_part(struct rg_bytes *input)
{
    if (input->len < 2)
        return rg_bytes("", 0);
    size_t len = (size_t)(uint8_t)input->data[0] << 8 | (uint8_t)input->data[1];
    size_t left = input->len - 2;
    len = len < left ? len : left;
    struct rg_bytes part = rg_bytes(input->data + 2, len);
    *input = rg_bytes(part.data + len, left - len);
    return part;
}

static struct rg_node *fuzz_node(bool member, struct rg_time now)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};

    if (rg_config_read(config, "fuzz", rg_bytes_str(member ? fuzz_member : fuzz_plain), NULL, NULL,
                       &error) < 0)
        abort();
    struct rg_node_init init = {
        .config = config, .seed = 1, .now = now, .self_member = member ? "10.0.0.1:1" : NULL};
    return rg_node_new(&init);
}

static int fuzz_file(struct rg_node *node, struct rg_bytes file, size_t step)
{
    int result = 0;

    for (size_t at = 0; at < file.len && result == 0; at += step) {
        size_t n = file.len - at < step ? file.len - at : step;
        result = rg_node_load_log(node, rg_bytes(file.data + at, n));
    }
    return result < 0 ? result : rg_node_load_log(node, rg_bytes("", 0));
}

static int fuzz_load(struct rg_node *node, struct rg_bytes input, size_t step, struct rg_time now)
{
    char path[1024];
    int result = rg_node_load_manifest(node, fuzz_part(&input));

    if (result < 0 || !rg_node_load_log_file(node, 0, path, sizeof(path)))
        return result;
    rg_node_load_log_begin(node, input.len, now);
    for (unsigned i = 0; result == 0 && rg_node_load_log_file(node, i, path, sizeof(path)); i++)
        result = fuzz_file(node, fuzz_part(&input), step);
    return result;
}

/* It runs, says what it wants done, and answers a client. */
static void fuzz_live(struct rg_node *node, struct rg_time now)
{
    static const struct rg_conn_info info = {
        .peer_host = "127.0.0.1", .local_host = "127.0.0.1", .fd = -1, .loopback = true};
    const char *refusal = NULL;
    struct rg_effect effect;
    struct rg_bytes runs[4];

    rg_node_start(node, now);
    struct rg_conn *conn = rg_node_accepted(node, &info, now, &refusal);
    rg_node_received(node, conn, RG_BYTES("INFO\r\nDBSIZE\r\n"), now);
    for (int turn = 0; turn < 4; turn++) {
        now.mono_us += 200 * RG_MS_US;
        rg_node_run(node, now);
        while (rg_node_next_effect(node, &effect)) {
            if (effect.type == RG_EFFECT_FILE_READ)
                rg_node_file_read(node, effect.token, RG_EIO, rg_bytes("", 0), 0, now);
            else if (effect.token > 0)
                rg_node_file_done(node, effect.token, 0, now);
        }
    }
    if (rg_node_output(node, conn, runs, 4) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_time now = {.mono_us = RG_S_US, .wall_us = INT64_C(1700000000) * RG_S_US};

    if (size == 0)
        return 0;
    bool member = (data[0] & 1) != 0;
    size_t step = data[0] < 2 ? size : data[0];
    struct rg_node *node = fuzz_node(member, now);
    int result = fuzz_load(node, rg_bytes((const char *)data + 1, size - 1), step, now);
    if (result == 0)
        fuzz_live(node, now);
    else if (rg_node_load_error(node)[0] == '\0')
        abort();
    rg_node_free(node);
    return 0;
}
