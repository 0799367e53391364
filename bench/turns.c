#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/*
 * Preloaded into a server: how much processor time its loop takes from one wait to the next, which
 * is what holds up all its clients and does not depend on what else the machine does. The figures
 * lie in the file that TURNS names, for whoever reads and clears them.
 */
struct turns {
    uint64_t count;
    uint64_t longest_ns;
    uint64_t over_1_ms;
    uint64_t over_2_ms;
};

static struct turns *turns;
static int64_t began_ns;

static int64_t cpu_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void turns_open(void)
{
    static struct turns nowhere;
    const char *path = getenv("TURNS");
    int fd = path != NULL ? open(path, O_RDWR) : -1;

    turns = &nowhere;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        turns = map;
    (void)close(fd);
}

static void turn_ends(void)
{
    uint64_t took_ns = (uint64_t)(cpu_ns() - began_ns);

    if (turns == NULL)
        turns_open();
    turns->count++;
    turns->longest_ns = took_ns > turns->longest_ns ? took_ns : turns->longest_ns;
    turns->over_1_ms += took_ns > 1000000;
    turns->over_2_ms += took_ns > 2000000;
}

/* Both servers have one loop, in the thread that comes here; each waits in one of the two ways. */
int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask)
{
    static int (*next)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);

    if (next == NULL)
        next = (int (*)(int, struct epoll_event *, int, const struct timespec *,
                        const sigset_t *))dlsym(RTLD_NEXT, "epoll_pwait2");
    if (began_ns != 0)
        turn_ends();
    int result = next(fd, events, max, timeout, mask);
    began_ns = cpu_ns();
    return result;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    static int (*next)(int, struct epoll_event *, int, int);

    if (next == NULL)
        next = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
    if (began_ns != 0)
        turn_ends();
    int result = next(fd, events, max, timeout_ms);
    began_ns = cpu_ns();
    return result;
}
