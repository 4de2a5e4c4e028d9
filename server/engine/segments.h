/* SPDX-License-Identifier: Apache-2.0 */
/* Segments as the engine holds them: every version that was put, by number, and which are in force.
 * Part of engine_state: immutable, replaced whole when one is stored.
 *
 * A segment is a named predicate over fields (docs/segments.md). Its document is one JSON object of
 * the shape "kept segment" (proto/shape.def) without number and time, which the store gives; the
 * newest version of a name is in force, unless it says that the segment was dropped. The stored
 * order is that in which names came into force: the first segment that an account is in, in this
 * order, is its label.
 *
 * One that is damaged may be of any name: whatever was in force before it may not be any more, and
 * is not used until it is put anew; a filter that names it is refused. One that a repair gave up
 * has no text; it counts as damaged for the names before it, and for nothing else.
 *
 * Ownership: reference counted; names and documents are borrowed from the set. Errors: NOT_FOUND,
 * CORRUPT, BAD_DOCUMENT. Threads: immutable; references are atomics. Cost: a walk over what is in
 * force, PROTO_SEGMENTS_KEPT_MAX names. */
#ifndef ENGINE_SEGMENTS_H
#define ENGINE_SEGMENTS_H

#include <jansson.h>

#include "proto/table.h"
#include "server/engine/engine.h"
#include "server/filter/filter.h"

struct engine_segment {
    int references;
    uint32_t number;  /* in the store, from 1 */
    uint32_t version; /* of its name, from 1 */
    int64_t time_ms;  /* when it was put */
    bool dropped;
    bool gone;    /* it was given up: nothing else is known of it */
    json_t *json; /* the document, which is never changed; NULL: gone */
    struct proto_span name, filter;
};

struct engine_segment_force {
    struct engine_segment *segment;
    bool unsure; /* one that nobody can read came later */
};

struct engine_segments {
    int references;
    struct engine_segment **items; /* by number - 1; NULL where one is damaged */
    size_t count;
    size_t damaged;                     /* of them */
    struct engine_segment_force *force; /* in the stored order */
    size_t force_count;
    struct filter_names names;           /* of those in force that are sure, in that order */
    const struct engine_segment **named; /* beside names.items */
};

/* Names for a filter; of a state without segments none, which is not NULL. */
const struct filter_names *engine_segments_names(const struct engine_segments *set);
/* The one in force; NULL with PROTO_NOT_FOUND, which says what there is, or PROTO_CORRUPT; field
 * "name". */
const struct engine_segment *engine_segments_find(const struct engine_segments *set,
                                                  struct proto_span name,
                                                  struct proto_fault *fault);
/* The newest of the name that can be read, dropped or not; NULL: there is none. */
const struct engine_segment *engine_segments_newest(const struct engine_segments *set,
                                                    struct proto_span name);
/* Whether it is what its name means. */
bool engine_segments_in_force(const struct engine_segments *set,
                              const struct engine_segment *segment);
/* The version that the next one of this name gets. */
uint32_t engine_segments_next(const struct engine_segments *set, struct proto_span name);
/* A name is 1 … PROTO_SEGMENT_NAME_BYTES_MAX bytes of UTF-8 without control characters, no blank
 * at an end and no @ with a number behind it; PROTO_BAD_FIELD at "name". */
bool engine_segment_name_check(struct proto_span name, struct proto_fault *fault);

struct engine_segments *engine_segments_retain(struct engine_segments *set); /* NULL is fine */
void engine_segments_release(struct engine_segments *set);                   /* NULL is fine */
/* As it is stored; engine_segment_release one that is in no set. An empty text is one that was
 * given up. NULL with *fault: BAD_DOCUMENT, NO_MEMORY. */
struct engine_segment *engine_segment_read(uint32_t number, int64_t time_ms, struct proto_span text,
                                           struct proto_fault *fault);
void engine_segment_release(struct engine_segment *segment); /* NULL is fine */
/* The set of before with this one, which is taken also on failure; NULL: that number is damaged.
 * Returns NULL without memory. */
struct engine_segments *engine_segments_with(const struct engine_segments *from, uint32_t number,
                                             struct engine_segment *segment);

/* The set as it was with the first `count` numbers; of NULL it is NULL. The caller releases it.
 * False: NO_MEMORY. */
bool engine_segments_until(struct engine_segments *set, size_t count,
                           struct engine_segments **until, struct proto_fault *fault);

/* A filter that may name segments of the state (filter_parse_named). */
struct filter *engine_filter_parse(const struct engine_state *state, enum filter_scope scope,
                                   struct proto_span text, struct proto_fault *fault);

#endif
