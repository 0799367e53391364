#include <inttypes.h>

#include "base/crc64.h"
#include "core/group.h"
#include "tests/harness.h"

static const struct rg_group_durable sample = {
    .term = UINT64_MAX,
    .voted_for = 14,
    .formed = true,
    .founded = UINT64_MAX - 1,
    .founded_mode = RG_MODE_QUORUM,
    .first_promise = 3,
    .on_disk = true,
    .disk = {UINT64_MAX - 2, UINT64_MAX},
    .incarnation = 7,
    .clean = true,
    .clean_offset = 123456,
    .clean_replid = "0123456789abcdef0123456789abcdef01234567",
};

RG_TEST(a_state_file_reads_back_as_it_was)
{
    struct rg_group_durable back = {0};
    struct rg_buf text = {0};

    rg_group_durable_format(&sample, &text);
    RG_CHECK_INT(rg_group_durable_parse(rg_buf_view(&text), &back), 0);
    RG_CHECK(back.term == sample.term && back.voted_for == 14 && back.formed && back.clean);
    RG_CHECK(back.founded == sample.founded && back.first_promise == 3);
    RG_CHECK_INT(back.founded_mode, RG_MODE_QUORUM);
    RG_CHECK(back.on_disk && back.disk.term == UINT64_MAX - 2 && back.disk.offset == UINT64_MAX);
    RG_CHECK_INT(back.incarnation, 7);
    RG_CHECK_INT(back.clean_offset, 123456);
    RG_CHECK_STR(back.clean_replid, sample.clean_replid);
    rg_buf_reset(&text, 0);

    struct rg_group_durable empty = {.voted_for = -1};
    rg_group_durable_format(&empty, &text);
    RG_CHECK_INT(rg_group_durable_parse(rg_buf_view(&text), &back), 0);
    RG_CHECK(back.term == 0 && back.voted_for == -1 && !back.formed && back.clean_replid[0] == 0);
    RG_CHECK(back.founded == 0 && back.first_promise == 0);
    rg_buf_fini(&text);
}

RG_TEST(any_byte_changed_cut_or_added_is_noticed)
{
    struct rg_group_durable back = {.term = 42};
    struct rg_buf text = {0};

    rg_group_durable_format(&sample, &text);
    size_t len = rg_buf_len(&text);
    char *data = text.data + text.head;
    for (size_t i = 0; i < len; i++) {
        data[i] ^= 4;
        RG_CHECK_INT(rg_group_durable_parse(rg_bytes(data, len), &back), RG_ECORRUPT);
        data[i] ^= 4;
        RG_CHECK_INT(rg_group_durable_parse(rg_bytes(data, i), &back), RG_ECORRUPT);
    }
    rg_buf_append_char(&text, '\n');
    RG_CHECK_INT(rg_group_durable_parse(rg_buf_view(&text), &back), RG_ECORRUPT);
    RG_CHECK_INT(back.term, 42);
    rg_buf_fini(&text);
}

RG_TEST(a_right_checksum_does_not_excuse_wrong_values)
{
    struct rg_group_durable wrong = sample;
    struct rg_group_durable back = {0};
    struct rg_buf text = {0};

    wrong.voted_for = RG_GROUP_MAX_MEMBERS;
    rg_group_durable_format(&wrong, &text);
    RG_CHECK_INT(rg_group_durable_parse(rg_buf_view(&text), &back), RG_ECORRUPT);
    rg_buf_reset(&text, 0);
    wrong = sample;
    wrong.clean_replid[3] = 'X';
    rg_group_durable_format(&wrong, &text);
    RG_CHECK_INT(rg_group_durable_parse(rg_buf_view(&text), &back), RG_ECORRUPT);
    rg_buf_fini(&text);
}

/* A file as version 1 wrote it: term 4, and the checksum that goes with it. */
static int parse_first_version(const char *voted_for, const char *formed,
                               struct rg_group_durable *ret_durable)
{
    struct rg_buf text = {0};

    rg_buf_printf(&text,
                  "regent-state 1\nterm 4\nvoted-for %s\nformed %s\nincarnation 7\nclean 0\n"
                  "clean-offset 0\nclean-replid -\n",
                  voted_for, formed);
    uint64_t crc = rg_crc64(0, rg_buf_view(&text).data, rg_buf_len(&text));
    rg_buf_printf(&text, "crc64 %016" PRIx64 "\n", crc);
    int result = rg_group_durable_parse(rg_buf_view(&text), ret_durable);
    rg_buf_fini(&text);
    return result;
}

RG_TEST(a_file_of_the_first_version_tells_what_it_knows)
{
    struct rg_group_durable durable = {0};

    RG_CHECK_INT(parse_first_version("2", "0", &durable), 0);
    RG_CHECK(durable.term == 4 && durable.voted_for == 2 && durable.incarnation == 7);
    RG_CHECK(durable.first_promise == 4 && durable.founded == 0 && !durable.formed);
    /* Only a promise brought a node to its term that was in no group. */
    RG_CHECK_INT(parse_first_version("2", "1", &durable), 0);
    RG_CHECK(durable.first_promise == 0 && durable.founded == 0 && durable.formed);
    RG_CHECK_INT(parse_first_version("-1", "0", &durable), 0);
    RG_CHECK(durable.first_promise == 0);
    RG_CHECK_INT(parse_first_version("15", "0", &durable), RG_ECORRUPT);
    RG_CHECK_INT(parse_first_version("2", "2", &durable), RG_ECORRUPT);
}
