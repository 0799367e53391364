#ifndef RG_BASE_PAGES_H
#define RG_BASE_PAGES_H

#include <stddef.h>

/* Whole pages of zeroed memory from the system, without an allocator in between. */

/* size and align are powers of two and multiples of a page. NULL where there is no memory. */
void *rg_pages_map(size_t size, size_t align);
void rg_pages_unmap(void *pages, size_t size);
/* The range stays, and reads as zeroes; what was in it costs no memory any more. */
void rg_pages_discard(void *pages, size_t size);

#endif
