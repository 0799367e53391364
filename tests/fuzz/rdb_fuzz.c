#include <stdint.h>

#include "base/alloc.h"
#include "base/crc64.h"
#include "base/element.h"
#include "base/panic.h"
#include "tests/log/rdb_rewrite.h"

/*
 * Any bytes as an RDB file. The first byte chooses how they are cut: events, errors and offsets
 * must not depend on it. What was read is then written and read again: the same keys and values
 * have to come back.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What LZF makes of the bytes bounds the strings that come out, in an event and in sum. */
enum { INPUT_MAX = 1 << 16, RATIO_MAX = 88, KEYS_AHEAD = 8 };

static void fuzz_bytes(struct rg_buf *out, struct rg_bytes bytes)
{
    rg_buf_append(out, &bytes.len, sizeof(bytes.len));
    rg_buf_append_bytes(out, bytes);
}

static void fuzz_event(struct rg_buf *out, const struct rg_rdb_event *event)
{
    if (event->type == RG_RDB_SIZE) /* the writer sets its own */
        return;
    rg_buf_printf(out, "%d %u %lld %llu %lld %d ", (int)event->type, event->db,
                  (long long)event->expire_ms, (unsigned long long)event->count,
                  (long long)event->idle_s, event->freq);
    rg_buf_append(out, &event->score, sizeof(event->score));
    fuzz_bytes(out, event->key);
    fuzz_bytes(out, event->value);
}

/* The next event, in front of which keys were looked at. */
static int fuzz_next(struct rg_rdb_reader *reader, struct rg_rdb_event *ret_event)
{
    struct rg_bytes key;
    volatile char last = 0;

    for (unsigned keys = 0; rg_rdb_reader_ahead(reader, &key); keys++) {
        RG_ASSERT(keys < KEYS_AHEAD);
        if (key.len > 0)
            last = key.data[key.len - 1];
    }
    (void)last;
    return rg_rdb_reader_next(reader, ret_event);
}

/* Events and the last error as bytes. The events are not to exceed what came by more than LZF can.
 */
static int fuzz_read(struct rg_bytes input, size_t step, struct rg_buf *out)
{
    struct rg_rdb_reader *reader = rg_rdb_reader_new();
    struct rg_rdb_event event;
    int rc = RG_EAGAIN;
    size_t fed = 0;

    while (rc == RG_EAGAIN && fed < input.len) {
        size_t len = input.len - fed < step ? input.len - fed : step;
        char *copy = rg_alloc_copy(input.data + fed, len);
        rg_rdb_reader_feed(reader, rg_bytes(copy, len));
        rg_free(copy);
        fed += len;
        while ((rc = fuzz_next(reader, &event)) == 0) {
            RG_ASSERT(event.key.len + event.value.len <= RATIO_MAX * fed);
            RG_ASSERT(rg_rdb_reader_offset(reader) + rg_rdb_reader_rest(reader).len == fed);
            fuzz_event(out, &event);
        }
    }
    RG_ASSERT((rc == RG_EAGAIN) == (rg_rdb_reader_error(reader)[0] == '\0'));
    rg_buf_printf(out, "%d %s %llu", rc, rg_rdb_reader_error(reader),
                  (unsigned long long)rg_rdb_reader_offset(reader));
    rg_rdb_reader_free(reader);
    return rc;
}

static void fuzz_made_up(void *arg, const struct rg_rdb_event *event)
{
    fuzz_event(arg, event);
}

/* Writes what is read, and lists it; the elements of a collection that was cut are made up. */
static void fuzz_rewrite(struct rg_bytes input, struct rg_buf *file, struct rg_buf *list)
{
    struct rg_rdb_reader *readers[] = {rg_rdb_reader_new(), rg_rdb_reader_new()};
    struct rg_rdb_writer writer;
    struct rg_rdb_event event;
    struct rdb_rewrite rewrite = {.writer = &writer};
    bool given_up = false;

    rg_rdb_write_begin(&writer, file, input.len % 2 == 0, input.len % 3 != 0);
    for (unsigned i = 0; i < 2; i++)
        rg_rdb_reader_feed(readers[i], input);
    while (rg_rdb_reader_next(readers[0], &event) == 0)
        rdb_rewrite_plan(&rewrite, &event);
    rewrite.left = 0;
    while (!given_up && rg_rdb_reader_next(readers[1], &event) == 0) {
        /* Not more elements than the file can hold: the rest is made up below. */
        given_up = event.type != RG_RDB_SIZE && event.count > input.len;
        if (given_up || event.type == RG_RDB_FUNCTION || event.type == RG_RDB_END)
            continue;
        rdb_rewrite_event(&rewrite, &event);
        if (event.type == RG_RDB_DB)
            rg_rdb_write_db(&writer, event.db, 1, UINT64_MAX);
        fuzz_event(list, &event);
    }
    rdb_rewrite_rest(&rewrite, fuzz_made_up, list);
    rg_rdb_write_end(&writer);
    event = (struct rg_rdb_event){.type = RG_RDB_END, .expire_ms = -1, .idle_s = -1, .freq = -1};
    fuzz_event(list, &event);
    rdb_rewrite_fini(&rewrite);
    for (unsigned i = 0; i < 2; i++)
        rg_rdb_reader_free(readers[i]);
}

