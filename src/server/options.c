#include "server/options.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "proto/resp.h"

void rg_options_fini(struct rg_options *options)
{
    rg_buf_fini(&options->text);
}

static bool options_is(const char *arg, const char *short_form, const char *long_form)
{
    return strcmp(arg, long_form) == 0 || (short_form != NULL && strcmp(arg, short_form) == 0);
}

/* The actions that stand alone on the command line. */
static enum rg_options_action options_action(int argc, char **argv)
{
    if (argc == 1 && options_is(argv[0], "-v", "--version"))
        return RG_OPTIONS_VERSION;
    if (argc == 1 && options_is(argv[0], "-h", "--help"))
        return RG_OPTIONS_HELP;
    if (argc >= 1 && options_is(argv[0], NULL, "--test-memory"))
        return RG_OPTIONS_TEST_MEMORY;
    if (argc == 1 && options_is(argv[0], NULL, "--check-system"))
        return RG_OPTIONS_CHECK_SYSTEM;
    return RG_OPTIONS_RUN;
}

static bool options_is_directive(const char *arg)
{
    return strncmp(arg, "--", 2) == 0;
}

/* One argument may hold the name and values: "--port 6380". */
static bool options_has_value(const char *arg)
{
    while (*arg != '\0' && !isspace((unsigned char)*arg))
        arg++;
    while (isspace((unsigned char)*arg))
        arg++;
    return *arg != '\0';
}

/*
 * Adds the directive at argv[i]. True: the next argument is its value, even one that begins with
 * dashes ("--requirepass --x"). A --save without a value means the empty one.
 */
static bool options_add_directive(struct rg_options *options, int argc, char **argv, int i)
{
    struct rg_buf *text = &options->text;
    bool last = i == argc - 1;

    if (rg_buf_len(text) > 0)
        rg_buf_append_char(text, '\n');
    rg_buf_append_str(text, argv[i] + 2);
    rg_buf_append_char(text, ' ');
    if (options_has_value(argv[i]))
        return false;
    if (strcasecmp(argv[i], "--save") == 0 && (last || options_is_directive(argv[i + 1]))) {
        rg_buf_append_str(text, "\"\"");
        return false;
    }
    return true;
}

void rg_options_read(struct rg_options *options, int argc, char **argv)
{
    bool value_next = false;
    int i = 0;

    *options = (struct rg_options){.action = options_action(argc, argv)};
    if (options->action != RG_OPTIONS_RUN)
        return;
    if (argc > 0 && argv[0][0] != '-')
        options->file = argv[i++];
    for (; i < argc; i++) {
        if (i == argc - 1 && strcmp(argv[i], "-") == 0) {
            options->from_stdin = true;
        } else if (!value_next && strcasecmp(argv[i], "--sentinel") == 0) {
            options->sentinel = true;
        } else if (!value_next && options_is_directive(argv[i])) {
            value_next = options_add_directive(options, argc, argv, i);
        } else {
            rg_quote_arg(&options->text, rg_bytes_str(argv[i]));
            rg_buf_append_char(&options->text, ' ');
            value_next = false;
        }
    }
}
