#include "core/group.h"
#include "tests/harness.h"

static const struct rg_group_durable sample = {
    .term = UINT64_MAX,
    .voted_for = 14,
    .formed = true,
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
    RG_CHECK_INT(back.incarnation, 7);
    RG_CHECK_INT(back.clean_offset, 123456);
    RG_CHECK_STR(back.clean_replid, sample.clean_replid);
    rg_buf_reset(&text, 0);

    struct rg_group_durable empty = {.voted_for = -1};
    rg_group_durable_format(&empty, &text);
    RG_CHECK_INT(rg_group_durable_parse(rg_buf_view(&text), &back), 0);
    RG_CHECK(back.term == 0 && back.voted_for == -1 && !back.formed && back.clean_replid[0] == 0);
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
