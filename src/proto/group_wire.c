#include "proto/group_wire.h"

#include <stddef.h>

#include "base/number.h"
#include "base/panic.h"
#include "proto/resp.h"

enum wire_field {
    WIRE_TERM,
    WIRE_SEQ,
    WIRE_STATE,
    WIRE_ROLE,
    WIRE_PRIMARY,
    WIRE_LOG_TERM,
    WIRE_LOG_OFFSET,
    WIRE_COMMIT,
    WIRE_INCARNATION,
    WIRE_PRIORITY,
    WIRE_MODE,
    WIRE_FOUNDED,
    WIRE_FOUNDED_MODE,
    WIRE_GRANTED,
    WIRE_HANDOVER,
    WIRE_BOOTSTRAP,
    WIRE_LEASE_US,
    WIRE_FIELDS
};

#define WIRE_BIT(field) (1U << (field))
#define WIRE_STATUS                                                                                \
    (WIRE_BIT(WIRE_TERM) | WIRE_BIT(WIRE_SEQ) | WIRE_BIT(WIRE_STATE) | WIRE_BIT(WIRE_ROLE) |       \
     WIRE_BIT(WIRE_PRIMARY) | WIRE_BIT(WIRE_LOG_TERM) | WIRE_BIT(WIRE_LOG_OFFSET) |                \
     WIRE_BIT(WIRE_COMMIT) | WIRE_BIT(WIRE_INCARNATION) | WIRE_BIT(WIRE_PRIORITY) |                \
     WIRE_BIT(WIRE_MODE) | WIRE_BIT(WIRE_FOUNDED) | WIRE_BIT(WIRE_FOUNDED_MODE))
#define WIRE_QUESTION                                                                              \
    (WIRE_BIT(WIRE_TERM) | WIRE_BIT(WIRE_SEQ) | WIRE_BIT(WIRE_STATE) | WIRE_BIT(WIRE_LOG_TERM) |   \
     WIRE_BIT(WIRE_LOG_OFFSET) | WIRE_BIT(WIRE_HANDOVER) | WIRE_BIT(WIRE_BOOTSTRAP))
#define WIRE_ANSWER                                                                                \
    (WIRE_BIT(WIRE_TERM) | WIRE_BIT(WIRE_SEQ) | WIRE_BIT(WIRE_STATE) | WIRE_BIT(WIRE_LOG_TERM) |   \
     WIRE_BIT(WIRE_LOG_OFFSET) | WIRE_BIT(WIRE_GRANTED) | WIRE_BIT(WIRE_HANDOVER) |                \
     WIRE_BIT(WIRE_LEASE_US))
#define WIRE_OFFSET (WIRE_BIT(WIRE_TERM) | WIRE_BIT(WIRE_COMMIT))

/* Which fields each message carries, in the order of enum wire_field. */
static const struct {
    const char *name;
    unsigned fields;
} wire_types[RG_MSG_TYPES] = {
    [RG_MSG_PING] = {"PING", WIRE_STATUS},
    [RG_MSG_PONG] = {"PONG", WIRE_STATUS},
    [RG_MSG_PREVOTE] = {"PREVOTE", WIRE_QUESTION},
    [RG_MSG_PREVOTED] = {"PREVOTED", WIRE_ANSWER},
    [RG_MSG_VOTE] = {"VOTE", WIRE_QUESTION},
    [RG_MSG_VOTED] = {"VOTED", WIRE_ANSWER},
    [RG_MSG_TAKEOVER] = {"TAKEOVER", WIRE_BIT(WIRE_TERM)},
    [RG_MSG_WANT] = {"WANT", WIRE_OFFSET},
    [RG_MSG_COMMIT] = {"COMMIT", WIRE_OFFSET},
};

/* The greatest value of each field; the primary alone may also be -1. */
static const uint64_t wire_max[WIRE_FIELDS] = {
    [WIRE_TERM] = UINT64_MAX,
    [WIRE_SEQ] = UINT64_MAX,
    [WIRE_STATE] = RG_MEMBER_HEALTHY,
    [WIRE_ROLE] = RG_ROLE_PRIMARY,
    [WIRE_PRIMARY] = RG_GROUP_MAX_MEMBERS - 1,
    [WIRE_LOG_TERM] = UINT64_MAX,
    [WIRE_LOG_OFFSET] = UINT64_MAX,
    [WIRE_COMMIT] = UINT64_MAX,
    [WIRE_INCARNATION] = UINT64_MAX,
    [WIRE_PRIORITY] = UINT32_MAX,
    [WIRE_MODE] = 3,
    [WIRE_FOUNDED] = UINT64_MAX,
    [WIRE_FOUNDED_MODE] = 3,
    [WIRE_GRANTED] = 1,
    [WIRE_HANDOVER] = 1,
    [WIRE_BOOTSTRAP] = 1,
    [WIRE_LEASE_US] = UINT32_MAX,
};

const char *rg_group_msg_name(enum rg_group_msg_type type)
{
    RG_ASSERT((unsigned)type < RG_MSG_TYPES);
    return wire_types[type].name;
}

const char *rg_member_state_name(enum rg_member_state state)
{
    static const char *const names[] = {"fresh", "forgot-all", "forgot-log", "healthy"};

    RG_ASSERT((unsigned)state < sizeof(names) / sizeof(names[0]));
    return names[state];
}

