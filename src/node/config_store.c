#include "node/config_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/panic.h"

/* Canonical text into the fields and back. What comes in was checked, so nothing here can fail. */

static int64_t store_i64(struct rg_bytes text)
{
    int64_t value = 0;

    RG_ASSERT(rg_parse_i64(text, &value) == 0);
    return value;
}

static void store_string(char **field, struct rg_bytes text)
{
    char *copy = rg_alloc_copy(text.len == 0 ? "" : text.data, text.len);

    rg_free(*field);
    *field = copy;
}

/* Takes the next word off the front of text; empty at its end. */
static struct rg_bytes store_word(struct rg_bytes *text)
{
    size_t len = 0;

    while (len < text->len && text->data[len] != ' ')
        len++;
    struct rg_bytes word = rg_bytes(text->data, len);
    size_t taken = len < text->len ? len + 1 : len;
    *text = rg_bytes(text->data + taken, text->len - taken);
    return word;
}

static int store_list(char **list, int count, int max, struct rg_bytes text)
{
    for (int i = 0; i < count; i++) {
        rg_free(list[i]);
        list[i] = NULL;
    }
    count = 0;
    while (text.len > 0) {
        RG_ASSERT(count < max);
        store_string(&list[count++], store_word(&text));
    }
    return count;
}

static void store_save(struct rg_config *config, struct rg_bytes text)
{
    config->save_count = 0;
    while (text.len > 0) {
        RG_ASSERT(config->save_count < RG_CONFIG_MAX_SAVE);
        config->save[config->save_count].seconds = store_i64(store_word(&text));
        config->save[config->save_count++].changes = store_i64(store_word(&text));
    }
}

static void store_limits(struct rg_config *config, struct rg_bytes text)
{
    for (int i = 0; i < RG_CLASSES; i++) {
        (void)store_word(&text); /* the classes come in their order */
        config->output_limit[i].hard_bytes = (uint64_t)store_i64(store_word(&text));
        config->output_limit[i].soft_bytes = (uint64_t)store_i64(store_word(&text));
        config->output_limit[i].soft_seconds = store_i64(store_word(&text));
    }
}

static void store_replicaof(struct rg_config *config, struct rg_bytes text)
{
    store_string(&config->replicaof_host, store_word(&text));
    config->replicaof_port = text.len > 0 ? store_i64(text) : 0;
}

static int64_t store_enum(const struct config_directive *directive, struct rg_bytes text)
{
    for (int i = 0; directive->values[i] != NULL; i++) {
        if (rg_bytes_is(text, directive->values[i]))
            return i;
    }
    RG_UNREACHABLE();
}

static int64_t store_octal(struct rg_bytes text)
{
    int64_t value = 0;

    for (size_t i = 0; i < text.len; i++)
        value = value * 8 + (text.data[i] - '0');
    return value;
}

static char **config_text_slot(const struct rg_config *config,
                               const struct config_directive *directive)
{
    return &config->extra->values[directive - config_directives];
}

void config_store(struct rg_config *config, const struct config_directive *directive,
                  struct rg_bytes text)
{
    if (directive->offset == CONFIG_NO_FIELD) {
        store_string(config_text_slot(config, directive), text);
        return;
    }
    void *field = (char *)config + directive->offset;
    switch (directive->kind) {
    case CONFIG_BOOL:
        *(bool *)field = rg_bytes_is(text, "yes");
        break;
    case CONFIG_INT:
    case CONFIG_MEMORY:
        *(int64_t *)field = store_i64(text);
        break;
    case CONFIG_OCTAL:
        *(int64_t *)field = store_octal(text);
        break;
    case CONFIG_ENUM:
        *(int64_t *)field = store_enum(directive, text);
        break;
    case CONFIG_BIND:
        config->bind_count = store_list(config->bind, config->bind_count, RG_CONFIG_MAX_BIND, text);
        break;
    case CONFIG_MEMBERS:
        config->group_member_count = store_list(config->group_members, config->group_member_count,
                                                RG_CONFIG_MAX_GROUP, text);
        break;
    case CONFIG_SAVE:
        store_save(config, text);
        break;
    case CONFIG_LIMIT:
        store_limits(config, text);
        break;
    case CONFIG_REPLICAOF:
        store_replicaof(config, text);
        break;
    default:
        store_string(field, text);
    }
}

static void format_list(struct rg_buf *out, char *const *list, int count)
{
    for (int i = 0; i < count; i++)
        rg_buf_printf(out, "%s%s", i == 0 ? "" : " ", list[i]);
}

static void format_limits(const struct rg_config *config, struct rg_buf *out)
{
    static const char *const names[RG_CLASSES] = {"normal", "slave", "pubsub"};

    for (int i = 0; i < RG_CLASSES; i++)
        rg_buf_printf(out, "%s%s %" PRIu64 " %" PRIu64 " %" PRId64, i == 0 ? "" : " ", names[i],
                      config->output_limit[i].hard_bytes, config->output_limit[i].soft_bytes,
                      config->output_limit[i].soft_seconds);
}

