#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "log/aof.h"
#include "log/aof_manifest.h"

/*
 * Files of the log on disk and manifests, as anything may have left them. The first byte is the
 * size of the pieces in which the file comes. What a manifest says is written as it was read.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_file(struct rg_bytes file, size_t step)
{
    struct rg_aof_reader *reader = rg_aof_reader_new(0);
    struct rg_aof_item item;
    uint64_t end = 0;
    int result = RG_EAGAIN;

    for (size_t at = 0; at < file.len && result == RG_EAGAIN; at += step) {
        size_t n = file.len - at < step ? file.len - at : step;
        rg_aof_reader_feed(reader, rg_bytes(file.data + at, n));
        while ((result = rg_aof_reader_next(reader, &item)) == 0) {
            if (item.position != end || item.size == 0)
                abort();
            end += item.size;
        }
    }
    if (result == RG_EAGAIN && end + rg_aof_reader_left(reader) != file.len)
        abort();
    rg_aof_reader_free(reader);
}

static void fuzz_manifest(struct rg_bytes text)
{
    struct rg_aof_manifest manifest = {0};
    struct rg_aof_manifest again = {0};
    struct rg_buf error = {0};
    struct rg_buf out = {0};

    if (rg_aof_manifest_parse(text, &manifest, &error) == 0 && manifest.count > 0) {
        rg_aof_manifest_format(&manifest, &out);
        if (rg_aof_manifest_parse(rg_buf_view(&out), &again, &error) < 0 ||
            again.count != manifest.count)
            abort();
    }
    rg_aof_manifest_fini(&manifest);
    rg_aof_manifest_fini(&again);
    rg_buf_fini(&error);
    rg_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    fuzz_file(rg_bytes(data + 1, size - 1), data[0] == 0 ? size : data[0]);
    fuzz_manifest(rg_bytes(data + 1, size - 1));
    return 0;
}
