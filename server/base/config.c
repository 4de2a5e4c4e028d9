/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/config_value.h"

static const struct base_option_info options[] = {
#define X(NAME, field, flag, TYPE, default_text, min, max, APPLY, unit, help)                      \
    {#field,                                                                                       \
     flag,                                                                                         \
     BASE_TYPE_##TYPE,                                                                             \
     default_text,                                                                                 \
     min,                                                                                          \
     max,                                                                                          \
     BASE_APPLY_##APPLY,                                                                           \
     unit,                                                                                         \
     help,                                                                                         \
     offsetof(struct base_config, field)},
#include "server/base/config.def"
#undef X
};

const struct base_option_info *base_options(size_t *count)
{
    *count = BASE_OPTION_COUNT;
    return options;
}

const char *base_option_type_name(enum base_option_type type)
{
    static const char *const names[] = {"text",  "path",         "choice", "secret",
                                        "bytes", "milliseconds", "count",  "flag"};
    assert((size_t)type < sizeof names / sizeof *names);
    return names[type];
}

static char plain_letter(char letter)
{
    if (letter >= 'A' && letter <= 'Z') {
        return (char)(letter - 'A' + 'a');
    }
    return letter == '-' ? '_' : letter;
}

const struct base_option_info *base_option_find(const char *name)
{
    for (size_t i = 0; i < BASE_OPTION_COUNT; i++) {
        const char *have = options[i].name;
        size_t at = 0;
        while (have[at] != '\0' && (name[at] == have[at] || (name[at] == '-' && have[at] == '_'))) {
            at++;
        }
        if (have[at] == '\0' && name[at] == '\0') {
            return &options[i];
        }
    }
    return NULL;
}

/* Levenshtein's distance, ignoring case and the kind of dash. Names are shorter than
 * BASE_NAME_BYTES_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t row[BASE_NAME_BYTES_MAX + 1];
    size_t b_bytes = strlen(b);
    assert(b_bytes <= BASE_NAME_BYTES_MAX);
    for (size_t j = 0; j <= b_bytes; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            size_t best = diagonal + (plain_letter(a[i - 1]) != plain_letter(b[j - 1]));
            diagonal = row[j];
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            row[j] = best;
        }
    }
    return row[b_bytes];
}

const struct base_option_info *base_option_nearest(const char *name)
{
    if (strlen(name) > BASE_NAME_BYTES_MAX) {
        return NULL;
    }
    const struct base_option_info *nearest = NULL;
    /* A third of the letters may be wrong; more is no typing error. */
    size_t best = strlen(name) / 3 + 2;
    for (size_t i = 0; i < BASE_OPTION_COUNT; i++) {
        size_t d = distance(name, options[i].name);
        if (d < best) {
            best = d;
            nearest = &options[i];
        }
    }
    return nearest;
}

/* The field of an option; config.def says which C type it has. */
static void *field_of(struct base_config *config, const struct base_option_info *option)
{
    return (unsigned char *)config + option->offset;
}

static char **text_of(struct base_config *config, const struct base_option_info *option)
{
    return field_of(config, option);
}

static void origin_set(struct base_origin *origin, enum base_origin_kind kind, const char *place)
{
    origin->kind = kind;
    size_t bytes = strlen(place);
    bool cut = bytes >= sizeof origin->place;
    if (cut) {
        place += bytes - (sizeof origin->place - 4);
    }
    snprintf(origin->place, sizeof origin->place, "%s%s", cut ? "..." : "", place);
}

static bool value_set(struct base_config *config, const struct base_option_info *option,
                      const char *text, uint64_t number, struct proto_fault *fault)
{
    if (base_value_is_text(option->type)) {
        char *copy = strdup(text);
        if (copy == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, option->name,
                                   "no memory for the configuration");
        }
        char **field = text_of(config, option);
        free(*field);
        *field = copy;
    } else if (option->type == BASE_TYPE_FLAG) {
        *(bool *)field_of(config, option) = number != 0;
    } else {
        *(uint64_t *)field_of(config, option) = number;
    }
    return true;
}

bool base_config_set(struct base_config *config, const char *name, const char *text,
                     enum base_origin_kind kind, const char *place, struct proto_fault *fault)
{
    const struct base_option_info *option = base_option_find(name);
    if (option == NULL) {
        const struct base_option_info *nearest = base_option_nearest(name);
        return proto_fault_set(fault, PROTO_BAD_CONFIG, name, "%s: unknown option '%.64s'%s%s%s",
                               place, name, nearest != NULL ? "; did you mean '" : "",
                               nearest != NULL ? nearest->name : "", nearest != NULL ? "'?" : "");
    }
    uint64_t number;
    struct proto_fault value_fault;
    if (!base_value_parse(option, text, &number, &value_fault)) {
        return proto_fault_set(fault, value_fault.code, option->name, "%s: %s", place,
                               value_fault.message);
    }
    struct base_origin *origin = &config->origins[option - options];
    if (kind < origin->kind) {
        return true;
    }
    if (!value_set(config, option, text, number, fault)) {
        return false;
    }
    origin_set(origin, kind, place);
    return true;
}

bool base_config_init(struct base_config *config, struct proto_fault *fault)
{
    *config = (struct base_config){0};
    for (size_t i = 0; i < BASE_OPTION_COUNT; i++) {
        if (!base_config_set(config, options[i].name, options[i].default_text, BASE_ORIGIN_DEFAULT,
                             "default", fault)) {
            return false;
        }
    }
    return true;
}

void base_config_fini(struct base_config *config)
{
    for (size_t i = 0; i < BASE_OPTION_COUNT; i++) {
        if (!base_value_is_text(options[i].type)) {
            continue;
        }
        char **field = text_of(config, &options[i]);
        if (*field != NULL && options[i].type == BASE_TYPE_SECRET) {
            explicit_bzero(*field, strlen(*field));
        }
        free(*field);
        *field = NULL;
    }
}

uint64_t base_config_number(const struct base_config *config, const struct base_option_info *option)
{
    const unsigned char *field = (const unsigned char *)config + option->offset;
    if (option->type == BASE_TYPE_FLAG) {
        bool flag;
        memcpy(&flag, field, sizeof flag);
        return flag;
    }
    uint64_t number;
    memcpy(&number, field, sizeof number);
    return number;
}

const char *base_config_text(const struct base_config *config,
                             const struct base_option_info *option)
{
    const char *text;
    memcpy(&text, (const unsigned char *)config + option->offset, sizeof text);
    return text != NULL ? text : "";
}
