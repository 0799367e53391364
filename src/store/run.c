#include "store/run.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/panic.h"

/* Whether an element is longer than that as text. A code is not shorter than a text, and no
 * integer's text is long. */
static bool is_longer(const char *at, size_t size, uint64_t longest)
{
    return (size > longest || longest < RG_ELEMENT_INTEGER_CHARS) &&
           rg_element_text_len(at) > longest;
}

/* Enters a name by where it lies; false where an equal one is there. */
static bool names_enter(uint32_t *slots, uint64_t mask, struct rg_bytes run, const char *at,
                        size_t size, uint64_t seed)
{
    uint64_t slot = rg_hash64(rg_bytes(at, size), seed) & mask;
    for (; slots[slot] != 0; slot = (slot + 1) & mask) {
        const char *other = run.data + slots[slot] - 1;
        /* One code is never the beginning of another. */
        if (*other == *at && size <= (size_t)(run.data + run.len - other) &&
            memcmp(other, at, size) == 0)
            return false;
    }
    slots[slot] = (uint32_t)(at - run.data) + 1;
    return true;
}

static int run_judge(uint32_t *slots, uint64_t mask, struct rg_bytes run, uint64_t longest,
                     bool names_only, uint64_t seed, size_t *ret_len)
{
    const char *end = run.data + run.len;
    size_t len = 0;
    for (const char *at = run.data; at < end;) {
        size_t size = (size_t)(rg_element_skip(at) - at);
        if (is_longer(at, size, longest))
            return RG_EINVAL;
        if (!names_enter(slots, mask, run, at, size, seed))
            return RG_EEXIST;
        at += size + rg_element_back_size(size);
        size_t value = (size_t)(rg_element_skip(at) - at);
        if (!names_only && is_longer(at, value, longest))
            return RG_EINVAL;
        at += value + rg_element_back_size(value);
        len += size + value;
    }
    *ret_len = len;
    return 0;
}

int rg_run_judge(struct rg_bytes run, uint64_t pairs, uint64_t longest, bool names_only,
                 uint64_t seed, size_t *ret_len)
{
    enum { SLOTS = 512 };
    uint32_t few[SLOTS];
    uint64_t cap = 16;
    RG_ASSERT(run.len < UINT32_MAX);
    while (cap < 2 * pairs)
        cap *= 2;
    uint32_t *slots = cap <= SLOTS ? few : rg_alloc(cap * sizeof(*slots));
    memset(slots, 0, cap * sizeof(*slots));
    int result = run_judge(slots, cap - 1, run, longest, names_only, seed, ret_len);
    if (slots != few)
        rg_free(slots);
    return result;
}
