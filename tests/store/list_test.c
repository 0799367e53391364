#include "store/list.h"

#include "base/alloc.h"
#include "base/number.h"
#include "base/rand.h"
#include "tests/harness.h"

static const struct rg_bytes key = {"list", 4};

enum { MODEL_MAX = 20000, TEXT_MAX = 20000 };

/* Elements are numbers; their bytes follow from the number alone. */
struct world {
    struct rg_store *store;
    struct rg_db *db;
    struct rg_entry *entry; /* NULL while the list is empty */
    struct rg_rand rand;
    uint32_t *model;
    uint64_t len;
    char text[TEXT_MAX];
};

/* One in 64 is long, one in 512 longer than most chunks. */
static struct rg_bytes element_of(struct world *world, uint32_t number)
{
    static const char *const near[] = {"007", "-0",  "+1",  "9223372036854775808", "1.0",
                                       "",    "-07", " 12", "-9223372036854775809"};
    size_t len = number % 13;
    /* Some are integers, of all sizes, and some look like one. */
    if (number % 8 == 5) {
        int64_t value = (int64_t)(number * UINT64_C(0x9e3779b97f4a7c15)) >> (number >> 8) % 64;
        return rg_bytes(world->text, rg_format_i64(world->text, value));
    }
    if (number % 32 == 1)
        return rg_bytes_str(near[(number >> 5) % (sizeof(near) / sizeof(near[0]))]);
    if (number % 64 == 63)
        len = 100 + number % 500;
    if (number % 512 == 511)
        len = 3000 + number % 15000;
    for (size_t i = 0; i < len; i++)
        world->text[i] = (char)(number >> (i % 4 * 8));
    return rg_bytes(world->text, len);
}

static void world_init(struct world *world, uint64_t seed, int64_t directive)
{
    struct rg_store_limits limits = {.list_max_listpack_size = directive};
    *world = (struct world){.store = rg_store_new(1, seed, &limits)};
    world->db = rg_store_db(world->store, 0);
    world->model = RG_NEW_ARRAY(uint32_t, MODEL_MAX + 1);
    rg_rand_init(&world->rand, seed);
}

static void world_fini(struct world *world)
{
    rg_store_free(world->store);
    rg_free(world->model);
}

static void model_insert(struct world *world, uint64_t index, uint32_t number)
{
    memmove(world->model + index + 1, world->model + index,
            (world->len - index) * sizeof(*world->model));
    world->model[index] = number;
    world->len++;
}

static void model_delete(struct world *world, uint64_t index, uint64_t count)
{
    memmove(world->model + index, world->model + index + count,
            (world->len - index - count) * sizeof(*world->model));
    world->len -= count;
}

static void check_element(struct world *world, struct rg_bytes found, uint64_t index)
{
    struct rg_bytes expected = element_of(world, world->model[index]);
    if (!rg_bytes_equal(found, expected))
        rg_test_fail(__FILE__, __LINE__, "element %llu differs", (unsigned long long)index);
}

static void check_walk(struct world *world, struct rg_entry *entry, bool backward)
{
    struct rg_list_iter iter;
    struct rg_bytes found;
    uint64_t start = rg_rand_below(&world->rand, world->len);
    uint64_t steps = backward ? start + 1 : world->len - start;
    rg_list_iter_init(&iter, entry, start, backward);
    for (uint64_t i = 0; i < steps; i++) {
        RG_CHECK(rg_list_iter_next(&iter, &found));
        check_element(world, found, backward ? start - i : start + i);
    }
    RG_CHECK(!rg_list_iter_next(&iter, &found));
}

static void check_whole(struct world *world)
{
    struct rg_bytes found;
    char scratch[RG_STRING_SCRATCH];
    if (world->entry == NULL) {
        RG_CHECK(world->len == 0);
        return;
    }
    rg_list_check(world->entry);
    RG_CHECK_INT(rg_list_len(world->entry), world->len);
    RG_CHECK_STR(rg_entry_encoding(world->entry), "quicklist");
    RG_CHECK(!rg_list_get(world->entry, (int64_t)world->len, scratch, &found));
    RG_CHECK(!rg_list_get(world->entry, -(int64_t)world->len - 1, scratch, &found));
    RG_CHECK(!rg_list_get(world->entry, INT64_MIN, scratch, &found));
    check_walk(world, world->entry, false);
    check_walk(world, world->entry, true);
}

