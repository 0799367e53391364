#include <stdio.h>

#include "sentinel/sentinel.h"
#include "tests/harness.h"

/* One sentinel, driven by hand: what goes in is written here, and what comes out is compared. */

static const char id_other[] = "1111111111111111111111111111111111111111";
static const char id_third[] = "2222222222222222222222222222222222222222";

enum { MAX_LINKS = 16 };

struct fixture {
    struct rg_sentinel *sentinel;
    struct rg_time now;
    struct {
        struct rg_sentinel_link *link;
        uint16_t port;
    } links[MAX_LINKS];
    unsigned link_count;
    uint64_t persist; /* the newest that was asked for */
    struct rg_buf sent;
    struct rg_buf events; /* "+odown …" a line each */
};

static void fixture_line(struct fixture *it, const char *text)
{
    struct rg_bytes argv[8];
    struct rg_bytes rest = rg_bytes_str(text);
    const char *error = "";
    int argc = 0;

    while (rest.len > 0 && argc < 8)
        argv[argc++] = rg_bytes_cut(&rest, ' ');
    RG_CHECK_INT(rg_sentinel_directive(it->sentinel, argv, argc, &error), 0);
}

static void fixture_drain(struct fixture *it)
{
    struct rg_sentinel_effect effect;

    while (rg_sentinel_next_effect(it->sentinel, &effect)) {
        if (effect.type == RG_SENTINEL_CONNECT) {
            RG_CHECK(it->link_count < MAX_LINKS);
            it->links[it->link_count].link = effect.link;
            it->links[it->link_count++].port = effect.port;
        } else if (effect.type == RG_SENTINEL_PERSIST) {
            it->persist = effect.seq;
        } else if (effect.type == RG_SENTINEL_SEND) {
            rg_buf_append_bytes(&it->sent, effect.bytes);
        } else if (effect.type == RG_SENTINEL_PUBLISH) {
            rg_buf_printf(&it->events, "%s %.*s\n", effect.channel, (int)effect.bytes.len,
                          effect.bytes.data);
        }
    }
}

static void fixture_pass(struct fixture *it, int64_t ms)
{
    for (; ms > 0; ms -= 10) {
        it->now.mono_us += 10 * RG_MS_US;
        rg_sentinel_step(it->sentinel, it->now);
        fixture_drain(it);
    }
}

static void fixture_persisted(struct fixture *it)
{
    while (!rg_sentinel_is_durable(it->sentinel, it->persist)) {
        rg_sentinel_persisted(it->sentinel, it->persist, 0, it->now);
        fixture_pass(it, 20);
    }
}

static void fixture_init(struct fixture *it)
{
    struct rg_sentinel_init init = {
        .seed = 7, .now = {.mono_us = RG_S_US}, .port = 26379, .requirepass = ""};

    *it = (struct fixture){.now = init.now};
    it->sentinel = rg_sentinel_new(&init);
    fixture_line(it, "monitor p 10.0.0.1 6379 2");
    fixture_line(it, "down-after-milliseconds p 1000");
    fixture_line(it, "known-sentinel p 10.0.1.2 26379 1111111111111111111111111111111111111111");
    fixture_line(it, "known-sentinel p 10.0.1.3 26379 2222222222222222222222222222222222222222");
}

static void fixture_start(struct fixture *it)
{
    rg_sentinel_start(it->sentinel, it->now);
    fixture_pass(it, 50);
    fixture_persisted(it);
}

static void fixture_fini(struct fixture *it)
{
    rg_sentinel_free(it->sentinel);
    rg_buf_fini(&it->sent);
    rg_buf_fini(&it->events);
}

static bool fixture_said(struct fixture *it, const char *text)
{
    rg_buf_append_char(&it->events, '\0');
    bool said = strstr(rg_buf_view(&it->events).data, text) != NULL;
    rg_buf_truncate(&it->events, rg_buf_len(&it->events) - 1);
    return said;
}

