#include "sim/forms.h"

/*
 * A letter behind '%' is a word that is drawn: a key by the type it should hold (sometimes it holds
 * another one), a member of few, a small number, a time to live.
 */
static const char *const form_list[] = {
    /* Strings, and keys of any kind. */
    "SET %k %n",
    "SET %k %n PX %p",
    "SET %k %n NX GET",
    "APPEND %k %n",
    "INCRBYFLOAT %f 0.1",
    "SETRANGE %k 3 %n",
    "GETEX %k PX %p",
    "PEXPIRE %a %p",
    "EXPIRE %a 1 GT",
    "PERSIST %a",
    "DEL %a",
    "UNLINK %a %a",
    "RENAME %a %a",
    "RENAMENX %a %a",
    "COPY %a %a REPLACE",
    "COPY %a %a DB 1",
    "GETDEL %k",
    "MSET %k %n %k %n",
    "SETEX %k 1 %n",
    "GETSET %k %n",
    "EXISTS %a",
    "TTL %a",
    "MOVE %a 1",
    "SETBIT %b %i 1",
    "BITFIELD %b OVERFLOW SAT INCRBY u4 %i 3 SET i8 #%i -7",
    "BITOP XOR %b %b %k",
    "PFADD %y %n %n %n",
    "PFMERGE %y %y %y",
    "PFCOUNT %y %y",
    /* Hashes. */
    "HSET %h %n 1 x %n",
    "HINCRBY %h c 3",
    "HDEL %h x",
    "HINCRBYFLOAT %h y 1.5",
    "HSETNX %h %n z",
    "HLEN %h",
    "HRANDFIELD %h 3 WITHVALUES",
    /* Lists. */
    "RPUSH %l %n %n %n",
    "LPUSH %l %n",
    "LPUSHX %l %n",
    "LPOP %l",
    "RPOP %l 2",
    "LINSERT %l BEFORE %m %n",
    "LSET %l 0 %n",
    "LREM %l 1 %m",
    "LTRIM %l 0 12",
    "LMOVE %l %l LEFT RIGHT",
    "RPOPLPUSH %l %l",
    "LMPOP 2 %l %l RIGHT COUNT 2",
    "RPUSH %l %m %m",
    "BLPOP %l %l 0.05",
    "BLMOVE %l %l RIGHT LEFT 0.05",
    "SORT %l ALPHA STORE %l",
    "SORT %s ALPHA DESC LIMIT 0 5 STORE %l",
    /* Sets. */
    "SADD %s %m %m",
    "SADD %s %i %i",
    "SREM %s %m",
    "SPOP %s",
    "SPOP %s 3",
    "SMOVE %s %s %m",
    "SUNIONSTORE %s %s %s",
    "SINTERSTORE %s %s %s",
    "SDIFFSTORE %s %s %s",
    "SRANDMEMBER %s 2",
    /* Sorted sets. */
    "ZADD %z %i %m %i %m",
    "ZADD %z GT CH %i %m",
    "ZADD %z INCR 0.3 %m",
    "ZINCRBY %z -1.7 %m",
    "ZREM %z %m",
    "ZPOPMIN %z 2",
    "ZPOPMAX %z",
    "ZMPOP 2 %z %z MAX COUNT 2",
    "BZPOPMIN %z %z 0.05",
    "ZUNIONSTORE %z 2 %z %z WEIGHTS 0.5 3 AGGREGATE MAX",
    "ZINTERSTORE %z 2 %z %s",
    "ZDIFFSTORE %z 2 %z %z",
    "ZRANGESTORE %z %z 0 4 REV",
    "ZREMRANGEBYRANK %z 8 -1",
    "ZREMRANGEBYSCORE %z (30 +inf",
    "GEOADD %z 13.%i 38.%i %m",
    "GEOSEARCHSTORE %z %z FROMLONLAT 13 38 BYRADIUS 90 km STOREDIST",
};

/* Few keys of each kind, so that commands meet; 'a' is a key of any kind. */
static void form_key(struct sim_loop *loop, char kind, struct rg_buf *out)
{
    static const struct {
        char kind;
        const char *name;
        unsigned count;
    } kinds[] = {
        {'k', "key", 8},  {'f', "float", 2}, {'b', "bits", 2}, {'y', "hll", 2},
        {'h', "hash", 4}, {'l', "list", 3},  {'s', "set", 3},  {'z', "zset", 3},
    };
    size_t at = 0;

    while (at < sizeof(kinds) / sizeof(kinds[0]) && kinds[at].kind != kind)
        at++;
    if (at == sizeof(kinds) / sizeof(kinds[0]))
        at = rg_rand_below(&loop->rand, at);
    rg_buf_printf(out, "%s%u", kinds[at].name,
                  (unsigned)rg_rand_below(&loop->rand, kinds[at].count));
}

static void form_word(struct sim_loop *loop, char kind, struct rg_buf *out)
{
    switch (kind) {
    case 'i':
        rg_buf_printf(out, "%u", (unsigned)rg_rand_below(&loop->rand, 40));
        break;
    case 'm':
        rg_buf_printf(out, "m%u", (unsigned)rg_rand_below(&loop->rand, 24));
        break;
    case 'n':
        rg_buf_printf(out, "x%u", (unsigned)rg_rand_below(&loop->rand, 1000));
        break;
    case 'p':
        rg_buf_printf(out, "%u", (unsigned)rg_rand_below(&loop->rand, 1500) + 1);
        break;
    default:
        form_key(loop, kind, out);
        break;
    }
}

void sim_form_draw(struct sim_loop *loop, struct rg_buf *request)
{
    size_t forms = sizeof(form_list) / sizeof(form_list[0]);

    for (const char *p = form_list[rg_rand_below(&loop->rand, forms)]; *p != '\0'; p++) {
        if (*p == '%')
            form_word(loop, *++p, request);
        else
            rg_buf_append_char(request, *p);
    }
    rg_buf_append_str(request, "\r\n");
}
