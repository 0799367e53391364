#include "cmd/index.h"

#include "base/alloc.h"
#include "base/panic.h"

enum {
    NAME_WORDS = 3,
    NAME_MAX = NAME_WORDS * 8, /* no name is longer, which the making asserts */
    SLOT_BITS = 11,
    SLOTS = 1 << SLOT_BITS, /* many more than rows, so that the first probe nearly always tells */
};

/* A name in lower case behind its length and its container; zero bytes fill it up. */
struct name {
    uint64_t words[NAME_WORDS];
    uint32_t len;
    uint32_t container; /* RG_CMD_COUNT: none */
};

struct slot {
    struct name name; /* len 0: free */
    const struct rg_command *command;
    bool has_subcommands;
};

struct rg_cmd_index {
    struct slot slots[SLOTS];
};

/* Eight bytes of ASCII at once: 0x20 is added to those from 'A' to 'Z'. */
static uint64_t word_lower(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low7 = word & (ones * 0x7f);
    uint64_t from_a = low7 + ones * (0x80 - 'A');
    uint64_t above_z = low7 + ones * (0x7f - 'Z');
    uint64_t upper = from_a & ~above_z & ~word & (ones * 0x80);

    return word | upper >> 2;
}

/* One to eight bytes in one number: two halves that overlap where there are fewer. */
static uint64_t word_load(const char *data, size_t len)
{
    enum { HALF = 4, QUARTER = 2 };
    uint32_t first = 0;
    uint32_t last = 0;

    if (len >= HALF) {
        memcpy(&first, data, HALF);
        memcpy(&last, data + len - HALF, HALF);
        return first | (uint64_t)last << (len - HALF) * 8;
    }
    if (len < QUARTER)
        return (unsigned char)data[0];
    memcpy(&first, data, QUARTER);
    memcpy(&last, data + len - QUARTER, QUARTER);
    return first | (uint64_t)last << (len - QUARTER) * 8;
}

static bool name_make(struct rg_bytes text, uint32_t container, struct name *ret_name)
{
    if (text.len == 0 || text.len > NAME_MAX)
        return false;
    *ret_name = (struct name){.len = (uint32_t)text.len, .container = container};
    if (text.len <= sizeof(uint64_t)) {
        ret_name->words[0] = word_lower(word_load(text.data, text.len));
        return true;
    }
    memcpy(ret_name->words, text.data, text.len);
    for (int i = 0; i < NAME_WORDS; i++)
        ret_name->words[i] = word_lower(ret_name->words[i]);
    return true;
}

/* Where a name of one word and no container is looked for first. */
static unsigned short_slot(uint64_t word)
{
    return (unsigned)(word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS));
}

static unsigned name_slot(const struct name *name)
{
    uint64_t mixed = name->words[0] * UINT64_C(0x9e3779b97f4a7c15);

    if (name->len <= sizeof(uint64_t) && name->container == RG_CMD_COUNT)
        return short_slot(name->words[0]);
    mixed = (mixed ^ mixed >> 32 ^ name->words[1]) * UINT64_C(0xd6e8feb86659fd93);
    mixed = (mixed ^ mixed >> 32 ^ name->words[2] ^ name->container) * UINT64_C(0xa0761d6478bd642f);
    return (unsigned)(mixed >> (64 - SLOT_BITS));
}

static bool name_equal(const struct name *a, const struct name *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1] && a->words[2] == b->words[2] &&
           a->len == b->len && a->container == b->container;
}

/* Where the name is, or where it would be put. */
static unsigned index_probe(const struct rg_cmd_index *index, const struct name *name)
{
    unsigned at = name_slot(name);

    while (index->slots[at].name.len != 0 && !name_equal(&index->slots[at].name, name))
        at = (at + 1) % SLOTS;
    return at;
}

static void index_add(struct rg_cmd_index *index, const struct rg_command *command,
                      bool has_subcommands)
{
    const struct rg_command *parent = command->parent;
    size_t skip = parent != NULL ? strlen(parent->name) + 1 : 0;
    struct name name;

    RG_ASSERT(name_make(rg_bytes_str(command->name + skip),
                        parent != NULL ? parent->id : RG_CMD_COUNT, &name));
    unsigned at = index_probe(index, &name);
    RG_ASSERT(index->slots[at].name.len == 0);
    index->slots[at] =
        (struct slot){.name = name, .command = command, .has_subcommands = has_subcommands};
}

static bool index_offers_all(const struct rg_command *command)
{
    return command != NULL;
}

struct rg_cmd_index *rg_cmd_index_new(void)
{
    return rg_cmd_index_new_of(index_offers_all);
}

struct rg_cmd_index *rg_cmd_index_new_of(bool (*offers)(const struct rg_command *command))
{
    struct rg_cmd_index *index = RG_NEW(struct rg_cmd_index);
    unsigned count = 0;
    const struct rg_command *rows = rg_cmd_table(&count);

    _Static_assert((int)RG_CMD_COUNT * 2 < (int)SLOTS, "probing ends");
    for (unsigned i = 0; i < count; i++) {
        if (!offers(&rows[i]))
            continue;
        index_add(index, &rows[i], i + 1 < count && rows[i + 1].parent == &rows[i]);
    }
    return index;
}

void rg_cmd_index_free(struct rg_cmd_index *index)
{
    rg_free(index);
}

static const struct slot *index_slot(const struct rg_cmd_index *index, struct rg_bytes text,
                                     uint32_t container)
{
    struct name name;

    if (!name_make(text, container, &name))
        return NULL;
    const struct slot *slot = &index->slots[index_probe(index, &name)];
    return slot->name.len != 0 ? slot : NULL;
}

/* The same for a command's own name, of which nearly every one is short and in its first slot. */
static const struct slot *index_command(const struct rg_cmd_index *index, struct rg_bytes text)
{
    if (text.len - 1 < sizeof(uint64_t)) {
        uint64_t word = word_lower(word_load(text.data, text.len));
        const struct slot *slot = &index->slots[short_slot(word)];
        if (slot->name.words[0] == word && slot->name.len == text.len &&
            slot->name.container == RG_CMD_COUNT)
            return slot;
    }
    return index_slot(index, text, RG_CMD_COUNT);
}

int rg_cmd_index_find(const struct rg_cmd_index *index, const struct rg_bytes *argv, int argc,
                      const struct rg_command **ret_command)
{
    const struct slot *slot = argc > 0 ? index_command(index, argv[0]) : NULL;

    if (slot == NULL)
        return RG_ENOENT;
    *ret_command = slot->command;
    if (argc == 1 || !slot->has_subcommands)
        return 0;
    const struct slot *sub = index_slot(index, argv[1], slot->command->id);
    if (sub == NULL)
        return RG_EINVAL;
    *ret_command = sub->command;
    return 0;
}
