/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_workload.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES_MAX 65536

static const struct load_setting settings[] = {
#define X(name, value, min, max, help)                                                             \
    {#name, offsetof(struct load_workload, name), value, min, max, help},
#include "bench/load/workload.def"
#undef X
};

const struct load_setting *load_settings(size_t *count)
{
    *count = sizeof settings / sizeof *settings;
    return settings;
}

static double *value_at(struct load_workload *workload, size_t offset)
{
    return (double *)(void *)((char *)workload + offset);
}

void load_workload_default(struct load_workload *workload)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        *value_at(workload, settings[i].offset) = settings[i].value;
    }
}

bool load_workload_set(struct load_workload *workload, const char *name, const char *text,
                       struct proto_fault *fault)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct load_setting *setting = &settings[i];
        char *end;
        if (strcmp(setting->name, name) != 0) {
            continue;
        }
        double value = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(value)) {
            return proto_fault_set(fault, PROTO_BAD_CONFIG, name, "'%s' is not a number", text);
        }
        if (value < setting->min || value > setting->max) {
            return proto_fault_set(fault, PROTO_BAD_CONFIG, name, "%g is outside %g to %g", value,
                                   setting->min, setting->max);
        }
        *value_at(workload, setting->offset) = value;
        return true;
    }
    return proto_fault_set(fault, PROTO_BAD_CONFIG, name, "no setting of a workload is called '%s'",
                           name);
}

/* Cuts blanks and a comment off; returns the start. */
static char *trim(char *text)
{
    text[strcspn(text, "#")] = '\0';
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t bytes = strlen(text);
    while (bytes > 0 && isspace((unsigned char)text[bytes - 1])) {
        text[--bytes] = '\0';
    }
    return text;
}

static bool line_parse(struct load_workload *workload, char *line, struct proto_fault *fault)
{
    char *name = trim(line);
    if (*name == '\0') {
        return true;
    }
    char *equals = strchr(name, '=');
    if (equals == NULL) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "", "expected name = value");
    }
    *equals = '\0';
    return load_workload_set(workload, trim(name), trim(equals + 1), fault);
}

bool load_workload_parse(struct load_workload *workload, const char *text, const char *where,
                         struct proto_fault *fault)
{
    for (unsigned number = 1; *text != '\0'; number++) {
        char line[256];
        size_t bytes = strcspn(text, "\n");
        if (bytes >= sizeof line) {
            return proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s:%u: longer than %zu bytes",
                                   where, number, sizeof line - 1);
        }
        memcpy(line, text, bytes);
        line[bytes] = '\0';
        if (!line_parse(workload, line, fault)) {
            char message[sizeof fault->message];
            snprintf(message, sizeof message, "%s", fault->message);
            return proto_fault_set(fault, PROTO_BAD_CONFIG, fault->field, "%s:%u: %s", where,
                                   number, message);
        }
        text += bytes + (text[bytes] == '\n');
    }
    return true;
}

bool load_workload_load(struct load_workload *workload, const char *path, struct proto_fault *fault)
{
    char *text = calloc(1, FILE_BYTES_MAX + 1);
    FILE *file = fopen(path, "re");
    bool ok = text != NULL && file != NULL;
    if (!ok) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s: %s", path, strerror(errno));
    }
    if (ok && fread(text, 1, FILE_BYTES_MAX, file) == FILE_BYTES_MAX) {
        ok = proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s is longer than %d bytes", path,
                             FILE_BYTES_MAX - 1);
    }
    ok = ok && load_workload_parse(workload, text, path, fault);
    if (file != NULL) {
        fclose(file);
    }
    free(text);
    return ok;
}

struct load_arrival_options load_workload_arrival(const struct load_workload *workload)
{
    return (struct load_arrival_options){
        .rate = workload->rate,
        .even = workload->even > 0,
        .burst_factor = workload->burst_factor,
        .burst_share = workload->burst_share,
        .burst_period_s = workload->burst_period,
    };
}
