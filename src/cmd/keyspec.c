#include "cmd/keyspec.h"

#include "base/number.h"
#include "base/panic.h"

/* ---- The column ---- */

static int keyspec_number(struct rg_bytes text)
{
    int64_t number = 0;
    int result = rg_parse_i64(text, &number);
    RG_ASSERT(result == 0); /* the table is ours */
    return (int)number;
}

/* A word in front of the flags that says that the keys stand elsewhere: "keynum:2". */
static void keyspec_read_place(struct rg_key_spec *spec)
{
    struct rg_bytes rest = spec->flags;
    struct rg_bytes place = rg_bytes_cut(&rest, ' ');
    struct rg_bytes kind = rg_bytes_cut(&place, ':');
    int last = 0;

    if (rg_bytes_is(kind, "keynum")) {
        spec->find = RG_KEY_FIND_KEYNUM;
        spec->index = keyspec_number(place);
    } else if (rg_bytes_is(kind, "keyword")) {
        spec->begin = RG_KEY_BEGIN_KEYWORD;
        spec->keyword = rg_bytes_cut(&place, ':');
        spec->index = keyspec_number(rg_bytes_cut(&place, ':'));
        last = place.len > 0 ? keyspec_number(place) : 0;
    } else if (rg_bytes_is(kind, "unknown")) {
        spec->begin = RG_KEY_BEGIN_UNKNOWN;
        spec->find = RG_KEY_FIND_UNKNOWN;
        spec->keyword = place;
    } else {
        return;
    }
    spec->last = last;
    spec->step = 1;
    spec->flags = rest;
}

int rg_key_specs(const struct rg_command *command, struct rg_key_spec ret_specs[RG_KEY_SPECS_MAX])
{
    struct rg_bytes text = rg_bytes_str(command->key_flags);
    bool several = memchr(text.data, '|', text.len) != NULL;
    int count = 0;

    while (text.len > 0) {
        RG_ASSERT(count < RG_KEY_SPECS_MAX);
        struct rg_key_spec *spec = &ret_specs[count];
        *spec = (struct rg_key_spec){
            .index = command->first_key + count,
            .last =
                command->last_key > 0 ? command->last_key - command->first_key : command->last_key,
            .step = command->key_step,
            .flags = rg_bytes_cut(&text, '|'),
        };
        /* Of several, only the last may reach to the end. */
        if (several && (text.len > 0 || command->last_key > 0))
            spec->last = 0;
        keyspec_read_place(spec);
        count++;
    }
    return count;
}

/* ---- The keys of one call ---- */

struct keyspec_found {
    struct rg_key_use *keys;
    int max;
    int count;
    struct rg_bytes flags; /* of those that are found next */
};

static void keyspec_add(struct keyspec_found *found, int position)
{
    if (found->count < found->max)
        found->keys[found->count] = (struct rg_key_use){position, found->flags};
    found->count++;
}

/* Errors: RG_EINVAL. */
static int keyspec_keynum(const struct rg_key_spec *spec, const struct rg_bytes *argv, int argc,
                          struct keyspec_found *found)
{
    int64_t keys = 0;

    if (spec->index >= argc || rg_parse_i64(argv[spec->index], &keys) < 0)
        return RG_EINVAL;
    if (keys < 1 || keys >= argc - spec->index)
        return RG_EINVAL;
    for (int i = 1; i <= keys; i++)
        keyspec_add(found, spec->index + i);
    return 0;
}

/* Errors: RG_EINVAL. */
static int keyspec_range(const struct rg_key_spec *spec, int first, int argc,
                         struct keyspec_found *found)
{
    int last = spec->last < 0 ? argc + spec->last : first + spec->last;

    if (last >= argc)
        return RG_EINVAL;
    for (int i = first; i <= last; i += spec->step)
        keyspec_add(found, i);
    return 0;
}

/* SORT's STORE may stand anywhere, also as the argument of another option. The last one counts. */
static void keyspec_option(const struct rg_key_spec *spec, const struct rg_bytes *argv, int argc,
                           struct keyspec_found *found)
{
    static const struct {
        const char *name;
        int skip;
    } options[] = {{"limit", 2}, {"get", 1}, {"by", 1}};
    int position = 0;

