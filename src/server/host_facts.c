#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/number.h"
#include "io/clock.h"
#include "server/allocator.h"
#include "server/host.h"

/* Asking the allocator walks its free pieces; at most this share of the time goes to it. */
enum { HOST_FACTS_US = 1000 * 1000, HOST_FACTS_SHARE = 1000 };

/* The second figure of /proc/self/statm, in pages. */
static uint64_t host_rss(void)
{
    char text[128];
    struct rg_bytes field = {text, 0};
    uint64_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    field.data += strcspn(text, " ");
    field.data += field.data[0] == ' ' ? 1 : 0;
    field.len = strcspn(field.data, " ");
    if (rg_parse_u64(field, &pages) < 0)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int64_t host_cpu_us(const struct timeval *tv)
{
    return (int64_t)tv->tv_sec * RG_S_US + tv->tv_usec;
}

void rg_host_facts(struct host *host)
{
    struct rusage usage = {0};
    struct rusage thread = {0};
    struct utsname system;

    if (host->now.mono_us < host->facts_due_us)
        return;
    if (host->total_memory == 0)
        host->total_memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)getrusage(RUSAGE_THREAD, &thread);
    struct rg_node_facts facts = {
        .used_memory_rss = host_rss(),
        .total_system_memory = host->total_memory,
        .cpu_user_us = host_cpu_us(&usage.ru_utime),
        .cpu_system_us = host_cpu_us(&usage.ru_stime),
        .cpu_thread_user_us = host_cpu_us(&thread.ru_utime),
        .cpu_thread_system_us = host_cpu_us(&thread.ru_stime),
        .io_backend = rg_loop_name(host->loop),
    };
    rg_allocator_facts(&facts);
    if (uname(&system) == 0)
        (void)snprintf(facts.os, sizeof(facts.os), "%.40s %.60s %.20s", system.sysname,
                       system.release, system.machine);
    rg_node_set_facts(host->node, &facts);
    int64_t pause_us = (rg_clock_mono_us() - host->now.mono_us) * HOST_FACTS_SHARE;
    host->facts_due_us = host->now.mono_us + (pause_us > HOST_FACTS_US ? pause_us : HOST_FACTS_US);
}
