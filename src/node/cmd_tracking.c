#include "base/number.h"
#include "node/handlers.h"
#include "node/tracking.h"

/* CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR. */

struct tracking_options {
    unsigned flags;
    struct rg_conn *redirect;
    int prefixes; /* how many PREFIX there are */
};

static bool tracking_parse_redirect(struct rg_call *call, int index,
                                    struct tracking_options *options)
{
    int64_t id = 0;

    if (options->redirect != NULL) {
        rg_reply_error(&call->reply, "ERR A client can only redirect to a single other client");
        return false;
    }
    if (!cmd_arg_i64(call, index, &id))
        return false;
    options->redirect = conn_by_id(call->node, (uint64_t)id);
    if (options->redirect == NULL)
        rg_reply_error(&call->reply, "ERR The client ID you want redirect to does not exist");
    return options->redirect != NULL;
}

/* False: an error was replied. */
static bool tracking_parse(struct rg_call *call, struct tracking_options *options)
{
    static const struct {
        const char *name;
        unsigned flag;
    } words[] = {{"bcast", TRACKING_BCAST},
                 {"optin", TRACKING_OPTIN},
                 {"optout", TRACKING_OPTOUT},
                 {"noloop", TRACKING_NOLOOP}};

    *options = (struct tracking_options){0};
    for (int i = 3; i < call->argc; i++) {
        bool more = i + 1 < call->argc;
        unsigned flag = 0;
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
            flag |= rg_bytes_is_nocase(call->argv[i], words[j].name) ? words[j].flag : 0;
        if (flag != 0) {
            options->flags |= flag;
        } else if (more && rg_bytes_is_nocase(call->argv[i], "redirect")) {
            if (!tracking_parse_redirect(call, ++i, options))
                return false;
        } else if (more && rg_bytes_is_nocase(call->argv[i], "prefix")) {
            options->prefixes++;
            i++;
        } else {
            rg_reply_error(&call->reply, "ERR syntax error");
            return false;
        }
    }
    return true;
}

/* Why the options do not go together, or with those in force; NULL: they do. */
static const char *tracking_conflict(const struct tracking_client *client,
                                     const struct tracking_options *options)
{
    const unsigned both = TRACKING_OPTIN | TRACKING_OPTOUT;
    unsigned new = options->flags;
    unsigned old = client != NULL ? client->flags : 0;

    if (options->prefixes > 0 && !(new &TRACKING_BCAST))
        return "ERR PREFIX option requires BCAST mode to be enabled";
    if (client != NULL && (old & TRACKING_BCAST) != (new &TRACKING_BCAST))
        return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, "
               "and then re-enabling it with a different mode.";
    if ((new &TRACKING_BCAST) && (new &both))
        return "ERR OPTIN and OPTOUT are not compatible with BCAST";
    if ((new &both) == both)
        return "ERR You can't specify both OPTIN mode and OPTOUT mode";
    if (((new &TRACKING_OPTIN) && (old & TRACKING_OPTOUT)) ||
        ((new &TRACKING_OPTOUT) && (old & TRACKING_OPTIN)))
        return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, "
               "and then re-enabling it with a different mode.";
    return NULL;
}

/* The next PREFIX behind argv[*index]; false: there is none. */
static bool tracking_next_prefix(const struct rg_call *call, int *index,
                                 struct rg_bytes *ret_prefix)
{
    for (int i = *index + 1; i + 1 < call->argc; i++) {
        if (rg_bytes_is_nocase(call->argv[i], "redirect")) {
            i++;
        } else if (rg_bytes_is_nocase(call->argv[i], "prefix")) {
            *ret_prefix = call->argv[i + 1];
            *index = i + 1;
            return true;
        }
    }
    return false;
}

static void tracking_reply_overlap(struct rg_call *call, struct rg_bytes prefix, const char *what,
                                   struct rg_bytes other)
{
    rg_reply_errorf(&call->reply,
                    "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. Prefixes for a single "
                    "client must not overlap.",
                    (int)prefix.len, prefix.data, what, (int)other.len, other.data);
}

/* A key would come twice. False: an error was replied. */
static bool tracking_check_prefixes(struct rg_call *call)
{
    const struct tracking_client *client = call->conn->tracking;
    struct rg_bytes prefix;
    struct rg_bytes other;

    for (int i = 2; tracking_next_prefix(call, &i, &prefix);) {
        const struct rg_bytes *existing = client != NULL ? prefix_overlap(client, prefix) : NULL;
        if (existing != NULL) {
            tracking_reply_overlap(call, prefix, "an existing", *existing);
            return false;
        }
        for (int j = i; tracking_next_prefix(call, &j, &other);) {
            size_t len = prefix.len < other.len ? prefix.len : other.len;
            if (!rg_bytes_equal(rg_bytes(prefix.data, len), rg_bytes(other.data, len)))
                continue;
            tracking_reply_overlap(call, prefix, "another provided", other);
            return false;
        }
    }
    return true;
}

