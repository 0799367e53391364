#include "tool/node_table.h"

#include "tests/harness.h"

/* What the rule makes of a list, as JSON in one line; the outcome goes in front of it. */
static void elected(struct rg_buf *out, const char *list)
{
    struct rg_node_table table;
    struct rg_buf error = {0};
    size_t master;

    rg_buf_reset(out, 0);
    if (rg_node_table_parse(list, strlen(list), &table, &error) < 0) {
        rg_buf_append_bytes(out, rg_buf_view(&error));
        rg_buf_fini(&error);
        return;
    }
    rg_buf_printf(out, "%d ", (int)rg_node_table_elect(&table, &master));
    RG_CHECK(table.nodes[master].master);
    rg_node_table_json(out, &table);
    rg_node_table_fini(&table);
    rg_buf_fini(&error);
}

static void check_elected(const char *list, const char *expected)
{
    struct rg_buf out = {0};

    elected(&out, list);
    RG_CHECK_BYTES(rg_buf_view(&out), expected);
    rg_buf_fini(&out);
}

#define A_NODE(id, type, slaves)                                                                   \
    "{\"id\":" #id ",\"ip\":\"10.0.0." #id "\",\"port\":6379,\"type\":\"" type                     \
    "\",\"slaves\":[" slaves "]}"

RG_TEST(without_a_master_the_lowest_id_becomes_it)
{
    check_elected(
        "[" A_NODE(3, "slave", "") "," A_NODE(1, "slave", "") "," A_NODE(2, "slave", "") "]",
        "1 [" A_NODE(1, "master", "2,3") "," A_NODE(2, "slave", "") "," A_NODE(3, "slave",
                                                                               "") "]\n");
}

RG_TEST(one_master_stays_it_whatever_its_id)
{
    check_elected(
        "[" A_NODE(1, "slave", "") "," A_NODE(2, "master", "1") "," A_NODE(3, "slave", "") "]",
        "0 [" A_NODE(1, "slave", "") "," A_NODE(2, "master", "1,3") "," A_NODE(3, "slave",
                                                                               "") "]\n");
}

RG_TEST(of_several_masters_the_lowest_id_stays_it)
{
    check_elected("{\"nodes\":[" A_NODE(7, "primary", "1") "," A_NODE(5, "master", "") "," A_NODE(
                      1, "replica", "") "]}",
                  "2 [" A_NODE(1, "slave", "") "," A_NODE(5, "master", "1,7") "," A_NODE(7, "slave",
                                                                                         "") "]\n");
}

RG_TEST(one_node_alone)
{
    check_elected("[" A_NODE(0, "slave", "") "]", "1 [" A_NODE(0, "master", "") "]\n");
}

RG_TEST(lists_that_contradict_themselves)
{
    check_elected("[" A_NODE(1, "slave", "") "," A_NODE(1, "master", "") "]",
                  "id 1 is there twice");
    check_elected("[" A_NODE(1, "arbiter", "") "]",
                  "node 1 has the type 'arbiter', which is neither master nor slave");
    check_elected("[" A_NODE(1, "master", "4") "]",
                  "node 1 has a slave 4, which is not in the list");
    check_elected("[" A_NODE(1, "master", "1") "]", "node 1 is a slave of itself");
    check_elected("[" A_NODE(1, "master", "\"x\"") "]", "node 1: slaves is not a list of ids");
}

RG_TEST(what_is_no_list_of_nodes)
{
    check_elected("[]", "the list holds no node");
    check_elected("{\"node\":[]}", "neither a list of nodes nor an object with one as \"nodes\"");
    check_elected("[1]", "entry 1 of the list is not an object");
    check_elected("[{\"id\":\"a\"}]", "entry 1 of the list has no id that is a number from 0 on");
    check_elected("[{\"id\":1}]", "node 1 has no ip");
    check_elected("[{\"id\":1,\"ip\":\"h\",\"port\":65536}]", "node 1 has no port from 1 to 65535");
    check_elected("[{\"id\":1,\"ip\":\"h\",\"port\":1}]", "node 1 has no type");
    check_elected("[\n  {\"id\":1,}\n]", "line 2, column 11: string or '}' expected near '}'");
}

RG_TEST(a_table_for_a_person)
{
    static const char list[] = "[" A_NODE(2, "slave", "") "," A_NODE(1, "slave", "") "]";
    struct rg_node_table table;
    struct rg_buf out = {0};
    size_t master;

    RG_CHECK_INT(rg_node_table_parse(list, sizeof(list) - 1, &table, &out), 0);
    RG_CHECK_INT(rg_node_table_elect(&table, &master), RG_ELECTION_CHOSEN);
    rg_node_table_print(&out, &table);
    RG_CHECK_BYTES(rg_buf_view(&out), "    ID  ADDRESS                  TYPE    SLAVES\n"
                                      "     1  10.0.0.1:6379            master  2\n"
                                      "     2  10.0.0.2:6379            slave\n");
    rg_node_table_fini(&table);
    rg_buf_fini(&out);
}
