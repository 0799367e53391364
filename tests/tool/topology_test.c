#include "tool/topology.h"

#include "tests/harness.h"
#include "tool/status_print.h"

static const char group_info[] =
    "# Group\r\n"
    "group_name:alpha\r\n"
    "group_term:7\r\n"
    "group_role:follower\r\n"
    "group_state:healthy\r\n"
    "group_mode:quorum\r\n"
    "group_durability:disk\r\n"
    "group_primary:127.0.0.1:7002\r\n"
    "group_commit_offset:4200\r\n"
    "group_lease_ms:180\r\n"
    "group_members:3\r\n"
    "member0:address=127.0.0.1:7001,self=yes,role=follower,state=healthy,offset=4180,term=7,"
    "acked=4180,lag=20,last_seen_ms=0,link=up\r\n"
    "member1:address=127.0.0.1:7002,self=no,role=primary,state=healthy,offset=4200,term=7,"
    "acked=4200,lag=0,last_seen_ms=12,link=up\r\n"
    "member2:address=[::1]:7003,self=no,role=primary,state=forgot-log,offset=0,term=6,acked=0,"
    "lag=4200,last_seen_ms=61000,link=down\r\n";

RG_TEST(a_group)
{
    struct rg_topology topology;

    RG_CHECK_INT(rg_topology_from_group(rg_bytes_str(group_info), &topology), 0);
    RG_CHECK(topology.group);
    RG_CHECK_STR(topology.name, "alpha");
    RG_CHECK_STR(topology.mode, "quorum");
    RG_CHECK_INT(topology.term, 7);
    RG_CHECK_INT(topology.commit_offset, 4200);
    RG_CHECK_INT(topology.count, 3);
    RG_CHECK_INT(topology.primary, 1);
    RG_CHECK(topology.nodes[0].self);
    RG_CHECK(!topology.nodes[1].self);
    RG_CHECK_INT(topology.nodes[0].lag_bytes, 20);
    RG_CHECK_STR(topology.nodes[2].target.host, "::1");
    RG_CHECK_INT(topology.nodes[2].target.port, 7003);
    RG_CHECK_STR(topology.nodes[2].state, "forgot-log");
    RG_CHECK_INT(topology.nodes[2].last_seen_ms, 61000);
}

RG_TEST(a_group_as_a_table)
{
    struct rg_topology topology;
    struct rg_buf out = {0};

    RG_CHECK_INT(rg_topology_from_group(rg_bytes_str(group_info), &topology), 0);
    topology.seen_from = topology.nodes[0].target;
    rg_status_print_table(&out, &topology);
    RG_CHECK_BYTES(
        rg_buf_view(&out),
        "group alpha: mode quorum on disk, term 7, committed up to 4200; seen from 127.0.0.1:7001\n"
        "ROLE         ADDRESS         STATE                        OFFSET   LAG  TERM  LAST SEEN\n"
        "follower     127.0.0.1:7001  healthy                        4180    20     7  now\n"
        "primary      127.0.0.1:7002  healthy                        4200     0     7  12 ms ago\n"
        "was primary  [::1]:7003      unreachable, was forgot-log       0  4200     6  61 s ago\n");
    rg_buf_fini(&out);
}

RG_TEST(a_group_without_a_primary)
{
    struct rg_topology topology;
    struct rg_buf out = {0};

    RG_CHECK_INT(rg_topology_from_group(RG_BYTES("group_name:g\r\ngroup_primary:\r\n"
                                                 "member0:address=a:1,self=yes,role=follower\r\n"),
                                        &topology),
                 0);
    RG_CHECK_INT(topology.primary, -1);
    RG_CHECK_INT(topology.nodes[0].offset, -1);
    rg_status_print_json(&out, &topology);
    RG_CHECK_BYTES(rg_buf_view(&out),
                   "{\"group\":\"g\",\"mode\":\"\",\"durability\":\"\",\"term\":null,"
                   "\"commit_offset\":null,"
                   "\"lease_ms\":null,\"primary\":null,\"seen_from\":\":0\",\"members\":[{"
                   "\"address\":\"a:1\",\"role\":\"follower\",\"state\":\"\",\"link\":\"\","
                   "\"offset\":null,\"lag_bytes\":null,\"term\":null,\"last_seen_ms\":null,"
                   "\"self\":true}]}\n");
    rg_buf_fini(&out);
}

RG_TEST(no_group_in_it)
{
    struct rg_topology topology;
    struct rg_target asked = {.host = "h", .port = 1};

    RG_CHECK_INT(rg_topology_from_group(RG_BYTES(""), &topology), RG_ENOENT);
    RG_CHECK_INT(rg_topology_from_group(RG_BYTES("group_name:\r\n"), &topology), RG_ENOENT);
    RG_CHECK_INT(rg_topology_from_replication(RG_BYTES("# Replication\r\n"), &asked, &topology),
                 RG_ENOENT);
}

RG_TEST(a_primary_and_its_replicas)
{
    struct rg_topology topology;
    struct rg_target asked = {.host = "p", .port = 6379};

    RG_CHECK_INT(rg_topology_from_replication(
                     RG_BYTES("# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
                              "slave0:ip=10.0.0.2,port=6380,state=online,offset=90,lag=1\r\n"
                              "slave1:ip=10.0.0.3,port=6381,state=wait_bgsave,offset=0,lag=0\r\n"
                              "master_repl_offset:100\r\n"),
                     &asked, &topology),
                 0);
    RG_CHECK(!topology.group);
    RG_CHECK_INT(topology.count, 3);
    RG_CHECK_INT(topology.primary, 0);
    RG_CHECK_INT(topology.nodes[0].offset, 100);
    RG_CHECK_INT(topology.nodes[1].lag_bytes, 10);
    RG_CHECK_INT(topology.nodes[1].last_seen_ms, 1000);
    RG_CHECK_STR(topology.nodes[1].link, "up");
    RG_CHECK_STR(topology.nodes[2].link, "down");
    RG_CHECK_INT(topology.nodes[2].target.port, 6381);
}

RG_TEST(a_replica_alone)
{
    struct rg_topology topology;
    struct rg_target asked = {.host = "r", .port = 6380};

    RG_CHECK_INT(rg_topology_from_replication(
                     RG_BYTES("role:slave\r\nmaster_host:p\r\nmaster_port:6379\r\n"
                              "master_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\n"
                              "slave_repl_offset:55\r\n"),
                     &asked, &topology),
                 0);
    RG_CHECK_INT(topology.primary, -1);
    RG_CHECK_STR(topology.nodes[0].target.host, "p");
    RG_CHECK_STR(topology.nodes[0].link, "down");
    RG_CHECK_INT(topology.nodes[1].offset, 55);
    RG_CHECK(topology.nodes[1].self);
}

RG_TEST(names_are_whole_words)
{
    struct rg_bytes value;

    RG_CHECK(!rg_info_find(RG_BYTES("xgroup_term:1\r\ngroup_terms:2\r\n"), "group_term", &value));
    RG_CHECK(rg_info_find(RG_BYTES("a:\r\nb:x"), "a", &value));
    RG_CHECK_INT(value.len, 0);
    RG_CHECK(rg_info_find(RG_BYTES("a:\r\nb:x"), "b", &value));
    RG_CHECK_BYTES(value, "x");
}
