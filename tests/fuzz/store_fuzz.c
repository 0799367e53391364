#include "store_world.h"

/* The containers of the store, each beside a model: the first byte of an input says which one. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct world *) = {fuzz_zset, fuzz_list,  fuzz_set,
                                                      fuzz_hash, fuzz_table, fuzz_keys};
    struct world world;
    if (size == 0)
        return 0;
    world_init(&world, data + 1, size - 1);
    targets[data[0] % (sizeof(targets) / sizeof(targets[0]))](&world);
    world_fini(&world);
    return 0;
}