static void tracking_on(struct rg_call *call, const struct tracking_options *options)
{
    struct rg_conn *conn = call->conn;
    const char *conflict = tracking_conflict(conn->tracking, options);
    struct rg_bytes prefix;

    if (conflict != NULL) {
        rg_reply_error(&call->reply, conflict);
        return;
    }
    if ((options->flags & TRACKING_BCAST) && !tracking_check_prefixes(call))
        return;
    tracking_begin(call->node, conn, options->flags, options->redirect);
    if ((options->flags & TRACKING_BCAST) && options->prefixes == 0)
        prefix_add(call->node, conn->tracking, RG_BYTES(""));
    for (int i = 2; tracking_next_prefix(call, &i, &prefix);)
        prefix_add(call->node, conn->tracking, prefix);
    rg_reply_simple(&call->reply, "OK");
}

/* CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX prefix …] [BCAST] [OPTIN] [OPTOUT] [NOLOOP] */
void cmd_client_tracking(struct rg_call *call)
{
    struct tracking_options options;

    if (!tracking_parse(call, &options))
        return;
    if (rg_bytes_is_nocase(call->argv[2], "on")) {
        tracking_on(call, &options);
    } else if (rg_bytes_is_nocase(call->argv[2], "off")) {
        tracking_end(call->node, call->conn);
        rg_reply_simple(&call->reply, "OK");
    } else {
        rg_reply_error(&call->reply, "ERR syntax error");
    }
}

void cmd_client_caching(struct rg_call *call)
{
    struct tracking_client *client = call->conn->tracking;
    bool yes = rg_bytes_is_nocase(call->argv[2], "yes");

    if (client == NULL) {
        rg_reply_error(&call->reply,
                       "ERR CLIENT CACHING can be called only when the client is in tracking mode "
                       "with OPTIN or OPTOUT mode enabled");
    } else if (!yes && !rg_bytes_is_nocase(call->argv[2], "no")) {
        rg_reply_error(&call->reply, "ERR syntax error");
    } else if (yes && !(client->flags & TRACKING_OPTIN)) {
        rg_reply_error(&call->reply,
                       "ERR CLIENT CACHING YES is only valid when tracking is enabled "
                       "in OPTIN mode.");
    } else if (!yes && !(client->flags & TRACKING_OPTOUT)) {
        rg_reply_error(&call->reply, "ERR CLIENT CACHING NO is only valid when tracking is enabled "
                                     "in OPTOUT mode.");
    } else {
        client->flags |= TRACKING_CACHING;
        rg_reply_simple(&call->reply, "OK");
    }
}

void cmd_client_getredir(struct rg_call *call)
{
    const struct tracking_client *client = call->conn->tracking;

    rg_reply_i64(&call->reply, client != NULL ? (int64_t)client->redirect_id : -1);
}

static void tracking_reply_prefix(void *arg, struct rg_bytes prefix)
{
    struct rg_call *call = arg;

    rg_reply_bulk(&call->reply, prefix);
}

static void tracking_reply_flags(struct rg_reply *reply, const struct tracking_client *client)
{
    unsigned flags = client != NULL ? client->flags : 0;
    bool caching = (flags & TRACKING_CACHING) != 0;
    const char *words[8];
    int count = 0;

    words[count++] = client != NULL ? "on" : "off";
    if (flags & TRACKING_BCAST)
        words[count++] = "bcast";
    if (flags & TRACKING_OPTIN)
        words[count++] = "optin";
    if ((flags & TRACKING_OPTIN) && caching)
        words[count++] = "caching-yes";
    if (flags & TRACKING_OPTOUT)
        words[count++] = "optout";
    if ((flags & TRACKING_OPTOUT) && caching)
        words[count++] = "caching-no";
    if (flags & TRACKING_NOLOOP)
        words[count++] = "noloop";
    if (flags & TRACKING_BROKEN)
        words[count++] = "broken_redirect";
    rg_reply_set(reply, count);
    for (int i = 0; i < count; i++)
        rg_reply_bulk_str(reply, words[i]);
}

void cmd_client_trackinginfo(struct rg_call *call)
{
    const struct tracking_client *client = call->conn->tracking;
    struct rg_reply *reply = &call->reply;

    rg_reply_map(reply, 3);
    rg_reply_bulk_str(reply, "flags");
    tracking_reply_flags(reply, client);
    rg_reply_bulk_str(reply, "redirect");
    rg_reply_i64(reply, client != NULL ? (int64_t)client->redirect_id : -1);
    rg_reply_bulk_str(reply, "prefixes");
    rg_reply_array(reply, client != NULL ? prefix_each(client, NULL, NULL) : 0);
    if (client != NULL)
        (void)prefix_each(client, tracking_reply_prefix, call);
}
