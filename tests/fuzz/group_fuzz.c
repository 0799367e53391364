#include <stdint.h>
#include <stdlib.h>

#include "core/group.h"
#include "proto/resp.h"

/* What a member sends and what a state file holds: refused or read, and what was read reads the
 * same again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_message(struct rg_bytes input)
{
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_request request;
    struct rg_group_msg msg;
    struct rg_buf again = {0};

    while (rg_request_parse(&parser, input, &request) == 0) {
        if (rg_group_msg_read(request.argv, request.argc, &msg) == 0) {
            struct rg_request_parser second = {.authenticated = true};
            struct rg_group_msg back;
            rg_buf_reset(&again, 4096);
            rg_group_msg_write(&again, &msg);
            if (rg_request_parse(&second, rg_buf_view(&again), &request) != 0 ||
                rg_group_msg_read(request.argv, request.argc, &back) != 0 ||
                back.type != msg.type || back.term != msg.term || back.primary != msg.primary ||
                back.founded != msg.founded)
                abort();
            rg_request_parser_fini(&second);
            break;
        }
        input = rg_bytes(input.data + request.size, input.len - request.size);
        rg_request_parser_fini(&parser);
        parser = (struct rg_request_parser){.authenticated = true};
    }
    rg_request_parser_fini(&parser);
    rg_buf_fini(&again);
}

static void fuzz_durable(struct rg_bytes input)
{
    struct rg_group_durable durable;
    struct rg_buf again = {0};

    if (rg_group_durable_parse(input, &durable) < 0)
        return;
    rg_group_durable_format(&durable, &again);
    /* A file of an older version is written anew as one of this. */
    if (rg_bytes_starts_with(input, RG_BYTES("regent-state 3\n")) &&
        !rg_bytes_equal(rg_buf_view(&again), input))
        abort();
    struct rg_group_durable back = {0};
    if (rg_group_durable_parse(rg_buf_view(&again), &back) < 0 || back.term != durable.term ||
        back.founded != durable.founded || back.first_promise != durable.first_promise)
        abort();
    rg_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_message(rg_bytes(data, size));
    fuzz_durable(rg_bytes(data, size));
    return 0;
}
