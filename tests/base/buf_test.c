#include "base/buf.h"

#include "base/alloc.h"
#include "base/rand.h"
#include "tests/harness.h"

RG_TEST(appends_and_consumes_in_order)
{
    struct rg_buf buf = {0};

    rg_buf_append_str(&buf, "hello ");
    rg_buf_printf(&buf, "%d-%s", 42, "x");
    RG_CHECK_BYTES(rg_buf_view(&buf), "hello 42-x");
    rg_buf_consume(&buf, 6);
    rg_buf_truncate(&buf, 2);
    RG_CHECK_BYTES(rg_buf_view(&buf), "42");
    rg_buf_consume(&buf, 2);
    RG_CHECK_INT(rg_buf_len(&buf), 0);
    rg_buf_fini(&buf);
}

RG_TEST(holds_against_a_model_of_random_operations)
{
    struct rg_buf buf = {0};
    struct rg_rand rand;
    uint64_t written = 0;
    uint64_t consumed = 0;

    rg_rand_init(&rand, 1);
    for (int i = 0; i < 20000; i++) {
        size_t n = rg_rand_below(&rand, 100);
        if (rg_rand_below(&rand, 2) == 0) {
            for (size_t j = 0; j < n; j++)
                rg_buf_append_char(&buf, (char)(written++ & 0xff));
        } else {
            if (n > rg_buf_len(&buf))
                n = rg_buf_len(&buf);
            struct rg_bytes view = rg_buf_view(&buf);
            for (size_t j = 0; j < n; j++)
                RG_CHECK_INT((unsigned char)view.data[j], consumed++ & 0xff);
            rg_buf_consume(&buf, n);
        }
        RG_CHECK_INT(rg_buf_len(&buf), written - consumed);
    }
    rg_buf_fini(&buf);
}

RG_TEST(an_absurd_size_is_an_error_not_the_end)
{
    struct rg_buf buf = {0};
    char *room = NULL;

    RG_CHECK_INT(rg_buf_try_reserve(&buf, SIZE_MAX / 2, &room), RG_ENOMEM);
    rg_buf_fini(&buf);
}
