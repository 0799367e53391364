#include "base/rand.h"
#include "cmd/docs.h"
#include "cmd/index.h"
#include "cmd/syntax.h"
#include "cmd/table.h"
#include "tests/harness.h"

static int rank(const char *name, size_t i)
{
    return name[i] == '|' ? 1 : (unsigned char)name[i];
}

RG_TEST(rows_are_in_the_order_that_the_lookup_needs)
{
    unsigned count = 0;
    const struct rg_command *rows = rg_cmd_table(&count);

    RG_CHECK_INT(count, RG_CMD_COUNT);
    for (unsigned i = 0; i < count; i++) {
        RG_CHECK_INT(rows[i].id, i);
        RG_CHECK(rg_cmd_by_id(i) == &rows[i]);
        RG_CHECK(rg_cmd_by_name(rg_bytes_str(rows[i].name)) == &rows[i]);
        if (i == 0)
            continue;
        size_t at = 0;
        while (rows[i].name[at] != '\0' && rows[i].name[at] == rows[i - 1].name[at])
            at++;
        RG_CHECK(rank(rows[i - 1].name, at) < rank(rows[i].name, at));
    }
    RG_CHECK(rg_cmd_by_id(count) == NULL);
}

RG_TEST(every_row_is_whole)
{
    unsigned count = 0;
    const struct rg_command *rows = rg_cmd_table(&count);

    for (unsigned i = 0; i < count; i++) {
        struct rg_syntax syntax;
        RG_CHECK_INT(rg_syntax_parse(rg_bytes_str(rows[i].syntax), &syntax), 0);
        RG_CHECK(rows[i].summary[0] != '\0' && rows[i].complexity[0] != '\0');
        RG_CHECK(rows[i].arity != 0);
        RG_CHECK((strchr(rows[i].name, '|') != NULL) == (rows[i].parent != NULL));
        RG_CHECK((rows[i].first_key != 0 || rows[i].flags & RG_CMD_MOVABLEKEYS) ==
                 (rows[i].key_flags[0] != '\0'));
    }
}

static int lookup(const char *first, const char *second, const struct rg_command **ret_command)
{
    struct rg_bytes argv[] = {rg_bytes_str(first), rg_bytes_str(second != NULL ? second : "")};

    return rg_cmd_lookup(argv, second != NULL ? 2 : 1, ret_command);
}

RG_TEST(lookup_finds_commands_and_subcommands_in_any_case)
{
    const struct rg_command *command = NULL;

    RG_CHECK_INT(lookup("gEt", "x", &command), 0);
    RG_CHECK_INT(command->id, RG_CMD_ID_get);
    RG_CHECK_INT(lookup("Config", "GET", &command), 0);
    RG_CHECK_INT(command->id, RG_CMD_ID_config_get);
    RG_CHECK_INT(lookup("client", "No-Evict", &command), 0);
    RG_CHECK_INT(command->id, RG_CMD_ID_client_no_evict);
    RG_CHECK_INT(lookup("command", NULL, &command), 0);
    RG_CHECK_INT(command->id, RG_CMD_ID_command);
    RG_CHECK_INT(lookup("object", "nothing", &command), RG_EINVAL);
    RG_CHECK_INT(command->id, RG_CMD_ID_object);
    RG_CHECK_INT(lookup("", NULL, &command), RG_ENOENT);
    RG_CHECK_INT(lookup("ge", NULL, &command), RG_ENOENT);
    RG_CHECK_INT(lookup("gett", NULL, &command), RG_ENOENT);
    RG_CHECK_INT(lookup("config|get", NULL, &command), RG_ENOENT);
}

static int check_index(const struct rg_cmd_index *index, struct rg_bytes first,
                       struct rg_bytes second, int argc)
{
    struct rg_bytes argv[] = {first, second};
    const struct rg_command *expected = NULL;
    const struct rg_command *found = NULL;
    int result = rg_cmd_lookup(argv, argc, &expected);

    RG_CHECK_INT(rg_cmd_index_find(index, argv, argc, &found), result);
    RG_CHECK(found == expected);
    return result;
}

static struct rg_bytes change_case(struct rg_rand *rand, char text[64], const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        text[i] = rg_rand_u64(rand) & 1 ? rg_ascii_upper(name[i]) : name[i];
    return rg_bytes(text, len);
}

RG_TEST(the_index_finds_what_the_table_has)
{
    struct rg_cmd_index *index = rg_cmd_index_new();
    struct rg_rand rand;
    unsigned count = 0;
    const struct rg_command *rows = rg_cmd_table(&count);
    char first[64];
    char second[64];

    rg_rand_init(&rand, 1);
    for (unsigned i = 0; i < count; i++) {
        const struct rg_command *parent = rows[i].parent;
        struct rg_bytes name = change_case(&rand, first, parent ? parent->name : rows[i].name);
        struct rg_bytes sub =
            parent ? change_case(&rand, second, rows[i].name + strlen(parent->name) + 1)
                   : RG_BYTES("x");
        RG_CHECK_INT(check_index(index, name, sub, parent ? 2 : 1), 0);
        (void)check_index(index, name, RG_BYTES("x"), 2);
        /* A byte changed, added or taken away. */
        first[rg_rand_below(&rand, name.len)] ^= (char)(1U << rg_rand_below(&rand, 8));
        (void)check_index(index, name, sub, 2);
        (void)check_index(index, rg_bytes(name.data, name.len - 1), sub, 2);
        first[name.len] = '\0';
        (void)check_index(index, rg_bytes(name.data, name.len + 1), sub, 2);
    }
    RG_CHECK_INT(
        check_index(index, RG_BYTES("a name that is longer than any other"), RG_BYTES(""), 1),
        RG_ENOENT);
    RG_CHECK_INT(check_index(index, RG_BYTES("object"), RG_BYTES(""), 2), RG_EINVAL);
    rg_cmd_index_free(index);
}

