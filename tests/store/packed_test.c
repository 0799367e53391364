#include "store/packed.h"

#include <stdio.h>

#include "base/rand.h"
#include "tests/harness.h"

static const char *find(const struct rg_packed *packed, struct rg_bytes field)
{
    struct rg_element coded;
    rg_element_of_text(&coded, field);
    return rg_packed_find(packed, &coded);
}

static struct rg_packed *append(struct rg_pool *pool, struct rg_packed *packed,
                                struct rg_bytes field, struct rg_bytes value)
{
    struct rg_element coded_field;
    struct rg_element coded;
    rg_element_of_text(&coded_field, field);
    rg_element_of_text(&coded, value);
    return rg_packed_append(pool, packed, &coded_field, &coded);
}

static struct rg_packed *replace(struct rg_pool *pool, struct rg_packed *packed, const char *at,
                                 struct rg_bytes value)
{
    struct rg_element coded;
    rg_element_of_text(&coded, value);
    return rg_packed_replace(pool, packed, at, &coded);
}

static struct rg_bytes value_of(struct rg_packed *packed, const char *field)
{
    static char scratch[RG_I64_CHARS];
    const char *at = find(packed, rg_bytes_str(field));
    struct rg_bytes value = {0};
    if (at != NULL)
        rg_element_read(rg_packed_value(at), scratch, &value);
    return value;
}

RG_TEST(lengths_around_the_borders_of_the_number_form_come_back)
{
    static const size_t lens[] = {0, 1, 127, 128, 129, 16383, 16384, 20000};
    static char text[20000];
    struct rg_pool *pool = rg_pool_new();
    struct rg_packed *packed = rg_packed_new(pool);
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        packed = append(pool, packed, rg_bytes(text, lens[i]), rg_bytes(text, lens[i] / 2));
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct rg_bytes value;
        char scratch[RG_I64_CHARS];
        const char *at = find(packed, rg_bytes(text, lens[i]));
        RG_CHECK(at != NULL);
        at = rg_element_read(rg_packed_value(at), scratch, &value);
        RG_CHECK(at <= packed->data + packed->len);
        RG_CHECK_INT(value.len, lens[i] / 2);
    }
    rg_packed_free(pool, packed);
    RG_CHECK_INT(rg_pool_used(pool), 0);
    rg_pool_delete(pool);
}

RG_TEST(a_replaced_value_keeps_its_place_and_may_come_from_the_hash_itself)
{
    struct rg_pool *pool = rg_pool_new();
    struct rg_packed *packed = rg_packed_new(pool);
    packed = append(pool, packed, RG_BYTES("a"), RG_BYTES("one"));
    packed = append(pool, packed, RG_BYTES("b"), RG_BYTES("the second"));
    packed = append(pool, packed, RG_BYTES("c"), RG_BYTES(""));
    packed = replace(pool, packed, packed->data, value_of(packed, "b"));
    RG_CHECK(find(packed, RG_BYTES("a")) == packed->data);
    RG_CHECK_BYTES(value_of(packed, "a"), "the second");
    packed = rg_packed_remove(pool, packed, packed->data);
    RG_CHECK(find(packed, RG_BYTES("b")) == packed->data);
    RG_CHECK(find(packed, RG_BYTES("a")) == NULL);
    RG_CHECK(find(packed, RG_BYTES("c")) != NULL);
    RG_CHECK_INT(packed->count, 2);
    rg_packed_free(pool, packed);
    RG_CHECK_INT(rg_pool_used(pool), 0);
    rg_pool_delete(pool);
}

RG_TEST(random_operations_match_a_model)
{
    enum { FIELDS = 40 };
    int lens[FIELDS];
    static char text[300];
    struct rg_rand rand;
    struct rg_pool *pool = rg_pool_new();
    struct rg_packed *packed = rg_packed_new(pool);
    size_t memory = rg_packed_memory(packed);
    rg_rand_init(&rand, 4);
    rg_test_note("seed 4");
    memset(text, 'v', sizeof(text));
    for (int i = 0; i < FIELDS; i++)
        lens[i] = -1;
    for (int step = 0; step < 20000; step++) {
        int i = (int)rg_rand_below(&rand, FIELDS);
        char field[8];
        struct rg_bytes name = rg_bytes(field, (size_t)snprintf(field, sizeof(field), "f%d", i));
        const char *at = find(packed, name);
        RG_CHECK((at != NULL) == (lens[i] >= 0));
        if (at != NULL)
            RG_CHECK_INT(value_of(packed, field).len, lens[i]);
        int len = (int)rg_rand_below(&rand, sizeof(text));
        if (at != NULL && rg_rand_below(&rand, 2) == 0) {
            packed = rg_packed_remove(pool, packed, at);
            len = -1;
        } else if (at != NULL) {
            packed = replace(pool, packed, at, rg_bytes(text, (size_t)len));
        } else {
            packed = append(pool, packed, name, rg_bytes(text, (size_t)len));
        }
        lens[i] = len;
    }
    while (packed->count > 0)
        packed = rg_packed_remove(pool, packed, packed->data);
    RG_CHECK_INT(packed->len, 0);
    RG_CHECK_INT(rg_packed_memory(packed), memory);
    rg_packed_free(pool, packed);
    RG_CHECK_INT(rg_pool_used(pool), 0);
    rg_pool_delete(pool);
}
