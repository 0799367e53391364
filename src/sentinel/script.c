#include <stdio.h>

#include "base/alloc.h"
#include "sentinel/state.h"

/* Scripts of the administrator: called at events and at a change of address, some at a time. */

void sentinel_script_free(struct sentinel_script *script)
{
    rg_list_remove(&script->link);
    for (int i = 0; script->argv[i] != NULL; i++)
        rg_free(script->argv[i]);
    rg_free(script);
}

static void script_queue(struct rg_sentinel *s, const char *const *argv, int argc)
{
    struct sentinel_script *script = RG_NEW(struct sentinel_script);

    for (int i = 0; i < argc && i < RG_SENTINEL_SCRIPT_ARGS; i++)
        script->argv[i] = rg_alloc_copy(argv[i], strlen(argv[i]));
    script->id = ++s->next_script;
    rg_list_append(&s->scripts, &script->link);
    s->scripts_count++;
    sentinel_wake(s, 0);
    if (s->scripts_count <= SENTINEL_SCRIPT_QUEUE)
        return;
    /* The oldest that does not run goes: what happened last is what is worth knowing. */
    RG_LIST_EACH(at, &s->scripts)
    {
        struct sentinel_script *oldest = RG_CONTAINER_OF(at, struct sentinel_script, link);
        if (oldest->running)
            continue;
        sentinel_script_free(oldest);
        s->scripts_count--;
        return;
    }
}

void sentinel_script_notify(struct rg_sentinel *s, const struct sentinel_inst *primary,
                            const char *type, const char *text)
{
    if (primary->notification_script == NULL)
        return;
    script_queue(s, (const char *const[]){primary->notification_script, type, text}, 3);
}

void sentinel_script_reconfig(struct rg_sentinel *s, struct sentinel_inst *primary,
                              const char *role, const struct sentinel_addr *from,
                              const struct sentinel_addr *to)
{
    char from_port[8];
    char to_port[8];

    if (primary->reconfig_script == NULL)
        return;
    (void)snprintf(from_port, sizeof(from_port), "%u", from->port);
    (void)snprintf(to_port, sizeof(to_port), "%u", to->port);
    const char *const argv[] = {
        primary->reconfig_script,
        primary->name,
        role,
        "start",
        sentinel_addr_host(s, from),
        from_port,
        sentinel_addr_host(s, to),
        to_port,
    };
    script_queue(s, argv, 8);
}

static void script_start(struct rg_sentinel *s, struct sentinel_script *script)
{
    struct sentinel_effect *item = sentinel_effect_add(s, RG_SENTINEL_SCRIPT);

    script->running = true;
    script->killed = false;
    script->start_ms = s->now_ms;
    s->scripts_running++;
    item->effect.id = script->id;
    /* Their memory goes with the script, which is not before script_ended. */
    for (int i = 0; i < RG_SENTINEL_SCRIPT_ARGS; i++)
        item->effect.argv[i] = script->argv[i];
    sentinel_event(s, RG_SENTINEL_DEBUG, "+script-child", NULL, "%llu",
                   (unsigned long long)script->id);
}

void sentinel_scripts_run(struct rg_sentinel *s)
{
    RG_LIST_EACH(at, &s->scripts)
    {
        struct sentinel_script *script = RG_CONTAINER_OF(at, struct sentinel_script, link);
        if (script->running) {
            if (!script->killed && s->now_ms - script->start_ms > s->timers[TIMER_SCRIPT_RUN]) {
                sentinel_event(s, RG_SENTINEL_WARNING, "-script-timeout", NULL, "%s %llu",
                               script->argv[0], (unsigned long long)script->id);
                script->killed = true;
                sentinel_effect_add(s, RG_SENTINEL_SCRIPT_KILL)->effect.id = script->id;
            }
        } else if (script->start_ms <= s->now_ms && s->scripts_running < SENTINEL_SCRIPT_RUNNING) {
            script_start(s, script);
        }
    }
}

/* A script that failed with status 1, or was killed, gets further tries, each later than the last.
 */
void rg_sentinel_script_ended(struct rg_sentinel *s, uint64_t id, int status, int signal,
                              struct rg_time now)
{
    s->now = now;
    s->now_ms = now.mono_us / RG_MS_US;
    RG_LIST_EACH(at, &s->scripts)
    {
        struct sentinel_script *script = RG_CONTAINER_OF(at, struct sentinel_script, link);
        if (script->id != id || !script->running)
            continue;
        sentinel_event(s, RG_SENTINEL_DEBUG, "-script-child", NULL, "%llu %d %d",
                       (unsigned long long)id, status, signal);
        script->running = false;
        s->scripts_running--;
        if ((signal != 0 || status == 1) && script->retries + 1 < SENTINEL_SCRIPT_RETRIES) {
            script->start_ms = s->now_ms + (s->timers[TIMER_SCRIPT_RETRY] << script->retries);
            script->retries++;
            return;
        }
        if (signal != 0 || status != 0)
            sentinel_event(s, RG_SENTINEL_WARNING, "-script-error", NULL, "%s %d %d",
                           script->argv[0], signal, status);
        sentinel_script_free(script);
        s->scripts_count--;
        return;
    }
}
