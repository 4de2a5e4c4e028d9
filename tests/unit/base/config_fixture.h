/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh configuration and a folder of its own for each test of the configuration. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/config.h"

struct fixture {
    struct base_config config;
    struct proto_fault fault;
    char folder[64];
    char path[96]; /* of a file in it */
};

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL) {
        return -1;
    }
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/icpd-config-XXXXXX");
    if (mkdtemp(fixture->folder) == NULL || !base_config_init(&fixture->config, &fixture->fault)) {
        return -1;
    }
    snprintf(fixture->path, sizeof fixture->path, "%s/icpd.conf", fixture->folder);
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    rmdir(fixture->folder);
    base_config_fini(&fixture->config);
    free(fixture);
    return 0;
}

static inline void fixture_write(const struct fixture *fixture, const char *text, size_t bytes)
{
    FILE *file = fopen(fixture->path, "w");
    assert(file != NULL);
    fchmod(fileno(file), 0600);
    fwrite(text, 1, bytes, file);
    fclose(file);
}

static inline bool fixture_load(struct fixture *fixture, const char *text)
{
    fixture_write(fixture, text, strlen(text));
    return base_config_load_file(&fixture->config, fixture->path, &fixture->fault);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

#endif
