/* SPDX-License-Identifier: Apache-2.0 */
/* A set is made by copying the pointers of the one before and applying what came: a new version
 * takes the place of the one in force, a name that was not in force comes behind all, a dropped one
 * goes, and one that cannot be read makes all before it unsure. Memory can run out; a stored text
 * that is no segment is damage. */
#include "server/engine/segments.h"

#include <stdlib.h>
#include <string.h>

#include "proto/reader.h"
#include "proto/shape.h"
#include "server/feature/json_shape.h"
#include "server/feature/json_text.h"
#include "server/feature/span_text.h"

const struct filter_names *engine_segments_names(const struct engine_segments *set)
{
    static const struct filter_names none = {NULL, 0, 0};
    return set != NULL ? &set->names : &none;
}

static size_t force_place(const struct engine_segments *set, struct proto_span name)
{
    size_t at = 0;
    while (at < set->force_count && !proto_span_equal(set->force[at].segment->name, name)) {
        at++;
    }
    return at;
}

const struct engine_segment *engine_segments_find(const struct engine_segments *set,
                                                  struct proto_span name, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    char there[FILTER_NAMES_SHOWN];
    size_t at = set != NULL ? force_place(set, name) : 0;
    (void)feature_text_show(name, shown, sizeof shown);
    if (set != NULL && at < set->force_count && !set->force[at].unsure) {
        return set->force[at].segment;
    }
    if (set != NULL && (at < set->force_count || set->damaged > 0)) {
        (void)proto_fault_set(fault, PROTO_CORRUPT, "name",
                              "a segment that was put later is damaged, and may be a version of "
                              "'%s': put it anew",
                              shown);
    } else {
        const struct filter_names *names = engine_segments_names(set);
        (void)proto_fault_set(fault, PROTO_NOT_FOUND, "name", "there is no segment '%s'; %s%s",
                              shown, names->count > 0 ? "there are " : "none is kept",
                              filter_names_show(names, there));
    }
    return NULL;
}

const struct engine_segment *engine_segments_newest(const struct engine_segments *set,
                                                    struct proto_span name)
{
    for (size_t i = set != NULL ? set->count : 0; i > 0; i--) {
        const struct engine_segment *segment = set->items[i - 1];
        if (segment != NULL && !segment->gone && proto_span_equal(segment->name, name)) {
            return segment;
        }
    }
    return NULL;
}

bool engine_segments_in_force(const struct engine_segments *set,
                              const struct engine_segment *segment)
{
    size_t at = segment->gone ? set->force_count : force_place(set, segment->name);
    return at < set->force_count && set->force[at].segment == segment && !set->force[at].unsure;
}

uint32_t engine_segments_next(const struct engine_segments *set, struct proto_span name)
{
    uint32_t unread = 0;
    for (size_t i = set != NULL ? set->count : 0; i > 0; i--) {
        const struct engine_segment *segment = set->items[i - 1];
        if (segment == NULL || segment->gone) {
            unread++; /* it may be a version of this name: its number is left out */
        } else if (proto_span_equal(segment->name, name)) {
            return segment->version + unread + 1;
        }
    }
    return unread + 1;
}

bool engine_segment_name_check(struct proto_span name, struct proto_fault *fault)
{
    bool plain = name.bytes > 0 && proto_utf8_valid(name) && name.data[0] != ' ' &&
                 name.data[name.bytes - 1] != ' ';
    for (size_t i = 0; plain && i < name.bytes; i++) {
        plain = name.data[i] >= ' ' && name.data[i] != 0x7f;
    }
    if (!plain) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                               "a name is UTF-8 text without control characters, and begins and "
                               "ends with no blank");
    }
    size_t at = name.bytes;
    while (at > 0 && name.data[at - 1] >= '0' && name.data[at - 1] <= '9') {
        at--;
    }
    if (at > 0 && at < name.bytes && name.data[at - 1] == '@') {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                               "a name does not end in @ and a number: that is how a version is "
                               "asked for");
    }
    return name.bytes <= PROTO_SEGMENT_NAME_BYTES_MAX ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "name", "a name has at most %d bytes, not %zu",
                           PROTO_SEGMENT_NAME_BYTES_MAX, name.bytes);
}

void engine_segment_release(struct engine_segment *segment)
{
    if (segment != NULL && __atomic_sub_fetch(&segment->references, 1, __ATOMIC_ACQ_REL) == 0) {
        json_decref(segment->json);
        free(segment);
    }
}

static struct engine_segment *segment_retain(struct engine_segment *segment)
{
    if (segment != NULL) {
        __atomic_add_fetch(&segment->references, 1, __ATOMIC_RELAXED);
    }
    return segment;
}

struct engine_segments *engine_segments_retain(struct engine_segments *set)
{
    if (set != NULL) {
        __atomic_add_fetch(&set->references, 1, __ATOMIC_RELAXED);
    }
    return set;
}

