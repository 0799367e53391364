#include "log/aof_manifest.h"

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"
#include "proto/resp.h"

enum {
    MANIFEST_MAX_LINE = 1024,
    MANIFEST_LINE_REST = 128, /* of a line: what stands beside the name */
    MANIFEST_MAX_WORDS = 32,
};

void rg_aof_manifest_fini(struct rg_aof_manifest *manifest)
{
    if (manifest == NULL)
        return;
    rg_free(manifest->files);
    *manifest = (struct rg_aof_manifest){0};
}

static unsigned manifest_rank(enum rg_aof_type type)
{
    return type == RG_AOF_BASE ? 0 : type == RG_AOF_INCR ? 1 : 2;
}

void rg_aof_manifest_put(struct rg_aof_manifest *manifest, const struct rg_aof_file *file)
{
    unsigned at = manifest->count;

    if (manifest->count == manifest->cap) {
        manifest->cap = manifest->cap == 0 ? 8 : manifest->cap * 2;
        manifest->files = rg_realloc(manifest->files, manifest->cap * sizeof(struct rg_aof_file));
    }
    for (; at > 0 && manifest_rank(manifest->files[at - 1].type) > manifest_rank(file->type); at--)
        manifest->files[at] = manifest->files[at - 1];
    manifest->files[at] = *file;
    manifest->count++;
}

void rg_aof_manifest_add(struct rg_aof_manifest *manifest, const char *name, uint64_t seq,
                         enum rg_aof_type type)
{
    struct rg_aof_file file = {.seq = seq, .type = type};

    RG_ASSERT(strlen(name) < RG_AOF_MAX_NAME);
    memcpy(file.name, name, strlen(name) + 1);
    rg_aof_manifest_put(manifest, &file);
}

struct rg_aof_file *rg_aof_manifest_newest(const struct rg_aof_manifest *manifest)
{
    struct rg_aof_file *newest = NULL;

    for (unsigned i = 0; i < manifest->count; i++) {
        if (manifest->files[i].type == RG_AOF_INCR)
            newest = &manifest->files[i];
    }
    return newest;
}

void rg_aof_manifest_retire(struct rg_aof_manifest *manifest, uint64_t incr_seq)
{
    struct rg_aof_manifest sorted = {0};

    for (unsigned i = 0; i < manifest->count; i++) {
        struct rg_aof_file file = manifest->files[i];
        if (file.type == RG_AOF_BASE || (file.type == RG_AOF_INCR && file.seq < incr_seq))
            file.type = RG_AOF_HISTORY;
        rg_aof_manifest_put(&sorted, &file);
    }
    rg_aof_manifest_fini(manifest);
    *manifest = sorted;
}

void rg_aof_manifest_forget(struct rg_aof_manifest *manifest)
{
    while (manifest->count > 0 && manifest->files[manifest->count - 1].type == RG_AOF_HISTORY)
        manifest->count--;
}

void rg_aof_manifest_drop(struct rg_aof_manifest *manifest, const struct rg_aof_file *file)
{
    size_t at = (size_t)(file - manifest->files);

    RG_ASSERT(at < manifest->count);
    manifest->count--;
    memmove(&manifest->files[at], &manifest->files[at + 1],
            (manifest->count - at) * sizeof(struct rg_aof_file));
}

uint64_t rg_aof_manifest_seq(const struct rg_aof_manifest *manifest)
{
    uint64_t seq = 0;

    for (unsigned i = 0; i < manifest->count; i++)
        seq = manifest->files[i].seq > seq ? manifest->files[i].seq : seq;
    return seq;
}

/* ---- Text ---- */

/* A name with blanks or other odd bytes is written in quotes, as redis.conf has it. */
static void manifest_format_name(const char *name, struct rg_buf *out)
{
    bool plain = true;

    for (const char *c = name; *c != '\0'; c++)
        plain = plain && *c > ' ' && *c <= '~' && *c != '"' && *c != '\'' && *c != '\\';
    if (plain) {
        rg_buf_append_str(out, name);
        return;
    }
    rg_buf_append_char(out, '"');
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            rg_buf_printf(out, "\\%c", *c);
        else if (*c >= ' ' && *c <= '~')
            rg_buf_append_char(out, *c);
        else
            rg_buf_printf(out, "\\x%02x", (unsigned char)*c);
    }
    rg_buf_append_char(out, '"');
}

void rg_aof_manifest_format(const struct rg_aof_manifest *manifest, struct rg_buf *out)
{
    /* Redis writes the base, then history, then the increments. */
    static const enum rg_aof_type order[] = {RG_AOF_BASE, RG_AOF_HISTORY, RG_AOF_INCR};

    for (unsigned pass = 0; pass < sizeof(order) / sizeof(order[0]); pass++) {
        for (unsigned i = 0; i < manifest->count; i++) {
            const struct rg_aof_file *file = &manifest->files[i];
            if (file->type != order[pass])
                continue;
            rg_buf_append_str(out, "file ");
            manifest_format_name(file->name, out);
            rg_buf_printf(out, " seq %llu type %c", (unsigned long long)file->seq, file->type);
            if (file->placed)
                rg_buf_printf(out, " start %llu", (unsigned long long)file->start);
            if (file->placed && file->end > 0)
                rg_buf_printf(out, " end %llu", (unsigned long long)file->end);
            rg_buf_append_char(out, '\n');
        }
    }
}