/* The kinds that are no plain number or string. */
static void format_multi(const struct rg_config *config, const struct config_directive *directive,
                         struct rg_buf *out)
{
    switch (directive->kind) {
    case CONFIG_BIND:
        format_list(out, config->bind, config->bind_count);
        break;
    case CONFIG_MEMBERS:
        format_list(out, config->group_members, config->group_member_count);
        break;
    case CONFIG_SAVE:
        for (int i = 0; i < config->save_count; i++)
            rg_buf_printf(out, "%s%" PRId64 " %" PRId64, i == 0 ? "" : " ", config->save[i].seconds,
                          config->save[i].changes);
        break;
    case CONFIG_LIMIT:
        format_limits(config, out);
        break;
    case CONFIG_FLAGS:
        rg_buf_append_str(out, *(char *const *)((const char *)config + directive->offset));
        break;
    case CONFIG_REPLICAOF:
        if (config->replicaof_host[0] != '\0')
            rg_buf_printf(out, "%s %" PRId64, config->replicaof_host, config->replicaof_port);
        break;
    default:
        RG_UNREACHABLE();
    }
}

void config_format(const struct rg_config *config, const struct config_directive *directive,
                   struct rg_buf *out)
{
    if (directive->offset == CONFIG_NO_FIELD) {
        rg_buf_append_str(out, *config_text_slot(config, directive));
        return;
    }
    const void *field = (const char *)config + directive->offset;
    switch (directive->kind) {
    case CONFIG_BOOL:
        rg_buf_append_str(out, *(const bool *)field ? "yes" : "no");
        break;
    case CONFIG_INT:
    case CONFIG_MEMORY:
        rg_buf_printf(out, "%" PRId64, *(const int64_t *)field);
        break;
    case CONFIG_OCTAL:
        rg_buf_printf(out, "%" PRIo64, (uint64_t) * (const int64_t *)field);
        break;
    case CONFIG_ENUM:
        rg_buf_append_str(out, directive->values[*(const int64_t *)field]);
        break;
    default:
        if (config_is_multi(directive))
            format_multi(config, directive, out);
        else
            rg_buf_append_str(out, *(char *const *)field);
    }
}

bool config_is_default(const struct rg_config *config, const struct config_directive *directive)
{
    struct rg_buf text = {0};

    config_format(config, directive, &text);
    bool same = rg_bytes_is(rg_buf_view(&text), directive->def);
    rg_buf_fini(&text);
    return same;
}

struct rg_config *rg_config_new(void)
{
    struct rg_config *config = RG_NEW(struct rg_config);

    config->extra = RG_NEW(struct rg_config_extra);
    config->extra->values = RG_NEW_ARRAY(char *, config_directive_count);
    config->extra->given = RG_NEW_ARRAY(bool, config_directive_count);
    config->extra->file = rg_alloc_copy("", 0);
    config->active_expire = true;
    for (unsigned i = 0; i < config_directive_count; i++)
        config_store(config, &config_directives[i], rg_bytes_str(config_directives[i].def));
    return config;
}

void rg_config_be_sentinel(struct rg_config *config)
{
    static const char *const values[][2] = {
        {"port", "26379"}, {"protected-mode", "no"}, {"save", ""}, {"appendonly", "no"}};

    config->sentinel = true;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        config_store(config, config_find(rg_bytes_str(values[i][0])), rg_bytes_str(values[i][1]));
}

static void config_free_extra(struct rg_config_extra *extra)
{
    for (unsigned i = 0; i < config_directive_count; i++)
        rg_free(extra->values[i]);
    rg_free(extra->values);
    rg_free(extra->given);
    rg_free(extra->file);
    rg_buf_fini(&extra->text);
    rg_free(extra);
}

void rg_config_free(struct rg_config *config)
{
    if (config == NULL)
        return;
    for (unsigned i = 0; i < config_directive_count; i++) {
        const struct config_directive *directive = &config_directives[i];
        bool plain = !config_is_multi(directive) || directive->kind == CONFIG_FLAGS;
        bool text = plain && directive->kind != CONFIG_BOOL && directive->kind != CONFIG_INT &&
                    directive->kind != CONFIG_MEMORY && directive->kind != CONFIG_OCTAL &&
                    directive->kind != CONFIG_ENUM;
        if (text && directive->offset != CONFIG_NO_FIELD)
            rg_free(*(char **)(void *)((char *)config + directive->offset));
    }
    for (int i = 0; i < config->sentinel_line_count; i++)
        rg_free(config->sentinel_lines[i].text);
    rg_free(config->sentinel_lines);
    for (int i = 0; i < config->bind_count; i++)
        rg_free(config->bind[i]);
    for (int i = 0; i < config->group_member_count; i++)
        rg_free(config->group_members[i]);
    rg_free(config->replicaof_host);
    config_free_extra(config->extra);
    rg_free(config);
}
