/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a configuration file. What is refused must be refused by file and code; what is accepted
 * must print to a file that gives the same values. */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/config.h"
#include "tests/fuzz/fuzz.h"

/* Loads the bytes as a file that has no name on any disk. */
static bool load(struct base_config *config, const void *data, size_t bytes,
                 struct proto_fault *fault)
{
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    FUZZ_HOLDS(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool loaded = base_config_load_file(config, path, fault);
    if (!loaded) {
        FUZZ_HOLDS(fault->code == PROTO_BAD_CONFIG);
        FUZZ_HOLDS(strstr(fault->message, path) != NULL);
    }
    close(fd);
    return loaded;
}

static bool same(const struct base_config *a, const struct base_config *b)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    for (size_t i = 0; i < count; i++) {
        char one[4200];
        char two[4200];
        if (options[i].type == BASE_TYPE_SECRET) {
            continue; /* never printed */
        }
        base_config_value(a, (enum base_option)i, one, sizeof one);
        base_config_value(b, (enum base_option)i, two, sizeof two);
        if (strcmp(one, two) != 0) {
            (void)fprintf(stderr, "%s: '%s' and '%s'\n", options[i].name, one, two);
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct base_config config;
    struct base_config again;
    struct proto_fault fault = {0};
    FUZZ_HOLDS(base_config_init(&config, &fault) && base_config_init(&again, &fault));
    if (load(&config, data, bytes, &fault)) {
        char *text = NULL;
        size_t text_bytes = 0;
        FILE *out = open_memstream(&text, &text_bytes);
        FUZZ_HOLDS(out != NULL);
        base_config_print(&config, out);
        (void)fclose(out);
        FUZZ_HOLDS(load(&again, text, text_bytes, &fault));
        FUZZ_HOLDS(same(&config, &again));
        free(text);
    }
    base_config_fini(&config);
    base_config_fini(&again);
    return 0;
}
