#include "core/group.h"

#include <inttypes.h>

#include "base/crc64.h"
#include "base/number.h"

/*
 * The state file:
 *
 *     regent-state 3
 *     term 4
 *     voted-for 2
 *     formed 1
 *     founded 3
 *     founded-mode quorum
 *     first-promise 2
 *     on-disk 1
 *     disk-term 4
 *     disk-offset 123456
 *     incarnation 7
 *     clean 0
 *     clean-offset 0
 *     clean-replid -
 *     crc64 0123456789abcdef
 *
 * The checksum covers every byte before its own line. A person can read it; a torn or edited file
 * is refused, because a wrong vote is worse than none.
 *
 * Version 1 had neither `founded` and its mode nor `first-promise`. A node that was in no group yet
 * moved to its term by a promise, which is not older than its first. Version 2 had none of the
 * lines about the disk; its log counted in memory.
 */
enum { DURABLE_VERSION = 3, DURABLE_CRC_LINE = 6 + 16 + 1, DURABLE_REPLID_LEN = 40 };

void rg_group_durable_format(const struct rg_group_durable *durable, struct rg_buf *out)
{
    size_t start = rg_buf_len(out);

    rg_buf_printf(out,
                  "regent-state 3\nterm %" PRIu64 "\nvoted-for %d\nformed %d\nfounded %" PRIu64
                  "\nfounded-mode %s\nfirst-promise %" PRIu64 "\non-disk %d\ndisk-term %" PRIu64
                  "\ndisk-offset %" PRIu64 "\nincarnation %" PRIu64
                  "\nclean %d\nclean-offset %" PRIu64 "\nclean-replid %s\n",
                  durable->term, durable->voted_for, durable->formed, durable->founded,
                  rg_mode_name(durable->founded_mode), durable->first_promise, durable->on_disk,
                  durable->disk.term, durable->disk.offset, durable->incarnation, durable->clean,
                  durable->clean_offset,
                  durable->clean_replid[0] != '\0' ? durable->clean_replid : "-");
    struct rg_bytes text = rg_buf_view(out);
    rg_buf_printf(out, "crc64 %016" PRIx64 "\n", rg_crc64(0, text.data + start, text.len - start));
}

/* Takes the value of the next line, which must begin with key and a blank. */
static int durable_line(struct rg_bytes *text, const char *key, struct rg_bytes *ret_value)
{
    size_t key_len = strlen(key);
    const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;

    if (end == NULL)
        return RG_ECORRUPT;
    size_t line_len = (size_t)(end - text->data);
    if (line_len <= key_len || memcmp(text->data, key, key_len) != 0 || text->data[key_len] != ' ')
        return RG_ECORRUPT;
    *ret_value = rg_bytes(text->data + key_len + 1, line_len - key_len - 1);
    *text = rg_bytes(end + 1, text->len - line_len - 1);
    return 0;
}

static int durable_u64(struct rg_bytes *text, const char *key, uint64_t max, uint64_t *ret_value)
{
    struct rg_bytes value = {0};

    if (durable_line(text, key, &value) < 0 || rg_parse_u64(value, ret_value) < 0 ||
        *ret_value > max)
        return RG_ECORRUPT;
    return 0;
}

static int durable_voted_for(struct rg_bytes *text, int *ret_member)
{
    struct rg_bytes value = {0};
    int64_t member = 0;

    if (durable_line(text, "voted-for", &value) < 0 || rg_parse_i64(value, &member) < 0 ||
        member < -1 || member >= RG_GROUP_MAX_MEMBERS)
        return RG_ECORRUPT;
    *ret_member = (int)member;
    return 0;
}

static int durable_replid(struct rg_bytes *text, char ret_replid[DURABLE_REPLID_LEN + 1])
{
    struct rg_bytes value = {0};

    if (durable_line(text, "clean-replid", &value) < 0)
        return RG_ECORRUPT;
    if (rg_bytes_is(value, "-"))
        return 0;
    if (value.len != DURABLE_REPLID_LEN)
        return RG_ECORRUPT;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return RG_ECORRUPT;
    }
    memcpy(ret_replid, value.data, value.len);
    ret_replid[value.len] = '\0';
    return 0;
}

static bool durable_crc_holds(struct rg_bytes text)
{
    char expected[DURABLE_CRC_LINE + 1];

    if (text.len < DURABLE_CRC_LINE)
        return false;
    size_t body = text.len - DURABLE_CRC_LINE;
    uint64_t crc = rg_crc64(0, text.data, body);
    static const char digits[] = "0123456789abcdef";
    memcpy(expected, "crc64 ", 6);
    for (unsigned i = 0; i < 16; i++)
        expected[6 + i] = digits[(crc >> (60 - 4 * i)) & 15];
    expected[DURABLE_CRC_LINE - 1] = '\n';
    return memcmp(text.data + body, expected, DURABLE_CRC_LINE) == 0;
}

/* What came with version 2 of the file. */
static int durable_beginning(struct rg_bytes *text, uint64_t version,
                             struct rg_group_durable *durable)
{
    struct rg_bytes mode = {0};

    if (version == 1) {
        durable->first_promise = !durable->formed && durable->voted_for >= 0 ? durable->term : 0;
        return 0;
    }
    if (durable_u64(text, "founded", UINT64_MAX, &durable->founded) < 0 ||
        durable_line(text, "founded-mode", &mode) < 0 ||
        rg_mode_of_name(mode, &durable->founded_mode) < 0 ||
        durable_u64(text, "first-promise", UINT64_MAX, &durable->first_promise) < 0)
        return RG_ECORRUPT;
    return 0;
}

/* What came with version 3. */
static int durable_disk(struct rg_bytes *text, uint64_t version, struct rg_group_durable *durable)
{
    uint64_t on_disk = 0;

    if (version < 3)
        return 0;
    if (durable_u64(text, "on-disk", 1, &on_disk) < 0 ||
        durable_u64(text, "disk-term", UINT64_MAX, &durable->disk.term) < 0 ||
        durable_u64(text, "disk-offset", UINT64_MAX, &durable->disk.offset) < 0)
        return RG_ECORRUPT;
    durable->on_disk = on_disk == 1;
    return 0;
}

int rg_group_durable_parse(struct rg_bytes text, struct rg_group_durable *ret_durable)
{
    struct rg_group_durable durable = {0};
    uint64_t version = 0;
    uint64_t formed = 0;
    uint64_t clean = 0;

    if (!durable_crc_holds(text))
        return RG_ECORRUPT;
    text.len -= DURABLE_CRC_LINE;
    if (durable_u64(&text, "regent-state", DURABLE_VERSION, &version) < 0 || version == 0 ||
        durable_u64(&text, "term", UINT64_MAX, &durable.term) < 0 ||
        durable_voted_for(&text, &durable.voted_for) < 0 ||
        durable_u64(&text, "formed", 1, &formed) < 0)
        return RG_ECORRUPT;
    durable.formed = formed == 1;
    if (durable_beginning(&text, version, &durable) < 0 ||
        durable_disk(&text, version, &durable) < 0 ||
        durable_u64(&text, "incarnation", UINT64_MAX, &durable.incarnation) < 0 ||
        durable_u64(&text, "clean", 1, &clean) < 0 ||
        durable_u64(&text, "clean-offset", UINT64_MAX, &durable.clean_offset) < 0 ||
        durable_replid(&text, durable.clean_replid) < 0 || text.len != 0)
        return RG_ECORRUPT;
    durable.clean = clean == 1;
    *ret_durable = durable;
    return 0;
}
