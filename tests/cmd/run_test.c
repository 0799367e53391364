#include "cmd/cmd.h"
#include "tests/harness.h"

/* Handlers driven by hand, where the clock, the policy for past-due keys and the log matter. */
struct world {
    struct rg_store *store;
    struct rg_rand rand;
    struct rg_buf out;
    struct rg_reply reply;
    struct rg_cmd_counters counters;
    struct rg_propagation log;
    struct rg_notes notes;
    struct rg_access access;
    struct rg_cmd_ctx ctx;
    struct rg_buf words;
    struct rg_buf shown;
};

enum { MAX_WORDS = 8, NOW_MS = 1000000 };

static void world_init(struct world *world)
{
    static const struct rg_store_limits limits = {.hash_max_listpack_entries = 128,
                                                  .hash_max_listpack_value = 64};

    *world = (struct world){.store = rg_store_new(16, 1, &limits)};
    rg_rand_init(&world->rand, 1);
    world->reply = (struct rg_reply){.out = &world->out, .proto = 2};
    world->ctx = (struct rg_cmd_ctx){
        .store = world->store,
        .now = {NOW_MS * RG_MS_US, NOW_MS * RG_MS_US},
        .rand = &world->rand,
        .reply = &world->reply,
        .max_bulk_len = 1024,
        .counters = &world->counters,
        .propagation = &world->log,
        .notes = &world->notes,
        .access = &world->access,
    };
}

static void world_fini(struct world *world)
{
    rg_store_free(world->store);
    rg_buf_fini(&world->out);
    rg_buf_fini(&world->words);
    rg_buf_fini(&world->shown);
    rg_propagation_fini(&world->log);
    rg_notes_fini(&world->notes);
}

static void world_pass_ms(struct world *world, int64_t ms)
{
    world->ctx.now.mono_us += ms * RG_MS_US;
    world->ctx.now.wall_us += ms * RG_MS_US;
}

/* What a buffer of the protocol holds, on one line. */
static const char *world_show(struct world *world, struct rg_bytes bytes)
{
    rg_buf_reset(&world->shown, SIZE_MAX);
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] == '\r')
            rg_buf_append_char(&world->shown, ' ');
        else if (bytes.data[i] != '\n')
            rg_buf_append_char(&world->shown, bytes.data[i]);
    }
    rg_buf_append_char(&world->shown, '\0');
    return rg_buf_view(&world->shown).data;
}

static const char *run(struct world *world, const char *line)
{
    size_t lens[MAX_WORDS];
    struct rg_bytes argv[MAX_WORDS];

    rg_buf_reset(&world->words, SIZE_MAX);
    rg_buf_reset(&world->out, SIZE_MAX);
    rg_propagation_reset(&world->log);
    int argc = rg_split_args(rg_bytes_str(line), &world->words, lens, MAX_WORDS);
    RG_CHECK(argc > 0);
    const char *word = rg_buf_view(&world->words).data;
    for (int i = 0; i < argc; i++) {
        argv[i] = rg_bytes(word, lens[i]);
        word += lens[i];
    }
    RG_CHECK_INT(rg_cmd_lookup(argv, argc, &world->ctx.command), 0);
    world->ctx.argv = argv;
    world->ctx.argc = argc;
    rg_cmd_run(&world->ctx);
    if (world->ctx.dirty > 0 && !world->log.replaced)
        rg_propagation_add(&world->log, world->ctx.db_index, argv, argc);
    return world_show(world, rg_buf_view(&world->out));
}

static const char *logged(struct world *world)
{
    return world_show(world, rg_buf_view(&world->log.bytes));
}

