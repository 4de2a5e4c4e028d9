/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a step are options of the command that it becomes, by name: a text is the value, a
 * list several, an object NAME=VALUE each, true a switch. Steps are sorted at the end. The first
 * fault ends it, with its path. */
#include "tools/cli/import_plan.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/feature/json_place.h"
#include "server/feature/json_text.h"

enum { PLAN_FORMAT = 1, NAME_BYTES_MAX = 40, JOINED_BYTES = 1024, CHUNK_BYTES = 65536 };

static const char *const kind_names[] = {[IMPORT_PLAN_SCHEMA] = "schema",
                                         [IMPORT_PLAN_ACCOUNTS] = "accounts",
                                         [IMPORT_PLAN_EVENTS] = "events"};

const char *import_plan_kind_name(enum import_plan_kind kind)
{
    return kind_names[kind];
}

static bool bad(struct proto_fault *fault, const char *path, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, path, "%s", text);
}

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the plan");
}

void import_plan_close(struct import_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        for (size_t w = 0; w < plan->steps[i].count; w++) {
            free(plan->steps[i].words[w]);
        }
        free(plan->steps[i].words);
    }
    free(plan->steps);
    json_decref(plan->root);
    *plan = (struct import_plan){.count = 0};
}

/* Adds a word, "NAME" or "NAME=VALUE". */
static bool word_add(struct import_plan_step *step, const char *name, const char *value,
                     struct proto_fault *fault)
{
    if (step->count == step->room) {
        size_t room = step->room * 2 + 16;
        char **words = realloc(step->words, room * sizeof *words);
        if (words == NULL) {
            return no_memory(fault);
        }
        step->words = words;
        step->room = room;
    }
    size_t bytes = strlen(name) + (value != NULL ? strlen(value) + 1 : 0) + 1;
    char *word = malloc(bytes);
    if (word == NULL) {
        return no_memory(fault);
    }
    (void)snprintf(word, bytes, "%s%s%s", name, value != NULL ? "=" : "",
                   value != NULL ? value : "");
    step->words[step->count++] = word;
    return true;
}

static bool option_add(struct import_plan_step *step, const struct cli_option *option,
                       const char *value, const char *more, struct proto_fault *fault)
{
    char name[64];
    (void)snprintf(name, sizeof name, "--%s", option->name);
    return word_add(step, name, NULL, fault) &&
           (value == NULL || word_add(step, value, more, fault));
}

/* The text of a scalar; NULL: it is none. */
static const char *scalar_text(const json_t *value, char *room, size_t bytes)
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_integer(value)) {
        (void)snprintf(room, bytes, "%lld", (long long)json_integer_value(value));
        return room;
    }
    return NULL;
}

/* Options whose value is a list with commas, rather than one that is given several times. */
static bool is_joined(const struct cli_option *option)
{
    return strcmp(option->name, "match") == 0 || strcmp(option->name, "precedence") == 0;
}

static bool list_join(const json_t *list, char joined[JOINED_BYTES])
{
    size_t used = 0;
    joined[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        int bytes = text == NULL ? -1
                                 : snprintf(joined + used, JOINED_BYTES - used, "%s%s",
                                            i > 0 ? "," : "", text);
        if (bytes < 0 || (size_t)bytes >= JOINED_BYTES - used) {
            return false;
        }
        used += (size_t)bytes;
    }
    return used > 0;
}

static bool list_add(struct import_plan_step *step, const struct cli_option *option,
                     const json_t *list, const char *path, struct proto_fault *fault)
{
    char joined[JOINED_BYTES];
    if (is_joined(option)) {
        return list_join(list, joined) ? option_add(step, option, joined, NULL, fault)
                                       : bad(fault, path, "a list of names is wanted");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        char room[32];
        const char *text = scalar_text(json_array_get(list, i), room, sizeof room);
        if (text == NULL) {
            return bad(fault, path, "a list of texts is wanted");
        }
        if (!option_add(step, option, text, NULL, fault)) {
            return false;
        }
    }
    return true;
}

static bool object_add(struct import_plan_step *step, const struct cli_option *option,
                       const json_t *object, const char *path, struct proto_fault *fault)
{
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const json_t *value = json_object_iter_value(at);
        const char *text = json_is_null(value) ? "" : json_string_value(value);
        if (text == NULL) {
            return bad(fault, path, "an object of texts is wanted; null says that there is none");
        }
        if (!option_add(step, option, json_object_iter_key(at), text, fault)) {
            return false;
        }
    }
    return true;
}

static bool value_add(struct import_plan_step *step, const struct cli_option *option,
                      const json_t *value, const char *path, struct proto_fault *fault)
{
    char room[32];
    if (option->argument == NULL) {
        return json_is_boolean(value)
                   ? !json_is_true(value) || option_add(step, option, NULL, NULL, fault)
                   : bad(fault, path, "true or false is wanted");
    }
    if (json_is_array(value)) {
        return list_add(step, option, value, path, fault);
    }
    if (json_is_object(value)) {
        return object_add(step, option, value, path, fault);
    }
    const char *text = scalar_text(value, room, sizeof room);
    return text != NULL ? option_add(step, option, text, NULL, fault)
                        : bad(fault, path, "a text is wanted");
}

