/* SPDX-License-Identifier: Apache-2.0 */
/* A table of hashes over copies of texts. Memory can run out, and a field with too many values is
 * no segment. */
#include "server/lifecycle/lifecycle_segment.h"

#include <stdlib.h>

#include "server/base/hash.h"
#include "server/engine/labels.h"
#include "server/feature/span_text.h"
#include "server/measure/measure_mrr.h"

static bool no_memory(const struct lifecycle_names *names, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u names", names->count + 1);
}

/* At most half of the cells are taken. */
static bool names_grow(struct lifecycle_names *names)
{
    uint32_t room = names->room == 0 ? 64 : names->room * 2;
    char **texts = realloc(names->texts, room * sizeof(char *));
    names->texts = texts != NULL ? texts : names->texts;
    uint32_t *lengths = realloc(names->lengths, room * sizeof *lengths);
    names->lengths = lengths != NULL ? lengths : names->lengths;
    uint32_t *cells = calloc((size_t)room * 2, sizeof *cells);
    if (texts == NULL || lengths == NULL || cells == NULL) {
        free(cells);
        return false;
    }
    for (uint32_t i = 0; i < names->count; i++) {
        uint32_t at = (uint32_t)base_hash(texts[i], lengths[i], 0) & (room * 2 - 1);
        while (cells[at] != 0) {
            at = (at + 1) & (room * 2 - 1);
        }
        cells[at] = i + 1;
    }
    free(names->cells);
    names->cells = cells;
    names->cell_count = room * 2;
    names->room = room;
    return true;
}

static uint32_t *hint_of(struct lifecycle_names *names, struct proto_span text)
{
    uintptr_t at = (uintptr_t)text.data;
    return &names->hints[(at ^ at >> 6) % LIFECYCLE_NAME_HINTS];
}

/* Whether the text is the name of that number. */
static bool is_name(const struct lifecycle_names *names, uint32_t number, struct proto_span text)
{
    return names->lengths[number] == text.bytes &&
           (text.bytes == 0 || memcmp(names->texts[number], text.data, text.bytes) == 0);
}

bool lifecycle_name_number(struct lifecycle_names *names, struct proto_span text, uint32_t *number,
                           struct proto_fault *fault)
{
    uint32_t *hint = hint_of(names, text);
    if (*hint > 0 && is_name(names, *hint - 1, text)) {
        *number = *hint - 1;
        return true;
    }
    if (names->count == names->room && !names_grow(names)) {
        return no_memory(names, fault);
    }
    uint32_t at = (uint32_t)base_hash(text.data, text.bytes, 0) & (names->cell_count - 1);
    for (; names->cells[at] != 0; at = (at + 1) & (names->cell_count - 1)) {
        *number = names->cells[at] - 1;
        if (is_name(names, *number, text)) {
            *hint = *number + 1;
            return true;
        }
    }
    char *copy = feature_text_copy(text);
    if (copy == NULL) {
        return no_memory(names, fault);
    }
    *number = names->count;
    names->texts[names->count] = copy;
    names->lengths[names->count++] = (uint32_t)text.bytes;
    names->cells[at] = names->count;
    *hint = names->count;
    return true;
}

void lifecycle_names_fini(struct lifecycle_names *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        free(names->texts[i]);
    }
    free(names->texts);
    free(names->lengths);
    free(names->cells);
    *names = (struct lifecycle_names){.count = 0};
}

static const struct feature_field by_label = {
    .id = UINT16_MAX, .name = (char[]){"segment"}, .type = FEATURE_CATEGORY};

bool lifecycle_field_is_label(const struct feature_field *field)
{
    return field == &by_label;
}

bool lifecycle_segment_of_values(struct lifecycle_names *names, const struct engine_worker *worker,
                                 const struct feature_value *values,
                                 const struct feature_field *field, uint32_t *number,
                                 struct proto_fault *fault)
{
    struct feature_value label = {.type = FEATURE_CATEGORY};
    if (!lifecycle_field_is_label(field)) {
        return lifecycle_segment_number(names, &values[field->id], number, fault);
    }
    const struct engine_labels *labels = worker->state->labels;
    uint8_t found = labels != NULL
                        ? engine_labels_match(labels, values, worker->state->schema->id_count)
                        : ENGINE_LABEL_NONE;
    label.present = found >= ENGINE_LABEL_FIRST;
    if (label.present) {
        label.text = engine_labels_name(labels, found);
    }
    return lifecycle_segment_number(names, &label, number, fault);
}

bool lifecycle_segment_of(struct lifecycle_names *names, const struct engine_worker *worker,
                          const struct feature_field *field, uint32_t *number,
                          struct proto_fault *fault)
{
    return lifecycle_segment_of_values(names, worker, worker->values, field, number, fault);
}

bool lifecycle_field_find(const struct engine_worker *worker, struct proto_span name,
                          const char *member, bool flags_alone, const struct feature_field **found,
                          struct proto_fault *fault)
{
    const struct feature_schema *schema = worker->state->schema;
    char shown[FEATURE_SHOWN_BYTES];
    *found = NULL;
    if (name.bytes == 0) {
        return true;
    }
    const struct feature_field *field = schema != NULL ? feature_schema_find(schema, name) : NULL;
    if (field == NULL && !flags_alone && proto_span_is(name, by_label.name)) {
        *found = &by_label;
        return true;
    }
    if (field == NULL) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, member, "the schema has no field '%s'",
                               feature_text_show(name, shown, sizeof shown));
    }
    bool fits =
        field->type == FEATURE_FLAG ||
        (!flags_alone && (field->type == FEATURE_CATEGORY || field->type == FEATURE_NUMBER));
    if (!fits) {
        return proto_fault_set(
            fault, PROTO_BAD_FIELD, member, "the field '%s' is of type %s; %s is wanted",
            feature_text_show(name, shown, sizeof shown), feature_type_name(field->type),
            flags_alone ? "a flag" : "a category, a flag or a number");
    }
    *found = field;
    return true;
}

/* It is no value: in brackets, so that nobody takes it for one. */
bool lifecycle_segments_begin(struct lifecycle_names *names, struct proto_fault *fault)
{
    uint32_t none = 0;
    return lifecycle_name_number(names, proto_span_text("(none)"), &none, fault);
}

bool lifecycle_segment_number(struct lifecycle_names *names, const struct feature_value *value,
                              uint32_t *number, struct proto_fault *fault)
{
    char digits[FEATURE_NUMBER_TEXT_BYTES];
    struct proto_span text = {NULL, 0};
    *number = 0;
    if (!value->present) {
        return true;
    }
    if (value->type == FEATURE_CATEGORY) {
        text = value->text;
    } else if (value->type == FEATURE_FLAG) {
        text = proto_span_text(value->flag ? "true" : "false");
    } else {
        size_t bytes = feature_number_print(value->number, digits);
        text = (struct proto_span){(const uint8_t *)digits, bytes};
    }
    if (!lifecycle_name_number(names, text, number, fault)) {
        return false;
    }
    return names->count <= MEASURE_SEGMENTS_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "by",
                           "the field has more than %d values; that is no segment",
                           MEASURE_SEGMENTS_MAX - 1);
}