RG_TEST(times_to_live_are_logged_as_moments)
{
    struct world world;

    world_init(&world);
    RG_CHECK_STR(run(&world, "set k v ex 10"), "+OK ");
    RG_CHECK_STR(logged(&world), "*5 $3 SET $1 k $1 v $4 PXAT $7 1010000 ");
    RG_CHECK_STR(run(&world, "pexpire k 5"), ":1 ");
    RG_CHECK_STR(logged(&world), "*3 $9 PEXPIREAT $1 k $7 1000005 ");
    RG_CHECK_STR(run(&world, "getex k persist"), "$1 v ");
    RG_CHECK_STR(logged(&world), "*2 $7 PERSIST $1 k ");
    RG_CHECK_STR(run(&world, "expire k -1"), ":1 ");
    RG_CHECK_STR(logged(&world), "*2 $3 DEL $1 k ");
    RG_CHECK_STR(run(&world, "incrbyfloat n 0.5"), "$3 0.5 ");
    RG_CHECK_STR(logged(&world), "*4 $3 SET $1 n $3 0.5 $7 KEEPTTL ");
    RG_CHECK_STR(run(&world, "get n"), "$3 0.5 ");
    RG_CHECK_STR(logged(&world), "");
    world_fini(&world);
}

RG_TEST(a_primary_deletes_what_is_past_due_and_says_so)
{
    struct world world;

    world_init(&world);
    run(&world, "set k 5 px 10");
    world_pass_ms(&world, 10);
    RG_CHECK_STR(run(&world, "get k"), "$1 5 ");
    world_pass_ms(&world, 1);
    RG_CHECK_STR(run(&world, "incr k"), ":1 ");
    RG_CHECK_STR(logged(&world), "*2 $3 DEL $1 k *2 $4 incr $1 k ");
    RG_CHECK_STR(run(&world, "ttl k"), ":-1 ");
    RG_CHECK_INT(world.counters.expired_keys, 1);
    world_fini(&world);
}

RG_TEST(a_replica_hides_what_is_past_due_and_waits_for_the_primary)
{
    struct world world;

    world_init(&world);
    run(&world, "set k 5 px 10");
    world_pass_ms(&world, 11);
    world.ctx.expiry = RG_EXPIRY_HIDE;
    RG_CHECK_STR(run(&world, "get k"), "$-1 ");
    RG_CHECK_STR(run(&world, "exists k"), ":0 ");
    RG_CHECK_STR(run(&world, "keys *"), "*0 ");
    RG_CHECK_STR(logged(&world), "");
    RG_CHECK_STR(run(&world, "dbsize"), ":1 ");
    RG_CHECK_STR(run(&world, "randomkey"), "$1 k ");
    world.ctx.expiry = RG_EXPIRY_IGNORE;
    RG_CHECK_STR(run(&world, "incr k"), ":6 ");
    RG_CHECK_STR(run(&world, "pexpireat k 1"), ":1 ");
    RG_CHECK_STR(run(&world, "dbsize"), ":1 ");
    RG_CHECK_INT(world.counters.expired_keys, 0);
    world_fini(&world);
}

RG_TEST(the_active_cycle_stops_at_its_bound)
{
    struct world world;

    world_init(&world);
    run(&world, "set a 1 px 10");
    run(&world, "set b 1 px 20");
    world.ctx.db_index = 3;
    run(&world, "set c 1 px 5");
    world_pass_ms(&world, 20);
    rg_propagation_reset(&world.log);
    RG_CHECK_INT(rg_cmd_expire_due(&world.ctx, 1), 1);
    RG_CHECK_STR(logged(&world), "*2 $3 DEL $1 a ");
    RG_CHECK_INT(rg_cmd_expire_due(&world.ctx, 10), 1);
    RG_CHECK_INT(world.log.items[1].db, 3);
    RG_CHECK_INT(rg_cmd_expire_due(&world.ctx, 10), 0);
    world_pass_ms(&world, 1);
    RG_CHECK_INT(rg_cmd_expire_due(&world.ctx, 10), 1);
    RG_CHECK_INT(rg_store_count(world.store), 0);
    world_fini(&world);
}

RG_TEST(hits_misses_and_idle_time_are_kept)
{
    struct world world;

    world_init(&world);
    run(&world, "set k v");
    world_pass_ms(&world, 7000);
    RG_CHECK_STR(run(&world, "object idletime k"), ":7 ");
    RG_CHECK_STR(run(&world, "exists k nothing"), ":1 ");
    RG_CHECK_STR(run(&world, "object idletime k"), ":7 ");
    RG_CHECK_STR(run(&world, "get k"), "$1 v ");
    RG_CHECK_STR(run(&world, "object idletime k"), ":0 ");
    RG_CHECK_INT(world.counters.keyspace_hits, 5);
    RG_CHECK_INT(world.counters.keyspace_misses, 1);
    world_fini(&world);
}