static void fuzz_round_trip(struct rg_bytes input)
{
    struct rg_buf file = {0};
    struct rg_buf want = {0};
    struct rg_buf got = {0};

    fuzz_rewrite(input, &file, &want);
    RG_ASSERT(fuzz_read(rg_buf_view(&file), SIZE_MAX / 2, &got) == RG_EAGAIN);
    RG_ASSERT(rg_bytes_starts_with(rg_buf_view(&got), rg_buf_view(&want)));
    rg_buf_fini(&file);
    rg_buf_fini(&want);
    rg_buf_fini(&got);
}

/* The same bytes as a value with the foot of a payload: it comes to an end, good or bad. */
static void fuzz_payload(struct rg_bytes input)
{
    struct rg_rdb_reader *reader = NULL;
    struct rg_rdb_event event = {.type = RG_RDB_AUX};
    struct rg_buf payload = {0};
    int rc = 0;

    rg_buf_append_bytes(&payload, input);
    rg_buf_append(&payload, (const char[]){RG_RDB_VERSION, 0}, 2);
    uint64_t crc = rg_crc64(0, rg_buf_view(&payload).data, rg_buf_len(&payload));
    rg_buf_append(&payload, &crc, sizeof(crc));
    RG_ASSERT(rg_rdb_reader_new_payload(rg_buf_view(&payload), &reader) == 0);
    while ((rc = rg_rdb_reader_next(reader, &event)) == 0)
        continue;
    RG_ASSERT((rc == RG_EAGAIN) == (event.type == RG_RDB_END));
    rg_rdb_reader_free(reader);
    rg_buf_fini(&payload);
}

static void fuzz_run(struct rg_bytes run, uint64_t count)
{
    const char *at = run.data;
    bool exact = true;

    for (; count > 0; count--) {
        at = rg_element_check_both(at, run.data + run.len, &exact);
        RG_ASSERT(at != NULL && exact);
    }
    RG_ASSERT(at == run.data + run.len);
}

/* The same bytes for who takes runs: these can be trusted, and it ends no earlier. */
static void fuzz_runs(struct rg_bytes input, int want)
{
    struct rg_rdb_reader *reader = rg_rdb_reader_new();
    struct rg_rdb_event event;
    int rc = 0;

    rg_rdb_reader_take_runs(reader);
    rg_rdb_reader_feed(reader, input);
    while ((rc = rg_rdb_reader_next(reader, &event)) == 0) {
        if (event.type == RG_RDB_LIST_RUN)
            fuzz_run(event.value, event.count);
        else if ((event.type == RG_RDB_HASH || event.type == RG_RDB_ZSET) && event.value.len > 0)
            fuzz_run(event.value, event.count * 2);
        else if (event.type == RG_RDB_SET && event.value.len > 0)
            RG_ASSERT(event.value.len == event.count * 2 || event.value.len == event.count * 4 ||
                      event.value.len == event.count * 8);
    }
    /* Scores are left to whoever stores them. */
    RG_ASSERT(rc == want || want == RG_ECORRUPT);
    rg_rdb_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_buf whole = {0};
    struct rg_buf pieces = {0};

    if (size < 1 || size > INPUT_MAX)
        return 0;
    struct rg_bytes input = rg_bytes(data + 1, size - 1);
    int rc = fuzz_read(input, SIZE_MAX / 2, &whole);
    RG_ASSERT(fuzz_read(input, 1 + data[0] % 64, &pieces) == rc);
    RG_ASSERT(rg_bytes_equal(rg_buf_view(&whole), rg_buf_view(&pieces)));
    fuzz_runs(input, rc);
    fuzz_round_trip(input);
    fuzz_payload(input);
    rg_buf_fini(&whole);
    rg_buf_fini(&pieces);
    return 0;
}
