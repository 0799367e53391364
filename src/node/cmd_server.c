#include "node/handlers.h"

void cmd_shutdown(struct rg_call *call)
{
    bool save = false;
    bool nosave = false;
    bool abort_asked = false;

    for (int i = 1; i < call->argc; i++) {
        if (rg_bytes_is_nocase(call->argv[i], "save"))
            save = true;
        else if (rg_bytes_is_nocase(call->argv[i], "nosave"))
            nosave = true;
        else if (rg_bytes_is_nocase(call->argv[i], "abort"))
            abort_asked = true;
        else if (!rg_bytes_is_nocase(call->argv[i], "now") &&
                 !rg_bytes_is_nocase(call->argv[i], "force")) {
            rg_reply_error(&call->reply, "ERR syntax error");
            return;
        }
    }
    if ((save && nosave) || (abort_asked && call->argc > 2)) {
        rg_reply_error(&call->reply, "ERR syntax error");
        return;
    }
    if (abort_asked) {
        rg_reply_error(&call->reply, "ERR No shutdown in progress.");
        return;
    }
    /* There is no reply: the connection ends with the server. Only a failure is told. */
    call->node->stop_client = call->conn->id;
    conn_block(call->node, call->conn, RG_BLOCK_FILE, RG_NEVER);
    stop_ask(call->node, save, nosave);
}

void cmd_lastsave(struct rg_call *call)
{
    rg_reply_i64(&call->reply, call->node->started.wall_us / RG_S_US);
}
