#include "base/number.h"
#include "node/handlers.h"
#include "node/version.h"

/*
 * LOLWUT: a picture, and the version. The picture is a maze that nobody drew: in each cell one of
 * two diagonals, by the toss of a coin.
 */
enum { LOLWUT_COLUMNS = 66, LOLWUT_ROWS = 8, LOLWUT_COLUMNS_MAX = 1000, LOLWUT_ROWS_MAX = 200 };

/* A number within 1 and max from an argument that may be missing; false: an error was replied. */
static bool lolwut_size(struct rg_call *call, int index, int64_t max, int64_t *size)
{
    if (index >= call->argc)
        return true;
    if (!cmd_arg_i64(call, index, size))
        return false;
    *size = *size < 1 ? 1 : *size > max ? max : *size;
    return true;
}

/* LOLWUT [VERSION version [columns [rows]]] */
void cmd_lolwut(struct rg_call *call)
{
    int64_t columns = LOLWUT_COLUMNS;
    int64_t rows = LOLWUT_ROWS;
    int64_t version = 0;
    struct rg_buf text = {0};

    /* Without the word anything may follow. */
    if (call->argc >= 3 && rg_bytes_is_nocase(call->argv[1], "version") &&
        (!cmd_arg_i64(call, 2, &version) || !lolwut_size(call, 3, LOLWUT_COLUMNS_MAX, &columns) ||
         !lolwut_size(call, 4, LOLWUT_ROWS_MAX, &rows)))
        return;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < columns; column++)
            rg_buf_append_str(&text, rg_rand_below(&call->node->rand, 2) ? "\u2571" : "\u2572");
        rg_buf_append_char(&text, '\n');
    }
    rg_buf_append_str(&text, "\nRedis ver. " RG_REDIS_VERSION "\n");
    rg_reply_verbatim(&call->reply, "txt", rg_buf_view(&text));
    rg_buf_fini(&text);
}