RG_TEST(keys_are_where_the_row_says)
{
    struct rg_bytes argv[] = {RG_BYTES("mset"), RG_BYTES("a"), RG_BYTES("1"), RG_BYTES("b"),
                              RG_BYTES("2")};
    struct rg_key_use at[4] = {0};

    RG_CHECK_INT(rg_cmd_keys(rg_cmd_by_id(RG_CMD_ID_mset), argv, 5, at, 4), 2);
    RG_CHECK(at[0].position == 1 && at[1].position == 3);
    RG_CHECK_INT(rg_cmd_keys(rg_cmd_by_id(RG_CMD_ID_mset), argv, 4, at, 4), 2);
    RG_CHECK_INT(rg_cmd_keys(rg_cmd_by_id(RG_CMD_ID_mset), argv, 5, at, 1), 2);
    RG_CHECK_INT(rg_cmd_keys(rg_cmd_by_id(RG_CMD_ID_rename), argv, 3, at, 4), 2);
    RG_CHECK_INT(rg_cmd_keys(rg_cmd_by_id(RG_CMD_ID_rename), argv, 2, at, 4), RG_EINVAL);
    RG_CHECK_INT(rg_cmd_keys(rg_cmd_by_id(RG_CMD_ID_object_encoding), argv, 3, at, 4), 1);
    RG_CHECK_INT(at[0].position, 2);
    RG_CHECK_INT(rg_cmd_keys(rg_cmd_by_id(RG_CMD_ID_ping), argv, 1, at, 4), 0);
}

/* Up to eight words, as a request, and the positions of the keys as digits. */
static void check_keys(const struct rg_command *command, const char *line, const char *expected)
{
    struct rg_bytes argv[8];
    struct rg_bytes rest = rg_bytes_str(line);
    struct rg_key_use at[8] = {0};
    int argc = 0;

    while (rest.len > 0)
        argv[argc++] = rg_bytes_cut(&rest, ' ');
    int count = rg_cmd_keys(command, argv, argc, at, 8);
    RG_CHECK_INT(count, expected[0] == '-' ? RG_EINVAL : (int)strlen(expected));
    for (int i = 0; i < count; i++)
        RG_CHECK_INT(at[i].position, expected[i] - '0');
}

RG_TEST(keys_stand_behind_counts_and_words)
{
    struct rg_command counted = {.arity = -2, .key_flags = "keynum:2 RW access"};
    struct rg_command stored = {.arity = -4,
                                .first_key = 1,
                                .last_key = 1,
                                .key_step = 1,
                                .key_flags = "OW update|keynum:2 RO access"};
    struct rg_command worded = {.arity = -2,
                                .first_key = 1,
                                .last_key = 1,
                                .key_step = 1,
                                .key_flags = "RO access|keyword:STORE:3 OW update"};
    struct rg_command optional = {.arity = -2,
                                  .first_key = 1,
                                  .last_key = 1,
                                  .key_step = 1,
                                  .key_flags = "RO access|unknown RO|unknown:STORE OW update"};

    check_keys(&counted, "c 0 2 a b LEFT", "34");
    check_keys(&counted, "c 0 0 a", "-");
    check_keys(&counted, "c 0 3 a b", "-");
    check_keys(&counted, "c 0 x a", "-");
    check_keys(&counted, "c 0", "-");
    check_keys(&stored, "c d 1 a", "13");
    check_keys(&worded, "c a STORE store b", "14");
    check_keys(&worded, "c a b store", "1");
    check_keys(&optional, "c a BY store STORE b store d", "17");
    check_keys(&optional, "c a LIMIT store d GET store", "1");
}

RG_TEST(syntax_groups_become_what_they_hold)
{
    struct rg_syntax syntax;

    RG_CHECK_INT(rg_syntax_parse(rg_bytes_str("key <f v>... [EX seconds | KEEP] [NX]"), &syntax),
                 0);
    RG_CHECK_INT(rg_syntax_siblings(&syntax, syntax.first), 4);
    const struct rg_syntax_node *node = &syntax.nodes[syntax.first];
    RG_CHECK(node->kind == RG_SYNTAX_ARG);
    node = &syntax.nodes[node->next];
    RG_CHECK(node->kind == RG_SYNTAX_BLOCK && node->multiple && !node->optional);
    node = &syntax.nodes[node->next];
    RG_CHECK(node->kind == RG_SYNTAX_ONEOF && node->optional);
    RG_CHECK_BYTES(syntax.nodes[node->first].token, "EX");
    RG_CHECK_BYTES(syntax.nodes[node->first].name, "seconds");
    node = &syntax.nodes[node->next];
    RG_CHECK(node->kind == RG_SYNTAX_TOKEN && node->optional);
    RG_CHECK_INT(rg_syntax_parse(rg_bytes_str("[a"), &syntax), RG_EINVAL);
    RG_CHECK_INT(rg_syntax_parse(rg_bytes_str("a]"), &syntax), RG_EINVAL);
    RG_CHECK_INT(rg_syntax_parse(rg_bytes_str("[a>"), &syntax), RG_EINVAL);
    RG_CHECK_INT(rg_syntax_parse(rg_bytes_str("[[[[[[[[[a]]]]]]]]]"), &syntax), RG_ELIMIT);
}