RG_TEST(limits_hold_for_clients_but_not_for_the_stream)
{
    struct world world;

    world_init(&world);
    RG_CHECK_STR(run(&world, "setrange k 1024 x"),
                 "-ERR string exceeds maximum allowed size (proto-max-bulk-len) ");
    RG_CHECK_STR(run(&world, "exists k"), ":0 ");
    RG_CHECK_STR(run(&world, "setrange k 1023 x"), ":1024 ");
    RG_CHECK_STR(run(&world, "append k x"),
                 "-ERR string exceeds maximum allowed size (proto-max-bulk-len) ");
    world.ctx.expiry = RG_EXPIRY_IGNORE;
    RG_CHECK_STR(run(&world, "append k x"), ":1025 ");
    world_fini(&world);
}

RG_TEST(an_empty_hash_does_not_stay)
{
    struct world world;

    world_init(&world);
    RG_CHECK_STR(run(&world, "hset h a 1 b 2"), ":2 ");
    RG_CHECK_STR(run(&world, "hdel h a b c"), ":2 ");
    RG_CHECK_STR(run(&world, "exists h"), ":0 ");
    RG_CHECK_STR(run(&world, "hincrbyfloat h f inf"), "-ERR value is NaN or Infinity ");
    RG_CHECK_STR(run(&world, "hincrby h f 9223372036854775808"),
                 "-ERR value is not an integer or out of range ");
    RG_CHECK_STR(run(&world, "exists h"), ":0 ");
    RG_CHECK_INT(rg_store_count(world.store), 0);
    world_fini(&world);
}

RG_TEST(random_fields_are_distinct_where_asked)
{
    struct world world;

    world_init(&world);
    run(&world, "hset h a 1 b 2 c 3");
    RG_CHECK_STR(run(&world, "hrandfield h 5"), "*3 $1 a $1 b $1 c ");
    world.reply.proto = 3;
    RG_CHECK_STR(run(&world, "hrandfield h 3 withvalues"),
                 "*3 *2 $1 a $1 1 *2 $1 b $1 2 *2 $1 c $1 3 ");
    RG_CHECK_STR(run(&world, "hgetall h"), "%3 $1 a $1 1 $1 b $1 2 $1 c $1 3 ");
    RG_CHECK_STR(run(&world, "hget h z"), "_ ");
    world_fini(&world);
}

RG_TEST(repetitions_are_bounded_by_what_their_reply_takes)
{
    static const char *const commands[] = {"hrandfield h -400000000", "srandmember s -400000000",
                                           "zrandmember z -400000000"};
    struct world world;

    world_init(&world);
    run(&world, "hset h f v");
    run(&world, "sadd s m");
    run(&world, "zadd z 1 m");
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        RG_CHECK_STR(run(&world, commands[i]),
                     "-ERR Insufficient memory, failed allocating transient memory ");
    RG_CHECK_STR(run(&world, "srandmember s -3"), "*3 $1 m $1 m $1 m ");
    RG_CHECK_STR(run(&world, "srandmember none -9223372036854775807"), "*0 ");
    RG_CHECK_STR(run(&world, "srandmember s -9223372036854775808"),
                 "-ERR value is out of range, value must between -9223372036854775807 and "
                 "9223372036854775807 ");
    world_fini(&world);
}

/* The events of the last command: "zrem z, del z". */
static const char *noted(struct world *world)
{
    rg_buf_reset(&world->shown, SIZE_MAX);
    for (size_t i = 0; i < world->notes.count; i++) {
        struct rg_bytes key = rg_note_key(&world->notes, &world->notes.items[i]);
        rg_buf_printf(&world->shown, "%s%s %.*s", i > 0 ? ", " : "", world->notes.items[i].event,
                      (int)key.len, key.data);
    }
    rg_buf_append_char(&world->shown, '\0');
    rg_notes_reset(&world->notes);
    return rg_buf_view(&world->shown).data;
}

