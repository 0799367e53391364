#include "node/config.h"

#include "tests/harness.h"

static void append_value(void *arg, const char *name, struct rg_bytes value)
{
    struct rg_buf *out = arg;

    rg_buf_printf(out, "%s=", name);
    rg_buf_append_bytes(out, value);
    rg_buf_append_char(out, ';');
}

static void check_get(const struct rg_config *config, const char *pattern, const char *expected)
{
    struct rg_buf out = {0};
    struct rg_bytes bytes = rg_bytes_str(pattern);

    rg_config_get(config, &bytes, 1, append_value, &out);
    RG_CHECK_BYTES(rg_buf_view(&out), expected);
    rg_buf_fini(&out);
}

static struct rg_config *read_text(const char *text)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};

    int rc = rg_config_read(config, "/etc/r.conf", rg_bytes_str(text), NULL, NULL, &error);
    RG_CHECK_BYTES(rg_buf_view(&error), "");
    RG_CHECK_INT(rc, 0);
    rg_buf_fini(&error);
    return config;
}

static void check_read_error(const char *text, const char *expected)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};

    RG_CHECK_INT(rg_config_read(config, "", rg_bytes_str(text), NULL, NULL, &error), RG_EINVAL);
    RG_CHECK_BYTES(rg_buf_view(&error), expected);
    rg_buf_fini(&error);
    rg_config_free(config);
}

/* expected: the reply's text, or "" and the names that changed. */
static void check_set(struct rg_config *config, const struct rg_bytes *argv, int count,
                      const char *error, const char *names)
{
    struct rg_buf text = {0};
    struct rg_buf list = {0};
    const char *changed[8];
    int changes = 0;

    int rc = rg_config_set(config, argv, count, changed, &changes, &text);
    RG_CHECK_BYTES(rg_buf_view(&text), error);
    RG_CHECK_INT(rc, error[0] == '\0' ? 0 : RG_EINVAL);
    for (int i = 0; i < changes; i++)
        rg_buf_printf(&list, "%s ", changed[i]);
    RG_CHECK_BYTES(rg_buf_view(&list), names);
    rg_buf_fini(&text);
    rg_buf_fini(&list);
}

#define B(literal) RG_BYTES(literal)
#define CHECK_SET(config, error, names, ...)                                                       \
    check_set(config, (struct rg_bytes[]){__VA_ARGS__},                                            \
              sizeof((struct rg_bytes[]){__VA_ARGS__}) / sizeof(struct rg_bytes), error, names)

RG_TEST(defaults_are_in_the_fields)
{
    struct rg_config *config = rg_config_new();

    RG_CHECK_INT(config->port, 6379);
    RG_CHECK_INT(config->bind_count, 2);
    RG_CHECK_STR(config->bind[1], "-::*");
    RG_CHECK(config->protected_mode && config->active_expire);
    RG_CHECK_INT(config->save_count, 3);
    RG_CHECK_INT(config->save[2].changes, 10000);
    RG_CHECK_INT(config->output_limit[RG_CLASS_REPLICA].hard_bytes, 268435456);
    RG_CHECK_INT(config->maxmemory_policy, RG_POLICY_NOEVICTION);
    RG_CHECK_INT(config->replication_mode, RG_MODE_ASYNC);
    RG_CHECK_INT(config->group_lease, 250);
    RG_CHECK_STR(config->replicaof_host, "");
    RG_CHECK(rg_config_inert(config, 0) == NULL);
    check_get(config, "bind", "bind=* -::*;");
    rg_config_free(config);
}

RG_TEST(reads_a_file)
{
    struct rg_config *config =
        read_text("# a comment\n\n  PORT 7000 \r\nport 7001\nrequirepass \"a b\\x21\"\n"
                  "save 900 1\nsave 300 10\nslaveof h 1\nmaxmemory 1kb\nunixsocketperm 700\n"
                  "client-output-buffer-limit replica 1mb 2mb 3\nreplication-mode SEMI-SYNC\n"
                  "group-members a:1 b:2\ngroup-members c:3\nbind \"::1 10.0.0.1\"\n"
                  "user x on\nactiverehashing no");

    RG_CHECK_INT(config->port, 7001);
    RG_CHECK_STR(config->requirepass, "a b!");
    RG_CHECK_INT(config->maxmemory, 1024);
    RG_CHECK_INT(config->unixsocketperm, 0700);
    RG_CHECK_INT(config->replication_mode, RG_MODE_SEMI_SYNC);
    RG_CHECK_STR(config->replicaof_host, "h");
    RG_CHECK_INT(config->group_member_count, 3);
    RG_CHECK_STR(config->group_members[2], "c:3");
    RG_CHECK_STR(config->bind[1], "10.0.0.1");
    check_get(config, "save", "save=900 1 300 10;");
    check_get(config, "slaveof", "slaveof=h 1;");
    check_get(config, "unixsocketperm", "unixsocketperm=700;");
    check_get(config, "client-output*",
              "client-output-buffer-limit=normal 0 0 0 slave 1048576 2097152 3 "
              "pubsub 33554432 8388608 60;");
    RG_CHECK_STR(rg_config_inert(config, 0), "activerehashing");
    RG_CHECK_STR(rg_config_inert(config, 1), "user");
    RG_CHECK(rg_config_inert(config, 2) == NULL);
    RG_CHECK_STR(rg_config_file(config), "/etc/r.conf");
    rg_config_free(config);
}