/* What the plan says itself, or what makes no sense in one. */
static bool is_own(const char *name)
{
    static const char *const own[] = {"plan",       "dry-run", "json",  "import-id",
                                      "everything", "again",   "schema"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(own[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct cli_option *option_find(enum cli_command_id command, const char *name)
{
    for (int id = 0; id < CLI_OPTIONS; id++) {
        const struct cli_option *option = &cli_options()[id];
        if (option->command == (int)command && strcmp(option->name, name) == 0 && !is_own(name)) {
            return option;
        }
    }
    return NULL;
}

static bool options_add(struct import_plan_step *step, const json_t *options, const char *path,
                        struct proto_fault *fault)
{
    enum cli_command_id command =
        step->kind == IMPORT_PLAN_EVENTS ? CLI_COMMAND_EVENT_IMPORT : CLI_COMMAND_IMPORT;
    void *at = json_object_iter((json_t *)(uintptr_t)options);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)options, at)) {
        char place[160];
        const char *name = json_object_iter_key(at);
        const struct cli_option *option = option_find(command, name);
        (void)snprintf(place, sizeof place, "%s.%.60s", path, name);
        if (option == NULL) {
            const struct cli_option *near = cli_nearest_option(&cli_commands()[command], name);
            return proto_fault_set(fault, PROTO_BAD_DOCUMENT, place,
                                   "'icp %s' has no such option for a plan%s%s",
                                   cli_commands()[command].name,
                                   near != NULL && !is_own(near->name) ? "; did you mean " : "",
                                   near != NULL && !is_own(near->name) ? near->name : "");
        }
        if (!value_add(step, option, json_object_iter_value(at), place, fault)) {
            return false;
        }
    }
    return true;
}

static struct import_plan_step *step_begin(struct import_plan *plan, enum import_plan_kind kind,
                                           const char *file, struct proto_fault *fault)
{
    if (plan->count == IMPORT_PLAN_STEPS_MAX) {
        bad(fault, "files", "a plan has 256 steps at most");
        return NULL;
    }
    struct import_plan_step *step = &plan->steps[plan->count++];
    *step = (struct import_plan_step){.kind = kind, .file = file, .rank = SIZE_MAX};
    bool good = kind == IMPORT_PLAN_SCHEMA
                    ? word_add(step, "schema", NULL, fault) && word_add(step, "put", NULL, fault)
                : kind == IMPORT_PLAN_ACCOUNTS
                    ? word_add(step, "import", NULL, fault)
                    : word_add(step, "event", NULL, fault) && word_add(step, "import", NULL, fault);
    return good && word_add(step, file, NULL, fault) ? step : NULL;
}

/* The plan's precedence, where a step says none itself. */
static bool precedence_add(struct import_plan *plan, struct import_plan_step *step,
                           const json_t *options, struct proto_fault *fault)
{
    char joined[JOINED_BYTES];
    const json_t *list = json_object_get(plan->root, "precedence");
    const char *source = json_string_value(json_object_get(options, "source"));
    for (size_t i = 0; source != NULL && i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        step->rank = name != NULL && strcmp(name, source) == 0 ? i : step->rank;
    }
    if (list == NULL || json_object_get(options, "precedence") != NULL ||
        json_is_true(json_object_get(options, "replace"))) {
        return true;
    }
    if (!json_is_array(list) || !list_join(list, joined)) {
        return bad(fault, "precedence", "a list of sources is wanted, the most trusted first");
    }
    return option_add(step, option_find(CLI_COMMAND_IMPORT, "precedence"), joined, NULL, fault);
}

static bool part_read(struct import_plan *plan, const json_t *entry, enum import_plan_kind kind,
                      const char *file, const char *path, struct proto_fault *fault)
{
    char place[64];
    const json_t *options = json_object_get(entry, kind_names[kind]);
    if (options == NULL) {
        return true;
    }
    (void)snprintf(place, sizeof place, "%s.%s", path, kind_names[kind]);
    if (!json_is_object(options)) {
        return bad(fault, place, "an object of options is wanted; {} where there are none");
    }
    struct import_plan_step *step = step_begin(plan, kind, file, fault);
    if (step == NULL || !options_add(step, options, place, fault)) {
        return false;
    }
    step->match = json_object_get(options, "match") != NULL;
    return kind != IMPORT_PLAN_ACCOUNTS || precedence_add(plan, step, options, fault);
}

static bool file_read(struct import_plan *plan, const json_t *entry, size_t position,
                      struct proto_fault *fault)
{
    static const char *const members[] = {"file", "accounts", "events"};
    char path[32];
    (void)snprintf(path, sizeof path, "files[%zu]", position);
    const char *file = json_string_value(json_object_get(entry, "file"));
    if (!json_is_object(entry)) {
        return bad(fault, path, "an object with file, and accounts or events, is wanted");
    }
    if (!feature_json_members_known(entry, members, 3, PROTO_BAD_DOCUMENT, fault)) {
        return proto_fault_within(fault, "%s", path);
    }
    if (file == NULL || file[0] == '\0' || file[0] == '-') {
        return bad(fault, path, "file, the name of a CSV file, is wanted");
    }
    if (json_object_get(entry, "accounts") == NULL && json_object_get(entry, "events") == NULL) {
        return bad(fault, path, "accounts or events, an object of options, is wanted");
    }
    return part_read(plan, entry, IMPORT_PLAN_ACCOUNTS, file, path, fault) &&
           part_read(plan, entry, IMPORT_PLAN_EVENTS, file, path, fault);
}

/* Of two steps the one that has to run first; else that of the source that is trusted more, then
 * by the names, so that the order in the document is of no matter. */
static int step_order(const void *a, const void *b)
{
    const struct import_plan_step *x = a;
    const struct import_plan_step *y = b;
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    if (x->match != y->match) {
        return x->match ? 1 : -1;
    }
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return strcmp(x->file, y->file);
}

/* Letters, digits and points, so that it is part of an id. */
static bool name_read(struct import_plan *plan, struct proto_fault *fault)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    plan->name = json_string_value(json_object_get(plan->root, "name"));
    size_t bytes = plan->name != NULL ? strlen(plan->name) : 0;
    return (bytes > 0 && bytes <= NAME_BYTES_MAX && strspn(plan->name, allowed) == bytes) ||
           bad(fault, "name",
               "a name of 1 to 40 letters, digits, points, dashes and underlines is wanted");
}