    for (int i = 2; i < argc && spec->keyword.len > 0; i++) {
        int skip = 0;
        for (size_t j = 0; j < sizeof(options) / sizeof(options[0]); j++) {
            if (rg_bytes_is_nocase(argv[i], options[j].name))
                skip = options[j].skip;
        }
        if (skip == 0 && i + 1 < argc && rg_bytes_equal_nocase(argv[i], spec->keyword))
            position = ++i;
        i += skip;
    }
    if (position > 0)
        keyspec_add(found, position);
}

/* Errors: RG_EINVAL. */
static int keyspec_behind_word(const struct rg_key_spec *spec, const struct rg_bytes *argv,
                               int argc, struct keyspec_found *found)
{
    int from = spec->index < 0 ? 1 : spec->index; /* a negative one searches backwards */

    for (int i = from; i + 1 < argc; i++) {
        if (rg_bytes_equal_nocase(argv[i], spec->keyword))
            return keyspec_range(spec, i + 1, argc, found);
    }
    return 0;
}

/* Errors: RG_EINVAL. */
static int keyspec_find(const struct rg_key_spec *spec, const struct rg_bytes *argv, int argc,
                        struct keyspec_found *found)
{
    if (spec->find == RG_KEY_FIND_KEYNUM)
        return keyspec_keynum(spec, argv, argc, found);
    if (spec->begin == RG_KEY_BEGIN_KEYWORD)
        return keyspec_behind_word(spec, argv, argc, found);
    if (spec->begin == RG_KEY_BEGIN_INDEX)
        return keyspec_range(spec, spec->index, argc, found);
    keyspec_option(spec, argv, argc, found);
    return 0;
}

/* What SET and BITFIELD do hangs on their options. */
static struct rg_bytes keyspec_flags(const struct rg_command *command,
                                     const struct rg_key_spec *spec, const struct rg_bytes *argv,
                                     int argc)
{
    if (command->id == RG_CMD_ID_set) {
        for (int i = 3; i < argc; i++) {
            if (rg_bytes_is_nocase(argv[i], "get"))
                return RG_BYTES("RW access update");
        }
        return RG_BYTES("OW update");
    }
    if (command->id == RG_CMD_ID_bitfield) {
        for (int i = 2; i < argc; i += 3) {
            if (!rg_bytes_is_nocase(argv[i], "get") || i + 2 >= argc)
                return RG_BYTES("RW access update");
        }
        return RG_BYTES("RO access");
    }
    return spec->flags;
}

/*
 * MIGRATE's key is the third word, or, where that is empty, all behind KEYS are. Errors: RG_EINVAL
 * (both).
 */
static int keyspec_migrate(const struct rg_bytes *argv, int argc, struct keyspec_found *found)
{
    enum { KEY_AT = 3, OPTIONS_AT = 6 };

    for (int i = OPTIONS_AT; i < argc; i++) {
        if (rg_bytes_is_nocase(argv[i], "keys")) {
            if (argv[KEY_AT].len > 0)
                return RG_EINVAL;
            while (++i < argc)
                keyspec_add(found, i);
            return 0;
        }
        i += rg_bytes_is_nocase(argv[i], "auth") + 2 * rg_bytes_is_nocase(argv[i], "auth2");
    }
    keyspec_add(found, KEY_AT);
    return 0;
}

static bool keyspec_names_keys(const struct rg_key_spec *spec)
{
    return !rg_bytes_is(spec->flags, "not_key");
}

int rg_cmd_keys(const struct rg_command *command, const struct rg_bytes *argv, int argc,
                struct rg_key_use *ret_keys, int max)
{
    struct rg_key_spec specs[RG_KEY_SPECS_MAX];
    struct keyspec_found found = {.keys = ret_keys, .max = max};
    int count = rg_key_specs(command, specs);

    if (count == 0)
        return 0;
    if (!rg_cmd_arity_ok(command, argc))
        return RG_EINVAL;
    for (int i = 0; i < count; i++) {
        if (!keyspec_names_keys(&specs[i]))
            continue;
        found.flags = keyspec_flags(command, &specs[i], argv, argc);
        if (command->id == RG_CMD_ID_migrate)
            return keyspec_migrate(argv, argc, &found) < 0 ? RG_EINVAL : found.count;
        int result = keyspec_find(&specs[i], argv, argc, &found);
        if (result < 0)
            return result;
    }
    return found.count;
}

bool rg_cmd_has_keys(const struct rg_command *command)
{
    struct rg_key_spec specs[RG_KEY_SPECS_MAX];
    int count = rg_key_specs(command, specs);

    for (int i = 0; i < count; i++) {
        if (keyspec_names_keys(&specs[i]))
            return true;
    }
    return false;
}