RG_TEST(errors_name_line_and_reason)
{
    check_read_error("\nfoo bar", "Reading the configuration file, at line 2\n>>> 'foo bar'\n"
                                  "Bad directive or wrong number of arguments\n");
    check_read_error("port 99999", "Reading the configuration file, at line 1\n>>> 'port 99999'\n"
                                   "argument must be between 0 and 65535 inclusive\n");
    check_read_error("port \"1", "Reading the configuration file, at line 1\n>>> 'port \"1'\n"
                                 "Unbalanced quotes in configuration line\n");
    check_read_error("include x", "Reading the configuration file, at line 1\n>>> 'include x'\n"
                                  "include is not possible here\n");
    check_read_error("bind a a a a a a a a a a a a a a a a a",
                     "Reading the configuration file, at line 1\n"
                     ">>> 'bind a a a a a a a a a a a a a a a a a'\n"
                     "Too many bind addresses specified.\n");
    /* Blanks inside quotes do not smuggle in more words than there is room for. */
    check_read_error("bind \"a a a a a a a a a\" \"a a a a a a a a a\"",
                     "Reading the configuration file, at line 1\n"
                     ">>> 'bind \"a a a a a a a a a\" \"a a a a a a a a a\"'\n"
                     "Too many bind addresses specified.\n");
}

static int read_included(void *arg, const char *path, struct rg_buf *out)
{
    if (strcmp(path, "loop") == 0)
        rg_buf_append_str(out, "include loop\n");
    else if (strcmp(path, "good") == 0)
        rg_buf_append_str(out, "port 1\nhz 20\n");
    else if (strcmp(path, "bad") == 0)
        rg_buf_append_str(out, "\nport x\n");
    else
        return RG_ENOENT;
    return 0;
}

static int read_with_includes(struct rg_config *config, const char *text, struct rg_buf *error)
{
    return rg_config_read(config, "/main", rg_bytes_str(text), read_included, NULL, error);
}

RG_TEST(includes_are_read_in_place)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};

    RG_CHECK_INT(read_with_includes(config, "hz 5\ninclude good\nport 2\ninclude none*", &error),
                 0);
    RG_CHECK_INT(config->hz, 20);
    RG_CHECK_INT(config->port, 2);
    RG_CHECK_INT(read_with_includes(config, "include none", &error), RG_EINVAL);
    rg_buf_reset(&error, 0);
    RG_CHECK_INT(read_with_includes(config, "include loop", &error), RG_EINVAL);
    rg_buf_reset(&error, 0);
    RG_CHECK_INT(read_with_includes(config, "include bad", &error), RG_EINVAL);
    RG_CHECK_BYTES(rg_buf_view(&error), "Reading the configuration file 'bad', at line 2\n"
                                        ">>> 'port x'\n"
                                        "argument couldn't be parsed into an integer\n");
    rg_buf_fini(&error);
    rg_config_free(config);
}

RG_TEST(set_is_all_or_nothing)
{
    struct rg_config *config = rg_config_new();

    CHECK_SET(config, "", "maxmemory replica-read-only ", B("maxmemory"), B("1gb"),
              B("slave-read-only"), B("no"), B("hz"), B("10"));
    CHECK_SET(config,
              "ERR CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be "
              "parsed into an integer",
              "", B("maxmemory"), B("2gb"), B("hz"), B("abc"));
    RG_CHECK_INT(config->maxmemory, 1073741824);
    CHECK_SET(config, "ERR Unknown option or number of arguments for CONFIG SET - 'foo'", "",
              B("maxmemory"), B("2gb"), B("foo"), B("bar"));
    CHECK_SET(config, "ERR Unknown option or number of arguments for CONFIG SET - 'user'", "",
              B("user"), B("x on"));
    CHECK_SET(config,
              "ERR CONFIG SET failed (possibly related to argument 'daemonize') - can't set "
              "immutable config",
              "", B("port"), B("1"), B("daemonize"), B("yes"));
    CHECK_SET(config,
              "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected "
              "config",
              "", B("dir"), B("/"));
    CHECK_SET(config,
              "ERR CONFIG SET failed (possibly related to argument 'hz') - duplicate parameter", "",
              B("hz"), B("1"), B("hz"), B("2"));
    CHECK_SET(config, "", "hz repl-backlog-size ", B("hz"), B("9999"), B("repl-backlog-size"),
              B("1"));
    RG_CHECK_INT(config->hz, 500);
    RG_CHECK_INT(config->repl_backlog_size, 16384);
    rg_config_free(config);
}

