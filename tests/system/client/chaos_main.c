/* SPDX-License-Identifier: Apache-2.0 */
/* chaos-proxy SEED: the proxy of chaos_proxy.h as a program, for tests in other languages. Prints
 * its port, then answers each line of its standard input, "backend PORT" or "mode NAME", with an
 * empty one when it is done; ends with its input. A word that it does not know ends it with 64. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/client/chaos_proxy.h"

static int mode_find(const char *name)
{
    for (int mode = 0; mode < CHAOS_MODE_COUNT; mode++) {
        if (strcmp(chaos_name((enum chaos_mode)mode), name) == 0) {
            return mode;
        }
    }
    return -1;
}

int main(int count, char **arguments)
{
    struct chaos_proxy *proxy = chaos_create(count > 1 ? strtoull(arguments[1], NULL, 10) : 1);
    char line[128];
    int status = 0;
    printf("%u\n", chaos_port(proxy));
    (void)fflush(stdout);
    while (status == 0 && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "backend ", 8) == 0) {
            chaos_backend(proxy, (unsigned)strtoul(line + 8, NULL, 10));
        } else if (strncmp(line, "mode ", 5) == 0 && mode_find(line + 5) >= 0) {
            chaos_set(proxy, (enum chaos_mode)mode_find(line + 5));
        } else {
            status = 64;
        }
        printf("\n");
        (void)fflush(stdout);
    }
    chaos_destroy(proxy);
    return status;
}
