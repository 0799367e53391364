#include "server/allocator.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

/*
 * Declared here instead of by jemalloc's header, and weak, so that one object serves programs with
 * and without it: sanitizers bring an allocator of their own.
 */
int mallctl(const char *name, void *old, size_t *old_len, void *fresh, size_t fresh_len)
    __attribute__((weak));
void malloc_stats_print(void (*write)(void *arg, const char *text), void *arg, const char *options)
    __attribute__((weak));

/*
 * Read by jemalloc before main. One thread allocates nearly all, so that there is one arena; freed
 * pages go back after a second, in the background, however large the block was.
 */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:1,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,"
                          "oversize_threshold:0";

enum { ALL_ARENAS = 4096 };
#define CACHED_BYTES "stats.arenas.4096.tcache_bytes"

static bool is_jemalloc(void)
{
    return mallctl != NULL;
}

static uint64_t figure(const char *name)
{
    size_t value = 0;
    size_t len = sizeof(value);

    return mallctl(name, &value, &len, NULL, 0) == 0 ? value : 0;
}

void rg_allocator_name(char *ret_name, size_t size)
{
    const char *version = "";
    size_t len = sizeof(void *); /* the figure is the address of a text */

    if (!is_jemalloc()) {
        (void)snprintf(ret_name, size, "libc");
        return;
    }
    /* The commit that it was built from follows. */
    (void)mallctl("version", &version, &len, NULL, 0);
    (void)snprintf(ret_name, size, "jemalloc-%.*s", (int)strcspn(version, "-"), version);
}

static void report_write(void *arg, const char *text)
{
    rg_buf_append_str(arg, text);
}

static void allocator_report(struct rg_buf *out)
{
    if (is_jemalloc())
        malloc_stats_print(report_write, out, "");
}

void rg_allocator_facts(struct rg_node_facts *facts)
{
    rg_allocator_name(facts->allocator, sizeof(facts->allocator));
    if (!is_jemalloc()) {
        struct mallinfo2 info = mallinfo2();
        facts->allocated = info.uordblks + info.hblkhd;
        facts->active = facts->resident = info.arena + info.hblkhd;
        return;
    }
    /* Its figures are those of the last epoch. */
    uint64_t epoch = 1;
    (void)mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
    /* What threads keep of what was freed, for their next requests, counts as allocated there. */
    uint64_t allocated = figure("stats.allocated");
    uint64_t kept = figure(CACHED_BYTES);
    facts->allocated = allocated > kept ? allocated - kept : 0;
    facts->active = figure("stats.active");
    facts->resident = figure("stats.resident");
    facts->allocator_report = allocator_report;
}

void rg_allocator_purge(void)
{
    char name[32];

    if (!is_jemalloc()) {
        (void)malloc_trim(0);
        return;
    }
    (void)snprintf(name, sizeof(name), "arena.%d.purge", ALL_ARENAS);
    (void)mallctl(name, NULL, NULL, NULL, 0);
}