RG_TEST(what_is_taken_from_a_sorted_set_is_logged_by_its_end)
{
    struct world world;

    world_init(&world);
    world.notes.changes_wanted = true;
    run(&world, "zadd z 1 a 2 b 3 c");
    RG_CHECK_STR(noted(&world), "zadd z");
    run(&world, "zadd z 4 d 5 e");
    noted(&world);
    RG_CHECK_STR(run(&world, "zmpop 2 none z MIN count 2"),
                 "*2 $1 z *2 *2 $1 a $1 1 *2 $1 b $1 2 ");
    RG_CHECK_STR(logged(&world), "*3 $7 ZPOPMIN $1 z $1 2 ");
    RG_CHECK_STR(noted(&world), "zpopmin z");
    RG_CHECK_STR(run(&world, "bzpopmax z 0"), "*3 $1 z $1 e $1 5 ");
    RG_CHECK_STR(logged(&world), "*2 $7 ZPOPMAX $1 z ");
    RG_CHECK_STR(run(&world, "bzmpop 0 1 z max count 10"), "*2 $1 z *2 *2 $1 d $1 4 *2 $1 c $1 3 ");
    RG_CHECK_STR(logged(&world), "*3 $7 ZPOPMAX $1 z $1 2 ");
    RG_CHECK_STR(noted(&world), "zpopmax z, zpopmax z, del z");
    RG_CHECK_INT(rg_store_count(world.store), 0);
    world_fini(&world);
}

RG_TEST(who_finds_no_member_waits_where_that_is_possible)
{
    struct world world;

    world_init(&world);
    RG_CHECK_STR(run(&world, "bzpopmin y z 0.0015"), "*-1 ");
    RG_CHECK(!world.ctx.wait.wanted);
    world.ctx.may_wait = true;
    RG_CHECK_STR(run(&world, "bzpopmin y z 0.0015"), "");
    RG_CHECK(world.ctx.wait.wanted);
    RG_CHECK_INT(world.ctx.wait.first_key, 1);
    RG_CHECK_INT(world.ctx.wait.keys, 2);
    RG_CHECK_INT(world.ctx.wait.timeout_us, 2000);
    world.ctx.wait.wanted = false;
    RG_CHECK_STR(run(&world, "bzmpop 0 2 y z MIN"), "");
    RG_CHECK_INT(world.ctx.wait.first_key, 3);
    RG_CHECK_INT(world.ctx.wait.timeout_us, 0);
    world.ctx.wait.wanted = false;
    run(&world, "set y text");
    RG_CHECK_STR(run(&world, "bzpopmin y z 0"),
                 "-WRONGTYPE Operation against a key holding the wrong kind of value ");
    world.ctx.resumed = true;
    run(&world, "zadd z 1 a");
    RG_CHECK_STR(run(&world, "bzpopmin y z 0"), "*3 $1 z $1 a $1 1 ");
    world_fini(&world);
}

RG_TEST(places_are_logged_as_scores)
{
    struct world world;

    world_init(&world);
    world.notes.changes_wanted = true;
    RG_CHECK_STR(run(&world, "geoadd g CH 13.361389 38.115556 a"), ":1 ");
    RG_CHECK_STR(logged(&world), "*5 $4 zadd $1 g $2 CH $16 3479099956230698 $1 a ");
    RG_CHECK_STR(noted(&world), "zadd g");
    RG_CHECK_STR(run(&world, "geoadd g XX 13 38 b"), ":0 ");
    RG_CHECK_STR(logged(&world), "");
    RG_CHECK_STR(noted(&world), "");
    world_fini(&world);
}

RG_TEST(what_went_into_a_corrupted_hyperloglog_is_logged_alone)
{
    struct world world;

    world_init(&world);
    world.ctx.hll_sparse_max_bytes = 3000;
    run(&world,
        "set k \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x60\\x00\""); /* of half its registers */
    RG_CHECK_STR(run(&world, "pfadd k e1 e0"), "-INVALIDOBJ Corrupted HLL object detected ");
    RG_CHECK_STR(logged(&world), "");
    RG_CHECK_STR(run(&world, "pfadd k e0 e1 e6"), "-INVALIDOBJ Corrupted HLL object detected ");
    RG_CHECK_STR(logged(&world), "*3 $5 pfadd $1 k $2 e0 ");
    RG_CHECK_STR(run(&world, "pfadd k e0"), ":0 ");
    world_fini(&world);
}
