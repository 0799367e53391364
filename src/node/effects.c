#include "base/alloc.h"
#include "base/panic.h"
#include "node/node_impl.h"

const char *node_file_error(int result)
{
    return result == RG_ENOSPC ? "No space left on device" : "Input/output error";
}

static struct rg_effect_item *effect_add(struct rg_node *node, enum rg_effect_type type)
{
    struct rg_effect_item *item = RG_NEW(struct rg_effect_item);

    item->effect.type = type;
    rg_list_append(&node->effects, &item->link);
    return item;
}

static const char *effect_string(struct rg_effect_item *item, unsigned slot, const char *text)
{
    if (text == NULL)
        return NULL;
    item->strings[slot] = rg_alloc_copy(text, strlen(text));
    return item->strings[slot];
}

static void effect_free(struct rg_effect_item *item)
{
    if (item == NULL)
        return;
    for (int i = 0; item->argv != NULL && item->argv[i] != NULL; i++)
        rg_free(item->argv[i]);
    rg_free(item->argv);
    rg_free(item->strings[0]);
    rg_free(item->strings[1]);
    rg_buf_fini(&item->bytes);
    rg_free(item);
}

void node_effect_connect(struct rg_node *node, struct rg_conn *conn, const char *host,
                         uint16_t port)
{
    struct rg_effect_item *item = effect_add(node, RG_EFFECT_CONNECT);

    item->effect.conn = conn;
    item->effect.host = effect_string(item, 0, host);
    item->effect.port = port;
}

void node_effect_close(struct rg_node *node, struct rg_conn *conn, bool drain)
{
    struct rg_effect_item *item = effect_add(node, RG_EFFECT_CLOSE);

    item->effect.conn = conn;
    item->effect.drain = drain;
}

void node_effect_sleep(struct rg_node *node, int64_t sleep_us)
{
    node->slept_us += sleep_us;
    effect_add(node, RG_EFFECT_SLEEP)->effect.sleep_us = sleep_us;
}

void node_effect_purge(struct rg_node *node)
{
    effect_add(node, RG_EFFECT_PURGE);
}

void node_effect_config(struct rg_node *node, const char *name)
{
    struct rg_effect_item *item = effect_add(node, RG_EFFECT_CONFIG);

    item->effect.name = effect_string(item, 0, name);
}

void node_effect_exit(struct rg_node *node, int status)
{
    effect_add(node, RG_EFFECT_EXIT)->effect.status = status;
}

void node_effect_script(struct rg_node *node, uint64_t id, const char *const *argv)
{
    struct rg_effect_item *item = effect_add(node, RG_EFFECT_SCRIPT);
    size_t count = 0;

    while (argv[count] != NULL)
        count++;
    item->argv = RG_NEW_ARRAY(char *, count + 1);
    for (size_t i = 0; i < count; i++)
        item->argv[i] = rg_alloc_copy(argv[i], strlen(argv[i]));
    item->effect.argv = item->argv;
    item->effect.token = id;
}

void node_effect_script_kill(struct rg_node *node, uint64_t id)
{
    effect_add(node, RG_EFFECT_SCRIPT_KILL)->effect.token = id;
}

static struct rg_effect_item *effect_file(struct rg_node *node, enum rg_effect_type type,
                                          const char *name, enum rg_file_purpose purpose,
                                          uint64_t arg)
{
    struct rg_effect_item *item = effect_add(node, type);

    item->effect.name = effect_string(item, 0, name);
    item->effect.token = ++node->next_token;
    if (node->file_wait_count == node->file_wait_cap) {
        node->file_wait_cap = node->file_wait_cap ? node->file_wait_cap * 2 : 16;
        node->file_waits =
            rg_realloc(node->file_waits, node->file_wait_cap * sizeof(struct rg_file_wait));
    }
    node->file_waits[node->file_wait_count++] =
        (struct rg_file_wait){item->effect.token, purpose, arg};
    return item;
}

void node_effect_file(struct rg_node *node, enum rg_effect_type type, const char *name,
                      const char *new_name, struct rg_buf *bytes, enum rg_file_purpose purpose,
                      uint64_t arg)
{
    struct rg_effect_item *item = effect_file(node, type, name, purpose, arg);

    item->effect.new_name = effect_string(item, 1, new_name);
    if (bytes != NULL) {
        item->bytes = *bytes;
        *bytes = (struct rg_buf){0};
        item->effect.bytes = rg_buf_view(&item->bytes);
    }
}

void node_effect_cut(struct rg_node *node, const char *name, uint64_t position,
                     enum rg_file_purpose purpose, uint64_t arg)
{
    effect_file(node, RG_EFFECT_LOG_CUT, name, purpose, arg)->effect.position = position;
}

void node_effect_read(struct rg_node *node, const char *name, uint64_t position, size_t length,
                      enum rg_file_purpose purpose, uint64_t arg)
{
    struct rg_effect_item *item = effect_file(node, RG_EFFECT_FILE_READ, name, purpose, arg);

    item->effect.position = position;
    item->effect.length = length;
}

void node_say(struct rg_node *node, enum rg_log_level level, const char *format, ...)
{
    va_list args;

    if ((int64_t)level < node->config->loglevel)
        return;
    struct rg_effect_item *item = effect_add(node, RG_EFFECT_LOG);
    va_start(args, format);
    rg_buf_vprintf(&item->bytes, format, args);
    va_end(args);
    item->effect.level = level;
    item->effect.bytes = rg_buf_view(&item->bytes);
}

/* A connection that is gone can be neither dialled nor closed any more. */
void node_effects_forget(struct rg_node *node, const struct rg_conn *conn)
{
    RG_LIST_EACH(link, &node->effects)
    {
        struct rg_effect_item *item = RG_CONTAINER_OF(link, struct rg_effect_item, link);
        if (item->effect.conn == conn) {
            rg_list_remove(link);
            effect_free(item);
        }
    }
}

bool rg_node_next_effect(struct rg_node *node, struct rg_effect *ret_effect)
{
    effect_free(node->pulled);
    node->pulled = NULL;
    if (rg_list_empty(&node->effects))
        return false;
    struct rg_list *first = node->effects.next;
    rg_list_remove(first);
    node->pulled = RG_CONTAINER_OF(first, struct rg_effect_item, link);
    *ret_effect = node->pulled->effect;
    return true;
}

void node_effects_fini(struct rg_node *node)
{
    effect_free(node->pulled);
    RG_LIST_EACH(link, &node->effects)
    {
        effect_free(RG_CONTAINER_OF(link, struct rg_effect_item, link));
    }
    rg_free(node->file_waits);
}