static bool root_read(struct import_plan *plan, struct proto_fault *fault)
{
    static const char *const members[] = {"plan", "name", "schema", "precedence", "files"};
    const json_t *format = json_object_get(plan->root, "plan");
    const json_t *files = json_object_get(plan->root, "files");
    const json_t *schema = json_object_get(plan->root, "schema");
    if (!json_is_object(plan->root)) {
        return bad(fault, "", "a plan is an object; docs/imports.md has examples");
    }
    if (!feature_json_members_known(plan->root, members, 5, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    if (json_integer_value(format) != PLAN_FORMAT) {
        return bad(fault, "plan", "the format of the document, 1, is wanted");
    }
    if (!name_read(plan, fault)) {
        return false;
    }
    if (schema != NULL && !json_is_string(schema)) {
        return bad(fault, "schema", "the name of a file is wanted, as icp schema infer makes it");
    }
    if (!json_is_array(files) || json_array_size(files) == 0) {
        return bad(fault, "files", "a list of files is wanted");
    }
    plan->steps = calloc(IMPORT_PLAN_STEPS_MAX, sizeof *plan->steps);
    if (plan->steps == NULL) {
        return no_memory(fault);
    }
    if (schema != NULL &&
        step_begin(plan, IMPORT_PLAN_SCHEMA, json_string_value(schema), fault) == NULL) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(files); i++) {
        if (!file_read(plan, json_array_get(files, i), i, fault)) {
            return false;
        }
    }
    qsort(plan->steps, plan->count, sizeof *plan->steps, step_order);
    return true;
}

bool import_plan_read(struct import_plan *plan, struct proto_span text, struct proto_fault *fault)
{
    *plan = (struct import_plan){.root = feature_json_load(text, PROTO_BAD_DOCUMENT, fault)};
    if (plan->root == NULL) {
        return false;
    }
    if (root_read(plan, fault)) {
        return true;
    }
    if (fault->code == PROTO_BAD_DOCUMENT) {
        (void)feature_json_fault_place(text, fault);
    }
    return false;
}

static bool file_digest(XXH3_state_t *state, const char *path)
{
    static const size_t bytes = CHUNK_BYTES;
    uint8_t *chunk = malloc(bytes);
    FILE *file = chunk != NULL ? fopen(path, "rb") : NULL;
    size_t got = 0;
    while (file != NULL && (got = fread(chunk, 1, bytes, file)) > 0) {
        XXH3_64bits_update(state, chunk, got);
    }
    bool good = file != NULL && ferror(file) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    free(chunk);
    return good;
}

bool import_plan_ids(struct import_plan *plan, const char **path)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct import_plan_step *step = &plan->steps[i];
        XXH3_state_t state;
        XXH3_64bits_reset(&state);
        for (size_t w = 0; w < step->count; w++) {
            XXH3_64bits_update(&state, step->words[w], strlen(step->words[w]) + 1);
        }
        *path = step->file;
        if (!file_digest(&state, step->file)) {
            return false;
        }
        (void)snprintf(step->id, sizeof step->id, "%s-%016llx", plan->name,
                       (unsigned long long)XXH3_64bits_digest(&state));
    }
    return true;
}
