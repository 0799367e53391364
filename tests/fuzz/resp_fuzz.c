#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "proto/resp.h"

/*
 * The first byte chooses whether the client is authenticated and how the bytes are cut; what comes
 * out must not depend on the cut. The same bytes then go through the reader of replies.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the quick way takes, the full parser takes too, with the same result. */
static void fuzz_plain(const struct rg_request_parser *before, struct rg_bytes input, int rc,
                       const struct rg_request *request)
{
    enum { MAX_ARGS = 16 };
    struct rg_bytes argv[MAX_ARGS];
    size_t size = 0;
    int argc = rg_request_parse_plain(before, input, argv, MAX_ARGS, &size);

    if (argc == RG_EAGAIN)
        return;
    RG_ASSERT(rc == 0 && request->argc == argc && request->size == size);
    for (int i = 0; i < argc; i++)
        RG_ASSERT(rg_bytes_equal(argv[i], request->argv[i]));
}

static void fuzz_parse(struct rg_bytes input, bool authenticated, size_t step, struct rg_buf *out)
{
    struct rg_request_parser parser = {.authenticated = authenticated};
    struct rg_request request;
    size_t start = 0;
    size_t end = 0;

    while (end < input.len) {
        end = input.len - end < step ? input.len : end + step;
        int rc = 0;
        while (rc == 0) {
            /* Each call sees the bytes in a place of its own, without any behind them. */
            char *copy = rg_alloc(end - start + 1);
            memcpy(copy, input.data + start, end - start);
            struct rg_request_parser before = parser;
            rc = rg_request_parse(&parser, rg_bytes(copy, end - start), &request);
            fuzz_plain(&before, rg_bytes(copy, end - start), rc, &request);
            if (rc == 0) {
                RG_ASSERT(request.size > 0 && request.size <= end - start);
                start += request.size;
                rg_request_write(out, request.argv, request.argc);
            }
            rg_free(copy);
        }
        if (rc == RG_EPROTO) {
            rg_buf_append_str(out, parser.error);
            break;
        }
        RG_ASSERT(rc == RG_EAGAIN);
    }
    rg_request_parser_fini(&parser);
}

static void fuzz_frames(struct rg_bytes input)
{
    struct rg_frame frame = {0};
    size_t used = 0;

    while (rg_frame_parse(input, &used, &frame) == 0) {
        RG_ASSERT(used > 0 && used <= input.len);
        input = rg_bytes(input.data + used, input.len - used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_buf whole = {0};
    struct rg_buf pieces = {0};

    if (size < 1 || size > 4096)
        return 0;
    struct rg_bytes input = rg_bytes(data + 1, size - 1);
    fuzz_parse(input, (data[0] & 1) != 0, SIZE_MAX / 2, &whole);
    fuzz_parse(input, (data[0] & 1) != 0, 1 + (data[0] >> 1) % 32, &pieces);
    RG_ASSERT(rg_bytes_equal(rg_buf_view(&whole), rg_buf_view(&pieces)));
    fuzz_frames(input);
    rg_buf_fini(&whole);
    rg_buf_fini(&pieces);
    return 0;
}
