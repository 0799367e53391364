#include "node/payload.h"

#include "node/value.h"

static void payload_dump(const void *arg, const struct rg_entry *entry, struct rg_buf *out)
{
    const struct rg_payload_codec *codec = arg;
    struct rg_rdb_writer writer;

    rg_rdb_write_payload_begin(&writer, out, *codec->compress);
    value_save(&writer, entry);
    rg_rdb_write_payload_end(&writer);
}

/* Errors: RG_ENOENT (it holds no value), and as the reader and value_load_element. */
static int payload_read(struct rg_rdb_reader *reader, struct value_load *load, struct rg_bytes key)
{
    struct rg_rdb_event event;
    bool any = false;

    for (;;) {
        int result = rg_rdb_reader_next(reader, &event);
        if (result < 0)
            return result;
        if (event.type == RG_RDB_END)
            return any ? 0 : RG_ENOENT;
        result = value_is_key(event.type) ? value_load_key(load, key, &event)
                                          : value_load_element(load, &event);
        if (result < 0)
            return result;
        any = true;
    }
}

static int payload_restore(const void *arg, struct rg_store *store, unsigned db,
                           struct rg_bytes key, struct rg_bytes payload)
{
    const struct rg_payload_codec *codec = arg;
    struct value_load load = {.access = codec->access, .now = codec->now, .store = store};
    struct rg_rdb_reader *reader = NULL;

    value_load_db(&load, db);
    int result = rg_rdb_reader_new_payload(payload, &reader);
    if (result < 0)
        return result == RG_ECORRUPT ? RG_EPROTO : result;
    rg_rdb_reader_take_runs(reader);
    result = payload_read(reader, &load, key);
    if (result < 0)
        (void)rg_db_delete(load.db, key);
    rg_rdb_reader_free(reader);
    return result;
}

void rg_payload_codec_init(struct rg_payload_codec *codec, const struct rg_access *access,
                           const struct rg_time *now, const bool *compress)
{
    *codec = (struct rg_payload_codec){.access = access, .now = now, .compress = compress};
    codec->cmd =
        (struct rg_cmd_codec){.dump = payload_dump, .restore = payload_restore, .arg = codec};
}
