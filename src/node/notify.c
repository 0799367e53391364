#include "node/notify.h"

#include "base/number.h"
#include "base/panic.h"
#include "node/blocked.h"
#include "node/pubsub.h"
#include "node/tracking.h"
#include "node/wanted.h"
#include "node/watch.h"

/* Above the classes of cmd/notes.h: where events are told. */
enum { NOTIFY_KEYSPACE = 1 << 30, NOTIFY_KEYEVENT = 1 << 29 };

void notify_configure(struct rg_node *node)
{
    static const struct {
        char letter;
        unsigned bits;
    } letters[] = {
        {'K', NOTIFY_KEYSPACE},
        {'E', NOTIFY_KEYEVENT},
        {'g', RG_NOTE_GENERIC},
        {'$', RG_NOTE_STRING},
        {'l', RG_NOTE_LIST},
        {'s', RG_NOTE_SET},
        {'h', RG_NOTE_HASH},
        {'z', RG_NOTE_ZSET},
        {'x', RG_NOTE_EXPIRED},
        {'e', RG_NOTE_EVICTED},
        {'t', RG_NOTE_STREAM},
        {'m', RG_NOTE_MISS},
        {'d', RG_NOTE_MODULE},
        {'n', RG_NOTE_NEW},
        {'A', RG_NOTE_GENERIC | RG_NOTE_STRING | RG_NOTE_LIST | RG_NOTE_SET | RG_NOTE_HASH |
                  RG_NOTE_ZSET | RG_NOTE_EXPIRED | RG_NOTE_EVICTED | RG_NOTE_STREAM |
                  RG_NOTE_MODULE},
    };

    node->events = 0;
    for (const char *c = node->config->notify_keyspace_events; *c != '\0'; c++) {
        for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
            node->events |= letters[i].letter == *c ? letters[i].bits : 0;
    }
}

/* Nothing is kept for nobody. */
static unsigned notify_wanted(const struct rg_node *node)
{
    if (!(node->events & (NOTIFY_KEYSPACE | NOTIFY_KEYEVENT)))
        return 0;
    if (pubsub_count(node, PUBSUB_CHANNEL) + pubsub_count(node, PUBSUB_PATTERN) == 0)
        return 0;
    return node->events & ~(unsigned)(NOTIFY_KEYSPACE | NOTIFY_KEYEVENT);
}

static bool notify_is_wholesale(const struct rg_command *command)
{
    return command->id == RG_CMD_ID_flushall || command->id == RG_CMD_ID_flushdb ||
           command->id == RG_CMD_ID_swapdb;
}

void notify_begin(struct rg_node *node, const struct rg_command *command)
{
    rg_notes_reset(&node->notes);
    node->notes.wanted = node->events != 0 ? notify_wanted(node) : 0;
    node->notes.changes_wanted = node->tracking_clients > 0 || wanted_any(node);
    if (node->notes.changes_wanted && command != NULL && notify_is_wholesale(command))
        watch_mark_existing(node);
}

static void notify_publish(struct rg_node *node, unsigned db, const char *space,
                           struct rg_bytes what, struct rg_bytes message)
{
    struct rg_buf channel = {0};

    rg_buf_printf(&channel, "__%s@%u__:", space, db);
    rg_buf_append_bytes(&channel, what);
    (void)pubsub_publish(node, rg_buf_view(&channel), message);
    rg_buf_fini(&channel);
}

static void notify_tell(struct rg_node *node, const struct rg_note *note, struct rg_bytes key)
{
    struct rg_bytes event = rg_bytes_str(note->event);

    if (node->events & NOTIFY_KEYSPACE)
        notify_publish(node, note->db, "keyspace", key, event);
    if (node->events & NOTIFY_KEYEVENT)
        notify_publish(node, note->db, "keyevent", event, key);
}

/* What goes by itself is nobody's change. */
static const struct rg_conn *notify_author(const struct rg_note *note, const struct rg_conn *by)
{
    return note->class & (RG_NOTE_EXPIRED | RG_NOTE_EVICTED) ? NULL : by;
}

void notify_deliver(struct rg_node *node, const struct rg_conn *by)
{
    struct rg_notes *notes = &node->notes;

    for (size_t i = 0; i < notes->count; i++) {
        const struct rg_note *note = &notes->items[i];
        struct rg_bytes key = rg_note_key(notes, note);
        struct wanted_key *wanted =
            note->changed && notes->changes_wanted ? wanted_find(node, note->db, key) : NULL;
        if (wanted != NULL) {
            watch_touch(node, wanted);
            blocked_ready(node, wanted);
        }
        if (note->changed && node->tracking_clients > 0)
            tracking_changed(node, notify_author(note, by), key);
        if (note->event != NULL && (note->class & notes->wanted) != 0)
            notify_tell(node, note, key);
    }
    rg_notes_reset(notes);
}

/* Whether the command changed all of that database. */
static bool notify_covers(const struct rg_command *command, unsigned db,
                          const struct rg_bytes *argv, unsigned key_db)
{
    int64_t first = 0;
    int64_t second = 0;

    if (command->id == RG_CMD_ID_flushall)
        return true;
    if (command->id == RG_CMD_ID_flushdb)
        return key_db == db;
    return rg_parse_i64(argv[1], &first) == 0 && rg_parse_i64(argv[2], &second) == 0 &&
           first != second && (key_db == first || key_db == second);
}

static void notify_wholesale(struct rg_node *node, const struct rg_command *command, unsigned db,
                             const struct rg_bytes *argv)
{
    RG_LIST_EACH(link, wanted_all(node))
    {
        struct wanted_key *key = RG_CONTAINER_OF(link, struct wanted_key, all);
        if (!notify_covers(command, db, argv, key->db))
            continue;
        watch_replaced(node, key);
        blocked_ready(node, key);
    }
}

void notify_end(struct rg_node *node, const struct rg_conn *by, const struct rg_command *command,
                unsigned db, const struct rg_bytes *argv, bool changed)
{
    if (node->notes.changes_wanted && changed && notify_is_wholesale(command)) {
        notify_wholesale(node, command, db, argv);
        if (node->tracking_clients > 0 && command->id != RG_CMD_ID_swapdb)
            tracking_flushed(node);
    }
    if (node->notes.count > 0)
        notify_deliver(node, by);
}

void notify_replace(struct rg_node *node)
{
    watch_mark_existing(node);
}

void notify_replaced(struct rg_node *node)
{
    RG_LIST_EACH(link, wanted_all(node))
    {
        watch_replaced(node, RG_CONTAINER_OF(link, struct wanted_key, all));
    }
    if (node->tracking_clients > 0)
        tracking_flushed(node);
}
