#include <stdio.h>

#include "store/store.h"
#include "tests/harness.h"

static const struct rg_store_limits limits = {.hash_max_listpack_entries = 128,
                                              .hash_max_listpack_value = 64};
static const struct rg_bytes key = {"key", 3};

static struct rg_bytes get(const struct rg_entry *entry)
{
    static char scratch[RG_STRING_SCRATCH];
    return rg_string_get(entry, scratch);
}

RG_TEST(encodings_are_named_as_redis_names_them)
{
    static const struct {
        const char *value;
        const char *encoding;
    } cases[] = {
        {"", "embstr"},
        {"0", "int"},
        {"-0", "embstr"},
        {"01", "embstr"},
        {" 1", "embstr"},
        {"9223372036854775807", "int"},
        {"-9223372036854775808", "int"},
        {"9223372036854775808", "embstr"},
        {"12345678901234567890123456789012345678901234", "embstr"},
        {"123456789012345678901234567890123456789012345", "raw"},
    };
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rg_entry *entry = rg_db_put_string(db, key, rg_bytes_str(cases[i].value));
        RG_CHECK_STR(rg_entry_encoding(entry), cases[i].encoding);
        RG_CHECK_BYTES(get(entry), cases[i].value);
        RG_CHECK_INT(rg_string_len(entry), strlen(cases[i].value));
    }
    rg_store_free(store);
}

RG_TEST(appending_and_writing_leave_the_value_raw)
{
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_entry *entry = rg_db_put_string(db, key, RG_BYTES("12"));
    int64_t number = 0;
    RG_CHECK_INT(rg_string_append(db, &entry, RG_BYTES("3")), 0);
    RG_CHECK_STR(rg_entry_encoding(entry), "raw");
    RG_CHECK_INT(rg_string_get_i64(entry, &number), 0);
    RG_CHECK_INT(number, 123);
    RG_CHECK_INT(rg_string_write_at(db, &entry, 5, RG_BYTES("x")), 0);
    RG_CHECK(rg_bytes_equal(get(entry), RG_BYTES("123\0\0x")));
    RG_CHECK_INT(rg_string_get_i64(entry, &number), RG_EINVAL);
    RG_CHECK_INT(number, 123);
    rg_string_replace_i64(db, &entry, 7);
    RG_CHECK_STR(rg_entry_encoding(entry), "int");
    rg_string_replace(db, &entry, RG_BYTES("seven"));
    RG_CHECK_STR(rg_entry_encoding(entry), "embstr");
    rg_store_free(store);
}

RG_TEST(a_size_that_cannot_be_is_an_error_and_changes_nothing)
{
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    struct rg_entry *entry = rg_db_put_string(db, key, RG_BYTES("value"));
    RG_CHECK_INT(rg_string_write_at(db, &entry, SIZE_MAX, RG_BYTES("x")), RG_ENOMEM);
    RG_CHECK_INT(rg_string_write_at(db, &entry, SIZE_MAX / 8, RG_BYTES("x")), RG_ENOMEM);
    RG_CHECK_BYTES(get(entry), "value");
    RG_CHECK_STR(rg_entry_encoding(entry), "embstr");
    rg_store_free(store);
}

RG_TEST(a_value_may_be_a_view_into_the_entry_it_replaces)
{
    static char large[1000];
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    memset(large, 'y', sizeof(large));
    struct rg_entry *entry = rg_db_put_string(db, key, rg_bytes(large, sizeof(large)));
    RG_CHECK_INT(rg_string_write_at(db, &entry, 0, RG_BYTES("start")), 0);
    rg_string_replace(db, &entry, rg_bytes(get(entry).data, 5));
    RG_CHECK_BYTES(get(entry), "start");
    rg_string_replace(db, &entry, rg_bytes(get(entry).data + 1, 4));
    RG_CHECK_BYTES(get(entry), "tart");
    entry = rg_db_put_string(db, rg_entry_key(entry), get(entry));
    RG_CHECK_BYTES(get(entry), "tart");
    RG_CHECK_BYTES(rg_entry_key(entry), "key");
    rg_store_free(store);
}

