#include "base/alloc.h"
#include "node/config.h"
#include "proto/resp.h"

/* A sentinel's lines in the text of its file: each where a line of the same words was. */

enum { SENTINEL_MAX_WORDS = 16 };

struct line {
    struct rg_bytes text;
    bool used;
};

/* How many words say which line it is: of what can be there many times, all. */
static int sentinel_key_words(struct rg_bytes option)
{
    static const char *const globals[] = {
        "announce-ip",        "announce-port", "deny-scripts-reconfig",
        "sentinel-user",      "sentinel-pass", "resolve-hostnames",
        "announce-hostnames", "myid",          "current-epoch"};

    if (rg_bytes_is_nocase(option, "known-sentinel"))
        return 6;
    if (rg_bytes_is_nocase(option, "known-replica") || rg_bytes_is_nocase(option, "known-slave"))
        return 5;
    if (rg_bytes_is_nocase(option, "rename-command"))
        return 4;
    for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
        if (rg_bytes_is_nocase(option, globals[i]))
            return 2;
    }
    return 3;
}

/* The words that identify the line; false: it is none of a sentinel's. */
static bool sentinel_key(struct rg_bytes text, struct rg_buf *ret_key)
{
    size_t lens[SENTINEL_MAX_WORDS];
    struct rg_buf words = {0};
    int argc = rg_split_args(text, &words, lens, SENTINEL_MAX_WORDS);
    const char *data = rg_buf_view(&words).data;
    bool found = argc > 1 && rg_bytes_is_nocase(rg_bytes(data, lens[0]), "sentinel");

    rg_buf_reset(ret_key, 1024);
    if (found) {
        int count = sentinel_key_words(rg_bytes(data + lens[0], lens[1]));
        for (int i = 0; i < argc && i < count; i++) {
            rg_buf_append(ret_key, data, lens[i]);
            rg_buf_append_char(ret_key, '\0');
            data += lens[i];
        }
    }
    rg_buf_fini(&words);
    return found;
}

static struct line *sentinel_find(struct line *lines, size_t count, const struct rg_buf *key)
{
    struct rg_buf other = {0};
    struct line *found = NULL;

    for (size_t i = 0; i < count && found == NULL; i++) {
        if (!lines[i].used && sentinel_key(lines[i].text, &other) &&
            rg_bytes_equal_nocase(rg_buf_view(key), rg_buf_view(&other)))
            found = &lines[i];
    }
    rg_buf_fini(&other);
    return found;
}

static void sentinel_put(struct rg_buf *out, struct rg_bytes text)
{
    rg_buf_append_bytes(out, text);
    rg_buf_append_char(out, '\n');
}

static void sentinel_merge(struct rg_bytes text, struct line *lines, size_t count,
                           struct rg_buf *out)
{
    struct rg_buf key = {0};

    while (text.len > 0) {
        struct rg_bytes old = rg_bytes_cut(&text, '\n');
        if (!sentinel_key(old, &key)) {
            sentinel_put(out, old);
            continue;
        }
        struct line *line = sentinel_find(lines, count, &key);
        if (line == NULL)
            continue; /* it holds no more */
        line->used = true;
        sentinel_put(out, line->text);
    }
    for (size_t i = 0; i < count; i++) {
        if (!lines[i].used)
            sentinel_put(out, lines[i].text);
    }
    rg_buf_fini(&key);
}

int rg_config_rewrite_sentinel(const struct rg_config *config, struct rg_bytes lines,
                               struct rg_buf *out)
{
    struct rg_buf text = {0};
    struct line *list = NULL;
    size_t count = 0;
    int result = rg_config_rewrite(config, &text);

    if (result == 0) {
        for (size_t i = 0; i < lines.len; i++)
            count += lines.data[i] == '\n';
        list = RG_NEW_ARRAY(struct line, count + 1);
        for (size_t i = 0; i < count; i++)
            list[i].text = rg_bytes_cut(&lines, '\n');
        sentinel_merge(rg_buf_view(&text), list, count, out);
    }
    rg_free(list);
    rg_buf_fini(&text);
    return result;
}
