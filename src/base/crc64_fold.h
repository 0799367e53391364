#ifndef RG_BASE_CRC64_FOLD_H
#define RG_BASE_CRC64_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of crc64.h by multiplication without carries, where the processor has it: some ten
 * times as fast as tables. Private to crc64.c.
 */
enum { RG_CRC64_FOLD_BYTES = 16, RG_CRC64_FOLD_MIN = 64 };

bool rg_crc64_can_fold(void);
/*
 * len is a multiple of RG_CRC64_FOLD_BYTES, and at least RG_CRC64_FOLD_MIN. ret_rest: the bytes
 * whose checksum, begun with 0, is that of the data, begun with crc.
 */
void rg_crc64_fold(uint64_t crc, const void *data, size_t len,
                   unsigned char ret_rest[RG_CRC64_FOLD_BYTES]);

#endif
