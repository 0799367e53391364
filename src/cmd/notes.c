#include "cmd/notes.h"

#include "base/alloc.h"
#include "cmd/cmd.h"

void rg_notes_fini(struct rg_notes *notes)
{
    rg_free(notes->items);
    rg_buf_fini(&notes->keys);
    *notes = (struct rg_notes){0};
}

void rg_notes_reset(struct rg_notes *notes)
{
    notes->count = 0;
    rg_buf_reset(&notes->keys, 64 * 1024);
}

struct rg_bytes rg_note_key(const struct rg_notes *notes, const struct rg_note *note)
{
    return rg_bytes(note->key_len > 0 ? rg_buf_view(&notes->keys).data + note->key_at : "",
                    note->key_len);
}

static void notes_add(struct rg_notes *notes, struct rg_note note, struct rg_bytes key)
{
    if (notes->count == notes->cap) {
        notes->cap = notes->cap > 0 ? notes->cap * 2 : 8;
        notes->items = rg_realloc(notes->items, notes->cap * sizeof(*notes->items));
    }
    note.key_at = rg_buf_len(&notes->keys);
    note.key_len = key.len;
    notes->items[notes->count++] = note;
    rg_buf_append_bytes(&notes->keys, key);
}

void rg_cmd_note_in(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key,
                    enum rg_note_class class, const char *event)
{
    struct rg_notes *notes = ctx->notes;
    struct rg_note note = {.db = db, .class = class, .event = event, .changed = true};

    if (notes->changes_wanted || notes->wanted & class)
        notes_add(notes, note, key);
}

void rg_cmd_note(struct rg_cmd_ctx *ctx, struct rg_bytes key, enum rg_note_class class,
                 const char *event)
{
    rg_cmd_note_in(ctx, ctx->db_index, key, class, event);
}

void rg_cmd_note_change(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key)
{
    if (ctx->notes->changes_wanted)
        notes_add(ctx->notes, (struct rg_note){.db = db, .changed = true}, key);
}

void rg_cmd_note_event(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key,
                       enum rg_note_class class, const char *event)
{
    struct rg_note note = {.db = db, .class = class, .event = event};

    if (ctx->notes->wanted & class)
        notes_add(ctx->notes, note, key);
}

void rg_cmd_note_new(struct rg_cmd_ctx *ctx, unsigned db, struct rg_bytes key)
{
    rg_cmd_note_event(ctx, db, key, RG_NOTE_NEW, "new");
}
