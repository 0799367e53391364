#include <stdint.h>

#include "base/panic.h"
#include "log/history.h"

/* Any text as a history: one that is taken is told again in a form that gives the same one. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_check(const struct rg_history *history)
{
    RG_ASSERT(history->count <= RG_HISTORY_MAX);
    for (unsigned i = 0; i < history->count; i++) {
        const struct rg_history_term *term = &history->terms[i];
        struct rg_bytes replid = rg_bytes(term->replid, RG_REPLID_LEN);
        uint64_t agreed = 0;
        RG_ASSERT(memchr(term->replid, '\0', sizeof(term->replid)) == term->replid + RG_REPLID_LEN);
        /* At 0 several may begin: a log that holds nothing yet was called by other names before. */
        RG_ASSERT(i == 0 || history->terms[i - 1].start < term->start || term->start == 0);
        /* A log agrees with itself up to its end, and an id is known. */
        if (i + 1 == history->count) {
            RG_ASSERT(rg_history_agrees(history, UINT64_MAX, replid, UINT64_MAX, &agreed) == 0);
            RG_ASSERT(agreed == UINT64_MAX);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_history history = {.count = RG_HISTORY_MAX + 1};
    struct rg_history again = {.count = 0};
    struct rg_buf text = {0};
    struct rg_buf retold = {0};

    if (rg_history_parse(rg_bytes(data, size), &history) < 0) {
        RG_ASSERT(history.count == RG_HISTORY_MAX + 1);
        return 0;
    }
    fuzz_check(&history);
    rg_history_format(&history, &text);
    RG_ASSERT(rg_history_parse(rg_buf_view(&text), &again) == 0);
    rg_history_format(&again, &retold);
    RG_ASSERT(history.count == again.count);
    RG_ASSERT(rg_bytes_equal(rg_buf_view(&text), rg_buf_view(&retold)));
    rg_buf_fini(&text);
    rg_buf_fini(&retold);
    return 0;
}
