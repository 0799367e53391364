#include "node/config_table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/panic.h"

/* Directives of one argument: from what the user wrote to canonical text. */

static int value_fail(struct rg_buf *ret_error, const char *text)
{
    rg_buf_append_str(ret_error, text);
    return RG_EINVAL;
}

int config_parse_memory(struct rg_bytes text, int64_t *ret_bytes)
{
    uint64_t bytes = 0;

    if (rg_parse_memory(text, &bytes) < 0 || bytes > INT64_MAX)
        return RG_EINVAL;
    *ret_bytes = (int64_t)bytes;
    return 0;
}

static int value_bounded(const struct config_directive *directive, int64_t value,
                         struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    if (value < directive->min || value > directive->max) {
        rg_buf_printf(ret_error, "argument must be between %" PRId64 " and %" PRId64 " inclusive",
                      directive->min, directive->max);
        return RG_EINVAL;
    }
    rg_buf_printf(ret_text, "%" PRId64, value);
    return 0;
}

static int value_bool(struct rg_bytes arg, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    if (rg_bytes_is_nocase(arg, "yes"))
        rg_buf_append_str(ret_text, "yes");
    else if (rg_bytes_is_nocase(arg, "no"))
        rg_buf_append_str(ret_text, "no");
    else
        return value_fail(ret_error, "argument must be 'yes' or 'no'");
    return 0;
}

static int value_enum(const struct config_directive *directive, struct rg_bytes arg,
                      struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    for (const char *const *word = directive->values; *word != NULL; word++) {
        if (rg_bytes_is_nocase(arg, *word)) {
            rg_buf_append_str(ret_text, *word);
            return 0;
        }
    }
    rg_buf_append_str(ret_error, "argument(s) must be one of the following: ");
    for (const char *const *word = directive->values; *word != NULL; word++)
        rg_buf_printf(ret_error, "%s%s", word == directive->values ? "" : ", ", *word);
    return RG_EINVAL;
}

static int value_octal(struct rg_bytes arg, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    unsigned value = 0;
    bool good = arg.len > 0 && arg.len <= 8;

    for (size_t i = 0; good && i < arg.len; i++) {
        good = arg.data[i] >= '0' && arg.data[i] <= '7';
        value = value * 8 + (unsigned)(arg.data[i] - '0');
    }
    if (!good)
        return value_fail(ret_error, "argument couldn't be parsed as an octal number");
    if (value > 0777)
        return value_fail(ret_error, "argument must be between 0 and 777 inclusive");
    rg_buf_printf(ret_text, "%o", value);
    return 0;
}

static int value_memory_or_percent(struct rg_bytes arg, struct rg_buf *ret_text,
                                   struct rg_buf *ret_error)
{
    int64_t value = 0;

    if (arg.len > 0 && arg.data[arg.len - 1] == '%') {
        if (rg_parse_i64(rg_bytes(arg.data, arg.len - 1), &value) < 0 || value < 0)
            return value_fail(ret_error, "argument must be a memory or percent value");
        if (value > 100)
            return value_fail(ret_error, "percentage argument must be less or equal to 100");
        rg_buf_printf(ret_text, "%" PRId64 "%%", value);
        return 0;
    }
    if (config_parse_memory(arg, &value) < 0)
        return value_fail(ret_error, "argument must be a memory or percent value");
    rg_buf_printf(ret_text, "%" PRId64, value);
    return 0;
}

