/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/schema_index.h"

#include <assert.h>
#include <stdlib.h>

#include "server/feature/span_text.h"

/* A lower-case copy that the index owns; NULL: no memory. The array has room for all of them. */
static const char *folded_add(struct feature_folded *folded, struct proto_span text)
{
    char *copy = feature_text_copy(text);
    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < text.bytes; i++) {
        copy[i] = (char)feature_text_lower((uint8_t)copy[i]);
    }
    folded->texts[folded->count++] = copy;
    return copy;
}

static bool words_add(struct feature_schema_index *index, struct feature_lookup *lookup,
                      char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = folded_add(&index->folded, feature_text_trim(proto_span_text(words[i])));
        struct proto_span key = proto_span_text(text == NULL ? "" : text);
        if (text == NULL || !feature_lookup_add(lookup, key, 0, NULL)) {
            return false;
        }
        if (key.bytes > 0) {
            index->missing_lengths[key.data[0]] |= UINT64_C(1) << (key.bytes < 63 ? key.bytes : 63);
        }
    }
    return true;
}

static bool names_add(struct feature_schema *schema, struct proto_fault *fault)
{
    struct feature_schema_index *index = schema->index;
    for (size_t i = 0; i < schema->field_count; i++) {
        struct proto_span name = proto_span_text(schema->fields[i].name);
        const char *key = folded_add(&index->folded, name);
        bool was_there = false;
        if (key == NULL ||
            !feature_lookup_add(&index->any_case, proto_span_text(key), (uint32_t)i, &was_there) ||
            !feature_lookup_add(&index->name, name, (uint32_t)i, NULL)) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a schema");
        }
        if (was_there) {
            uint32_t other = feature_lookup_find(&index->any_case, proto_span_text(key));
            proto_fault_set(fault, PROTO_BAD_SCHEMA, "name",
                            "\"%s\" is the name of fields[%u] too%s", schema->fields[i].name,
                            (unsigned)other,
                            proto_span_is(name, schema->fields[other].name)
                                ? ""
                                : "; names that differ only in case are not told apart");
            return proto_fault_within(fault, "fields[%zu]", i);
        }
        assert(schema->fields[i].id < schema->id_count);
        index->by_id[schema->fields[i].id] = (uint32_t)i;
    }
    return true;
}

static bool index_allocate(struct feature_schema *schema)
{
    struct feature_schema_index *index = calloc(1, sizeof *index);
    size_t texts = schema->field_count + schema->missing_count;
    if (index == NULL) {
        return false;
    }
    schema->index = index;
    for (size_t i = 0; i < schema->field_count; i++) {
        texts += schema->fields[i].missing_count;
    }
    index->folded.texts = calloc(texts + 1, sizeof *index->folded.texts);
    index->of_field = calloc(schema->field_count + 1, sizeof *index->of_field);
    index->by_id = calloc(schema->id_count + 1, sizeof *index->by_id);
    if (index->folded.texts == NULL || index->of_field == NULL || index->by_id == NULL) {
        return false;
    }
    for (size_t i = 0; i <= schema->id_count; i++) {
        index->by_id[i] = FEATURE_LOOKUP_NONE;
    }
    return true;
}

bool feature_schema_index_build(struct feature_schema *schema, struct proto_fault *fault)
{
    if (!index_allocate(schema)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a schema");
    }
    struct feature_schema_index *index = schema->index;
    if (!names_add(schema, fault)) {
        return false;
    }
    bool ok = words_add(index, &index->missing, schema->missing, schema->missing_count);
    for (size_t i = 0; ok && i < schema->field_count; i++) {
        ok = words_add(index, &index->of_field[i], schema->fields[i].missing,
                       schema->fields[i].missing_count);
    }
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a schema");
}

void feature_schema_index_destroy(struct feature_schema *schema)
{
    struct feature_schema_index *index = schema->index;
    if (index == NULL) {
        return;
    }
    feature_lookup_fini(&index->name);
    feature_lookup_fini(&index->any_case);
    feature_lookup_fini(&index->missing);
    for (size_t i = 0; index->of_field != NULL && i < schema->field_count; i++) {
        feature_lookup_fini(&index->of_field[i]);
    }
    for (size_t i = 0; i < index->folded.count; i++) {
        free(index->folded.texts[i]);
    }
    free(index->folded.texts);
    free(index->of_field);
    free(index->by_id);
    free(index);
    schema->index = NULL;
}
