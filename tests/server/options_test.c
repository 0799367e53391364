#include "server/options.h"

#include "tests/harness.h"

enum { MAX_ARGS = 8 };

/* Reads a NULL-ended list of arguments and compares the text that comes of it. */
static void check_text(const char *const *args, const char *expected)
{
    struct rg_options options;
    char *argv[MAX_ARGS];
    int argc = 0;

    for (; args[argc] != NULL; argc++)
        memcpy(&argv[argc], &args[argc], sizeof(argv[0]));
    rg_options_read(&options, argc, argv);
    RG_CHECK_INT(options.action, RG_OPTIONS_RUN);
    RG_CHECK_BYTES(rg_buf_view(&options.text), expected);
    rg_options_fini(&options);
}

#define CHECK_TEXT(expected, ...) check_text((const char *const[]){__VA_ARGS__, NULL}, expected)

static enum rg_options_action action_of(const char *arg)
{
    struct rg_options options;
    char *argv[1];

    memcpy(argv, &arg, sizeof(arg));
    rg_options_read(&options, 1, argv);
    rg_options_fini(&options);
    return options.action;
}

RG_TEST(directives_become_lines_with_quoted_values)
{
    CHECK_TEXT("port \"6380\" ", "--port", "6380");
    CHECK_TEXT("port \"1\" \nreplicaof \"127.0.0.1\" \"7\" ", "--port", "1", "--replicaof",
               "127.0.0.1", "7");
    CHECK_TEXT("port ", "--port");
}

RG_TEST(values_keep_spaces_quotes_and_bytes)
{
    CHECK_TEXT("requirepass \"a b\\\"c\\\\\" ", "--requirepass", "a b\"c\\");
    CHECK_TEXT("requirepass \"\\n\\x01\\xff\" ", "--requirepass", "\n\x01\xff");
    CHECK_TEXT("logfile \"\" ", "--logfile", "");
}

RG_TEST(a_value_may_begin_with_dashes)
{
    CHECK_TEXT("requirepass \"--secret\" ", "--requirepass", "--secret");
    CHECK_TEXT("requirepass \"--secret\" \nport \"1\" ", "--requirepass", "--secret", "--port",
               "1");
}

RG_TEST(name_and_value_in_one_argument)
{
    CHECK_TEXT("port 6380 \nloglevel \"debug\" ", "--port 6380", "--loglevel", "debug");
}

RG_TEST(save_without_a_value_is_the_empty_one)
{
    CHECK_TEXT("save \"\"", "--save");
    CHECK_TEXT("save \"\"\nport \"1\" ", "--save", "--port", "1");
    CHECK_TEXT("save \"60\" \"1\" ", "--save", "60", "1");
    CHECK_TEXT("save \"\" ", "--save", "");
}

RG_TEST(file_comes_first_and_standard_input_last)
{
    char file[] = "a.conf";
    char name[] = "--port";
    char value[] = "1";
    char dash[] = "-";
    char *argv[] = {file, name, value, dash};
    struct rg_options options;

    rg_options_read(&options, 4, argv);
    RG_CHECK_STR(options.file, "a.conf");
    RG_CHECK(options.from_stdin);
    RG_CHECK_BYTES(rg_buf_view(&options.text), "port \"1\" ");
    rg_options_fini(&options);

    rg_options_read(&options, 1, argv + 3);
    RG_CHECK(options.file == NULL);
    RG_CHECK(options.from_stdin);
    rg_options_fini(&options);

    rg_options_read(&options, 0, argv);
    RG_CHECK(options.file == NULL && !options.from_stdin);
    RG_CHECK_INT(rg_buf_len(&options.text), 0);
    rg_options_fini(&options);
}

RG_TEST(words_that_stand_alone)
{
    RG_CHECK_INT(action_of("-v"), RG_OPTIONS_VERSION);
    RG_CHECK_INT(action_of("--version"), RG_OPTIONS_VERSION);
    RG_CHECK_INT(action_of("-h"), RG_OPTIONS_HELP);
    RG_CHECK_INT(action_of("--help"), RG_OPTIONS_HELP);
    RG_CHECK_INT(action_of("--test-memory"), RG_OPTIONS_TEST_MEMORY);
    RG_CHECK_INT(action_of("--check-system"), RG_OPTIONS_CHECK_SYSTEM);
    RG_CHECK_INT(action_of("--port"), RG_OPTIONS_RUN);
}
