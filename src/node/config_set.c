#include "node/config_table.h"

#include "base/alloc.h"
#include "base/glob.h"
#include "base/panic.h"

/*
 * CONFIG SET checks everything before it stores anything; what only shows once all is stored (a
 * rule over several directives) is undone.
 */

enum {
    SET_MAX_PAIRS = 512, /* more than there are directives, so a longer list has duplicates */
    SET_MIN_BACKLOG = 16384,
    SET_MAX_HZ = 500,
};

struct set_item {
    const struct config_directive *directive;
    struct rg_bytes name; /* as the user wrote it */
    struct rg_buf text;   /* owned: canonical, new */
    struct rg_buf before; /* owned: canonical, old */
};

static int set_fail(struct rg_buf *ret_error, struct rg_bytes name, const char *reason)
{
    rg_buf_append_str(ret_error, "ERR CONFIG SET failed (possibly related to argument '");
    rg_buf_append_bytes(ret_error, name);
    rg_buf_printf(ret_error, "') - %s", reason);
    return RG_EINVAL;
}

/* Protected directives ask for enable-protected-configs yes: from whom a command came, which
 * `local` is about, is not known here. */
static bool set_is_protected(const struct rg_config *config,
                             const struct config_directive *directive)
{
    struct rg_buf text = {0};

    if ((directive->flags & CONFIG_PROTECTED) == 0)
        return false;
    const struct config_directive *enable = config_find(rg_bytes_str("enable-protected-configs"));
    config_format(config, enable, &text);
    bool yes = rg_bytes_is(rg_buf_view(&text), "yes");
    rg_buf_fini(&text);
    return !yes;
}

/* Finds the directive of pair i and refuses what may not be set. */
static int set_find(const struct rg_config *config, struct set_item *items, int i,
                    struct rg_bytes name, struct rg_buf *ret_error)
{
    const struct config_directive *directive = config_find(name);

    if (directive == NULL || (directive->flags & CONFIG_HIDDEN) != 0) {
        rg_buf_append_str(ret_error,
                          "ERR Unknown option or number of arguments for CONFIG SET - '");
        rg_buf_append_bytes(ret_error, name);
        rg_buf_append_char(ret_error, '\'');
        return RG_EINVAL;
    }
    if ((directive->flags & CONFIG_IMMUTABLE) != 0)
        return set_fail(ret_error, name, "can't set immutable config");
    if (set_is_protected(config, directive))
        return set_fail(ret_error, name, "can't set protected config");
    for (int j = 0; j < i; j++) {
        /* The old and the new name of one directive may stand side by side; the later wins. */
        if (rg_bytes_equal_nocase(items[j].name, name))
            return set_fail(ret_error, name, "duplicate parameter");
    }
    items[i].directive = directive;
    items[i].name = name;
    return 0;
}

static int set_parse(const struct rg_config *config, struct set_item *item, struct rg_bytes value,
                     struct rg_buf *ret_error)
{
    struct rg_buf reason = {0};
    int rc = config_parse(config, item->directive, &value, 1, false, &item->text, &reason);

    if (rc < 0) {
        rg_buf_append_char(&reason, '\0');
        rc = set_fail(ret_error, item->name, rg_buf_view(&reason).data);
    }
    rg_buf_fini(&reason);
    config_format(config, item->directive, &item->before);
    return rc;
}

/* Redis takes some values and moves them into what it can do. */
static void set_clamp(struct rg_config *config)
{
    if (config->repl_backlog_size < SET_MIN_BACKLOG)
        config->repl_backlog_size = SET_MIN_BACKLOG;
    if (config->hz < 1)
        config->hz = 1;
    if (config->hz > SET_MAX_HZ)
        config->hz = SET_MAX_HZ;
}

static int set_store(struct rg_config *config, struct set_item *items, int count,
                     struct rg_buf *ret_error)
{
    struct rg_buf reason = {0};

    for (int i = 0; i < count; i++)
        config_store(config, items[i].directive, rg_buf_view(&items[i].text));
    int rc = rg_config_check(config, &reason);
    if (rc < 0) {
        for (int i = count; i-- > 0;)
            config_store(config, items[i].directive, rg_buf_view(&items[i].before));
        rg_buf_append_char(&reason, '\0');
        rc = set_fail(ret_error, items[count - 1].name, rg_buf_view(&reason).data);
    } else {
        set_clamp(config);
    }
    rg_buf_fini(&reason);
    return rc;
}

