#include "io/names.h"

#include <netdb.h>
#include <stdio.h>

#include "base/alloc.h"
#include "io/worker.h"

/* Several, so that a name whose server does not answer does not hold up the others. */
enum { NAMES_THREADS = 4 };

struct rg_names {
    struct rg_worker *worker;
    unsigned pending;
};

struct names_job {
    struct rg_job job; /* first */
    char *host;        /* owned */
    uint16_t port;
    struct rg_names_answer answer;
};

static void names_job_free(struct rg_job *base)
{
    struct names_job *job = RG_CONTAINER_OF(base, struct names_job, job);

    rg_free(job->host);
    rg_free(job);
}

static void names_job_run(struct rg_job *base)
{
    struct names_job *job = RG_CONTAINER_OF(base, struct names_job, job);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", job->port);
    if (getaddrinfo(job->host, port, &hints, &list) != 0)
        return;
    for (const struct addrinfo *it = list; it != NULL; it = it->ai_next) {
        if (job->answer.count == RG_NAMES_MAX_ADDRESSES)
            break;
        struct rg_address *address = &job->answer.addresses[job->answer.count];
        if (it->ai_addrlen > sizeof(address->room))
            continue;
        memcpy(&address->any, it->ai_addr, it->ai_addrlen);
        address->len = it->ai_addrlen;
        job->answer.count++;
    }
    freeaddrinfo(list);
}

struct rg_names *rg_names_new(void)
{
    struct rg_worker *worker = rg_worker_new(NAMES_THREADS);

    if (worker == NULL)
        return NULL;
    struct rg_names *names = RG_NEW(struct rg_names);
    names->worker = worker;
    return names;
}

void rg_names_free(struct rg_names *names)
{
    if (names == NULL)
        return;
    rg_worker_free(names->worker, names_job_free);
    rg_free(names);
}

void rg_names_ask(struct rg_names *names, const char *host, uint16_t port, void *user)
{
    struct names_job *job = RG_NEW(struct names_job);

    job->job.run = names_job_run;
    job->host = rg_alloc_copy(host, strlen(host));
    job->port = port;
    job->answer.user = user;
    names->pending++;
    rg_worker_give(names->worker, &job->job);
}

bool rg_names_next(struct rg_names *names, struct rg_names_answer *ret_answer)
{
    struct rg_job *base = rg_worker_take(names->worker);

    if (base == NULL)
        return false;
    *ret_answer = RG_CONTAINER_OF(base, struct names_job, job)->answer;
    names_job_free(base);
    names->pending--;
    return true;
}

unsigned rg_names_pending(const struct rg_names *names)
{
    return names->pending;
}

int rg_names_fd(const struct rg_names *names)
{
    return rg_worker_fd(names->worker);
}
