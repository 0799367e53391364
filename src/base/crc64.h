#ifndef RG_BASE_CRC64_H
#define RG_BASE_CRC64_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-64 as RDB files carry it ("Jones": polynomial 0xad93d23594c935a9, reflected, initial value 0,
 * no final xor). Feed runs in order, with the previous result as crc; start with 0.
 */
uint64_t rg_crc64(uint64_t crc, const void *data, size_t len);

#endif
