/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

static size_t rounded(size_t bytes)
{
    return (bytes + BASE_HUGE_BYTES - 1) & ~(BASE_HUGE_BYTES - 1);
}

/* One huge page more is mapped than asked for, and what stands out at both ends is given back: the
 * kernel uses huge pages for whole aligned ones only. */
void *base_pages_take(size_t bytes)
{
    size_t wanted = rounded(bytes);
    if (wanted < bytes || wanted > SIZE_MAX - BASE_HUGE_BYTES) {
        return NULL;
    }
    uint8_t *all = mmap(NULL, wanted + BASE_HUGE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        return NULL;
    }
    size_t before = rounded((uintptr_t)all) - (uintptr_t)all;
    uint8_t *pages = all + before;
    if (before > 0) {
        munmap(all, before);
    }
    if (before < BASE_HUGE_BYTES) {
        munmap(pages + wanted, BASE_HUGE_BYTES - before);
    }
    (void)madvise(pages, wanted, MADV_HUGEPAGE); /* a wish; small pages serve as well, if slower */
    return pages;
}

void base_pages_give(void *pages, size_t bytes)
{
    if (pages) {
        munmap(pages, rounded(bytes));
    }
}
