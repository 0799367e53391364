#include "base/alloc.h"
#include "cmd/lookup.h"
#include "cmd/sort_items.h"

/* The patterns of SORT: weight_*, object_*->field. */

struct sort_pattern {
    struct rg_bytes prefix;
    struct rg_bytes suffix;
    struct rg_bytes field; /* data NULL: the value is a string */
};

/* False where there is no '*' in it. */
static bool pattern_parse(struct rg_bytes text, struct sort_pattern *ret_pattern)
{
    const char *end = text.data + text.len;
    const char *star = text.len > 0 ? memchr(text.data, '*', text.len) : NULL;

    if (star == NULL)
        return false;
    size_t rest = (size_t)(end - star - 1);
    const char *arrow = memmem(star + 1, rest, "->", 2);
    if (arrow != NULL && arrow + 2 == end)
        arrow = NULL; /* no field: the arrow belongs to the key */
    *ret_pattern = (struct sort_pattern){
        .prefix = rg_bytes(text.data, (size_t)(star - text.data)),
        .suffix = rg_bytes(star + 1, arrow != NULL ? (size_t)(arrow - star - 1) : rest),
    };
    if (arrow != NULL)
        ret_pattern->field = rg_bytes(arrow + 2, (size_t)(end - arrow - 2));
    return true;
}

/*
 * As rg_lookup_read, but a past-due entry is left to the active cycle: the elements that are being
 * sorted are views into the database.
 */
static struct rg_entry *pattern_find(struct rg_cmd_ctx *ctx, struct rg_bytes key)
{
    struct rg_entry *entry = rg_db_find(ctx->db, key);

    if (entry == NULL || rg_lookup_is_expired(ctx, entry)) {
        rg_cmd_note_event(ctx, ctx->db_index, key, RG_NOTE_MISS, "keymiss");
        ctx->counters->keyspace_misses++;
        return NULL;
    }
    ctx->counters->keyspace_hits++;
    if (!ctx->no_touch)
        rg_lookup_touch(ctx, entry);
    return entry;
}

static struct rg_entry *pattern_find_for(struct rg_cmd_ctx *ctx, const struct sort_pattern *pattern,
                                         struct rg_bytes element)
{
    enum { SHORT_BYTES = 256 };
    char key_short[SHORT_BYTES];
    size_t len = pattern->prefix.len + element.len + pattern->suffix.len;
    char *key_long = len > sizeof(key_short) ? rg_alloc(len) : NULL;
    char *key = key_long != NULL ? key_long : key_short;
    char *at = key;

    memcpy(at, pattern->prefix.data, pattern->prefix.len);
    at += pattern->prefix.len;
    if (element.len > 0)
        memcpy(at, element.data, element.len);
    memcpy(at + element.len, pattern->suffix.data, pattern->suffix.len);
    struct rg_entry *entry = pattern_find(ctx, rg_bytes(key, len));
    rg_free(key_long);
    return entry;
}

bool rg_sort_lookup(struct rg_cmd_ctx *ctx, struct rg_bytes pattern, struct rg_bytes element,
                    char scratch[RG_STRING_SCRATCH], struct rg_bytes *ret_value)
{
    struct sort_pattern parsed;

    if (rg_bytes_is(pattern, "#")) {
        *ret_value = element;
        return true;
    }
    if (!pattern_parse(pattern, &parsed))
        return false;
    const struct rg_entry *entry = pattern_find_for(ctx, &parsed, element);
    if (entry == NULL)
        return false;
    if (parsed.field.data != NULL)
        return rg_entry_type(entry) == RG_TYPE_HASH &&
               rg_hash_get(entry, parsed.field, scratch, ret_value);
    if (rg_entry_type(entry) != RG_TYPE_STRING)
        return false;
    *ret_value = rg_string_get(entry, scratch);
    return true;
}