/* The list goes with its last element, as a caller would have it. */
static void world_settle(struct world *world)
{
    if (world->entry == NULL || rg_list_len(world->entry) > 0)
        return;
    rg_db_delete(world->db, key);
    world->entry = NULL;
}

static void step_push(struct world *world, enum rg_list_end end)
{
    uint32_t number = (uint32_t)rg_rand_u64(&world->rand);
    if (world->len >= MODEL_MAX)
        return;
    if (world->entry == NULL)
        world->entry = rg_db_put_list(world->db, key);
    rg_list_push(world->db, &world->entry, end, element_of(world, number));
    model_insert(world, end == RG_LIST_HEAD ? 0 : world->len, number);
}

static void step_pop(struct world *world, enum rg_list_end end)
{
    struct rg_bytes found;
    char scratch[RG_STRING_SCRATCH];
    uint64_t index = end == RG_LIST_HEAD ? 0 : world->len - 1;
    RG_CHECK(rg_list_get(world->entry, end == RG_LIST_HEAD ? 0 : -1, scratch, &found));
    check_element(world, found, index);
    rg_list_delete(world->db, &world->entry, index, 1);
    model_delete(world, index, 1);
}

static void step_insert(struct world *world)
{
    uint32_t number = (uint32_t)rg_rand_u64(&world->rand);
    uint64_t index = rg_rand_below(&world->rand, world->len + 1);
    if (world->len >= MODEL_MAX)
        return;
    rg_list_insert(world->db, &world->entry, index, element_of(world, number));
    model_insert(world, index, number);
}

static void step_set(struct world *world)
{
    uint64_t index = rg_rand_below(&world->rand, world->len);
    uint32_t number = (uint32_t)rg_rand_u64(&world->rand);
    if (rg_rand_below(&world->rand, 3) == 0)
        number = world->model[index] + 1;
    int64_t place =
        rg_rand_below(&world->rand, 2) == 0 ? (int64_t)index : (int64_t)index - (int64_t)world->len;
    RG_CHECK(rg_list_set(world->db, &world->entry, place, element_of(world, number)));
    world->model[index] = number;
}

static void step_delete(struct world *world)
{
    uint64_t index = rg_rand_below(&world->rand, world->len + 1);
    uint64_t most = world->len - index;
    uint64_t count = rg_rand_below(&world->rand, (most < 30 ? most : 30) + 1);
    if (rg_rand_below(&world->rand, 100) == 0)
        count = rg_rand_below(&world->rand, most + 1);
    rg_list_delete(world->db, &world->entry, index, count);
    model_delete(world, index, count);
}

static void step_remove(struct world *world)
{
    uint32_t number = world->model[rg_rand_below(&world->rand, world->len)];
    uint64_t max =
        rg_rand_below(&world->rand, 4) == 0 ? UINT64_MAX : rg_rand_below(&world->rand, 5);
    bool backward = rg_rand_below(&world->rand, 2) == 0;
    uint64_t copies = rg_rand_below(&world->rand, 4);
    for (uint64_t i = 0; i < copies && world->len < MODEL_MAX; i++) {
        uint64_t index = rg_rand_below(&world->rand, world->len + 1);
        rg_list_insert(world->db, &world->entry, index, element_of(world, number));
        model_insert(world, index, number);
    }
    uint64_t removed = rg_list_delete_equal(world->db, &world->entry, element_of(world, number),
                                            backward ? RG_LIST_TAIL : RG_LIST_HEAD, max);
    uint64_t expected = 0;
    char kept[TEXT_MAX];
    struct rg_bytes wanted = element_of(world, number);
    memcpy(kept, wanted.data, wanted.len);
    wanted.data = kept;
    for (uint64_t left = world->len, done = 0; done < left && expected < max; done++) {
        uint64_t at = backward ? left - 1 - done : done - expected;
        if (!rg_bytes_equal(element_of(world, world->model[at]), wanted))
            continue;
        model_delete(world, at, 1);
        expected++;
    }
    RG_CHECK_INT(removed, expected);
}

static void step_copy(struct world *world)
{
    struct rg_bytes copy_key = RG_BYTES("copy");
    RG_CHECK_INT(rg_db_copy(world->db, key, world->db, copy_key), 0);
    struct rg_entry *copy = rg_db_find(world->db, copy_key);
    rg_list_check(copy);
    check_walk(world, copy, false);
    rg_db_delete(world->db, copy_key);
}