/* The names whose values are not what they were. */
static int set_changed(const struct rg_config *config, const struct set_item *items, int count,
                       const char **ret_names)
{
    struct rg_buf now = {0};
    int changed = 0;

    for (int i = 0; i < count; i++) {
        bool again = false;
        for (int j = 0; j < i; j++)
            again = again || items[j].directive == items[i].directive;
        rg_buf_reset(&now, SIZE_MAX);
        config_format(config, items[i].directive, &now);
        if (!again && !rg_bytes_equal(rg_buf_view(&now), rg_buf_view(&items[i].before)))
            ret_names[changed++] = items[i].directive->name;
    }
    rg_buf_fini(&now);
    return changed;
}

int rg_config_set(struct rg_config *config, const struct rg_bytes *argv, int count,
                  const char **ret_names, int *ret_changed, struct rg_buf *ret_error)
{
    int pairs = count / 2;
    int rc = 0;

    if (count < 2 || count % 2 != 0) {
        rg_buf_append_str(ret_error, "ERR wrong number of arguments for 'config|set' command");
        return RG_EINVAL;
    }
    /* Names beyond so many repeat themselves: the first error is among those before. */
    if (pairs > SET_MAX_PAIRS)
        pairs = SET_MAX_PAIRS;
    struct set_item *items = RG_NEW_ARRAY(struct set_item, (size_t)pairs);
    for (int i = 0; i < pairs && rc == 0; i++)
        rc = set_find(config, items, i, argv[2 * i], ret_error);
    for (int i = 0; i < pairs && rc == 0; i++)
        rc = set_parse(config, &items[i], argv[2 * i + 1], ret_error);
    if (rc == 0)
        rc = set_store(config, items, pairs, ret_error);
    if (rc == 0)
        *ret_changed = set_changed(config, items, pairs, ret_names);
    for (int i = 0; i < pairs; i++) {
        rg_buf_fini(&items[i].text);
        rg_buf_fini(&items[i].before);
    }
    rg_free(items);
    return rc;
}

static bool get_is_glob(struct rg_bytes pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (strchr("*?[", pattern.data[i]) != NULL && pattern.data[i] != '\0')
            return true;
    }
    return false;
}

/* The first pattern that names it; NULL: none. */
static const struct rg_bytes *get_match(const struct rg_bytes *patterns, int count,
                                        const char *name)
{
    for (int i = 0; i < count; i++) {
        if (get_is_glob(patterns[i]) ? rg_glob_match(patterns[i], rg_bytes_str(name), true)
                                     : rg_bytes_is_nocase(patterns[i], name))
            return &patterns[i];
    }
    return NULL;
}

/* Redis shows the letter n of notify-keyspace-events only where A is not there. */
static void get_hide_new(struct rg_buf *value)
{
    struct rg_bytes text = rg_buf_view(value);

    if (text.len > 0 && text.data[0] == 'A' && text.data[text.len - 1] == 'n')
        rg_buf_truncate(value, text.len - 1);
}

void rg_config_get(const struct rg_config *config, const struct rg_bytes *patterns, int count,
                   void (*visit)(void *arg, const char *name, struct rg_bytes value), void *arg)
{
    struct rg_buf value = {0};
    struct rg_buf shown = {0};

    for (unsigned i = 0; i < 2 * config_directive_count; i++) {
        const struct config_directive *directive = &config_directives[i / 2];
        const char *name = i % 2 == 0 ? directive->name : directive->alias;
        if (name == NULL || (directive->flags & CONFIG_HIDDEN) != 0)
            continue;
        const struct rg_bytes *pattern = get_match(patterns, count, name);
        if (pattern == NULL)
            continue;
        rg_buf_reset(&value, SIZE_MAX);
        rg_buf_reset(&shown, SIZE_MAX);
        config_format(config, directive, &value);
        if (directive->kind == CONFIG_EVENTS)
            get_hide_new(&value);
        /* A plain name comes back in the case in which it was asked for. */
        if (get_is_glob(*pattern))
            rg_buf_append_str(&shown, name);
        else
            rg_buf_append_bytes(&shown, *pattern);
        rg_buf_append_char(&shown, '\0');
        visit(arg, rg_buf_view(&shown).data, rg_buf_view(&value));
    }
    rg_buf_fini(&value);
    rg_buf_fini(&shown);
}