static uint64_t wire_get(const struct rg_group_msg *msg, enum wire_field field)
{
    switch (field) {
    case WIRE_TERM:
        return msg->term;
    case WIRE_SEQ:
        return msg->seq;
    case WIRE_STATE:
        return msg->state;
    case WIRE_ROLE:
        return msg->role;
    case WIRE_PRIMARY:
        return (uint64_t)(int64_t)msg->primary;
    case WIRE_LOG_TERM:
        return msg->log_term;
    case WIRE_LOG_OFFSET:
        return msg->log_offset;
    case WIRE_COMMIT:
        return msg->commit;
    case WIRE_INCARNATION:
        return msg->incarnation;
    case WIRE_PRIORITY:
        return msg->priority;
    case WIRE_MODE:
        return msg->mode;
    case WIRE_FOUNDED:
        return msg->founded;
    case WIRE_FOUNDED_MODE:
        return msg->founded_mode;
    case WIRE_GRANTED:
        return msg->granted;
    case WIRE_HANDOVER:
        return msg->handover;
    case WIRE_BOOTSTRAP:
        return msg->bootstrap;
    case WIRE_LEASE_US:
        return msg->lease_us;
    case WIRE_FIELDS:
        break;
    }
    RG_UNREACHABLE();
}

static void wire_set(struct rg_group_msg *msg, enum wire_field field, uint64_t value)
{
    switch (field) {
    case WIRE_TERM:
        msg->term = value;
        return;
    case WIRE_SEQ:
        msg->seq = value;
        return;
    case WIRE_STATE:
        msg->state = (uint8_t)value;
        return;
    case WIRE_ROLE:
        msg->role = (uint8_t)value;
        return;
    case WIRE_PRIMARY:
        msg->primary = (int16_t)(int64_t)value;
        return;
    case WIRE_LOG_TERM:
        msg->log_term = value;
        return;
    case WIRE_LOG_OFFSET:
        msg->log_offset = value;
        return;
    case WIRE_COMMIT:
        msg->commit = value;
        return;
    case WIRE_INCARNATION:
        msg->incarnation = value;
        return;
    case WIRE_PRIORITY:
        msg->priority = (uint32_t)value;
        return;
    case WIRE_MODE:
        msg->mode = (uint8_t)value;
        return;
    case WIRE_FOUNDED:
        msg->founded = value;
        return;
    case WIRE_FOUNDED_MODE:
        msg->founded_mode = (uint8_t)value;
        return;
    case WIRE_GRANTED:
        msg->granted = (uint8_t)value;
        return;
    case WIRE_HANDOVER:
        msg->handover = (uint8_t)value;
        return;
    case WIRE_BOOTSTRAP:
        msg->bootstrap = (uint8_t)value;
        return;
    case WIRE_LEASE_US:
        msg->lease_us = (uint32_t)value;
        return;
    case WIRE_FIELDS:
        break;
    }
    RG_UNREACHABLE();
}

void rg_group_msg_write(struct rg_buf *out, const struct rg_group_msg *msg)
{
    char texts[WIRE_FIELDS][RG_I64_CHARS];
    struct rg_bytes argv[1 + WIRE_FIELDS];
    int argc = 0;

    argv[argc++] = rg_bytes_str(rg_group_msg_name(msg->type));
    for (unsigned field = 0; field < WIRE_FIELDS; field++) {
        if (!(wire_types[msg->type].fields & WIRE_BIT(field)))
            continue;
        uint64_t value = wire_get(msg, field);
        size_t len = field == WIRE_PRIMARY ? rg_format_i64(texts[field], (int64_t)value)
                                           : rg_format_u64(texts[field], value);
        argv[argc++] = rg_bytes(texts[field], len);
    }
    rg_request_write(out, argv, argc);
}

static int wire_find(struct rg_bytes name, enum rg_group_msg_type *ret_type)
{
    for (unsigned type = 0; type < RG_MSG_TYPES; type++) {
        if (rg_bytes_is(name, wire_types[type].name)) {
            *ret_type = type;
            return 0;
        }
    }
    return RG_EPROTO;
}

static int wire_parse(struct rg_bytes text, enum wire_field field, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (field == WIRE_PRIMARY && rg_bytes_is(text, "-1")) {
        *ret_value = UINT64_MAX;
        return 0;
    }
    if (rg_parse_u64(text, &value) < 0 || value > wire_max[field])
        return RG_EPROTO;
    *ret_value = value;
    return 0;
}

int rg_group_msg_read(const struct rg_bytes *argv, int argc, struct rg_group_msg *ret_msg)
{
    struct rg_group_msg msg = {.primary = -1};
    int next = 1;

    if (argc < 1 || wire_find(argv[0], &msg.type) < 0)
        return RG_EPROTO;
    for (unsigned field = 0; field < WIRE_FIELDS; field++) {
        uint64_t value = 0;
        if (!(wire_types[msg.type].fields & WIRE_BIT(field)))
            continue;
        if (next >= argc || wire_parse(argv[next++], field, &value) < 0)
            return RG_EPROTO;
        wire_set(&msg, field, value);
    }
    if (next != argc)
        return RG_EPROTO;
    *ret_msg = msg;
    return 0;
}
