#include "tool/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/number.h"

enum { OPTIONS_TIMEOUT_MS = 5000, OPTIONS_TIMEOUT_MAX_MS = 3600 * 1000 };

struct options_reader {
    int argc;
    char **argv;
    int next;
    unsigned takes;
    bool has_target;
    struct rg_tool_options options;
};

static bool options_is(const struct options_reader *reader, const char *name)
{
    return strcmp(reader->argv[reader->next - 1], name) == 0;
}

/* Takes the value behind the option just read. */
static int options_value(struct options_reader *reader, const char **ret_value)
{
    if (reader->next >= reader->argc) {
        fprintf(stderr, "%s: %s needs a value\n", reader->argv[0], reader->argv[reader->next - 1]);
        return RG_EINVAL;
    }
    *ret_value = reader->argv[reader->next++];
    return 0;
}

static int options_number(struct options_reader *reader, int64_t min, int64_t max,
                          int64_t *ret_value)
{
    const char *name = reader->argv[reader->next - 1];
    const char *text = NULL;
    int64_t value;

    if (options_value(reader, &text) < 0)
        return RG_EINVAL;
    if (rg_parse_i64(rg_bytes_str(text), &value) < 0 || value < min || value > max) {
        fprintf(stderr, "%s: %s wants a number from %lld to %lld, not '%s'\n", reader->argv[0],
                name, (long long)min, (long long)max, text);
        return RG_EINVAL;
    }
    *ret_value = value;
    return 0;
}

/* --watch may be followed by its seconds. */
static int options_watch(struct options_reader *reader)
{
    int64_t seconds;

    reader->options.watch = true;
    if (reader->next < reader->argc &&
        rg_parse_i64(rg_bytes_str(reader->argv[reader->next]), &seconds) == 0)
        return options_number(reader, 1, 3600, &reader->options.watch_s);
    return 0;
}

static int options_address(struct options_reader *reader)
{
    const char *text = reader->argv[reader->next - 1];
    bool second = reader->has_target;
    struct rg_target *target = second ? &reader->options.to : &reader->options.target;

    if (second && (!(reader->takes & RG_TOOL_TAKES_TO) || reader->options.has_to)) {
        fprintf(stderr, "%s: what is '%s'?\n", reader->argv[0], text);
        return RG_EINVAL;
    }
    if (rg_target_parse(text, target) < 0) {
        fprintf(stderr, "%s: '%s' is not HOST:PORT\n", reader->argv[0], text);
        return RG_EINVAL;
    }
    reader->has_target = true;
    reader->options.has_to = second;
    return 0;
}

static int options_next(struct options_reader *reader)
{
    const char *text = reader->argv[reader->next++];

    if (options_is(reader, "--user"))
        return options_value(reader, &reader->options.login.user);
    if (options_is(reader, "--pass"))
        return options_value(reader, &reader->options.login.pass);
    if (options_is(reader, "--timeout"))
        return options_number(reader, 1, OPTIONS_TIMEOUT_MAX_MS, &reader->options.timeout_ms);
    if (options_is(reader, "--watch") && (reader->takes & RG_TOOL_TAKES_WATCH))
        return options_watch(reader);
    if (options_is(reader, "--json") && (reader->takes & RG_TOOL_TAKES_JSON)) {
        reader->options.json = true;
        return 0;
    }
    if (text[0] == '-') {
        fprintf(stderr, "%s: no option '%s'\n", reader->argv[0], text);
        return RG_EINVAL;
    }
    return options_address(reader);
}

int rg_tool_options_parse(int argc, char **argv, unsigned takes, const char *usage,
                          struct rg_tool_options *ret_options)
{
    struct options_reader reader = {.argc = argc, .argv = argv, .next = 1, .takes = takes};
    int result = 0;

    reader.options.timeout_ms = OPTIONS_TIMEOUT_MS;
    reader.options.watch_s = 1;
    /* A password on the command line can be read by everybody on the machine. */
    reader.options.login.pass = getenv("REGENT_PASS"); // NOLINT(concurrency-mt-unsafe): one thread
    while (result == 0 && reader.next < argc)
        result = options_next(&reader);
    if (result == 0 && !reader.has_target)
        result = RG_EINVAL;
    if (result < 0) {
        fprintf(stderr, "usage: %s\n", usage);
        return result;
    }
    *ret_options = reader.options;
    return 0;
}

void rg_tool_sleep_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}