/* "A" stands for all of the classes in `classes`; 'n', 'K', 'E' and 'm' are never part of it. */
static int value_events(struct rg_bytes arg, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    static const char classes[] = "g$lshzxetdn";
    static const char places[] = "KEm";
    bool set[256] = {false};
    bool all = true;

    for (size_t i = 0; i < arg.len; i++) {
        char c = arg.data[i];
        if (c == '\0' || strchr("Ag$lshzxeKEtmdn", c) == NULL)
            return value_fail(ret_error, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
        set[(unsigned char)c] = true;
    }
    for (size_t i = 0; classes[i] != 'n'; i++)
        all = all && set[(unsigned char)classes[i]];
    if (all || set['A'])
        rg_buf_append_char(ret_text, 'A');
    for (size_t i = 0; i < sizeof(classes) - 1 && !all && !set['A']; i++) {
        if (set[(unsigned char)classes[i]])
            rg_buf_append_char(ret_text, classes[i]);
    }
    for (size_t i = 0; i < sizeof(places) - 1; i++) {
        if (set[(unsigned char)places[i]])
            rg_buf_append_char(ret_text, places[i]);
    }
    /* Part of the value, though CONFIG GET does not show it beside A. */
    if ((all || set['A']) && set['n'])
        rg_buf_append_char(ret_text, 'n');
    return 0;
}

static int value_hostname(struct rg_bytes arg, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    if (arg.len >= 256)
        return value_fail(ret_error, "Hostnames must be less than 256 characters");
    for (size_t i = 0; i < arg.len; i++) {
        char c = rg_ascii_lower(arg.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
            return value_fail(
                ret_error, "Hostnames may only contain alphanumeric characters, hyphens or dots");
    }
    rg_buf_append_bytes(ret_text, arg);
    return 0;
}

/* Each {…} must name a variable that Redis knows. */
static int value_template(struct rg_bytes arg, struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    static const char *const names[] = {"title",    "listen-addr", "server-mode", "port",
                                        "tls-port", "unixsocket",  "config-file"};
    size_t at = 0;

    while (at < arg.len) {
        const char *open = memchr(arg.data + at, '{', arg.len - at);
        if (open == NULL)
            break;
        size_t begin = (size_t)(open - arg.data) + 1;
        const char *close = memchr(arg.data + begin, '}', arg.len - begin);
        bool known = false;
        for (size_t i = 0; close != NULL && i < sizeof(names) / sizeof(names[0]); i++)
            known = known || rg_bytes_is(rg_bytes(open + 1, (size_t)(close - open) - 1), names[i]);
        if (!known)
            return value_fail(ret_error,
                              "template format is invalid or contains unknown variables");
        at = (size_t)(close - arg.data) + 1;
    }
    rg_buf_append_bytes(ret_text, arg);
    return 0;
}

static int value_string(const struct config_directive *directive, struct rg_bytes arg,
                        struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    if (memchr(arg.data, '\0', arg.len) != NULL)
        return value_fail(ret_error, "argument must not hold a zero byte");
    if (directive->kind == CONFIG_FILENAME && memchr(arg.data, '/', arg.len) != NULL) {
        rg_buf_printf(ret_error, "%s can't be a path, just a filename", directive->name);
        return RG_EINVAL;
    }
    rg_buf_append_bytes(ret_text, arg);
    return 0;
}

static int value_one(const struct config_directive *directive, struct rg_bytes arg,
                     struct rg_buf *ret_text, struct rg_buf *ret_error)
{
    int64_t number = 0;

    switch (directive->kind) {
    case CONFIG_BOOL:
        return value_bool(arg, ret_text, ret_error);
    case CONFIG_INT:
        if (rg_parse_i64(arg, &number) < 0)
            return value_fail(ret_error, "argument couldn't be parsed into an integer");
        return value_bounded(directive, number, ret_text, ret_error);
    case CONFIG_MEMORY:
        if (config_parse_memory(arg, &number) < 0)
            return value_fail(ret_error, "argument must be a memory value");
        return value_bounded(directive, number, ret_text, ret_error);
    case CONFIG_OCTAL:
        return value_octal(arg, ret_text, ret_error);
    case CONFIG_ENUM:
        return value_enum(directive, arg, ret_text, ret_error);
    case CONFIG_MEMORY_OR_PERCENT:
        return value_memory_or_percent(arg, ret_text, ret_error);
    case CONFIG_EVENTS:
        return value_events(arg, ret_text, ret_error);
    case CONFIG_HOSTNAME:
        return value_hostname(arg, ret_text, ret_error);
    case CONFIG_TEMPLATE:
        return value_template(arg, ret_text, ret_error);
    case CONFIG_STRING:
    case CONFIG_FILENAME:
        return value_string(directive, arg, ret_text, ret_error);
    default:
        RG_UNREACHABLE();
    }
}

/*
 * Splits arguments at their blanks, so that canonical text holds one blank between two words:
 * bind "a b" is bind a b. Errors: RG_ELIMIT.
 */
static int value_split(const struct rg_bytes *argv, int argc, struct rg_bytes *ret_words)
{
    int count = 0;

    for (int i = 0; i < argc; i++) {
        for (size_t at = 0, end = 0; at < argv[i].len; at = end + 1) {
            for (end = at; end < argv[i].len && argv[i].data[end] != ' ';)
                end++;
            if (end == at)
                continue;
            if (count == CONFIG_MAX_ARGS)
                return RG_ELIMIT;
            ret_words[count++] = rg_bytes(argv[i].data + at, end - at);
        }
    }
    return count;
}

int config_parse(const struct rg_config *config, const struct config_directive *directive,
                 const struct rg_bytes *argv, int argc, bool add, struct rg_buf *ret_text,
                 struct rg_buf *ret_error)
{
    struct rg_bytes parts[CONFIG_MAX_ARGS];

    if (!config_is_multi(directive)) {
        if (argc != 1)
            return value_fail(ret_error, "wrong number of arguments");
        return value_one(directive, argv[0], ret_text, ret_error);
    }
    for (int i = 0; i < argc; i++) {
        if (memchr(argv[i].data, '\0', argv[i].len) != NULL)
            return value_fail(ret_error, "argument must not hold a zero byte");
    }
    if (directive->kind != CONFIG_LINES) {
        argc = value_split(argv, argc, parts);
        argv = parts;
        if (argc < 0)
            return value_fail(ret_error, "wrong number of arguments");
    }
    if (directive->kind == CONFIG_FLAGS) {
        /* Checked one by one; put into the table's order by config_parse_multi. */
        struct rg_buf word = {0};
        int rc = 0;
        for (int i = 0; i < argc && rc == 0; i++)
            rc = value_enum(directive, argv[i], &word, ret_error);
        rg_buf_fini(&word);
        if (rc < 0)
            return rc;
    }
    return config_parse_multi(config, directive, argv, argc, add, ret_text, ret_error);
}
