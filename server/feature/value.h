/* SPDX-License-Identifier: Apache-2.0 */
/* One value of one field, as all layers above pass it around.
 * Ownership: spans point into whatever the value was read from (a request, a record in the memory
 * map, a CSV cell) and die with it. Threads: a plain value.
 *
 * Tags are a packed list, as in a record: per tag u16 little-endian bytes, then the text. Tags of a
 * value are sorted bytewise and unique. A vector is dims × f32 little-endian, not aligned. */
#ifndef FEATURE_VALUE_H
#define FEATURE_VALUE_H

#include "proto/fault.h"
#include "proto/span.h"

enum feature_type {
    FEATURE_NUMBER,
    FEATURE_CATEGORY,
    FEATURE_TAGS,
    FEATURE_FLAG,
    FEATURE_VECTOR,
    FEATURE_DATE, /* the last; types are stored, so that others go behind it */
};

enum feature_family {
    FEATURE_FIRMOGRAPHIC,
    FEATURE_TECHNOGRAPHIC,
    FEATURE_BEHAVIOURAL,
    FEATURE_LIFECYCLE,
};

/* Whether values of the type are numbers underneath, with an order: those of a date are
 * milliseconds since 1970. */
static inline bool feature_type_is_number(enum feature_type type)
{
    return type == FEATURE_NUMBER || type == FEATURE_DATE;
}

struct feature_value {
    bool present; /* false: missing, and nothing below is meaningful */
    enum feature_type type;
    uint8_t source;  /* index into the record's sources */
    int64_t time_ms; /* when the value was true, milliseconds since 1970 */
    union {
        double number; /* finite; of a date whole milliseconds since 1970 (date_text.h) */
        bool flag;
        struct proto_span text; /* category */
        struct proto_span tags; /* packed list */
        struct proto_span vector;
    };
};

/* Walks a packed list of tags: *at starts at 0; returns false at the end. */
bool feature_tags_next(struct proto_span tags, size_t *at, struct proto_span *tag);
size_t feature_tags_count(struct proto_span tags);
bool feature_tags_has(struct proto_span tags, struct proto_span tag);
/* Packs `count` texts (sorted and made unique here, in place) into out; returns the bytes written
 * or 0 with *fault on a limit (PROTO_TAGS_MAX, PROTO_CATEGORY_BYTES_MAX, out too small: a list
 * needs 2 bytes a tag beside its text) or an empty tag. An empty list gives 0 bytes without a
 * fault: a caller that may pass one sets fault->code to PROTO_OK before. */
size_t feature_tags_pack(struct proto_span *texts, size_t count, uint8_t *out, size_t out_bytes,
                         struct proto_fault *fault);

/* True if a value that is present keeps the rules above and the limits: finite numbers, dates of
 * the years 1 to 9999, UTF-8 text of 1 … PROTO_CATEGORY_BYTES_MAX bytes, a packed list that is
 * sorted, unique and whole, a vector of 1 … PROTO_VECTOR_DIMS_MAX finite numbers. What a record may
 * hold. */
bool feature_value_valid(const struct feature_value *value);

const char *feature_type_name(enum feature_type type);
const char *feature_family_name(enum feature_family family);

#endif
