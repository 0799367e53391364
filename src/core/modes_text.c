#include <string.h>

#include "base/number.h"
#include "core/group_state.h"

/* "known 3:0,1:1234" or "unknown …": is the mode before the first one known to be past (base), then
 * mode:end of each record that counts, oldest first. */

void rg_group_modes_format(const struct rg_group *group, struct rg_buf *out)
{
    const struct group_modes *modes = &group->modes;

    rg_buf_append_str(out, modes->base_unknown ? "unknown" : "known");
    for (unsigned i = 0; i < modes->count; i++)
        rg_buf_printf(out, "%c%d:%llu", i == 0 ? ' ' : ',', (int)modes->list[i].mode,
                      (unsigned long long)modes->list[i].record_end);
}

/* mode:end,mode:end…; at least one. */
static int modes_read_list(struct rg_bytes list, struct group_modes *modes)
{
    bool ended = false;

    while (!ended && modes->count < GROUP_MODES_MAX) {
        ended = list.len == 0 || memchr(list.data, ',', list.len) == NULL;
        struct rg_bytes record = rg_bytes_cut(&list, ',');
        struct rg_bytes number = rg_bytes_cut(&record, ':');
        uint64_t mode = 0;
        uint64_t end = 0;
        if (rg_parse_u64(number, &mode) < 0 || rg_parse_u64(record, &end) < 0 || mode >= RG_MODES ||
            (modes->count > 0 && end < modes->list[modes->count - 1].record_end))
            return RG_EINVAL;
        modes->list[modes->count++] = (struct group_mode){(enum rg_mode)mode, end};
    }
    return ended ? 0 : RG_EINVAL;
}

int rg_group_modes_load(struct rg_group *group, struct rg_bytes text)
{
    struct group_modes modes = {0};
    struct rg_bytes rest = text;
    struct rg_bytes word = rg_bytes_cut(&rest, ' ');

    modes.base_unknown = rg_bytes_is(word, "unknown");
    if (!modes.base_unknown && !rg_bytes_is(word, "known"))
        return RG_EINVAL;
    int result = modes_read_list(rest, &modes);
    if (result == 0)
        group->modes = modes;
    return result;
}
