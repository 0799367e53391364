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

/*
 * Of a name's code. Most are short, and two words of eight bytes (zeros behind the code) tell them
 * apart; ahead: the bytes that can be read from it on.
 */
static uint64_t name_hash(const char *at, size_t size, size_t ahead, uint64_t seed)
{
    uint64_t words[2] = {0, 0};
    if (size > sizeof(words))
        return rg_hash64(rg_bytes(at, size), seed);
    if (ahead >= sizeof(words)) {
        memcpy(words, at, sizeof(words));
        unsigned unused = 8 * (unsigned)(sizeof(words) - size);
        words[1] = unused < 64 ? words[1] << unused >> unused : 0;
        words[0] = unused <= 64 ? words[0] : words[0] << (unused - 64) >> (unused - 64);
    } else {
        memcpy(words, at, size);
    }
    __extension__ typedef unsigned __int128 product_type;
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    product_type product = (product_type)(words[0] ^ seed) * (words[1] ^ (seed * odd | 1));
    return ((uint64_t)product ^ (uint64_t)(product >> 64)) * odd;
}

/* Enters a name; false where an equal one is there. A slot holds half a hash above where the name
 * lies, and 1; 0: the slot is empty. */
static bool names_enter(uint64_t *slots, uint64_t mask, struct rg_bytes run, const char *at,
                        size_t size, uint64_t seed)
{
    size_t offset = (size_t)(at - run.data);
    uint64_t hash = name_hash(at, size, run.len - offset, seed);
    uint64_t half = hash & UINT64_C(0xffffffff00000000);
    uint64_t slot = hash & mask;
    for (; slots[slot] != 0; slot = (slot + 1) & mask) {
        const char *other = run.data + (uint32_t)slots[slot] - 1;
        /* One code is never the beginning of another. */
        if ((slots[slot] ^ half) >> 32 == 0 && size <= (size_t)(run.data + run.len - other) &&
            memcmp(other, at, size) == 0)
            return false;
    }
    slots[slot] = half | (offset + 1);
    return true;
}

static int run_judge(uint64_t *slots, uint64_t mask, struct rg_bytes run, uint64_t longest,
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
    uint64_t few[SLOTS];
    uint64_t cap = 16;
    RG_ASSERT(run.len < UINT32_MAX);
    while (cap < 2 * pairs)
        cap *= 2;
    uint64_t *slots = cap <= SLOTS ? few : rg_alloc(cap * sizeof(*slots));
    memset(slots, 0, cap * sizeof(*slots));
    int result = run_judge(slots, cap - 1, run, longest, names_only, seed, ret_len);
    if (slots != few)
        rg_free(slots);
    return result;
}
