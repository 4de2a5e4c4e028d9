/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration from a file and from the environment. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <string.h>

#include "server/base/config_secret.h"
#include "server/base/config_value.h"

#define ENV_PREFIX "ICPD_"
#define ENV_NAME_BYTES_MAX 64

struct load {
    struct base_config *config;
    FILE *file;
    const char *path;
    unsigned line;
    bool failed;
    struct proto_fault *fault;
    unsigned lines[BASE_OPTION_COUNT]; /* where each option stood, 0 = not yet */
};

static void load_fail(struct load *load, const char *message)
{
    if (!load->failed) {
        proto_fault_set(load->fault, PROTO_BAD_CONFIG, "", "%s:%u: %s", load->path, load->line,
                        message);
    }
    load->failed = true;
}

/* Counts the lines, which inih does not tell its handler, and refuses what inih would cut. */
static char *read_line(char *line, int room, void *context)
{
    struct load *load = context;
    if (load->failed || fgets(line, room, load->file) == NULL) {
        return NULL;
    }
    load->line++;
    size_t bytes = strlen(line);
    bool whole = (bytes > 0 && line[bytes - 1] == '\n') || feof(load->file);
    if (!whole) {
        char message[80];
        bool zero = bytes + 1 < (size_t)room;
        snprintf(message, sizeof message, "the line %s %d bytes",
                 zero ? "has a zero byte or is longer than" : "is longer than", room - 2);
        load_fail(load, message);
        return NULL;
    }
    if (line[0] == ' ' || line[0] == '\t') {
        size_t start = strspn(line, " \t\r\n");
        /* inih takes an indented line for more of the value above; here it is a plain line. */
        memmove(line, line + start, bytes - start + 1);
    }
    return line;
}

static int take_pair(void *context, const char *section, const char *name, const char *value)
{
    struct load *load = context;
    if (load->failed) {
        return 0;
    }
    if (section[0] != '\0' && strcmp(section, "icpd") != 0) {
        load_fail(load, "unknown section; options stand before any section or in [icpd]");
        return 0;
    }
    const struct base_option_info *option = base_option_find(name);
    if (option != NULL) {
        size_t count;
        unsigned *first = &load->lines[option - base_options(&count)];
        if (*first != 0) {
            char message[160];
            snprintf(message, sizeof message, "%s is given twice, first in line %u", option->name,
                     *first);
            load_fail(load, message);
            return 0;
        }
        *first = load->line;
        if (option->type == BASE_TYPE_SECRET && value[0] != '\0' &&
            !base_secret_check_mode(load->file, option->name, load->path, load->fault)) {
            load->failed = true;
            return 0;
        }
    }
    char place[4200];
    snprintf(place, sizeof place, "%s:%u", load->path, load->line);
    if (!base_config_set(load->config, name, value, BASE_ORIGIN_FILE, place, load->fault)) {
        load->failed = true;
    }
    return load->failed ? 0 : 1;
}

bool base_config_load_file(struct base_config *config, const char *path, struct proto_fault *fault)
{
    struct load load = {.config = config, .path = path, .fault = fault};
    load.file = fopen(path, "re");
    if (load.file == NULL) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "", "cannot read %s: %s", path,
                               strerror(errno));
    }
    int line = ini_parse_stream(read_line, &load, take_pair, &load);
    if (!load.failed && ferror(load.file)) {
        load.failed = true;
        proto_fault_set(fault, PROTO_BAD_CONFIG, "", "cannot read %s: %s", path, strerror(errno));
    } else if (!load.failed && line > 0) {
        load.line = (unsigned)line;
        load_fail(&load, "not a line of the form name = value");
    } else if (!load.failed && line < 0) {
        load.failed = true;
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to read %s", path);
    }
    fclose(load.file);
    return !load.failed;
}

/* Of others: our own ICPD_CONFIG, and what Kubernetes tells every container of a Service that is
 * named icpd: ICPD_SERVICE_HOST, ICPD_PORT_4273_TCP and, of all names,
 * ICPD_PORT=tcp://10.0.0.1:4273.
 */
static bool is_foreign(const char *name, const char *value)
{
    return strcmp(name, "config") == 0 || strncmp(name, "service_", 8) == 0 ||
           strncmp(name, "port_", 5) == 0 ||
           (strcmp(name, "port") == 0 &&
            (strncmp(value, "tcp://", 6) == 0 || strncmp(value, "udp://", 6) == 0));
}

bool base_config_load_env(struct base_config *config, char *const *environment,
                          struct proto_fault *fault)
{
    const size_t prefix_bytes = strlen(ENV_PREFIX);
    for (; *environment != NULL; environment++) {
        const char *entry = *environment;
        const char *equals = strchr(entry, '=');
        if (strncmp(entry, ENV_PREFIX, prefix_bytes) != 0 || equals == NULL) {
            continue;
        }
        char place[ENV_NAME_BYTES_MAX];
        char name[ENV_NAME_BYTES_MAX];
        size_t bytes = (size_t)(equals - entry) - prefix_bytes;
        if (bytes >= sizeof name - prefix_bytes) {
            bytes = sizeof name - prefix_bytes - 1; /* cut, and so unknown */
        }
        for (size_t i = 0; i < bytes; i++) {
            name[i] = (char)tolower((unsigned char)entry[prefix_bytes + i]);
        }
        name[bytes] = '\0';
        if (is_foreign(name, equals + 1)) {
            continue;
        }
        snprintf(place, sizeof place, "%.*s", (int)(prefix_bytes + bytes), entry);
        if (!base_config_set(config, name, equals + 1, BASE_ORIGIN_ENVIRONMENT, place, fault)) {
            return false;
        }
    }
    return true;
}
