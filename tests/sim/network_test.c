#include "sim/network.h"
#include "tests/harness.h"

#include <stdio.h>

/* A host that takes every connection and keeps what arrives. */
struct peer {
    struct sim_network *network;
    struct sim_end *end;
    struct rg_buf got;
    unsigned connected;
    unsigned closed;
    enum rg_close_reason reason;
};

static void peer_accepted(void *arg, struct sim_end *end)
{
    struct peer *peer = arg;

    sim_end_take(end, peer);
    peer->end = end;
}

static void peer_connected(void *arg, struct sim_end *end)
{
    (void)end;
    ((struct peer *)arg)->connected++;
}

static void peer_received(void *arg, struct sim_end *end)
{
    struct peer *peer = arg;

    rg_buf_append_bytes(&peer->got, rg_buf_view(&end->inbox));
    sim_end_drained(peer->network, end);
}

static void peer_writable(void *arg, struct sim_end *end)
{
    (void)arg;
    (void)end;
}

static void peer_closed(void *arg, struct sim_end *end, enum rg_close_reason reason)
{
    struct peer *peer = arg;

    (void)end;
    peer->closed++;
    peer->reason = reason;
}

static const struct sim_host_ops peer_ops = {peer_accepted, peer_connected, peer_received,
                                             peer_writable, peer_closed};

struct fixture {
    struct sim_loop loop;
    struct sim_network network;
    struct peer a;
    struct peer b;
};

static void begin(struct fixture *f, uint64_t seed)
{
    *f = (struct fixture){0};
    sim_loop_init(&f->loop, seed);
    sim_network_init(&f->network, &f->loop);
    f->network.profile = (struct sim_network_profile){.delay_us = 100,
                                                      .jitter_us = 500,
                                                      .split = 0.5,
                                                      .window_bytes = 4096,
                                                      .dial_timeout_us = 1000000};
    f->a.network = f->b.network = &f->network;
    (void)sim_network_add(&f->network, &peer_ops, &f->a);
    (void)sim_network_add(&f->network, &peer_ops, &f->b);
    f->network.hosts[1].listening = true;
}

static void connect_both(struct fixture *f)
{
    f->a.end = sim_dial(&f->network, 0, 1, &f->a);
    RG_CHECK(sim_loop_run(&f->loop, f->loop.now_us + 100000));
    RG_CHECK_INT(f->a.connected, 1);
}

static void end(struct fixture *f)
{
    rg_buf_fini(&f->a.got);
    rg_buf_fini(&f->b.got);
    sim_network_fini(&f->network);
    sim_loop_fini(&f->loop);
}

RG_TEST(bytes_arrive_in_order_whatever_their_delays)
{
    struct fixture f;
    struct rg_buf all = {0};

    begin(&f, 1);
    connect_both(&f);
    for (int i = 0; i < 100; i++) {
        char word[16];
        int len = snprintf(word, sizeof(word), "%d ", i);
        rg_buf_append(&all, word, (size_t)len);
        sim_end_send(&f.network, f.a.end, rg_bytes(word, (size_t)len));
    }
    RG_CHECK(sim_loop_run(&f.loop, f.loop.now_us + 1000000));
    RG_CHECK(rg_bytes_equal(rg_buf_view(&f.b.got), rg_buf_view(&all)));
    rg_buf_fini(&all);
    end(&f);
}

RG_TEST(nobody_listening_refuses_at_once)
{
    struct fixture f;

    begin(&f, 2);
    f.network.hosts[1].listening = false;
    (void)sim_dial(&f.network, 0, 1, &f.a);
    RG_CHECK(sim_loop_run(&f.loop, 50000));
    RG_CHECK_INT(f.a.closed, 1);
    RG_CHECK_INT(f.a.reason, RG_CLOSE_REFUSED);
    end(&f);
}

RG_TEST(a_blocked_way_is_unreached_in_time)
{
    struct fixture f;

    begin(&f, 3);
    sim_network_block(&f.network, 1, 0, true);
    (void)sim_dial(&f.network, 0, 1, &f.a);
    RG_CHECK(sim_loop_run(&f.loop, 900000));
    RG_CHECK_INT(f.a.closed, 0);
    RG_CHECK(sim_loop_run(&f.loop, 3000000));
    RG_CHECK_INT(f.a.reason, RG_CLOSE_UNREACHED);
    end(&f);
}

RG_TEST(a_partition_holds_bytes_until_it_heals)
{
    struct fixture f;

    begin(&f, 4);
    connect_both(&f);
    sim_network_block(&f.network, 0, 1, true);
    sim_end_send(&f.network, f.a.end, RG_BYTES("late"));
    RG_CHECK(sim_loop_run(&f.loop, f.loop.now_us + 5000000));
    RG_CHECK_INT(rg_buf_len(&f.b.got), 0);
    sim_network_heal(&f.network);
    RG_CHECK(sim_loop_run(&f.loop, f.loop.now_us + 1000000));
    RG_CHECK_BYTES(rg_buf_view(&f.b.got), "late");
    end(&f);
}

RG_TEST(a_cut_delivers_a_prefix_and_nothing_after)
{
    struct fixture f;

    for (uint64_t seed = 1; seed < 200; seed++) {
        begin(&f, seed);
        connect_both(&f);
        sim_end_send(&f.network, f.a.end, RG_BYTES("0123456789"));
        struct sim_link *link = sim_network_pick(&f.network);
        RG_CHECK(link != NULL);
        sim_link_cut(&f.network, link, seed % 2 == 0);
        if (f.a.end->state == SIM_END_OPEN)
            sim_end_send(&f.network, f.a.end, RG_BYTES("after"));
        RG_CHECK(sim_loop_run(&f.loop, f.loop.now_us + 1000000));
        struct rg_bytes got = rg_buf_view(&f.b.got);
        RG_CHECK(rg_bytes_starts_with(RG_BYTES("0123456789"), got));
        /* Who sends learns of it. */
        RG_CHECK_INT(f.a.closed, 1);
        end(&f);
    }
}

RG_TEST(a_host_without_power_tells_nobody_until_it_is_back)
{
    struct fixture f;

    begin(&f, 6);
    connect_both(&f);
    sim_end_vanish(&f.network, f.b.end);
    sim_network_power(&f.network, 1, false);
    sim_end_send(&f.network, f.a.end, RG_BYTES("hello?"));
    RG_CHECK(sim_loop_run(&f.loop, f.loop.now_us + 5000000));
    RG_CHECK_INT(f.a.closed, 0);
    sim_network_power(&f.network, 1, true);
    RG_CHECK(sim_loop_run(&f.loop, f.loop.now_us + 1000000));
    RG_CHECK_INT(f.a.closed, 1);
    end(&f);
}
