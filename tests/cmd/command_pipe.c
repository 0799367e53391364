#include <stdio.h>
#include <time.h>

#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/docs.h"

/*
 * The data commands behind standard input and output: requests in, replies out, so that a script
 * can compare them with a real server before any network is between. Besides the table's commands
 * it knows SELECT, HELLO 2|3, COMMAND INFO|DOCS with names, and PROPAGATED: what the command before
 * put into the log, as an array of [database, request] pairs.
 */
struct pipe_state {
    struct rg_store *store;
    unsigned db;
    struct rg_rand rand;
    struct rg_reply reply;
    struct rg_buf out;
    struct rg_cmd_counters counters;
    struct rg_propagation propagation;
    struct rg_notes notes;
    struct rg_access access;
};

static struct rg_time pipe_now(void)
{
    struct timespec wall;

    if (clock_gettime(CLOCK_REALTIME, &wall) != 0)
        return (struct rg_time){0};
    int64_t us = wall.tv_sec * RG_S_US + wall.tv_nsec / 1000;
    return (struct rg_time){us, us};
}

static void pipe_run(struct pipe_state *state, const struct rg_command *command,
                     const struct rg_request *request)
{
    struct rg_cmd_ctx ctx = {
        .store = state->store,
        .db_index = state->db,
        .now = pipe_now(),
        .rand = &state->rand,
        .reply = &state->reply,
        .command = command,
        .argv = request->argv,
        .argc = request->argc,
        .expiry = RG_EXPIRY_DELETE,
        .max_bulk_len = 512 * 1024 * 1024,
        .counters = &state->counters,
        .propagation = &state->propagation,
        .notes = &state->notes,
        .access = &state->access,
    };

    rg_propagation_reset(&state->propagation);
    rg_cmd_run(&ctx);
    if (ctx.dirty > 0 && !state->propagation.replaced)
        rg_propagation_add(&state->propagation, state->db, request->argv, request->argc);
}

static void pipe_propagated(struct pipe_state *state)
{
    struct rg_bytes bytes = rg_buf_view(&state->propagation.bytes);

    rg_reply_array(&state->reply, (int64_t)state->propagation.count);
    for (size_t i = 0; i < state->propagation.count; i++) {
        rg_reply_array(&state->reply, 2);
        rg_reply_i64(&state->reply, state->propagation.items[i].db);
        rg_buf_append(&state->out, bytes.data, state->propagation.items[i].len);
        bytes.data += state->propagation.items[i].len;
    }
}

static void pipe_describe(struct pipe_state *state, const struct rg_request *request, bool docs)
{
    rg_reply_array(&state->reply, request->argc - 2);
    for (int i = 2; i < request->argc; i++) {
        const struct rg_command *command = rg_cmd_by_name(request->argv[i]);
        if (command == NULL)
            rg_reply_null(&state->reply);
        else if (docs)
            rg_cmd_reply_docs(&state->reply, command);
        else
            rg_cmd_reply_info(&state->reply, command);
    }
}

static void pipe_select(struct pipe_state *state, struct rg_bytes text)
{
    int64_t db = 0;

    if (rg_parse_i64(text, &db) < 0) {
        rg_reply_error(&state->reply, "ERR value is not an integer or out of range");
        return;
    }
    if (db < 0 || db >= (int64_t)rg_store_databases(state->store)) {
        rg_reply_error(&state->reply, db > INT32_MAX
                                          ? "ERR value is out of range, value must between "
                                            "-2147483648 and 2147483647"
                                          : "ERR DB index is out of range");
        return;
    }
    state->db = (unsigned)db;
    rg_reply_simple(&state->reply, "OK");
}

static void pipe_own(struct pipe_state *state, const struct rg_command *command,
                     const struct rg_request *request)
{
    switch (command->id) {
    case RG_CMD_ID_select:
        pipe_select(state, request->argv[1]);
        return;
    case RG_CMD_ID_hello:
        state->reply.proto = request->argc > 1 && request->argv[1].data[0] == '3' ? 3 : 2;
        rg_reply_simple(&state->reply, "OK");
        return;
    case RG_CMD_ID_command_info:
        pipe_describe(state, request, false);
        return;
    case RG_CMD_ID_command_docs:
        pipe_describe(state, request, true);
        return;
    default:
        rg_reply_error(&state->reply, "ERR not a data command");
    }
}

static void pipe_answer(struct pipe_state *state, const struct rg_request *request)
{
    const struct rg_command *command = NULL;

    if (rg_bytes_is_nocase(request->argv[0], "PROPAGATED")) {
        pipe_propagated(state);
        return;
    }
    int result = rg_cmd_lookup(request->argv, request->argc, &command);
    if (result < 0)
        rg_reply_errorf(&state->reply,
                        result == RG_ENOENT ? "ERR unknown command '%.*s'"
                                            : "ERR unknown subcommand of '%.*s'",
                        (int)request->argv[0].len, request->argv[0].data);
    else if (!rg_cmd_arity_ok(command, request->argc))
        rg_reply_errorf(&state->reply, "ERR wrong number of arguments for '%s' command",
                        command->name);
    else if (command->run == NULL)
        pipe_own(state, command, request);
    else
        pipe_run(state, command, request);
}

/* Answers what is whole; false where the input is no protocol. */
static bool pipe_consume(struct pipe_state *state, struct rg_request_parser *parser,
                         struct rg_buf *input)
{
    struct rg_request request;
    int result = 0;

    while ((result = rg_request_parse(parser, rg_buf_view(input), &request)) == 0) {
        if (request.argc > 0)
            pipe_answer(state, &request);
        rg_buf_consume(input, request.size);
    }
    return result == RG_EAGAIN;
}

int main(void)
{
    enum { DATABASES = 16, PIECE = 65536, SEED = 1 };
    static const struct rg_store_limits limits = {.hash_max_listpack_entries = 128,
                                                  .hash_max_listpack_value = 64};
    struct pipe_state state = {.store = rg_store_new(DATABASES, SEED, &limits)};
    struct rg_request_parser parser = {.authenticated = true};
    struct rg_buf input = {0};
    bool open = true;

    rg_rand_init(&state.rand, SEED);
    state.reply = (struct rg_reply){.out = &state.out, .proto = 2};
    setvbuf(stdin, NULL, _IONBF, 0);
    while (open) {
        int c = getchar();
        if (c == EOF)
            break;
        rg_buf_append_char(&input, (char)c);
        if (c != '\n')
            continue;
        open = pipe_consume(&state, &parser, &input);
        struct rg_bytes out = rg_buf_view(&state.out);
        open = open && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
        rg_buf_reset(&state.out, PIECE);
    }
    rg_buf_fini(&input);
    rg_buf_fini(&state.out);
    rg_propagation_fini(&state.propagation);
    rg_notes_fini(&state.notes);
    rg_request_parser_fini(&parser);
    rg_store_free(state.store);
    return open ? 0 : 1;
}