RG_TEST(what_a_group_agreed_on_cannot_change_while_it_runs)
{
    struct rg_config *config = rg_config_new();

    CHECK_SET(config,
              "ERR CONFIG SET failed (possibly related to argument 'group-lease') - can't set "
              "immutable config",
              "", B("hz"), B("20"), B("group-lease"), B("2000"));
    RG_CHECK_INT(config->group_lease, 250);
    RG_CHECK_INT(config->hz, 10);
    rg_config_free(config);
}

RG_TEST(get_knows_old_names_and_case)
{
    struct rg_config *config = rg_config_new();

    check_get(config, "SLAVE-Read-Only", "SLAVE-Read-Only=yes;");
    check_get(config, "*-read-only", "replica-read-only=yes;slave-read-only=yes;");
    check_get(config, "REPLICA-READ*", "replica-read-only=yes;");
    check_get(config, "user", "");
    check_get(config, "", "");
    rg_config_free(config);
}

static void check_check(const char *text, const char *expected)
{
    struct rg_config *config = read_text(text);
    struct rg_buf error = {0};

    RG_CHECK_INT(rg_config_check(config, &error), expected[0] == '\0' ? 0 : RG_EINVAL);
    RG_CHECK_BYTES(rg_buf_view(&error), expected);
    rg_buf_fini(&error);
    rg_config_free(config);
}

RG_TEST(directives_are_checked_together)
{
    check_check("", "");
    check_check("group-name g\ngroup-members a:1 [::1]:2 c:3", "");
    check_check("group-name g", "group-name needs group-members");
    check_check("group-members a:1", "group-members needs group-name");
    check_check("group-name g\ngroup-members a:1\nreplicaof a 1",
                "replicaof cannot stand beside group-name: the members of a group choose their "
                "primary themselves");
    check_check("group-name g\ngroup-members a:1 A:1", "group-members: 'A:1' is named twice");
    check_check("group-name g\ngroup-members a", "group-members: 'a' is not host:port");
    check_check("group-name g\ngroup-members a:0", "group-members: 'a:0' is not host:port");
    check_check("group-name g\ngroup-members ::1:5", "group-members: '::1:5' is not host:port");
    check_check("group-name g\ngroup-members a:1 b:2\nreplica-announce-ip c\nport 2",
                "group-members does not hold this node's own address c:2");
    check_check("group-name g\ngroup-members a:1 b:2\nreplica-announce-ip b\nport 2", "");
    check_check("group-heartbeat 125", "group-lease (250 ms) must be more than twice "
                                       "group-heartbeat (125 ms)");
}

RG_TEST(rewrite_keeps_what_it_can)
{
    struct rg_config *config = read_text("# head\nport 7000\n\n  maxmemory 1gb\nuser x on\n"
                                         "save 900 1\nsave 300 10\nhz 20\nhz 30\n"
                                         "replicaof a 1\n# tail");
    struct rg_buf out = {0};

    CHECK_SET(config, "", "save requirepass ", B("save"), B("60 5"), B("requirepass"), B("a \"b"));
    config->replicaof_host[0] = '\0';
    RG_CHECK_INT(rg_config_rewrite(config, &out), 0);
    RG_CHECK_BYTES(rg_buf_view(&out),
                   "# head\nport 7000\n\n  maxmemory 1gb\nuser x on\nsave 60 5\nhz 30\n# tail\n"
                   "# Generated by CONFIG REWRITE\nrequirepass \"a \\\"b\"\n");
    rg_buf_fini(&out);
    rg_config_free(config);
}

RG_TEST(without_a_file_there_is_no_rewrite)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf out = {0};

    RG_CHECK_INT(rg_config_rewrite(config, &out), RG_ENOENT);
    RG_CHECK_STR(rg_config_file(config), "");
    rg_config_free(config);
}