static const char *manifest_name(struct rg_bytes word, struct rg_aof_file *file)
{
    if (word.len == 0 || word.len >= RG_AOF_MAX_NAME || memchr(word.data, '\0', word.len) != NULL)
        return "Invalid AOF manifest file format";
    /* It names a file beside the manifest, and nothing else on this machine. */
    if (memchr(word.data, '/', word.len) != NULL || rg_bytes_is(word, ".") ||
        rg_bytes_is(word, ".."))
        return "File can't be a path, just a filename";
    memcpy(file->name, word.data, word.len);
    file->name[word.len] = '\0';
    /* Written out again, with its odd bytes escaped, it must still be a line that can be read. */
    struct rg_buf shown = {0};
    manifest_format_name(file->name, &shown);
    bool fits = rg_buf_len(&shown) + MANIFEST_LINE_REST < MANIFEST_MAX_LINE;
    rg_buf_fini(&shown);
    return fits ? NULL : "File name too long";
}

/* The words of a line: pairs of a key and its value; keys that are not known are passed over. */
static const char *manifest_words(const char *words, const size_t *lens, int count,
                                  struct rg_aof_file *file)
{
    const char *error = NULL;

    for (int i = 0; i + 1 < count && error == NULL; i += 2) {
        struct rg_bytes key = rg_bytes(words, lens[i]);
        struct rg_bytes value = rg_bytes(words + lens[i], lens[i + 1]);
        words += lens[i] + lens[i + 1];
        if (rg_bytes_is_nocase(key, "file"))
            error = manifest_name(value, file);
        else if (rg_bytes_is_nocase(key, "seq") && rg_parse_u64(value, &file->seq) < 0)
            error = "Invalid AOF manifest file format";
        else if (rg_bytes_is_nocase(key, "type"))
            file->type = value.len == 1 ? (enum rg_aof_type)value.data[0] : 0;
        else if (rg_bytes_is_nocase(key, "start"))
            file->placed = rg_parse_u64(value, &file->start) == 0 && file->start <= INT64_MAX;
        else if (rg_bytes_is_nocase(key, "end") &&
                 (rg_parse_u64(value, &file->end) < 0 || file->end > INT64_MAX))
            file->end = 0;
    }
    if (error == NULL && (file->name[0] == '\0' || file->seq == 0))
        error = "Invalid AOF manifest file format";
    return error;
}

static const char *manifest_take(struct rg_aof_manifest *manifest, const struct rg_aof_file *file)
{
    for (unsigned i = 0; i < manifest->count; i++) {
        if (file->type == RG_AOF_BASE && manifest->files[i].type == RG_AOF_BASE)
            return "Found duplicate base file information";
        if (file->type == RG_AOF_INCR && manifest->files[i].type == RG_AOF_INCR &&
            file->seq <= manifest->files[i].seq)
            return "Found a non-monotonic sequence number";
    }
    if (file->type != RG_AOF_BASE && file->type != RG_AOF_INCR && file->type != RG_AOF_HISTORY)
        return "Unknown AOF file type";
    if (manifest->count == RG_AOF_MAX_FILES)
        return "Too many files";
    struct rg_aof_file taken = *file;
    taken.placed =
        file->placed && file->type != RG_AOF_BASE && (file->end == 0 || file->end >= file->start);
    if (!taken.placed)
        taken.start = taken.end = 0;
    rg_aof_manifest_put(manifest, &taken);
    return NULL;
}

static const char *manifest_line(struct rg_bytes line, struct rg_aof_manifest *manifest)
{
    size_t lens[MANIFEST_MAX_WORDS];
    struct rg_aof_file file = {.name = ""};
    struct rg_buf words = {0};

    if (line.len >= MANIFEST_MAX_LINE)
        return "Line too long";
    int count = rg_split_args(line, &words, lens, MANIFEST_MAX_WORDS);
    const char *error = "Invalid AOF manifest file format";
    if (count >= 6 && count % 2 == 0)
        error = manifest_words(rg_buf_view(&words).data, lens, count, &file);
    rg_buf_fini(&words);
    return error != NULL ? error : manifest_take(manifest, &file);
}

static bool manifest_is_blank(struct rg_bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            return false;
    }
    return true;
}

int rg_aof_manifest_parse(struct rg_bytes text, struct rg_aof_manifest *ret_manifest,
                          struct rg_buf *ret_error)
{
    struct rg_aof_manifest manifest = {0};
    const char *error = text.len == 0 ? "Found an empty AOF manifest" : NULL;
    unsigned number = 1;

    for (; error == NULL && text.len > 0; number++) {
        bool ended = memchr(text.data, '\n', text.len) != NULL;
        struct rg_bytes line = rg_bytes_cut(&text, '\n');
        if (line.len > 0 && line.data[0] == '#')
            continue;
        if (!ended)
            error = "The AOF manifest file contains an incomplete line";
        else if (manifest_is_blank(line))
            error = "Invalid AOF manifest file format";
        else
            error = manifest_line(line, &manifest);
        if (error != NULL)
            break;
    }
    if (error != NULL) {
        rg_buf_printf(ret_error, "%s at line %u", error, number);
        rg_aof_manifest_fini(&manifest);
        return RG_ECORRUPT;
    }
    *ret_manifest = manifest;
    return 0;
}
