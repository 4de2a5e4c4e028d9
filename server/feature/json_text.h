/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents from strangers: bounded before jansson sees them, and refused with the place at
 * fault. jansson needs some 130 bytes of memory for a list of two bytes, 230 for an object, 40 for
 * a number, 75 for a text, so values are counted first, lists and objects as several, and bounded:
 * some 80 MB at most; text that does not parse is reported by line and column. Ownership: results
 * are the caller's (json_decref); names and texts are borrowed from the document. Errors: the code
 * given by the caller; field is the path of the member, as far as it is known here. Threads: pure.
 * Cost: one extra pass over the text, about 1 ns a byte. */
#ifndef FEATURE_JSON_TEXT_H
#define FEATURE_JSON_TEXT_H

#include <jansson.h>

#include "proto/fault.h"
#include "proto/span.h"

/* Values of one document, a list counted as 3 and an object as 5: a schema of 1,024 fields with 100
 * missing words each, or an ICP document of 1,984 columns with 255 table entries each, stay below
 * it. */
#define FEATURE_JSON_VALUES_MAX 1048576

json_t *feature_json_load(struct proto_span text, enum proto_error code, struct proto_fault *fault);

/* Refuses a member of the object that is none of the names, so that a mistyped one does not pass in
 * silence; names the nearest. field becomes the member's name. */
bool feature_json_members_known(const json_t *object, const char *const *names, size_t name_count,
                                enum proto_error code, struct proto_fault *fault);

/* Refuses as well what is no object, and one that lacks a member. */
bool feature_json_members_exact(const json_t *object, const char *const *names, size_t name_count,
                                enum proto_error code, struct proto_fault *fault);

/* Appends the value, which it takes. Where memory ran out, for the value or for its place, the
 * array is gone and *array NULL, and so is what is made of it: nothing is left out in silence. */
void feature_json_append(json_t **array, json_t *value);

/* A text as a JSON string; NULL: no memory, or it is not UTF-8. */
static inline json_t *feature_json_string(struct proto_span text)
{
    return json_stringn(text.bytes > 0 ? (const char *)text.data : "", text.bytes);
}

/* Adds a member, whose value it takes. Members are added one by one and *ok is asked once: a NULL
 * value makes the object incomplete as well as a NULL object. */
static inline void feature_json_put(json_t *object, const char *name, json_t *value, bool *ok)
{
    *ok = json_object_set_new(object, name, value) == 0 && *ok;
}

static inline void feature_json_put_count(json_t *object, const char *name, uint64_t count,
                                          bool *ok)
{
    feature_json_put(object, name, json_integer((json_int_t)count), ok);
}

/* The text of a JSON string. */
static inline struct proto_span feature_json_span(const json_t *string)
{
    return (struct proto_span){(const uint8_t *)json_string_value(string),
                               json_string_length(string)};
}

/* "a number", "an object", … for messages. */
const char *feature_json_kind(const json_t *json);

#endif
