#include "node/aof.h"
#include "node/handlers.h"
#include "node/stop.h"

/* SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE and SHUTDOWN. */

void cmd_save(struct rg_call *call)
{
    uint64_t client = call->conn->id;

    /* Others are served meanwhile; what they change now is not in the file. While the AOF is being
     * rewritten it has to wait for the end of that. */
    if (save_begin(call->node, RG_SAVE_CLIENT, client) < 0 &&
        (!save_is_rewrite(call->node) || !save_queue(call->node, client)))
        rg_reply_error(&call->reply, "ERR Background save already in progress");
    else
        conn_block(call->node, call->conn, RG_BLOCK_FILE, RG_NEVER);
}

void cmd_bgsave(struct rg_call *call)
{
    bool schedule = call->argc == 2 && rg_bytes_is_nocase(call->argv[1], "schedule");

    if (call->argc > 1 && !schedule) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    /* In a transaction it begins behind it, so that it holds all of it. */
    int result = call->in_exec ? RG_EAGAIN : save_begin(call->node, RG_SAVE_BACKGROUND, 0);
    if (result == 0) {
        rg_reply_simple(&call->reply, "Background saving started");
    } else if ((result == RG_EAGAIN || save_is_rewrite(call->node)) &&
               (schedule || call->in_exec)) {
        save_schedule(call->node);
        rg_reply_simple(&call->reply, "Background saving scheduled");
    } else if (save_is_rewrite(call->node)) {
        rg_reply_error(&call->reply,
                       "ERR Another child process is active (AOF?): can't BGSAVE right now. Use "
                       "BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.");
    } else {
        rg_reply_error(&call->reply, "ERR Background save already in progress");
    }
}

void cmd_bgrewriteaof(struct rg_call *call)
{
    bool begun = false;

    if (!aof_rewrite_ask(call->node, &begun))
        rg_reply_error(&call->reply,
                       "ERR Background append only file rewriting already in progress");
    else
        rg_reply_simple(&call->reply, begun ? "Background append only file rewriting started"
                                            : "Background append only file rewriting scheduled");
}

void cmd_lastsave(struct rg_call *call)
{
    rg_reply_i64(&call->reply, save_last_s(call->node));
}

static bool shutdown_flag(struct rg_bytes word, unsigned *flags, bool *ret_abort)
{
    static const struct {
        const char *name;
        unsigned flag;
    } names[] = {{"save", RG_STOP_SAVE},
                 {"nosave", RG_STOP_NOSAVE},
                 {"now", RG_STOP_NOW},
                 {"force", RG_STOP_FORCE}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (rg_bytes_is_nocase(word, names[i].name)) {
            *flags |= names[i].flag;
            return true;
        }
    }
    *ret_abort = rg_bytes_is_nocase(word, "abort");
    return *ret_abort;
}

static bool shutdown_flags(const struct rg_call *call, unsigned *ret_flags, bool *ret_abort)
{
    bool abort_asked = false;
    unsigned flags = 0;

    for (int i = 1; i < call->argc; i++) {
        bool is_abort = false;
        if (!shutdown_flag(call->argv[i], &flags, &is_abort))
            return false;
        abort_asked = abort_asked || is_abort;
    }
    *ret_flags = flags;
    *ret_abort = abort_asked;
    return !(abort_asked && flags != 0) &&
           (flags & (RG_STOP_SAVE | RG_STOP_NOSAVE)) != (RG_STOP_SAVE | RG_STOP_NOSAVE);
}

void cmd_shutdown(struct rg_call *call)
{
    unsigned flags = 0;
    bool abort_asked = false;

    if (!shutdown_flags(call, &flags, &abort_asked)) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    if (abort_asked) {
        if (stop_abort(call->node) < 0)
            rg_reply_error(&call->reply, "ERR No shutdown in progress.");
        else
            rg_reply_simple(&call->reply, "OK");
        return;
    }
    /* There is no reply: the connection ends with the server. Only a failure is told. */
    conn_block(call->node, call->conn, RG_BLOCK_STOP, RG_NEVER);
    stop_ask(call->node, flags);
}
