/* SPDX-License-Identifier: Apache-2.0 */
/* Names that things are told apart by, numbered from 0 in the order in which they first came; and
 * segments: the values of a field of accounts as such names.
 *
 * Ownership: names own their texts until _fini; a field is borrowed from the worker's schema.
 * Errors: BAD_FIELD, LIMIT at "by", NO_MEMORY. Threads: one. Cost: some 20 ns a name. */
#ifndef LIFECYCLE_LIFECYCLE_SEGMENT_H
#define LIFECYCLE_LIFECYCLE_SEGMENT_H

#include "server/engine/worker.h"

/* Texts that lie where they lay before, as those of columns do, are found without a hash. */
#define LIFECYCLE_NAME_HINTS 64u

struct lifecycle_names {
    char **texts; /* each with a zero behind it */
    uint32_t *lengths;
    uint32_t count, room;
    uint32_t *cells; /* number + 1 by hash; 0: free */
    uint32_t cell_count;
    uint32_t hints[LIFECYCLE_NAME_HINTS]; /* number + 1 by where the text lay; 0: none */
};

/* False: no memory, and *fault says so. */
bool lifecycle_name_number(struct lifecycle_names *names, struct proto_span text, uint32_t *number,
                           struct proto_fault *fault);
void lifecycle_names_fini(struct lifecycle_names *names);

/* The field of that name if it is one that makes segments: a category, a flag or a number, or a
 * flag alone; "segment", where the schema has no field of that name, is the label of an account by
 * the segments that are kept (server/engine/labels.h). NULL in *found for an empty name. */
bool lifecycle_field_find(const struct engine_worker *worker, struct proto_span name,
                          const char *member, bool flags_alone, const struct feature_field **found,
                          struct proto_fault *fault);
/* The first name is that of accounts without a value. */
bool lifecycle_segments_begin(struct lifecycle_names *names, struct proto_fault *fault);
bool lifecycle_segment_number(struct lifecycle_names *names, const struct feature_value *value,
                              uint32_t *number, struct proto_fault *fault);
/* The same of the account whose values stand there, by field id of the worker's schema. */
bool lifecycle_segment_of_values(struct lifecycle_names *names, const struct engine_worker *worker,
                                 const struct feature_value *values,
                                 const struct feature_field *field, uint32_t *number,
                                 struct proto_fault *fault);
/* The same of the account whose values stand in the worker's scratch. */
bool lifecycle_segment_of(struct lifecycle_names *names, const struct engine_worker *worker,
                          const struct feature_field *field, uint32_t *number,
                          struct proto_fault *fault);
/* Whether it is the label: it has no place among values, and nothing may be kept of it from one
 * question to the next. */
bool lifecycle_field_is_label(const struct feature_field *field);

#endif
