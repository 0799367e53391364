#include <stdlib.h>

#include "base/alloc.h"
#include "base/number.h"
#include "sentinel/state.h"

/* The options of one primary: in the file they stand before its name, in SENTINEL SET behind it. */

void sentinel_down_after_spread(struct sentinel_inst *primary)
{
    struct rg_list *lists[] = {&primary->replicas, &primary->sentinels};

    for (int i = 0; i < 2; i++) {
        RG_LIST_EACH(at, lists[i])
        {
            struct sentinel_inst *inst = RG_CONTAINER_OF(at, struct sentinel_inst, link);
            inst->down_after_ms = primary->down_after_ms;
            inst->failover_timeout_ms = primary->failover_timeout_ms;
        }
    }
}

static void set_rename(struct sentinel_inst *primary, struct rg_bytes from, struct rg_bytes to)
{
    RG_LIST_EACH(at, &primary->renames)
    {
        struct sentinel_rename *rename = RG_CONTAINER_OF(at, struct sentinel_rename, link);
        if (!rg_bytes_is_nocase(from, rename->from))
            continue;
        rg_list_remove(at);
        rg_free(rename->from);
        rg_free(rename->to);
        rg_free(rename);
    }
    /* To its own name: it is renamed no more. */
    if (rg_bytes_equal_nocase(from, to))
        return;
    struct sentinel_rename *rename = RG_NEW(struct sentinel_rename);
    rename->from = rg_alloc_copy(from.data, from.len);
    rename->to = rg_alloc_copy(to.data, to.len);
    rg_list_append(&primary->renames, &rename->link);
}

static int set_positive(struct rg_bytes value, int64_t *slot)
{
    int64_t number = 0;

    if (rg_parse_i64(value, &number) < 0 || number <= 0)
        return RG_EINVAL;
    *slot = number;
    return 1;
}

static int set_quorum(struct rg_bytes value, unsigned *slot)
{
    int64_t number = 0;

    if (rg_parse_i64(value, &number) < 0 || number <= 0 || number > INT32_MAX)
        return RG_EINVAL;
    *slot = (unsigned)number;
    return 1;
}

/* The links log in anew with what is known now. */
static int set_login(struct rg_sentinel *s, struct sentinel_inst *primary, char **slot,
                     struct rg_bytes value)
{
    sentinel_set_string(slot, value);
    sentinel_link_drop(s, &primary->cmd);
    sentinel_link_drop(s, &primary->sub);
    RG_LIST_EACH(at, &primary->replicas)
    {
        struct sentinel_inst *replica = RG_CONTAINER_OF(at, struct sentinel_inst, link);
        sentinel_link_drop(s, &replica->cmd);
        sentinel_link_drop(s, &replica->sub);
    }
    return 1;
}

static int set_number_option(struct sentinel_inst *primary, struct rg_bytes option,
                             struct rg_bytes value)
{
    int result = 0;

    if (rg_bytes_is_nocase(option, "down-after-milliseconds")) {
        result = set_positive(value, &primary->down_after_ms);
        sentinel_down_after_spread(primary);
    } else if (rg_bytes_is_nocase(option, "failover-timeout")) {
        result = set_positive(value, &primary->failover_timeout_ms);
        sentinel_down_after_spread(primary);
    } else if (rg_bytes_is_nocase(option, "parallel-syncs")) {
        result = set_positive(value, &primary->parallel_syncs);
    } else if (rg_bytes_is_nocase(option, "quorum")) {
        result = set_quorum(value, &primary->quorum);
    } else if (rg_bytes_is_nocase(option, "master-reboot-down-after-period") ||
               rg_bytes_is_nocase(option, "primary-reboot-down-after-period")) {
        if (rg_parse_i64(value, &primary->reboot_down_after_ms) < 0 ||
            primary->reboot_down_after_ms < 0)
            return RG_EINVAL;
        result = 1;
    }
    return result;
}

int sentinel_set_option(struct rg_sentinel *s, struct sentinel_inst *primary,
                        struct rg_bytes option, const struct rg_bytes *values, int count)
{
    if (count < 1)
        return SENTINEL_SET_UNKNOWN;
    int result = set_number_option(primary, option, values[0]);
    if (result != 0)
        return result;
    if (rg_bytes_is_nocase(option, "notification-script")) {
        sentinel_set_string(&primary->notification_script, values[0]);
        return 1;
    }
    if (rg_bytes_is_nocase(option, "client-reconfig-script")) {
        sentinel_set_string(&primary->reconfig_script, values[0]);
        return 1;
    }
    if (rg_bytes_is_nocase(option, "auth-pass"))
        return set_login(s, primary, &primary->auth_pass, values[0]);
    if (rg_bytes_is_nocase(option, "auth-user"))
        return set_login(s, primary, &primary->auth_user, values[0]);
    if (rg_bytes_is_nocase(option, "rename-command") && count >= 2) {
        if (values[0].len == 0 || values[1].len == 0)
            return RG_EINVAL;
        set_rename(primary, values[0], values[1]);
        return 2;
    }
    return SENTINEL_SET_UNKNOWN;
}
