#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "log/aof.h"
#include "log/aof_manifest.h"
#include "log/aof_strip.h"

/*
 * Files of the log on disk and manifests, as anything may have left them. The first byte is the
 * size of the pieces in which the file comes. What a manifest says is written as it was read, and
 * what is passed on to replicas is the same whatever the pieces: the file without its notes.
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

static void fuzz_strip_all(struct rg_bytes file, size_t step, struct rg_buf *out)
{
    struct rg_aof_strip strip;
    int result = RG_EAGAIN;

    rg_aof_strip_init(&strip);
    for (size_t at = 0; at < file.len && result == RG_EAGAIN; at += step) {
        struct rg_bytes piece =
            rg_bytes(file.data + at, file.len - at < step ? file.len - at : step);
        struct rg_bytes run;
        while ((result = rg_aof_strip_next(&strip, &piece, &run)) == 0)
            rg_buf_append_bytes(out, run);
    }
}

/* Up to where the file is one, both ways give the same; commands stay as they were. */
static void fuzz_strip(struct rg_bytes file, size_t step)
{
    struct rg_buf pieces = {0};
    struct rg_buf whole = {0};
    struct rg_buf commands = {0};
    struct rg_aof_reader *reader = rg_aof_reader_new(0);
    struct rg_aof_item item;

    fuzz_strip_all(file, step, &pieces);
    fuzz_strip_all(file, file.len + 1, &whole);
    size_t len =
        rg_buf_len(&pieces) < rg_buf_len(&whole) ? rg_buf_len(&pieces) : rg_buf_len(&whole);
    if (len > 0 && memcmp(rg_buf_view(&pieces).data, rg_buf_view(&whole).data, len) != 0)
        abort();
    rg_aof_reader_feed(reader, file);
    while (rg_aof_reader_next(reader, &item) == 0 && item.type != RG_AOF_HEAD) {
        if (item.type == RG_AOF_COMMAND)
            rg_buf_append_bytes(&commands, item.raw);
    }
    len = rg_buf_len(&commands) < rg_buf_len(&pieces) ? rg_buf_len(&commands) : rg_buf_len(&pieces);
    if (len > 0 && memcmp(rg_buf_view(&pieces).data, rg_buf_view(&commands).data, len) != 0)
        abort();
    rg_aof_reader_free(reader);
    rg_buf_fini(&pieces);
    rg_buf_fini(&whole);
    rg_buf_fini(&commands);
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
    fuzz_strip(rg_bytes(data + 1, size - 1), data[0] == 0 ? size : data[0]);
    fuzz_manifest(rg_bytes(data + 1, size - 1));
    return 0;
}
