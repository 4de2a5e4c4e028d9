/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions of metrics as the engine holds them: every version that was put, by number, and which
 * one a name means. Part of engine_state: immutable, replaced whole when one is stored.
 *
 * The version in force is the newest of its name. One that is damaged may be of any name and any
 * version: as long as it is newer than all that are known of a name, nobody can say what is in
 * force there, and that is what is answered; a version that is asked for by number is not touched
 * by it. A new version leaves out as many numbers as such ones there are, so that no version that
 * was quoted once comes to mean something else.
 *
 * Ownership: reference counted; what find gives is borrowed from the set. Errors: NOT_FOUND,
 * CORRUPT. Threads: immutable; references are atomics. Cost: a walk over the numbers, some
 * microseconds for all that a store can have; 2 KB each. */
#ifndef ENGINE_DEFINITIONS_H
#define ENGINE_DEFINITIONS_H

#include "server/measure/metric_registry.h"

struct engine_definition {
    int references;
    uint32_t number; /* in the store, from 1 */
    int64_t time_ms; /* when it was put */
    struct measure_definition definition;
};

struct engine_definitions {
    int references;
    struct engine_definition **items; /* by number - 1; NULL where one is damaged */
    size_t count;
    size_t damaged; /* of them */
};

/* What the reference means. NULL with PROTO_NOT_FOUND, or with PROTO_CORRUPT where a damaged one
 * may be it; field "". "usual" is none of these. */
const struct engine_definition *engine_definitions_find(const struct engine_definitions *set,
                                                        const struct measure_reference *reference,
                                                        struct proto_fault *fault);
/* The newest of the name that can be read, in force or not; NULL: there is none. */
const struct engine_definition *engine_definitions_newest(const struct engine_definitions *set,
                                                          struct proto_span name);
/* Whether it is what its name means. */
bool engine_definitions_in_force(const struct engine_definitions *set,
                                 const struct engine_definition *definition);
/* The version that the next one of this name gets. */
uint32_t engine_definitions_next(const struct engine_definitions *set, struct proto_span name);

struct engine_definitions *engine_definitions_retain(struct engine_definitions *set);
void engine_definitions_release(struct engine_definitions *set); /* NULL is fine */
/* As it is stored; free() one that is in no set. NULL with *fault: BAD_DOCUMENT, NO_MEMORY. */
struct engine_definition *engine_definition_read(uint32_t number, int64_t time_ms,
                                                 struct proto_span text, struct proto_fault *fault);
/* The set of before with this one, which is taken also on failure; NULL: that number is damaged.
 * Returns NULL without memory. */
struct engine_definitions *engine_definitions_with(const struct engine_definitions *from,
                                                   uint32_t number,
                                                   struct engine_definition *definition);

#endif
