#include <stdarg.h>

#include "base/alloc.h"
#include "sentinel/state.h"

/* What goes out: effects in order, and the events among them, whose texts are Redis Sentinel's. */

struct sentinel_effect *sentinel_effect_add(struct rg_sentinel *s,
                                            enum rg_sentinel_effect_type type)
{
    struct sentinel_effect *item = RG_NEW(struct sentinel_effect);

    item->effect.type = type;
    rg_list_append(&s->effects, &item->link);
    return item;
}

static void effect_free(struct sentinel_effect *item)
{
    if (item == NULL)
        return;
    rg_list_remove(&item->link);
    rg_buf_fini(&item->bytes);
    rg_free(item->text);
    rg_free(item);
}

void sentinel_effects_forget(struct rg_sentinel *s, const struct rg_sentinel_link *link)
{
    RG_LIST_EACH(at, &s->effects)
    {
        struct sentinel_effect *item = RG_CONTAINER_OF(at, struct sentinel_effect, link);
        if (item->effect.link == link)
            effect_free(item);
    }
}

void sentinel_effects_fini(struct rg_sentinel *s)
{
    RG_LIST_EACH(at, &s->effects)
    {
        effect_free(RG_CONTAINER_OF(at, struct sentinel_effect, link));
    }
    effect_free(s->pulled);
}

bool rg_sentinel_next_effect(struct rg_sentinel *s, struct rg_sentinel_effect *ret_effect)
{
    effect_free(s->pulled);
    s->pulled = NULL;
    if (rg_list_empty(&s->effects))
        return false;
    struct sentinel_effect *item = RG_CONTAINER_OF(s->effects.next, struct sentinel_effect, link);
    rg_list_remove(&item->link);
    s->pulled = item;
    item->effect.bytes = rg_buf_view(&item->bytes);
    if (item->effect.type == RG_SENTINEL_CONNECT)
        item->effect.host = item->text;
    else
        item->effect.channel = item->text;
    *ret_effect = item->effect;
    return true;
}

void sentinel_say(struct rg_sentinel *s, enum rg_sentinel_level level, const char *format, ...)
{
    struct sentinel_effect *item = sentinel_effect_add(s, RG_SENTINEL_SAY);
    va_list args;

    item->effect.level = level;
    va_start(args, format);
    rg_buf_vprintf(&item->bytes, format, args);
    va_end(args);
}

static const char *event_kind(const struct sentinel_inst *inst)
{
    static const char *const names[] = {
        [KIND_PRIMARY] = "master", [KIND_REPLICA] = "slave", [KIND_SENTINEL] = "sentinel"};

    return names[inst->kind];
}

/* "slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379" */
static void event_subject(const struct rg_sentinel *s, const struct sentinel_inst *inst,
                          struct rg_buf *text)
{
    const struct sentinel_inst *primary = inst->primary;

    rg_buf_printf(text, "%s %s %s %u", event_kind(inst), inst->name,
                  sentinel_addr_host(s, &inst->addr), inst->addr.port);
    if (inst->kind != KIND_PRIMARY)
        rg_buf_printf(text, " @ %s %s %u", primary->name, sentinel_addr_host(s, &primary->addr),
                      primary->addr.port);
}

void sentinel_event(struct rg_sentinel *s, enum rg_sentinel_level level, const char *type,
                    const struct sentinel_inst *inst, const char *format, ...)
{
    struct rg_buf text = {0};
    va_list args;

    if (inst != NULL)
        event_subject(s, inst, &text);
    va_start(args, format);
    rg_buf_vprintf(&text, format, args);
    va_end(args);
    struct rg_bytes bytes = rg_buf_view(&text);
    sentinel_say(s, level, "%s %.*s", type, (int)bytes.len, bytes.data);
    if (level != RG_SENTINEL_DEBUG) {
        struct sentinel_effect *item = sentinel_effect_add(s, RG_SENTINEL_PUBLISH);
        item->text = rg_alloc_copy(type, strlen(type));
        rg_buf_append_bytes(&item->bytes, bytes);
    }
    if (level == RG_SENTINEL_WARNING && inst != NULL) {
        rg_buf_append_char(&text, '\0');
        sentinel_script_notify(s, inst->primary, type, rg_buf_view(&text).data);
    }
    rg_buf_fini(&text);
}
