#include <stdio.h>

#include "base/alloc.h"
#include "core/group_state.h"

/* "known 3:0,1:1234" or "unknown …": is the mode before the first one known to be past (base), then
 * mode:end of each record that counts, oldest first. */

enum { MODES_TEXT_MAX = 2048 };

void rg_group_modes_format(const struct rg_group *group, struct rg_buf *out)
{
    const struct group_modes *modes = &group->modes;

    rg_buf_append_str(out, modes->base_unknown ? "unknown" : "known");
    for (unsigned i = 0; i < modes->count; i++)
        rg_buf_printf(out, "%c%d:%llu", i == 0 ? ' ' : ',', (int)modes->list[i].mode,
                      (unsigned long long)modes->list[i].record_end);
}

/* The records behind the first word. */
static int modes_read_list(const char *at, struct group_modes *modes)
{
    char separator = ' ';

    while (*at == separator && modes->count < GROUP_MODES_MAX) {
        unsigned mode = 0;
        unsigned long long end = 0;
        int used = 0;
        if (sscanf(at + 1, "%1u:%20llu%n", &mode, &end, &used) != 2 || mode >= RG_MODES ||
            (modes->count > 0 && end < modes->list[modes->count - 1].record_end))
            return RG_EINVAL;
        modes->list[modes->count++] = (struct group_mode){(enum rg_mode)mode, end};
        at += 1 + used;
        separator = ',';
    }
    return *at == '\0' && modes->count > 0 ? 0 : RG_EINVAL;
}

int rg_group_modes_load(struct rg_group *group, struct rg_bytes text)
{
    struct group_modes modes = {.base_unknown = rg_bytes_starts_with(text, RG_BYTES("unknown"))};
    size_t word = modes.base_unknown ? strlen("unknown") : strlen("known");

    if (text.len > MODES_TEXT_MAX || text.len < word ||
        (!modes.base_unknown && !rg_bytes_starts_with(text, RG_BYTES("known"))))
        return RG_EINVAL;
    char *copy = rg_alloc_copy(text.data, text.len);
    int result = modes_read_list(copy + word, &modes);
    rg_free(copy);
    if (result == 0)
        group->modes = modes;
    return result;
}