void engine_segments_release(struct engine_segments *set)
{
    if (set == NULL || __atomic_sub_fetch(&set->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (size_t i = 0; set->items != NULL && i < set->count; i++) {
        engine_segment_release(set->items[i]);
    }
    free((void *)set->items);
    free(set->force);
    free((void *)(uintptr_t)set->names.items);
    free((void *)set->named);
    free(set);
}

/* The members that an engine goes by. */
static bool document_open(struct engine_segment *segment, struct proto_fault *fault)
{
    const json_t *json = segment->json;
    if (!feature_json_is_of_shape(json, PROTO_SHAPE_KEPT_SEGMENT)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "", "this is no segment as it is kept");
    }
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    segment->name = feature_json_span(json_object_get(json, "name"));
    segment->filter = feature_json_span(json_object_get(json, "filter"));
    segment->dropped = json_is_true(json_object_get(json, "dropped"));
    if (version < 1 || version > UINT32_MAX) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "version", "versions start at 1");
    }
    segment->version = (uint32_t)version;
    if (segment->filter.bytes == 0 && !segment->dropped) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "filter", "a segment has a filter");
    }
    return engine_segment_name_check(segment->name, fault);
}

struct engine_segment *engine_segment_read(uint32_t number, int64_t time_ms, struct proto_span text,
                                           struct proto_fault *fault)
{
    struct engine_segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a segment");
        return NULL;
    }
    *segment = (struct engine_segment){
        .references = 1, .number = number, .time_ms = time_ms, .gone = text.bytes == 0};
    if (segment->gone) {
        return segment;
    }
    segment->json = feature_json_load(text, PROTO_BAD_DOCUMENT, fault);
    if (segment->json == NULL || !document_open(segment, fault)) {
        engine_segment_release(segment);
        return NULL;
    }
    return segment;
}

/* What comes into force, or goes, by one more number. */
static void force_apply(struct engine_segments *set, struct engine_segment *segment)
{
    if (segment == NULL || segment->gone) {
        for (size_t i = 0; i < set->force_count; i++) {
            set->force[i].unsure = true;
        }
        return;
    }
    size_t at = force_place(set, segment->name);
    if (!segment->dropped) {
        set->force_count += at == set->force_count;
        set->force[at] = (struct engine_segment_force){.segment = segment};
    } else if (at < set->force_count) {
        set->force_count--;
        memmove(&set->force[at], &set->force[at + 1], (set->force_count - at) * sizeof *set->force);
    }
}

static bool names_make(struct engine_segments *set)
{
    struct filter_named *named = calloc(set->force_count + 1, sizeof *named);
    set->named = calloc(set->force_count + 1, sizeof *set->named);
    if (named == NULL || set->named == NULL) {
        free(named);
        return false;
    }
    set->names = (struct filter_names){.items = named, .unsure = set->damaged};
    for (size_t i = 0; i < set->force_count; i++) {
        const struct engine_segment *segment = set->force[i].segment;
        if (set->force[i].unsure) {
            set->names.unsure++;
            continue;
        }
        set->named[set->names.count] = segment;
        named[set->names.count++] =
            (struct filter_named){.name = segment->name, .text = segment->filter};
    }
    return true;
}

static bool items_take(struct engine_segments *set, const struct engine_segments *from,
                       size_t taken, size_t count)
{
    set->count = count;
    set->items = calloc(count + 1, sizeof(struct engine_segment *));
    set->force = calloc(count + 1, sizeof *set->force);
    for (size_t i = 0; set->items != NULL && i < taken; i++) {
        set->items[i] = segment_retain(from->items[i]);
    }
    return set->items != NULL && set->force != NULL;
}

static bool set_apply(struct engine_segments *set)
{
    for (size_t i = 0; i < set->count; i++) {
        set->damaged += set->items[i] == NULL;
        force_apply(set, set->items[i]);
    }
    return names_make(set);
}

static bool set_fill(struct engine_segments *set, const struct engine_segments *from,
                     uint32_t number, struct engine_segment *segment)
{
    size_t before = from != NULL ? from->count : 0;
    if (!items_take(set, from, before, before > number ? before : number)) {
        return false;
    }
    engine_segment_release(set->items[number - 1]);
    set->items[number - 1] = segment_retain(segment);
    return set_apply(set);
}

struct engine_segments *engine_segments_with(const struct engine_segments *from, uint32_t number,
                                             struct engine_segment *segment)
{
    struct engine_segments *set = calloc(1, sizeof *set);
    if (set != NULL) {
        set->references = 1;
        if (!set_fill(set, from, number, segment)) {
            engine_segments_release(set);
            set = NULL;
        }
    }
    engine_segment_release(segment);
    return set;
}

bool engine_segments_until(struct engine_segments *set, size_t count,
                           struct engine_segments **until, struct proto_fault *fault)
{
    if (set == NULL || count >= set->count) {
        *until = engine_segments_retain(set);
        return true;
    }
    struct engine_segments *less = calloc(1, sizeof *less);
    *until = less;
    if (less != NULL) {
        less->references = 1;
        if (items_take(less, set, count, count) && set_apply(less)) {
            return true;
        }
        engine_segments_release(less);
    }
    *until = NULL;
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for segments");
}

struct filter *engine_filter_parse(const struct engine_state *state, enum filter_scope scope,
                                   struct proto_span text, struct proto_fault *fault)
{
    return filter_parse_named(state->schema, scope, engine_segments_names(state->segments), text,
                              fault, NULL);
}
