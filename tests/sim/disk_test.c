#include "sim/disk.h"
#include "tests/harness.h"

struct fixture {
    struct sim_loop loop;
    struct sim_disk disk;
    int results[8];
    unsigned done;
};

static void note_done(void *arg, struct sim_disk_op *op, int result)
{
    struct fixture *f = arg;

    (void)op;
    f->results[f->done++] = result;
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){0};
    sim_loop_init(&f->loop, 7);
    sim_disk_init(&f->disk, &f->loop);
    f->disk.done = note_done;
    f->disk.arg = f;
}

static void end(struct fixture *f)
{
    sim_disk_fini(&f->disk);
    sim_loop_fini(&f->loop);
}

static void submit(struct fixture *f, enum rg_effect_type type, const char *name, const char *to,
                   const char *text)
{
    struct rg_effect effect = {
        .type = type, .name = name, .new_name = to, .bytes = rg_bytes_str(text)};

    sim_disk_submit(&f->disk, &effect);
}

RG_TEST(operations_take_time_and_keep_their_order)
{
    struct fixture f;

    begin(&f);
    submit(&f, RG_EFFECT_FILE_CREATE, "a", NULL, "");
    submit(&f, RG_EFFECT_FILE_APPEND, "a", NULL, "one");
    submit(&f, RG_EFFECT_FILE_APPEND, "a", NULL, "two");
    submit(&f, RG_EFFECT_FILE_RENAME, "a", "b", "");
    RG_CHECK_INT(f.done, 0);
    RG_CHECK(sim_loop_run(&f.loop, 10000000));
    RG_CHECK_INT(f.done, 4);
    RG_CHECK(sim_disk_find(&f.disk, "a") == NULL);
    RG_CHECK_BYTES(rg_buf_view(&sim_disk_find(&f.disk, "b")->data), "onetwo");
    end(&f);
}

RG_TEST(a_full_disk_refuses_and_keeps_what_was)
{
    struct fixture f;

    begin(&f);
    submit(&f, RG_EFFECT_FILE_REPLACE, "a", NULL, "old");
    RG_CHECK(sim_loop_run(&f.loop, 10000000));
    f.disk.full = true;
    submit(&f, RG_EFFECT_FILE_REPLACE, "a", NULL, "new");
    RG_CHECK(sim_loop_run(&f.loop, 20000000));
    RG_CHECK_INT(f.results[1], RG_ENOSPC);
    RG_CHECK_BYTES(rg_buf_view(&sim_disk_find(&f.disk, "a")->data), "old");
    end(&f);
}

RG_TEST(power_loss_tears_only_what_was_not_synced)
{
    struct fixture f;
    unsigned torn = 0;

    for (unsigned i = 0; i < 50; i++) {
        begin(&f);
        rg_rand_init(&f.loop.rand, i);
        submit(&f, RG_EFFECT_FILE_REPLACE, "safe", NULL, "0123456789");
        submit(&f, RG_EFFECT_FILE_CREATE, "loose", NULL, "");
        submit(&f, RG_EFFECT_FILE_APPEND, "loose", NULL, "0123456789");
        RG_CHECK(sim_loop_run(&f.loop, 10000000));
        sim_disk_crash(&f.disk, true);
        RG_CHECK_BYTES(rg_buf_view(&sim_disk_find(&f.disk, "safe")->data), "0123456789");
        torn += rg_buf_len(&sim_disk_find(&f.disk, "loose")->data) < 10;
        end(&f);
    }
    RG_CHECK(torn > 10);
}

RG_TEST(replacing_is_all_or_nothing_in_a_crash)
{
    struct fixture f;
    unsigned fresh = 0;

    for (unsigned i = 0; i < 50; i++) {
        begin(&f);
        submit(&f, RG_EFFECT_FILE_REPLACE, "a", NULL, "old");
        RG_CHECK(sim_loop_run(&f.loop, 10000000));
        rg_rand_init(&f.loop.rand, i);
        submit(&f, RG_EFFECT_FILE_REPLACE, "a", NULL, "newer");
        sim_disk_crash(&f.disk, true);
        struct rg_bytes text = rg_buf_view(&sim_disk_find(&f.disk, "a")->data);
        fresh += rg_bytes_is(text, "newer");
        RG_CHECK(rg_bytes_is(text, "newer") || rg_bytes_is(text, "old"));
        RG_CHECK_INT(f.done, 1);
        end(&f);
    }
    RG_CHECK(fresh > 5 && fresh < 45);
}