/* SENTINEL is-master-down-by-addr as another sentinel sends it. Returns the state to wait for. */
static int64_t fixture_ask(struct fixture *it, const char *epoch, const char *id,
                           struct rg_buf *out)
{
    struct rg_bytes argv[] = {RG_BYTES("SENTINEL"), RG_BYTES("is-master-down-by-addr"),
                              RG_BYTES("10.0.0.1"), RG_BYTES("6379"),
                              rg_bytes_str(epoch),  rg_bytes_str(id)};
    struct rg_reply reply = {.out = out, .proto = 2};

    rg_buf_reset(out, 1024);
    int64_t wait = rg_sentinel_command(it->sentinel, argv, 6, &reply, it->now);
    RG_CHECK(wait >= 0);
    fixture_pass(it, 10);
    return wait;
}

RG_TEST(the_file_is_written_as_it_is_read)
{
    struct fixture it;
    struct rg_buf out = {0};

    fixture_init(&it);
    fixture_line(&it, "myid 0123456789012345678901234567890123456789");
    fixture_line(&it, "known-replica p 10.0.0.2 6380");
    fixture_line(&it, "config-epoch p 3");
    fixture_line(&it, "leader-epoch p 4");
    fixture_line(&it, "current-epoch 5");
    fixture_line(&it, "auth-pass p secret");
    fixture_line(&it, "rename-command p CONFIG GUESSED");
    fixture_line(&it, "announce-port 5000");
    rg_sentinel_write(it.sentinel, &out);
    RG_CHECK_BYTES(
        rg_buf_view(&out),
        "sentinel myid 0123456789012345678901234567890123456789\n"
        "sentinel monitor p 10.0.0.1 6379 2\n"
        "sentinel down-after-milliseconds p 1000\n"
        "sentinel auth-pass p secret\n"
        "sentinel config-epoch p 3\n"
        "sentinel leader-epoch p 4\n"
        "sentinel known-replica p 10.0.0.2 6380\n"
        "sentinel known-sentinel p 10.0.1.2 26379 1111111111111111111111111111111111111111\n"
        "sentinel known-sentinel p 10.0.1.3 26379 2222222222222222222222222222222222222222\n"
        "sentinel rename-command p CONFIG GUESSED\n"
        "sentinel current-epoch 5\n"
        "sentinel announce-port 5000\n");
    rg_buf_fini(&out);
    fixture_fini(&it);
}

RG_TEST(bad_lines_are_refused)
{
    static const char *const bad[] = {
        "monitor p 10.0.0.9 6379 2",   "monitor q 10.0.0.9 6379 0",   "monitor q 10.0.0.9 0 1",
        "monitor q somewhere 6379 1",  "down-after-milliseconds p 0", "nothing p 1",
        "down-after-milliseconds z 1", "resolve-hostnames maybe",     "myid short",
    };
    struct fixture it;

    fixture_init(&it);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rg_bytes argv[8];
        struct rg_bytes rest = rg_bytes_str(bad[i]);
        const char *error = NULL;
        int argc = 0;
        while (rest.len > 0)
            argv[argc++] = rg_bytes_cut(&rest, ' ');
        RG_CHECK_INT(rg_sentinel_directive(it.sentinel, argv, argc, &error), RG_EINVAL);
        RG_CHECK(error != NULL);
    }
    fixture_fini(&it);
}

RG_TEST(a_vote_waits_for_the_disk_and_is_given_once)
{
    struct fixture it;
    struct rg_buf out = {0};
    char expected[128];

    fixture_init(&it);
    fixture_start(&it);
    int64_t wait = fixture_ask(&it, "1", id_other, &out);
    RG_CHECK(wait > 0);
    RG_CHECK(!rg_sentinel_is_durable(it.sentinel, (uint64_t)wait));
    (void)snprintf(expected, sizeof(expected), "*3\r\n:0\r\n$40\r\n%s\r\n:1\r\n", id_other);
    RG_CHECK_BYTES(rg_buf_view(&out), expected);
    fixture_persisted(&it);
    RG_CHECK(rg_sentinel_is_durable(it.sentinel, (uint64_t)wait));
    /* Who asks later hears of the first. */
    RG_CHECK_INT(fixture_ask(&it, "1", id_third, &out), 0);
    RG_CHECK_BYTES(rg_buf_view(&out), expected);
    /* A question alone is no vote. */
    RG_CHECK_INT(fixture_ask(&it, "9", "*", &out), 0);
    RG_CHECK_BYTES(rg_buf_view(&out), "*3\r\n:0\r\n$1\r\n*\r\n:0\r\n");
    rg_buf_fini(&out);
    fixture_fini(&it);
}