/* ---- A model: one flat string ---- */

enum { MODEL_MAX = 4000 };

struct model {
    char data[MODEL_MAX];
    size_t len;
    int64_t expire_ms;
};

static void model_write(struct model *model, size_t offset, struct rg_bytes bytes)
{
    if (offset > model->len)
        memset(model->data + model->len, 0, offset - model->len);
    memcpy(model->data + offset, bytes.data, bytes.len);
    if (offset + bytes.len > model->len)
        model->len = offset + bytes.len;
}

static struct rg_bytes random_text(struct rg_rand *rand, char *text, size_t max)
{
    size_t len = rg_rand_below(rand, rg_rand_below(rand, 3) > 0 ? 60 : max);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)rg_rand_below(rand, 256);
    if (rg_rand_below(rand, 4) == 0)
        len = (size_t)snprintf(text, max, "%lld", (long long)rg_rand_u64(rand));
    return rg_bytes(text, len);
}

static void random_step(struct rg_db *db, struct rg_entry **entry, struct rg_rand *rand,
                        struct model *model)
{
    char text[600];
    struct rg_bytes bytes = random_text(rand, text, sizeof(text));
    size_t offset = rg_rand_below(rand, 300);
    switch (rg_rand_below(rand, 6)) {
    case 0:
        *entry = rg_db_put_string(db, key, bytes);
        model->len = 0;
        model_write(model, 0, bytes);
        model->expire_ms = RG_NO_EXPIRY;
        break;
    case 1:
        rg_string_replace(db, entry, bytes);
        model->len = 0;
        model_write(model, 0, bytes);
        break;
    case 2:
        if (model->len + bytes.len > MODEL_MAX)
            break;
        RG_CHECK_INT(rg_string_append(db, entry, bytes), 0);
        model_write(model, model->len, bytes);
        RG_CHECK_STR(rg_entry_encoding(*entry), "raw");
        break;
    case 3:
        RG_CHECK_INT(rg_string_write_at(db, entry, offset, bytes), 0);
        model_write(model, offset, bytes);
        break;
    case 4:
        rg_string_replace_i64(db, entry, (int64_t)offset);
        model->len = (size_t)snprintf(model->data, MODEL_MAX, "%zu", offset);
        break;
    default:
        model->expire_ms = rg_rand_below(rand, 2) ? (int64_t)offset : RG_NO_EXPIRY;
        rg_entry_set_expire_ms(db, entry, model->expire_ms);
    }
}

RG_TEST(random_changes_match_a_model)
{
    static struct model model;
    struct rg_rand rand;
    struct rg_store *store = rg_store_new(1, 1, &limits);
    struct rg_db *db = rg_store_db(store, 0);
    uint64_t memory = rg_store_memory(store);
    rg_rand_init(&rand, 21);
    rg_test_note("seed 21");
    struct rg_entry *entry = rg_db_put_string(db, key, RG_BYTES(""));
    rg_entry_set_access(entry, 0xabcdef);
    model = (struct model){.expire_ms = RG_NO_EXPIRY};
    for (unsigned step = 0; step < 30000; step++) {
        random_step(db, &entry, &rand, &model);
        RG_CHECK(rg_bytes_equal(get(entry), rg_bytes(model.data, model.len)));
        RG_CHECK_INT(rg_entry_expire_ms(entry), model.expire_ms);
        RG_CHECK(rg_db_find(db, key) == entry);
        RG_CHECK(rg_entry_memory(entry, 0) >= model.len / 3);
    }
    RG_CHECK(rg_db_delete(db, rg_entry_key(entry)));
    RG_CHECK_INT(rg_store_memory(store), memory);
    rg_store_free(store);
}