static void world_step(struct world *world, unsigned grow)
{
    enum rg_list_end end = rg_rand_below(&world->rand, 2) == 0 ? RG_LIST_HEAD : RG_LIST_TAIL;
    uint64_t dice = rg_rand_below(&world->rand, 100);
    if (world->entry == NULL || dice < grow)
        step_push(world, end);
    else if (dice < 70)
        step_pop(world, end);
    else if (dice < 80)
        step_insert(world);
    else if (dice < 90)
        step_set(world);
    else if (dice < 97)
        step_delete(world);
    else if (dice < 99)
        step_remove(world);
    else
        step_copy(world);
    world_settle(world);
}

static void run_random(uint64_t seed, int64_t directive)
{
    enum { STEPS = 12000, PHASE = 3000 };
    struct world *world = rg_alloc(sizeof(*world));
    world_init(world, seed, directive);
    rg_test_note("seed %llu, list-max-listpack-size %lld", (unsigned long long)seed,
                 (long long)directive);
    for (int i = 0; i < STEPS; i++) {
        world_step(world, i / PHASE % 2 == 0 ? 68 : 20);
        if (i % 16 == 0 || world->len < 20)
            check_whole(world);
    }
    check_whole(world);
    world_fini(world);
    rg_free(world);
}

RG_TEST(lists_agree_with_a_model_for_chunks_of_bytes)
{
    for (int64_t directive = -1; directive >= -5; directive--)
        run_random(1000 - (uint64_t)directive, directive);
    run_random(77, -100);
}

RG_TEST(lists_agree_with_a_model_for_chunks_of_elements)
{
    static const int64_t counts[] = {0, 1, 2, 3, 16, 128, 100000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        run_random(2000 + i, counts[i]);
}

RG_TEST(a_long_list_is_found_from_both_ends)
{
    enum { ELEMENTS = 100000 };
    struct world *world = rg_alloc(sizeof(*world));
    struct rg_bytes found;
    char scratch[RG_STRING_SCRATCH];
    world_init(world, 5, -1);
    world->entry = rg_db_put_list(world->db, key);
    /* The head holds the high numbers. */
    for (uint32_t i = 0; i < ELEMENTS; i++)
        rg_list_push(world->db, &world->entry, i % 2 == 0 ? RG_LIST_HEAD : RG_LIST_TAIL,
                     rg_bytes(&i, sizeof(i)));
    rg_list_check(world->entry);
    for (int64_t i = 0; i < ELEMENTS; i += 37) {
        uint32_t number = 0;
        RG_CHECK(rg_list_get(world->entry, i, scratch, &found));
        memcpy(&number, found.data, sizeof(number));
        int64_t half = ELEMENTS / 2;
        RG_CHECK_INT(number, i < half ? ELEMENTS - 2 - 2 * i : 2 * (i - half) + 1);
    }
    /* All of it but the middle goes at once. */
    rg_list_delete(world->db, &world->entry, 0, ELEMENTS / 2 - 1);
    rg_list_delete(world->db, &world->entry, 2, ELEMENTS / 2 - 1);
    rg_list_check(world->entry);
    RG_CHECK_INT(rg_list_len(world->entry), 2);
    RG_CHECK(rg_entry_memory(world->entry, 0) < 200);
    world_fini(world);
    rg_free(world);
}

/* A queue of some length must stay as small as its elements, however many have passed through. */
RG_TEST(a_queue_stays_small)
{
    struct world *world = rg_alloc(sizeof(*world));
    world_init(world, 6, -2);
    world->entry = rg_db_put_list(world->db, key);
    for (uint32_t i = 0; i < 200000; i++) {
        rg_list_push(world->db, &world->entry, RG_LIST_TAIL, rg_bytes(&i, sizeof(i)));
        if (i >= 10000)
            rg_list_delete(world->db, &world->entry, 0, 1);
    }
    rg_list_check(world->entry);
    RG_CHECK_INT(rg_list_len(world->entry), 10000);
    RG_CHECK(rg_entry_memory(world->entry, 0) < (uint64_t)10000 * (sizeof(uint32_t) + 2) + 20000);
    world_fini(world);
    rg_free(world);
}

RG_TEST(a_short_list_is_one_small_item)
{
    struct world *world = rg_alloc(sizeof(*world));
    world_init(world, 7, -2);
    world->entry = rg_db_put_list(world->db, key);
    for (int i = 0; i < 3; i++)
        rg_list_push(world->db, &world->entry, RG_LIST_HEAD, RG_BYTES("element"));
    RG_CHECK(rg_entry_memory(world->entry, 0) <= 96);
    world_fini(world);
    rg_free(world);
}
