#include "io/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/panic.h"

struct rg_worker {
    pthread_mutex_t lock; /* guards what follows up to event_fd */
    pthread_cond_t wake;
    struct rg_list todo;
    struct rg_list done;
    uint32_t busy_lanes;
    bool ending;
    int event_fd;
    unsigned thread_count;
    pthread_t threads[];
};

static struct rg_job *worker_pop(struct rg_list *list)
{
    if (rg_list_empty(list))
        return NULL;
    struct rg_job *job = RG_CONTAINER_OF(list->next, struct rg_job, node);
    rg_list_remove(&job->node);
    return job;
}

/* The first job whose lane is free. */
static struct rg_job *worker_next(struct rg_worker *worker)
{
    RG_LIST_EACH(link, &worker->todo)
    {
        struct rg_job *job = RG_CONTAINER_OF(link, struct rg_job, node);
        uint32_t bit = job->lane == 0 ? 0 : 1U << job->lane;
        if (worker->busy_lanes & bit)
            continue;
        rg_list_remove(link);
        worker->busy_lanes |= bit;
        return job;
    }
    return NULL;
}

static void *worker_main(void *arg)
{
    struct rg_worker *worker = arg;

    (void)pthread_mutex_lock(&worker->lock);
    for (;;) {
        struct rg_job *job = worker_next(worker);
        if (job == NULL) {
            if (worker->ending && rg_list_empty(&worker->todo))
                break;
            (void)pthread_cond_wait(&worker->wake, &worker->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&worker->lock);
        job->run(job);
        (void)pthread_mutex_lock(&worker->lock);
        if (job->lane != 0) {
            worker->busy_lanes &= ~(1U << job->lane);
            (void)pthread_cond_broadcast(&worker->wake);
        }
        rg_list_append(&worker->done, &job->node);
        RG_ASSERT(eventfd_write(worker->event_fd, 1) == 0);
    }
    (void)pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* The threads take no signals: those are the loop's. */
static bool worker_start_threads(struct rg_worker *worker, unsigned threads)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (worker->thread_count < threads &&
           pthread_create(&worker->threads[worker->thread_count], NULL, worker_main, worker) == 0)
        worker->thread_count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->thread_count == threads;
}

struct rg_worker *rg_worker_new(unsigned threads)
{
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (event_fd < 0)
        return NULL;
    struct rg_worker *worker = rg_alloc_zero(sizeof(*worker) + threads * sizeof(pthread_t));
    worker->event_fd = event_fd;
    rg_list_init(&worker->todo);
    rg_list_init(&worker->done);
    RG_ASSERT(pthread_mutex_init(&worker->lock, NULL) == 0);
    RG_ASSERT(pthread_cond_init(&worker->wake, NULL) == 0);
    if (!worker_start_threads(worker, threads)) {
        rg_worker_free(worker, NULL);
        return NULL;
    }
    return worker;
}

void rg_worker_free(struct rg_worker *worker, void (*drop)(struct rg_job *job))
{
    if (worker == NULL)
        return;
    (void)pthread_mutex_lock(&worker->lock);
    worker->ending = true;
    (void)pthread_cond_broadcast(&worker->wake);
    (void)pthread_mutex_unlock(&worker->lock);
    for (unsigned i = 0; i < worker->thread_count; i++)
        (void)pthread_join(worker->threads[i], NULL);
    for (struct rg_job *job = worker_pop(&worker->done); job; job = worker_pop(&worker->done)) {
        RG_ASSERT(drop != NULL);
        drop(job);
    }
    (void)pthread_cond_destroy(&worker->wake);
    (void)pthread_mutex_destroy(&worker->lock);
    (void)close(worker->event_fd);
    rg_free(worker);
}

void rg_worker_give(struct rg_worker *worker, struct rg_job *job)
{
    (void)pthread_mutex_lock(&worker->lock);
    RG_ASSERT(!worker->ending && job->lane < RG_WORKER_LANES);
    rg_list_append(&worker->todo, &job->node);
    (void)pthread_cond_signal(&worker->wake);
    (void)pthread_mutex_unlock(&worker->lock);
}

struct rg_job *rg_worker_take(struct rg_worker *worker)
{
    eventfd_t count;

    (void)pthread_mutex_lock(&worker->lock);
    struct rg_job *job = worker_pop(&worker->done);
    /* Under the lock, so that a job that finishes meanwhile counts anew. */
    if (job == NULL)
        (void)eventfd_read(worker->event_fd, &count);
    (void)pthread_mutex_unlock(&worker->lock);
    return job;
}

int rg_worker_fd(const struct rg_worker *worker)
{
    return worker->event_fd;
}
