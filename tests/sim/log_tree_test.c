#include "proto/resp.h"
#include "sim/log_tree.h"
#include "tests/harness.h"

#define REPLID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define REPLID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct rg_buf record(unsigned term, const char *replid)
{
    struct rg_buf out = {0};
    struct rg_buf text = {0};

    rg_buf_printf(&text, "term %u replid %s mode quorum", term, replid);
    struct rg_bytes argv[] = {RG_BYTES("PUBLISH"), RG_BYTES("__regent__:group"),
                              rg_buf_view(&text)};
    rg_request_write(&out, argv, 3);
    rg_buf_fini(&text);
    return out;
}

static void extend(struct sim_log_tree *tree, unsigned owner, struct sim_place *at,
                   struct rg_buf bytes)
{
    sim_log_tree_extend(tree, owner, at, rg_buf_view(&bytes));
    rg_buf_fini(&bytes);
}

static struct rg_buf set(const char *value)
{
    struct rg_buf out = {0};

    rg_request_write_strs(&out, "SET", "k", value, NULL);
    return out;
}

RG_TEST(branches_agree_up_to_where_they_part)
{
    struct sim_loop loop;
    struct sim_log_tree tree;
    struct sim_place first = {0};

    sim_loop_init(&loop, 1);
    sim_log_tree_init(&tree, &loop);
    extend(&tree, 0, &first, record(1, REPLID_A));
    extend(&tree, 0, &first, set("v1"));
    struct sim_place second = first;
    extend(&tree, 0, &first, set("v2"));
    extend(&tree, 1, &second, record(2, REPLID_B));
    RG_CHECK(!loop.failed);
    RG_CHECK(second.branch->parent == first.branch);
    RG_CHECK(sim_log_tree_holds(second.branch, second.offset, sim_log_tree_value(&tree, 1)));
    RG_CHECK(!sim_log_tree_holds(second.branch, second.offset, sim_log_tree_value(&tree, 2)));
    RG_CHECK(sim_log_tree_holds(first.branch, first.offset, sim_log_tree_value(&tree, 2)));
    sim_log_tree_fini(&tree);
    sim_loop_fini(&loop);
}

RG_TEST(two_primaries_of_one_term_are_seen)
{
    struct sim_loop loop;
    struct sim_log_tree tree;
    struct sim_place first = {0};
    struct sim_place second = {0};

    sim_loop_init(&loop, 1);
    sim_log_tree_init(&tree, &loop);
    extend(&tree, 0, &first, record(1, REPLID_A));
    extend(&tree, 1, &second, record(1, REPLID_B));
    RG_CHECK(loop.failed);
    sim_log_tree_fini(&tree);
    sim_loop_fini(&loop);
}

RG_TEST(a_term_without_what_was_shown_is_seen)
{
    struct sim_loop loop;
    struct sim_log_tree tree;
    struct sim_place first = {0};

    sim_loop_init(&loop, 1);
    sim_log_tree_init(&tree, &loop);
    extend(&tree, 0, &first, record(1, REPLID_A));
    struct sim_place second = first;
    extend(&tree, 0, &first, set("v1"));
    first.branch->shown = first.offset;
    extend(&tree, 1, &second, record(2, REPLID_B));
    RG_CHECK(loop.failed);
    sim_log_tree_fini(&tree);
    sim_loop_fini(&loop);
}

RG_TEST(bytes_that_no_primary_wrote_are_seen)
{
    struct sim_loop loop;
    struct sim_log_tree tree;
    struct sim_place first = {0};

    sim_loop_init(&loop, 1);
    sim_log_tree_init(&tree, &loop);
    extend(&tree, 0, &first, record(1, REPLID_A));
    struct sim_place other = first;
    extend(&tree, 1, &other, set("v1"));
    RG_CHECK(loop.failed);
    sim_log_tree_fini(&tree);
    sim_loop_fini(&loop);
}