RG_TEST(a_vote_survives)
{
    struct fixture it;
    struct rg_buf out = {0};

    fixture_init(&it);
    fixture_line(&it, "leader-epoch p 6");
    fixture_line(&it, "current-epoch 6");
    fixture_start(&it);
    /* It is not known any more for whom; nobody else gets it. */
    RG_CHECK_INT(fixture_ask(&it, "6", id_third, &out), 0);
    RG_CHECK_BYTES(rg_buf_view(&out), "*3\r\n:0\r\n$1\r\n*\r\n:6\r\n");
    rg_buf_fini(&out);
    fixture_fini(&it);
}

RG_TEST(silence_is_down_and_the_quorum_decides)
{
    struct fixture it;

    fixture_init(&it);
    fixture_start(&it);
    fixture_pass(&it, 800);
    RG_CHECK(!fixture_said(&it, "+sdown master"));
    fixture_pass(&it, 400);
    RG_CHECK(fixture_said(&it, "+sdown master p 10.0.0.1 6379\n"));
    RG_CHECK(!fixture_said(&it, "+odown"));
    fixture_fini(&it);
}

RG_TEST(a_newer_configuration_wins)
{
    struct fixture it;
    struct rg_sentinel_view view;
    char hello[256];

    fixture_init(&it);
    fixture_start(&it);
    (void)snprintf(hello, sizeof(hello), "10.0.1.2,26379,%s,4,p,10.0.0.2,6379,4", id_other);
    rg_sentinel_hello(it.sentinel, rg_bytes_str(hello), it.now);
    fixture_drain(&it);
    RG_CHECK(fixture_said(&it, "+new-epoch 4\n"));
    RG_CHECK(fixture_said(&it, "+switch-master p 10.0.0.1 6379 10.0.0.2 6379\n"));
    RG_CHECK(fixture_said(&it, "+slave slave 10.0.0.1:6379 10.0.0.1 6379 @ p 10.0.0.2 6379\n"));
    /* An older one changes nothing. */
    (void)snprintf(hello, sizeof(hello), "10.0.1.3,26379,%s,3,p,10.0.0.3,6379,3", id_third);
    rg_sentinel_hello(it.sentinel, rg_bytes_str(hello), it.now);
    RG_CHECK(rg_sentinel_view(it.sentinel, 0, &view));
    RG_CHECK_STR(view.host, "10.0.0.2");
    RG_CHECK_INT(view.config_epoch, 4);
    /* What is no hello is nothing. */
    rg_sentinel_hello(it.sentinel, RG_BYTES("1,2,3"), it.now);
    rg_sentinel_hello(it.sentinel, RG_BYTES(""), it.now);
    rg_sentinel_hello(it.sentinel, RG_BYTES(",,,,,,,"), it.now);
    fixture_fini(&it);
}

RG_TEST(a_process_that_did_not_run_trusts_nothing)
{
    struct fixture it;

    fixture_init(&it);
    fixture_start(&it);
    it.now.mono_us += 10 * RG_S_US;
    rg_sentinel_step(it.sentinel, it.now);
    fixture_drain(&it);
    RG_CHECK(fixture_said(&it, "+tilt #tilt mode entered\n"));
    fixture_pass(&it, 5000);
    RG_CHECK(!fixture_said(&it, "+sdown"));
    fixture_pass(&it, 26000);
    RG_CHECK(fixture_said(&it, "-tilt #tilt mode exited\n"));
    RG_CHECK(fixture_said(&it, "+sdown"));
    fixture_fini(&it);
}
