#ifndef RG_IO_NAMES_H
#define RG_IO_NAMES_H

#include <stdint.h>

#include "io/socket.h"

/* Name resolution beside the loop. Every question asks the system anew: addresses change. */
struct rg_names;

enum { RG_NAMES_MAX_ADDRESSES = 4 };

struct rg_names_answer {
    void *user;
    unsigned count; /* 0: the name has no address */
    struct rg_address addresses[RG_NAMES_MAX_ADDRESSES];
};

/* NULL: no thread could be started. */
struct rg_names *rg_names_new(void);
void rg_names_free(struct rg_names *names);
/* An answer with user follows. */
void rg_names_ask(struct rg_names *names, const char *host, uint16_t port, void *user);
bool rg_names_next(struct rg_names *names, struct rg_names_answer *ret_answer);
/* Questions without an answer taken yet; while there are some, rg_names_free may have to wait. */
unsigned rg_names_pending(const struct rg_names *names);
/* Readable while answers wait; lent. */
int rg_names_fd(const struct rg_names *names);

#endif
