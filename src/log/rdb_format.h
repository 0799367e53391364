#ifndef RG_LOG_RDB_FORMAT_H
#define RG_LOG_RDB_FORMAT_H

/* The bytes of the format that writer and reader share. */
enum {
    RDB_TYPE_STRING = 0,
    RDB_TYPE_HASH = 4,
    RDB_TYPE_HASH_ZIPMAP = 9,
    RDB_TYPE_HASH_ZIPLIST = 13,
    RDB_TYPE_HASH_LISTPACK = 16,
    RDB_TYPE_LAST = 21,

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
