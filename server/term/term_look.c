/* SPDX-License-Identifier: Apache-2.0 */
/* What is read off a plan and changes nothing: its state in words, what has no owner, a term by its
 * path, and the text that a signatory signs. */
#include <stdio.h>
#include <string.h>

#include "server/term/term_json.h"
#include "server/term/term_plan.h"

const char *term_state_word(enum term_state state)
{
    static const char *const words[] = {
#define X(STATE, word) [TERM_STATE_##STATE] = (word),
#include "server/term/term_state.def"
#undef X
    };
    return words[state];
}

char *term_statement(const char *plan, const char *act, const json_t *body, size_t *bytes,
                     struct proto_fault *fault)
{
    json_t *said = json_copy((json_t *)(uintptr_t)body);
    json_t *statement = json_object();
    char *text = NULL;
    if (said != NULL) {
        (void)json_object_del(said, "signature");
    }
    bool good = json_object_set_new(statement, "act", json_string(act)) == 0;
    good = json_object_set_new(statement, "body", said) == 0 && good;
    good = json_object_set_new(statement, "plan", json_string(plan)) == 0 && good;
    good = json_object_set_new(statement, "purpose", json_string("icp plan")) == 0 && good;
    if (good) {
        text = term_json_print(statement, bytes, fault);
    } else {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan");
    }
    json_decref(statement);
    return text;
}

/* What has no owner, as text that is being written: whole names, and a sign where there is no room
 * for another. */
struct ownerless {
    char *out;
    size_t room, used, count;
    bool full;
};

static void ownerless_put(struct ownerless *list, const char *kind, const char *name)
{
    static const char more[] = ", …";
    const char *between = list->count++ > 0 ? ", " : "";
    size_t bytes = strlen(between) + strlen(kind) + 1 + strlen(name);
    if (list->full) {
        return;
    }
    list->full = list->used + bytes + sizeof more > list->room;
    list->used += (size_t)(list->full ? snprintf(list->out + list->used, list->room - list->used,
                                                 "%s", list->used > 0 ? more : more + 2)
                                      : snprintf(list->out + list->used, list->room - list->used,
                                                 "%s%s %s", between, kind, name));
}

static void ownerless_add(struct ownerless *list, const json_t *registry, const char *kind)
{
    json_t *walked = json_incref((json_t *)(uintptr_t)registry);
    const char *name;
    json_t *value;
    json_object_foreach(walked, name, value)
    {
        if (json_is_null(value)) {
            ownerless_put(list, kind, name);
        }
    }
    json_decref(walked);
}

size_t term_plan_ownerless(const struct term_plan *plan, char *out, size_t room)
{
    struct ownerless list = {.out = out, .room = room};
    out[0] = '\0';
    ownerless_add(&list, json_object_get(plan->terms, "layers"), "layer");
    ownerless_add(&list, json_object_get(plan->terms, "stages"), "stage");
    return list.count;
}

const json_t *term_plan_at(const struct term_plan *plan, const char *path)
{
    static const char *const registries[] = {"layers", "stages", "signatories"};
    const char *slash = strchr(path, '/');
    if (slash == NULL) {
        bool known = strcmp(path, "from") == 0 || strcmp(path, "to") == 0 ||
                     strcmp(path, "list") == 0 || strcmp(path, "share") == 0;
        return known ? json_object_get(plan->terms, path) : NULL;
    }
    for (size_t i = 0; i < sizeof registries / sizeof *registries; i++) {
        size_t bytes = strlen(registries[i]);
        if ((size_t)(slash - path) == bytes && memcmp(path, registries[i], bytes) == 0) {
            return json_object_get(json_object_get(plan->terms, registries[i]), slash + 1);
        }
    }
    return NULL;
}
