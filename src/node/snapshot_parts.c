#include "base/alloc.h"
#include "core/planted.h"
#include "node/snapshot.h"
#include "node/value.h"

/*
 * What the store shows of a snapshot becomes the file's bytes. A value in an RDB lies in one piece,
 * but a large one is shown in pieces, and what commands change is shown between these. So while a
 * value is not at its end, all others are written aside, in parts that follow it one after the
 * other:
 *
 *   the file | the value that is being written | part | part | ...
 *
 * A part is either entries that were shown whole, or a value that comes in pieces as well. The
 * store goes on with the values in the order in which they began, so the first part that is not at
 * its end is always the one that grows. What is held is at most what changed since the value began.
 */
struct snapshot_part {
    struct rg_list link; /* in snapshot->parts */
    enum rg_type type;   /* of the value in pieces */
    bool entries;        /* whole ones */
    bool direct;         /* what comes goes to the file: the part is the first, and empty */
    bool over;           /* no more pieces */
    int db;              /* that it selected last; -1 */
    struct rg_rdb_writer writer;
    struct snapshot_window bytes;
    uint64_t moved;
};

enum {
    PART_MOVE_BYTES = 64 * 1024,  /* at once */
    PART_WHOLE_BYTES = 32 * 1024, /* of memory: a larger value is shown in pieces */
};

static struct snapshot_part *part_of(struct rg_list *link)
{
    return RG_CONTAINER_OF(link, struct snapshot_part, link);
}

static struct snapshot_part *part_first(const struct rg_snapshot *snapshot)
{
    return rg_list_empty(&snapshot->parts) ? NULL : part_of(snapshot->parts.next);
}

static struct snapshot_part *part_new(struct rg_snapshot *snapshot)
{
    struct snapshot_part *part = RG_NEW(struct snapshot_part);

    part->db = -1;
    snapshot_window_init(&part->bytes, false);
    rg_rdb_write_aside(&part->writer, &part->bytes.newest, snapshot->compress);
    rg_list_append(&snapshot->parts, &part->link);
    return part;
}

static void part_free(struct snapshot_part *part)
{
    rg_list_remove(&part->link);
    rg_rdb_writer_fini(&part->writer);
    snapshot_window_fini(&part->bytes);
    rg_free(part);
}

void snapshot_parts_fini(struct rg_snapshot *snapshot)
{
    while (!rg_list_empty(&snapshot->parts))
        part_free(part_first(snapshot));
}

/* ---- What is shown ---- */

/* What stands in front of a key: its database, where that is another one, and how it was used. */
static void parts_introduce(struct rg_snapshot *snapshot, struct rg_rdb_writer *writer, int *db,
                            unsigned index, const struct rg_entry *entry)
{
    if (*db != (int)index) {
        *db = (int)index;
        /* A hint: some may have gone since the snapshot began, and some have come. */
        const struct rg_db *now = rg_store_db(snapshot->store, index);
        rg_rdb_write_db(writer, index, rg_db_count(now), rg_db_count_expiring(now));
    }
    if (snapshot->access != NULL)
        value_save_access(writer, snapshot->access, snapshot->now->mono_us, entry);
}

static void parts_entry(void *arg, unsigned db, const struct rg_entry *entry)
{
    struct rg_snapshot *snapshot = arg;
    struct rg_rdb_writer *writer = &snapshot->writer;
    struct snapshot_window *window = &snapshot->window;
    int *selected = &snapshot->db;

    if (!rg_list_empty(&snapshot->parts)) {
        struct snapshot_part *last = part_of(snapshot->parts.prev);
        if (!last->entries) {
            last = part_new(snapshot);
            last->entries = true;
        }
        writer = &last->writer;
        window = &last->bytes;
        selected = &last->db;
    }
    parts_introduce(snapshot, writer, selected, db, entry);
    value_save(writer, entry);
    snapshot->keys++;
    snapshot_window_close(window);
}

static void *parts_begin(void *arg, unsigned db, const struct rg_entry *entry, uint64_t pieces)
{
    struct rg_snapshot *snapshot = arg;
    bool direct = rg_list_empty(&snapshot->parts);
    struct snapshot_part *part = part_new(snapshot);

    part->type = rg_entry_type(entry);
    part->direct = direct;
    struct rg_rdb_writer *writer = direct ? &snapshot->writer : &part->writer;
    parts_introduce(snapshot, writer, direct ? &snapshot->db : &part->db, db, entry);
    value_save_begin(writer, entry, pieces);
    return part;
}

static void parts_piece(void *arg, void *part_arg, const struct rg_snapshot_piece *piece)
{
    struct rg_snapshot *snapshot = arg;
    struct snapshot_part *part = part_arg;

    value_save_piece(part->direct ? &snapshot->writer : &part->writer, part->type, piece);
    snapshot_window_close(part->direct ? &snapshot->window : &part->bytes);
}

static void parts_end(void *arg, void *part_arg)
{
    struct rg_snapshot *snapshot = arg;
    struct snapshot_part *part = part_arg;

    snapshot->keys++;
    part->over = true;
    if (part->direct)
        part_free(part);
}

void snapshot_parts_init(struct rg_snapshot *snapshot, uint64_t whole_bytes)
{
    rg_list_init(&snapshot->parts);
    snapshot->visitor = (struct rg_snapshot_visitor){
        .whole_bytes = whole_bytes > 0 ? whole_bytes : PART_WHOLE_BYTES,
        .entry = parts_entry,
        .begin = parts_begin,
        .piece = parts_piece,
        .end = parts_end,
    };
}

/* ---- What waits ---- */

/* All of the first part is in the file. */
static void part_moved(struct rg_snapshot *snapshot, struct snapshot_part *part)
{
    if (part->db >= 0)
        snapshot->db = part->db;
    if (part->entries || part->over) {
        part_free(part);
        return;
    }
    part->direct = true;
    rg_rdb_write_resume(&snapshot->writer, &part->writer);
}

bool snapshot_parts_move(struct rg_snapshot *snapshot)
{
    struct snapshot_part *part = part_first(snapshot);

    if (part == NULL || part->direct)
        return false;
    if (RG_PLANTED(snapshot->planted, RG_PLANTED_LOSES_ASIDE) && part->entries) {
        part_free(part);
        return true;
    }
    struct rg_bytes run = snapshot_window_read(&part->bytes, part->moved);
    if (run.len > PART_MOVE_BYTES)
        run.len = PART_MOVE_BYTES;
    rg_rdb_write_raw(&snapshot->writer, run);
    snapshot_window_close(&snapshot->window);
    part->moved += run.len;
    snapshot_window_trim(&part->bytes, part->moved);
    if (part->moved == snapshot_window_end(&part->bytes))
        part_moved(snapshot, part);
    return true;
}

uint64_t snapshot_parts_held(const struct rg_snapshot *snapshot)
{
    uint64_t held = 0;

    RG_LIST_EACH(link, &snapshot->parts)
    {
        const struct snapshot_part *part = part_of(link);
        held += snapshot_window_end(&part->bytes) - part->bytes.start;
    }
    return held;
}
