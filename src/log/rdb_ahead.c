#include "log/rdb_ahead.h"

#include "log/rdb_format.h"

enum { KEYS_AHEAD = 8, LONG_LEN_BYTES = 5 };

/* What is left to look at. */
struct view {
    const unsigned char *at;
    size_t left;
};

static bool view_skip(struct view *view, uint64_t n)
{
    if (n > view->left)
        return false;
    view->at += n;
    view->left -= (size_t)n;
    return true;
}

/* A plain length of up to 32 bits; others are left to the reader. */
static bool view_length(struct view *view, uint64_t *ret_len)
{
    if (view->left < LONG_LEN_BYTES)
        return false;
    const unsigned char *p = view->at;
    if (p[0] < 0x40) {
        *ret_len = p[0];
        return view_skip(view, 1);
    }
    if (p[0] < 0x80) {
        *ret_len = (p[0] & 0x3fu) << 8 | p[1];
        return view_skip(view, 2);
    }
    if (p[0] != RDB_LEN_32)
        return false;
    *ret_len = (uint64_t)p[1] << 24 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 8 | p[4];
    return view_skip(view, LONG_LEN_BYTES);
}

/* ret_text is empty where the string is not written as it is. */
static bool view_string(struct view *view, struct rg_bytes *ret_text)
{
    uint64_t len = 0;
    uint64_t unpacked_len = 0;
    *ret_text = (struct rg_bytes){0};
    if (view->left == 0)
        return false;
    unsigned b = *view->at;
    if (b >= RDB_ENC_INT8 && b <= RDB_ENC_INT32)
        return view_skip(view, 1 + (1u << (b - RDB_ENC_INT8)));
    if (b == RDB_ENC_LZF)
        return view_skip(view, 1) && view_length(view, &len) && view_length(view, &unpacked_len) &&
               view_skip(view, len);
    if (!view_length(view, &len))
        return false;
    *ret_text = rg_bytes(view->at, (size_t)len);
    return view_skip(view, len);
}

/* Whether a value of the type is one string. */
static bool is_one_string(unsigned type)
{
    return type == RDB_TYPE_STRING ||
           (type >= RDB_TYPE_HASH_ZIPMAP && type <= RDB_TYPE_HASH_ZIPLIST) ||
           type == RDB_TYPE_HASH_LISTPACK || type == RDB_TYPE_ZSET_LISTPACK ||
           type == RDB_TYPE_SET_LISTPACK;
}

/* Passes over what is said of a key before it; *ret_any tells whether there was something. */
static bool view_about_key(struct view *view, bool *ret_any)
{
    uint64_t idle_s = 0;
    unsigned op = view->left > 0 ? *view->at : 0;
    *ret_any = true;
    if (op == RDB_OP_EXPIRETIME_MS)
        return view_skip(view, 9);
    if (op == RDB_OP_EXPIRETIME)
        return view_skip(view, 5);
    if (op == RDB_OP_FREQ)
        return view_skip(view, 2);
    if (op == RDB_OP_IDLE)
        return view_skip(view, 1) && view_length(view, &idle_s);
    *ret_any = false;
    return true;
}

static bool view_key(struct view *view, struct rg_bytes *ret_key)
{
    struct rg_bytes value;
    bool more = true;
    while (more) {
        if (!view_about_key(view, &more))
            return false;
    }
    return view->left > 0 && is_one_string(*view->at) && view_skip(view, 1) &&
           view_string(view, ret_key) && view_string(view, &value);
}

bool rdb_ahead_next(struct rdb_ahead *ahead, const struct rdb_source *s, struct rg_bytes *ret_key)
{
    struct rg_bytes all = rg_buf_view(&s->in);
    if (ahead->at < s->taken)
        *ahead = (struct rdb_ahead){.at = s->taken};
    if (ahead->keys == KEYS_AHEAD || ahead->at == all.len)
        return false;
    struct view view = {(const unsigned char *)all.data + ahead->at, all.len - ahead->at};
    if (!view_key(&view, ret_key))
        return false;
    ahead->at = all.len - view.left;
    ahead->keys++;
    return true;
}
