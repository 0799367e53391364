#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

#include "base/panic.h"

void *rg_pages_map(size_t size, size_t align)
{
    RG_ASSERT(size % align == 0 || align % size == 0);
    char *whole = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (whole == MAP_FAILED)
        return NULL;
    size_t before = (size_t)(-(uintptr_t)whole & (align - 1));
    if (before > 0)
        rg_pages_unmap(whole, before);
    rg_pages_unmap(whole + before + size, align - before);
    /*
     * To find and clear a huge page takes a virtual machine up to five milliseconds, and no command
     * may wait that long. A system without them refuses, which is as well.
     */
    (void)madvise(whole + before, size, MADV_NOHUGEPAGE);
    return whole + before;
}

void rg_pages_unmap(void *pages, size_t size)
{
    RG_ASSERT(munmap(pages, size) == 0);
}

void rg_pages_discard(void *pages, size_t size)
{
    RG_ASSERT(madvise(pages, size, MADV_DONTNEED) == 0);
}
