#include "base/number.h"
#include "node/handlers.h"
#include "store/list.h"

static void debug_sleep(struct rg_call *call)
{
    double seconds = 0;

    if (rg_parse_double(call->argv[2], &seconds) < 0 || !(seconds <= 86400)) {
        rg_reply_error(&call->reply, "ERR value is not a valid float");
        return;
    }
    if (seconds > 0)
        node_effect_sleep(call->node, (int64_t)(seconds * (double)RG_S_US));
    rg_reply_simple(&call->reply, "OK");
}

static int64_t debug_idle_s(const struct rg_node *node, const struct rg_entry *entry)
{
    enum { ACCESS_MASK = 0xffffff }; /* the clock of accesses is that of INFO's lru_clock */

    return (node->now.mono_us / RG_S_US - rg_entry_access(entry)) & ACCESS_MASK;
}

/* Of a list: how it lies in chunks, in Redis' words. */
static void debug_append_list(struct rg_buf *text, const struct rg_call *call,
                              const struct rg_entry *entry)
{
    uint64_t chunks = rg_list_chunks(entry);

    rg_buf_printf(text,
                  " ql_nodes:%llu ql_avg_node:%.2f ql_listpack_max:%lld ql_compressed:0 "
                  "ql_uncompressed_size:%llu",
                  (unsigned long long)chunks, (double)rg_list_len(entry) / (double)chunks,
                  (long long)call->node->config->list_max_listpack_size,
                  (unsigned long long)rg_entry_memory(entry, 0));
}

static void debug_object(struct rg_call *call)
{
    struct rg_entry *entry =
        rg_db_find(rg_store_db(call->node->store, call->conn->db), call->argv[2]);

    if (entry == NULL) {
        rg_reply_error(&call->reply, "ERR no such key");
        return;
    }
    struct rg_buf text = {0};
    rg_buf_printf(&text,
                  "Value at:0x%llx refcount:1 encoding:%s serializedlength:%llu lru:%u "
                  "lru_seconds_idle:%lld",
                  0ULL, rg_entry_encoding(entry),
                  (unsigned long long)snapshot_value_len(call->node, entry), rg_entry_access(entry),
                  (long long)debug_idle_s(call->node, entry));
    if (rg_entry_type(entry) == RG_TYPE_LIST)
        debug_append_list(&text, call, entry);
    rg_buf_append_char(&text, '\0');
    rg_reply_simple(&call->reply, rg_buf_view(&text).data);
    rg_buf_fini(&text);
}

static void debug_active_expire(struct rg_call *call)
{
    call->node->config->active_expire = !rg_bytes_is(call->argv[2], "0");
    rg_reply_simple(&call->reply, "OK");
}

static void debug_digest(struct rg_call *call)
{
    char hex[41];

    rg_store_digest(call->node->store, hex);
    rg_reply_simple(&call->reply, hex);
}

static void debug_digest_value(struct rg_call *call)
{
    char hex[41];

    rg_reply_array(&call->reply, call->argc - 2);
    for (int i = 2; i < call->argc; i++) {
        const struct rg_entry *entry =
            rg_db_find(rg_store_db(call->node->store, call->conn->db), call->argv[i]);
        memset(hex, '0', sizeof(hex) - 1);
        hex[sizeof(hex) - 1] = '\0';
        if (entry != NULL)
            rg_entry_digest(entry, hex);
        rg_reply_simple(&call->reply, hex);
    }
}

static void debug_reload(struct rg_call *call)
{
    snapshot_reload(call->node);
    rg_reply_simple(&call->reply, "OK");
}

static void debug_error(struct rg_call *call)
{
    struct rg_bytes text = call->argv[2];

    rg_reply_errorf(&call->reply, "%.*s", (int)(text.len < 4096 ? text.len : 4096), text.data);
}

/* Elements of any length lie in chunks here, so that there is nothing to set. */
static void debug_packed_threshold(struct rg_call *call)
{
    const uint64_t max_bytes = ((uint64_t)1 << 32) - ((uint64_t)1 << 20);
    uint64_t bytes = 0;

    if (rg_parse_memory(call->argv[2], &bytes) < 0 || bytes > max_bytes)
        rg_reply_error(&call->reply,
                       "ERR argument must be a memory value bigger than 1 and smaller than 4gb");
    else
        rg_reply_simple(&call->reply, "OK");
}

static void debug_help(struct rg_call *call)
{
    static const char *const lines[] = {
        "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DIGEST",
        "    Digest of the whole keyspace; equal on nodes that hold the same data.",
        "DIGEST-VALUE <key> [<key> ...]",
        "    Digests of values alone; equal where type and value are.",
        "ERROR <string>",
        "    Reply the string as an error.",
        "OBJECT <key>",
        "    Encoding and size of a value.",
        "QUICKLIST-PACKED-THRESHOLD <size>",
        "    Without effect: long elements of lists have chunks of their own anyhow.",
        "RELOAD",
        "    Write the keyspace as an RDB, and load that in its place.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    Whether keys past their time are deleted without being asked for.",
        "SLEEP <seconds>",
        "    Stop the server for that long; fractions are allowed.",
    };
    int64_t count = sizeof(lines) / sizeof(lines[0]);

    rg_reply_array(&call->reply, count);
    for (int64_t i = 0; i < count; i++)
        rg_reply_simple(&call->reply, lines[i]);
}

void cmd_debug(struct rg_call *call)
{
    static const struct {
        const char *name;
        int argc; /* negative: at least so many */
        void (*run)(struct rg_call *call);
    } subs[] = {
        {"sleep", 3, debug_sleep},
        {"object", 3, debug_object},
        {"digest", 2, debug_digest},
        {"set-active-expire", 3, debug_active_expire},
        {"help", 2, debug_help},
        {"digest-value", -2, debug_digest_value},
        {"reload", 2, debug_reload},
        {"error", 3, debug_error},
        {"quicklist-packed-threshold", 3, debug_packed_threshold},
    };

    for (size_t i = 0; i < sizeof(subs) / sizeof(subs[0]); i++) {
        bool fits = subs[i].argc < 0 ? call->argc >= -subs[i].argc : call->argc == subs[i].argc;
        if (rg_bytes_is_nocase(call->argv[1], subs[i].name) && fits) {
            subs[i].run(call);
            return;
        }
    }
    rg_reply_errorf(&call->reply,
                    "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try DEBUG "
                    "HELP.",
                    (int)(call->argv[1].len < 128 ? call->argv[1].len : 128), call->argv[1].data);
}
