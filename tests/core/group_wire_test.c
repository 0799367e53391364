#include "proto/group_wire.h"

#include "proto/resp.h"
#include "tests/harness.h"

enum { WIRE_TEST_MAX = 24 };

/* Splits the one request in text into argv. */
static int split(struct rg_request_parser *parser, struct rg_buf *text, struct rg_request *request)
{
    parser->authenticated = true;
    return rg_request_parse(parser, rg_buf_view(text), request);
}

static int round_trip(const struct rg_group_msg *msg, struct rg_group_msg *ret_back)
{
    struct rg_request_parser parser = {0};
    struct rg_request request;
    struct rg_buf text = {0};

    rg_group_msg_write(&text, msg);
    int err = split(&parser, &text, &request);
    if (err == 0)
        err = rg_group_msg_read(request.argv, request.argc, ret_back);
    rg_request_parser_fini(&parser);
    rg_buf_fini(&text);
    return err;
}

RG_TEST(every_type_comes_back)
{
    for (unsigned type = 0; type < RG_MSG_TYPES; type++) {
        struct rg_group_msg msg = {.type = type, .term = UINT64_MAX, .primary = -1};
        struct rg_group_msg back = {0};
        RG_CHECK_INT(round_trip(&msg, &back), 0);
        RG_CHECK(back.type == type && back.term == UINT64_MAX && back.primary == -1);
    }
}

RG_TEST(every_field_of_a_status_comes_back)
{
    struct rg_group_msg msg = {.type = RG_MSG_PONG,
                               .term = 4,
                               .seq = 5,
                               .state = RG_MEMBER_HEALTHY,
                               .role = RG_ROLE_PRIMARY,
                               .primary = 14,
                               .log_term = 6,
                               .log_offset = 7,
                               .commit = 8,
                               .incarnation = 9,
                               .priority = UINT32_MAX,
                               .mode = 3,
                               .founded = UINT64_MAX - 1,
                               .founded_mode = 2};
    struct rg_group_msg back = {0};

    RG_CHECK_INT(round_trip(&msg, &back), 0);
    RG_CHECK(back.term == 4 && back.seq == 5 && back.state == RG_MEMBER_HEALTHY);
    RG_CHECK(back.role == RG_ROLE_PRIMARY && back.primary == 14 && back.log_term == 6);
    RG_CHECK(back.log_offset == 7 && back.commit == 8 && back.incarnation == 9);
    RG_CHECK(back.priority == UINT32_MAX && back.mode == 3 && back.founded == UINT64_MAX - 1);
    RG_CHECK_INT(back.founded_mode, 2);
    struct rg_group_msg voted = {.type = RG_MSG_VOTED,
                                 .granted = 1,
                                 .handover = 1,
                                 .lease_us = 250000,
                                 .state = RG_MEMBER_FRESH};
    RG_CHECK_INT(round_trip(&voted, &back), 0);
    RG_CHECK(back.granted == 1 && back.handover == 1 && back.lease_us == 250000);
}

static int read_words(const char *const *words, int argc)
{
    struct rg_bytes argv[WIRE_TEST_MAX];
    struct rg_group_msg msg;

    for (int i = 0; i < argc; i++)
        argv[i] = rg_bytes_str(words[i]);
    return rg_group_msg_read(argv, argc, &msg);
}

RG_TEST(what_is_out_of_range_or_count_is_refused)
{
    static const char *const good[] = {"PING", "4", "5", "3",  "2", "-1", "6",
                                       "7",    "8", "9", "10", "3", "2",  "1"};
    static const struct {
        int at;
        const char *word;
    } bad[] = {{0, "ping?"},       {0, ""},   {1, "-1"},  {1, "x"}, {3, "4"},
               {4, "3"},           {5, "15"}, {5, "-2"},  {6, ""},  {7, "1.5"},
               {10, "4294967296"}, {11, "4"}, {12, "-1"}, {13, "4"}};
    const char *words[WIRE_TEST_MAX];

    RG_CHECK_INT(read_words(good, 14), 0);
    RG_CHECK_INT(read_words(good, 13), RG_EPROTO);
    RG_CHECK_INT(read_words(good, 0), RG_EPROTO);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(words, good, sizeof(good));
        words[bad[i].at] = bad[i].word;
        RG_CHECK_INT(read_words(words, 14), RG_EPROTO);
    }
    memcpy(words, good, sizeof(good));
    words[14] = "1";
    RG_CHECK_INT(read_words(words, 15), RG_EPROTO);
}
