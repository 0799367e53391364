#include "core/group.h"
#include "tests/harness.h"

static struct rg_group *member_of_five(void)
{
    struct rg_group_config config = {
        .members = 5,
        .names = {"a:1", "b:1", "c:1", "d:1", "e:1"},
        .node_timeout_us = 1000000,
        .heartbeat_us = 50000,
        .lease_us = 250000,
        .mode = RG_MODE_QUORUM,
        .priority = 100,
        .seed = 1,
    };

    return rg_group_new(&config, NULL, false, (struct rg_group_position){0, 0}, 0);
}

static struct rg_bytes modes_of(const struct rg_group *group, struct rg_buf *text)
{
    rg_buf_reset(text, SIZE_MAX);
    rg_group_modes_format(group, text);
    return rg_buf_view(text);
}

RG_TEST(a_loaded_log_knows_its_modes_as_its_source_did)
{
    struct rg_group *source = member_of_five();
    struct rg_group *target = member_of_five();
    struct rg_buf text = {0};

    rg_group_log_mode(source, RG_MODE_SYNC, 120);
    rg_group_log_mode(source, RG_MODE_SEMI_SYNC, 340);
    RG_CHECK_BYTES(modes_of(source, &text), "known 3:0,2:120,1:340");
    RG_CHECK_INT(rg_group_modes_load(target, rg_buf_view(&text)), 0);
    RG_CHECK_BYTES(modes_of(target, &text), "known 3:0,2:120,1:340");
    RG_CHECK_INT(rg_group_modes_load(target, RG_BYTES("unknown 2:9")), 0);
    RG_CHECK_BYTES(modes_of(target, &text), "unknown 2:9");
    rg_buf_fini(&text);
    rg_group_free(source);
    rg_group_free(target);
}

RG_TEST(what_is_no_list_of_modes_changes_nothing)
{
    static const char *const bad[] = {
        "",           "known",         "known ",     "known 3",    "known 9:1", "known 3:5,2:4",
        "known 3:0,", "known 3:0 1:2", "unsure 3:0", "known 3:0x",
    };
    struct rg_group *group = member_of_five();
    struct rg_buf text = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        RG_CHECK_INT(rg_group_modes_load(group, rg_bytes_str(bad[i])), RG_EINVAL);
        RG_CHECK_BYTES(modes_of(group, &text), "known 3:0");
    }
    rg_buf_fini(&text);
    rg_group_free(group);
}
