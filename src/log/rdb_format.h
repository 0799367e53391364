#ifndef RG_LOG_RDB_FORMAT_H
#define RG_LOG_RDB_FORMAT_H

/* The bytes of the format that writer and reader share. */
enum {
    RDB_TYPE_STRING = 0,
    RDB_TYPE_LIST = 1,
    RDB_TYPE_SET = 2,
    RDB_TYPE_ZSET = 3, /* scores as text */
    RDB_TYPE_HASH = 4,
    RDB_TYPE_ZSET_2 = 5, /* scores as doubles */
    RDB_TYPE_MODULE = 6,
    RDB_TYPE_MODULE_2 = 7,
    RDB_TYPE_HASH_ZIPMAP = 9,
    RDB_TYPE_LIST_ZIPLIST = 10,
    RDB_TYPE_SET_INTSET = 11,
    RDB_TYPE_ZSET_ZIPLIST = 12,
    RDB_TYPE_HASH_ZIPLIST = 13,
    RDB_TYPE_LIST_QUICKLIST = 14, /* nodes that are ziplists */
    RDB_TYPE_STREAM = 15,
    RDB_TYPE_HASH_LISTPACK = 16,
    RDB_TYPE_ZSET_LISTPACK = 17,
    RDB_TYPE_LIST_QUICKLIST_2 = 18, /* nodes that are listpacks or one element */
    RDB_TYPE_STREAM_2 = 19,
    RDB_TYPE_SET_LISTPACK = 20, /* of version 11 */
    RDB_TYPE_STREAM_3 = 21,     /* of version 11 */
    RDB_TYPES,

    RDB_NODE_PLAIN = 1,
    RDB_NODE_PACKED = 2,

    RDB_DOUBLE_NAN = 253,
    RDB_DOUBLE_INF = 254,
    RDB_DOUBLE_MINUS_INF = 255,

    RDB_OP_FUNCTION2 = 0xf5,
    RDB_OP_FUNCTION_PRE_GA = 0xf6,
    RDB_OP_MODULE_AUX = 0xf7,
    RDB_OP_IDLE = 0xf8,
    RDB_OP_FREQ = 0xf9,
    RDB_OP_AUX = 0xfa,
    RDB_OP_RESIZEDB = 0xfb,
    RDB_OP_EXPIRETIME_MS = 0xfc,
    RDB_OP_EXPIRETIME = 0xfd,
    RDB_OP_SELECTDB = 0xfe,
    RDB_OP_EOF = 0xff,

    RDB_LEN_64 = 0x81,
    RDB_LEN_32 = 0x80,
    RDB_ENC_INT8 = 0xc0,
    RDB_ENC_INT16 = 0xc1,
    RDB_ENC_INT32 = 0xc2,
    RDB_ENC_LZF = 0xc3,
};

#endif
