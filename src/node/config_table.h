#ifndef RG_NODE_CONFIG_TABLE_H
#define RG_NODE_CONFIG_TABLE_H

#include "node/config.h"

/*
 * The table of directives, private to config_*.c. A value has one canonical text, the one that
 * CONFIG GET shows: config_value.c makes it from what the user wrote, config_store.c puts it into
 * the fields and reads it back.
 */

enum config_kind {
    CONFIG_BOOL,
    CONFIG_INT,
    CONFIG_MEMORY,
    CONFIG_OCTAL,
    CONFIG_ENUM,
    CONFIG_STRING,
    CONFIG_FILENAME, /* a string without '/' */
    CONFIG_HOSTNAME, /* letters, digits, '-' and '.' */
    CONFIG_TEMPLATE, /* proc-title-template */
    CONFIG_EVENTS,   /* notify-keyspace-events */
    CONFIG_MEMORY_OR_PERCENT,
    /* From here on several arguments, which may also come as one with blanks in it. */
    CONFIG_FLAGS, /* a set of enum words */
    CONFIG_BIND,
    CONFIG_SAVE,
    CONFIG_LIMIT, /* client-output-buffer-limit */
    CONFIG_REPLICAOF,
    CONFIG_PERCENTILES,
    CONFIG_OOM,     /* oom-score-adj-values */
    CONFIG_MEMBERS, /* group-members */
    CONFIG_LINES,   /* any arguments, one or more times: user, rename-command, loadmodule */
};

enum {
    CONFIG_IMMUTABLE = 1, /* not by CONFIG SET */
    CONFIG_PROTECTED = 2, /* by CONFIG SET only with enable-protected-configs */
    CONFIG_HIDDEN = 4,    /* known in files only */
    CONFIG_OWN = 8,       /* Regent's, not Redis' */
};

struct config_directive {
    const char *name;
    const char *alias; /* the old name, or NULL */
    enum config_kind kind;
    unsigned flags;
    const char *def;  /* canonical */
    size_t offset;    /* of its field in struct rg_config; CONFIG_NO_FIELD: no effect yet */
    int64_t min, max; /* INT and MEMORY: bounds; LINES: numbers of arguments */
    const char *const *values; /* ENUM and FLAGS: the words, ended by NULL */
};

#define CONFIG_NO_FIELD ((size_t)-1)

enum { CONFIG_MAX_ARGS = 64 };

struct rg_config_extra {
    char **values;      /* one per directive without a field; owned */
    bool *given;        /* one per directive: a file has set it */
    char *file;         /* "" without one */
    struct rg_buf text; /* of that file, as read */
};

extern const struct config_directive config_directives[];
extern const unsigned config_directive_count;

/* The directive of a name or an old name in any case; NULL: none. */
const struct config_directive *config_find(struct rg_bytes name);
bool config_is_multi(const struct config_directive *directive);

/*
 * Checks what the user wrote and appends its canonical text. `add` asks for what is there already
 * and the arguments (further lines of one directive in a file). Errors: RG_EINVAL with ret_error.
 */
RG_MUST_USE int config_parse(const struct rg_config *config,
                             const struct config_directive *directive, const struct rg_bytes *argv,
                             int argc, bool add, struct rg_buf *ret_text, struct rg_buf *ret_error);
/* The kinds of several arguments, for config_parse. */
RG_MUST_USE int config_parse_multi(const struct rg_config *config,
                                   const struct config_directive *directive,
                                   const struct rg_bytes *argv, int argc, bool add,
                                   struct rg_buf *ret_text, struct rg_buf *ret_error);
/* A byte count without a unit is what redis.conf takes with one. */
RG_MUST_USE int config_parse_memory(struct rg_bytes text, int64_t *ret_bytes);

/* Takes over canonical text. */
void config_store(struct rg_config *config, const struct config_directive *directive,
                  struct rg_bytes text);
/* Appends canonical text. */
void config_format(const struct rg_config *config, const struct config_directive *directive,
                   struct rg_buf *out);
bool config_is_default(const struct rg_config *config, const struct config_directive *directive);

#endif
