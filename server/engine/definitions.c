/* SPDX-License-Identifier: Apache-2.0 */
/* A set is made by copying the pointers of the one before. Names are looked for among all numbers,
 * from the newest down. Memory can run out; a stored text that is no definition is damage. */
#include "server/engine/definitions.h"

#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"

static bool is_named(const struct engine_definition *definition, struct proto_span name)
{
    return definition != NULL && proto_span_is(name, definition->definition.name);
}

/* Newest first; `above`: how many that nobody can read are newer. */
static const struct engine_definition *newest_find(const struct engine_definitions *set,
                                                   struct proto_span name, size_t *above)
{
    *above = 0;
    for (size_t i = set != NULL ? set->count : 0; i > 0; i--) {
        if (is_named(set->items[i - 1], name)) {
            return set->items[i - 1];
        }
        *above += set->items[i - 1] == NULL;
    }
    return NULL;
}

static const struct engine_definition *version_find(const struct engine_definitions *set,
                                                    const struct measure_reference *reference)
{
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (is_named(set->items[i], reference->name) &&
            set->items[i]->definition.version == reference->version) {
            return set->items[i];
        }
    }
    return NULL;
}

const struct engine_definition *engine_definitions_newest(const struct engine_definitions *set,
                                                          struct proto_span name)
{
    size_t above = 0;
    return newest_find(set, name, &above);
}

bool engine_definitions_in_force(const struct engine_definitions *set,
                                 const struct engine_definition *definition)
{
    size_t above = 0;
    return newest_find(set, proto_span_text(definition->definition.name), &above) == definition &&
           above == 0;
}

uint32_t engine_definitions_next(const struct engine_definitions *set, struct proto_span name)
{
    size_t above = 0;
    const struct engine_definition *newest = newest_find(set, name, &above);
    return (newest != NULL ? newest->definition.version : 0) + (uint32_t)above + 1;
}

const struct engine_definition *engine_definitions_find(const struct engine_definitions *set,
                                                        const struct measure_reference *reference,
                                                        struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    size_t above = 0;
    const struct engine_definition *newest = newest_find(set, reference->name, &above);
    (void)feature_text_show(reference->name, shown, sizeof shown);
    if (reference->version > 0) {
        const struct engine_definition *found = version_find(set, reference);
        if (found != NULL) {
            return found;
        }
    } else if (newest != NULL && above == 0) {
        return newest;
    }
    if (reference->version == 0 && newest != NULL) {
        (void)proto_fault_set(fault, PROTO_CORRUPT, "",
                              "%zu definitions that are newer than %s@%u are damaged, and may be "
                              "versions of it: which one is in force cannot be said; ask for "
                              "%s@%u, or put it anew",
                              above, shown, newest->definition.version, shown,
                              newest->definition.version);
    } else if (set != NULL && set->damaged > 0) {
        (void)proto_fault_set(fault, PROTO_CORRUPT, "",
                              "%zu of the definitions are damaged, and '%s' may be one of them",
                              set->damaged, shown);
    } else if (newest != NULL) {
        (void)proto_fault_set(fault, PROTO_NOT_FOUND, "",
                              "there is no version %u of '%s'; the newest is %u",
                              reference->version, shown, newest->definition.version);
    } else if (proto_span_is(reference->name, MEASURE_USUAL_NAME)) {
        (void)proto_fault_set(fault, PROTO_NOT_FOUND, "",
                              "'%s' is always there and not kept: the usual rules of each metric; "
                              "'icp measure list --definition METRIC' writes them",
                              shown);
    } else {
        (void)proto_fault_set(fault, PROTO_NOT_FOUND, "",
                              "there is no definition '%s'; metric-list has them", shown);
    }
    return NULL;
}

static void definition_release(struct engine_definition *definition)
{
    if (definition != NULL &&
        __atomic_sub_fetch(&definition->references, 1, __ATOMIC_ACQ_REL) == 0) {
        free(definition);
    }
}

struct engine_definitions *engine_definitions_retain(struct engine_definitions *set)
{
    if (set != NULL) {
        __atomic_add_fetch(&set->references, 1, __ATOMIC_RELAXED);
    }
    return set;
}

void engine_definitions_release(struct engine_definitions *set)
{
    if (set == NULL || __atomic_sub_fetch(&set->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        definition_release(set->items[i]);
    }
    free((void *)set->items);
    free(set);
}

struct engine_definition *engine_definition_read(uint32_t number, int64_t time_ms,
                                                 struct proto_span text, struct proto_fault *fault)
{
    struct engine_definition *definition = calloc(1, sizeof *definition);
    if (definition == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a definition");
        return NULL;
    }
    definition->references = 1;
    definition->number = number;
    definition->time_ms = time_ms;
    if (!measure_definition_stored(text, &definition->definition, fault)) {
        free(definition);
        return NULL;
    }
    return definition;
}

struct engine_definitions *engine_definitions_with(const struct engine_definitions *from,
                                                   uint32_t number,
                                                   struct engine_definition *definition)
{
    size_t before = from != NULL ? from->count : 0;
    size_t count = before > number ? before : number;
    struct engine_definitions *set = calloc(1, sizeof *set);
    struct engine_definition **items = calloc(count, sizeof(struct engine_definition *));
    if (set == NULL || items == NULL) {
        free(set);
        free((void *)items);
        definition_release(definition);
        return NULL;
    }
    *set = (struct engine_definitions){.references = 1, .items = items, .count = count};
    for (size_t i = 0; i < before; i++) {
        items[i] = from->items[i];
        if (items[i] != NULL) {
            __atomic_add_fetch(&items[i]->references, 1, __ATOMIC_RELAXED);
        }
    }
    definition_release(items[number - 1]);
    items[number - 1] = definition;
    for (size_t i = 0; i < count; i++) {
        set->damaged += items[i] == NULL;
    }
    return set;
}
