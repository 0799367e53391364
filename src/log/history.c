#include "log/history.h"

#include "base/number.h"
#include "base/panic.h"

void rg_history_reset(struct rg_history *history)
{
    history->count = 0;
}

void rg_history_push(struct rg_history *history, uint64_t term, const char *replid, uint64_t start)
{
    RG_ASSERT(strlen(replid) == RG_REPLID_LEN);
    if (history->count > 0) {
        uint64_t last = history->terms[history->count - 1].start;
        RG_ASSERT(start >= last);
        if (start == last && start > 0)
            history->count--;
    }
    if (history->count == RG_HISTORY_MAX) {
        memmove(&history->terms[0], &history->terms[1],
                sizeof(history->terms[0]) * (RG_HISTORY_MAX - 1));
        history->count--;
    }
    struct rg_history_term *added = &history->terms[history->count++];
    added->term = term;
    added->start = start;
    memcpy(added->replid, replid, RG_REPLID_LEN + 1);
}

const struct rg_history_term *rg_history_at(const struct rg_history *history, uint64_t end)
{
    for (unsigned i = history->count; i-- > 0;)
        if (history->terms[i].start < end)
            return &history->terms[i];
    return NULL;
}

int rg_history_agrees(const struct rg_history *history, uint64_t own_end, struct rg_bytes replid,
                      uint64_t end, uint64_t *ret_agreed)
{
    uint64_t left = own_end; /* where this log leaves the term looked at */
    for (unsigned i = history->count; i-- > 0;) {
        const struct rg_history_term *term = &history->terms[i];
        if (rg_bytes_equal(rg_bytes(term->replid, RG_REPLID_LEN), replid)) {
            if (end < term->start || left < term->start)
                return RG_ENOENT;
            *ret_agreed = end < left ? end : left;
            return 0;
        }
        if (term->start < left)
            left = term->start;
    }
    return RG_ENOENT;
}

void rg_history_format(const struct rg_history *history, struct rg_buf *out)
{
    for (unsigned i = 0; i < history->count; i++) {
        const struct rg_history_term *term = &history->terms[i];
        rg_buf_printf(out, "%s%llu:%s:%llu", i > 0 ? "," : "", (unsigned long long)term->term,
                      term->replid, (unsigned long long)term->start);
    }
}

/* Takes the text up to a separator (or all of it) off the front. */
static struct rg_bytes history_split(struct rg_bytes *text, char separator)
{
    const char *at = text->len > 0 ? memchr(text->data, separator, text->len) : NULL;
    size_t len = at != NULL ? (size_t)(at - text->data) : text->len;
    struct rg_bytes part = {text->data, len};
    size_t used = at != NULL ? len + 1 : len;
    *text = rg_bytes(text->data + used, text->len - used);
    return part;
}

static int history_parse_term(struct rg_bytes text, struct rg_history_term *ret_term)
{
    struct rg_bytes number = history_split(&text, ':');
    struct rg_bytes replid = history_split(&text, ':');
    struct rg_history_term term = {0};
    if (rg_parse_u64(number, &term.term) < 0 || rg_parse_u64(text, &term.start) < 0)
        return RG_EINVAL;
    if (replid.len != RG_REPLID_LEN)
        return RG_EINVAL;
    for (size_t i = 0; i < replid.len; i++)
        if (replid.data[i] <= ' ' || replid.data[i] > '~')
            return RG_EINVAL;
    memcpy(term.replid, replid.data, RG_REPLID_LEN);
    *ret_term = term;
    return 0;
}

int rg_history_parse(struct rg_bytes text, struct rg_history *ret_history)
{
    struct rg_history history = {.count = 0};
    bool more = text.len > 0;
    while (more) {
        /* A comma at the very end leaves an empty term behind it, which is refused. */
        more = memchr(text.data, ',', text.len) != NULL;
        struct rg_history_term *term = &history.terms[history.count];
        if (history.count == RG_HISTORY_MAX ||
            history_parse_term(history_split(&text, ','), term) < 0)
            return RG_EINVAL;
        uint64_t last = history.count > 0 ? history.terms[history.count - 1].start : 0;
        if (term->start < last || (term->start == last && last > 0))
            return RG_EINVAL;
        history.count++;
    }
    *ret_history = history;
    return 0;
}
