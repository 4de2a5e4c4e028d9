/* SPDX-License-Identifier: Apache-2.0 */
/* icp-reference PAGE: prints a page of docs/reference. Without a page, lists the pages. */
#include "tools/reference/reference.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*print)(FILE *out);
} pages[] = {
#define X(NAME, ending) {#NAME, reference_page_##NAME},
#include "tools/reference/pages.def"
#undef X
};

#define PAGE_COUNT (sizeof(pages) / sizeof(pages[0]))

int main(int argc, char **argv)
{
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        if (argc == 1) {
            (void)printf("%s\n", pages[i].name);
        } else if (argc == 2 && strcmp(argv[1], pages[i].name) == 0) {
            pages[i].print(stdout);
            return fflush(stdout) == 0 && ferror(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    if (argc > 1) {
        (void)fprintf(stderr, "icp-reference: no such page; without arguments it lists them\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
