#include <stdint.h>

#include "base/panic.h"
#include "node/config.h"

/*
 * Any text as a configuration file: it is taken or refused with an error, and what was taken is
 * said again by CONFIG REWRITE: read anew, that gives the same values.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_value(void *arg, const char *name, struct rg_bytes value)
{
    struct rg_buf *out = arg;

    rg_buf_printf(out, "%s=", name);
    rg_buf_append_bytes(out, value);
    rg_buf_append_char(out, '\n');
}

static void fuzz_values(const struct rg_config *config, struct rg_buf *out)
{
    struct rg_bytes all = RG_BYTES("*");

    rg_config_get(config, &all, 1, fuzz_value, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_config *config = rg_config_new();
    struct rg_buf error = {0};

    if (size > 4096)
        size = 0;
    int rc = rg_config_read(config, "/f.conf", rg_bytes(data, size), NULL, NULL, &error);
    RG_ASSERT((rc == 0) == (rg_buf_len(&error) == 0));
    if (rc == 0) {
        struct rg_config *again = rg_config_new();
        struct rg_buf text = {0};
        struct rg_buf before = {0};
        struct rg_buf after = {0};
        RG_ASSERT(rg_config_rewrite(config, &text) == 0);
        RG_ASSERT(rg_config_read(again, "/f.conf", rg_buf_view(&text), NULL, NULL, &error) == 0);
        fuzz_values(config, &before);
        fuzz_values(again, &after);
        RG_ASSERT(rg_bytes_equal(rg_buf_view(&before), rg_buf_view(&after)));
        rg_buf_fini(&text);
        rg_buf_fini(&before);
        rg_buf_fini(&after);
        rg_config_free(again);
        size_t said = rg_buf_len(&error);
        rc = rg_config_check(config, &error);
        RG_ASSERT((rc == 0) == (rg_buf_len(&error) == said));
    }
    rg_buf_fini(&error);
    rg_config_free(config);
    return 0;
}
