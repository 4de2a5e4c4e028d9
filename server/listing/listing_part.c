/* SPDX-License-Identifier: Apache-2.0 */
#include "server/listing/listing_part.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/engine/find_account.h"
#include "server/engine/segments.h"
#include "server/engine/slots.h"

static struct filter *part_parse(struct engine_worker *worker, struct proto_span text,
                                 struct proto_fault *fault)
{
    return engine_filter_parse(worker->state, FILTER_OF_ACCOUNTS, text, fault);
}

static bool part_open(struct listing_parts *parts, size_t i, struct proto_fault *fault)
{
    struct proto_span text = parts->parts[i].filter;
    struct filter_facts facts = engine_filter_facts(&parts->facts);
    if (text.bytes == 0) {
        return true;
    }
    parts->filters[i] = part_parse(parts->facts.worker, text, fault);
    if (parts->filters[i]) {
        parts->rows[i] = filter_rows_compile(parts->filters[i], NULL, &facts, fault);
    }
    return parts->rows[i] != NULL;
}

bool listing_parts_open(struct listing_parts *parts, struct engine_worker *worker,
                        const struct learn_document *document, const struct listing_part *given,
                        size_t count, const char *what, struct proto_fault *fault)
{
    *parts = (struct listing_parts){.facts = {worker, document}, .parts = given, .count = count};
    parts->filters = calloc(count + 1, sizeof(struct filter *));
    parts->rows = calloc(count + 1, sizeof(struct filter_rows *));
    if (!parts->filters || !parts->rows) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, what, "no memory for the list");
    }
    for (size_t i = 0; i < count; i++) {
        if (!part_open(parts, i, fault)) {
            return proto_fault_within(fault, "%s[%zu]", what, i);
        }
    }
    return true;
}

void listing_parts_close(struct listing_parts *parts)
{
    for (size_t i = 0; parts->filters && parts->rows && i < parts->count; i++) {
        filter_rows_destroy(parts->rows[i]);
        filter_destroy(parts->filters[i]);
    }
    free((void *)parts->filters);
    free((void *)parts->rows);
    *parts = (struct listing_parts){0};
}

bool listing_part_has(struct listing_parts *parts, size_t i, const struct listing_ranked *account)
{
    const struct engine_worker *worker = parts->facts.worker;
    struct filter_block block = {.count = 1, .slot = account->slot, .raws = &account->raw};
    if (!parts->rows[i]) {
        return true;
    }
    struct filter_verdict verdict = filter_rows_block(parts->rows[i], &block);
    return verdict.sure != 0 ||
           (verdict.maybe != 0 &&
            filter_match_known(parts->filters[i], worker->values, worker->value_slots,
                               filter_rows_known(parts->rows[i], 0)));
}

/* Slots as they are found. */
struct exclusion {
    struct engine_worker *worker;
    uint32_t *slots;
    size_t count;
};

/* Takes what a look-up found; a fault of it is one here, finding nobody is none. */
static bool exclude_found(struct exclusion *exclusion, uint32_t slot,
                          const struct proto_fault *local, struct proto_fault *fault)
{
    if (local->code != PROTO_OK) {
        *fault = *local;
        return false;
    }
    if (slot != STORE_NO_SLOT) {
        exclusion->slots[exclusion->count++] = slot;
    }
    return true;
}

static bool exclude(struct exclusion *exclusion, const struct engine_name *name,
                    struct proto_fault *fault)
{
    struct proto_fault local = {0};
    uint32_t slot = engine_find(exclusion->worker, name, &local);
    return exclude_found(exclusion, slot, &local, fault);
}

/* Whoever is found by an address at this host. */
static bool exclude_domain(struct exclusion *exclusion, struct proto_span text,
                           struct proto_fault *fault)
{
    struct identity_domain domain;
    struct proto_fault local = {0};
    if (identity_domain_from_url(text, &domain) == IDENTITY_DOMAIN_NONE) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "'%.*s' is no domain",
                               (int)(text.bytes < 128 ? text.bytes : 128), (const char *)text.data);
    }
    uint32_t slot = engine_find_domain(exclusion->worker, &domain, &local);
    return exclude_found(exclusion, slot, &local, fault);
}

static bool exclude_all(struct exclusion *exclusion, const struct listing_request *request,
                        struct proto_fault *fault)
{
    for (size_t i = 0; i < request->id_count; i++) {
        if (!exclude(exclusion, &(struct engine_name){.id = request->ids[i]}, fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < request->key_count; i++) {
        if (!exclude(exclusion, &(struct engine_name){.key = request->keys[i]}, fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < request->domain_count; i++) {
        if (!exclude_domain(exclusion, request->domains[i], fault)) {
            char place[48];
            snprintf(place, sizeof place, "exclude_domains[%zu]", i);
            snprintf(fault->field, sizeof fault->field, "%s", place);
            return false;
        }
    }
    return true;
}

uint32_t *listing_excluded(struct engine_worker *worker, const struct listing_request *request,
                           size_t *count, struct proto_fault *fault)
{
    size_t most = request->id_count + request->key_count + request->domain_count;
    struct exclusion exclusion = {worker, malloc((most + 1) * sizeof(uint32_t)), 0};
    if (!exclusion.slots) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "exclude_ids", "no memory for the exclusions");
        return NULL;
    }
    if (!exclude_all(&exclusion, request, fault)) {
        free(exclusion.slots);
        return NULL;
    }
    *count = engine_slots_unique(exclusion.slots, exclusion.count);
    return exclusion.slots;
}

/* A value and how many accounts of it were taken; unused until `used`. */
struct listing_count {
    struct proto_span value;
    bool missing;
    bool used;
    uint64_t taken;
};

bool listing_quota_open(struct listing_quota *quota, const struct feature_schema *schema,
                        const struct listing_request *request, struct proto_fault *fault)
{
    *quota = (struct listing_quota){.per_value = request->quota};
    if (request->quota_field.bytes == 0) {
        return true;
    }
    quota->field = feature_schema_find(schema, request->quota_field);
    if (!quota->field ||
        (quota->field->type != FEATURE_CATEGORY && quota->field->type != FEATURE_FLAG)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "quota_field",
                               "'%.*s' is not a category or flag field of the schema",
                               (int)request->quota_field.bytes,
                               (const char *)request->quota_field.data);
    }
    /* Every value that has a cell gave an account to the list, but for the one asked about. */
    quota->cell_count = 64;
    while (quota->cell_count < 2 * (request->k + 1)) {
        quota->cell_count *= 2;
    }
    quota->cells = calloc(quota->cell_count, sizeof *quota->cells);
    return quota->cells ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "quota_field", "no memory for the quota");
}

void listing_quota_close(struct listing_quota *quota)
{
    free(quota->cells);
    *quota = (struct listing_quota){0};
}

static size_t value_hash(struct proto_span value, bool missing)
{
    uint64_t hash = missing ? 1 : UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < value.bytes; i++) {
        hash = (hash ^ value.data[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ hash >> 29);
}

uint64_t *listing_quota_count(struct listing_quota *quota, const struct engine_worker *worker)
{
    if (!quota->field) {
        return NULL;
    }
    const struct feature_value *found = &worker->values[quota->field->id];
    bool missing = !found->present || found->type != quota->field->type;
    struct proto_span value = {0};
    if (!missing) {
        value = found->type == FEATURE_CATEGORY ? found->text
                                                : proto_span_text(found->flag ? "true" : "false");
    }
    size_t at = value_hash(value, missing) & (quota->cell_count - 1);
    /* A cell that was asked about and took nobody is used again by the next value. */
    while (
        quota->cells[at].used && quota->cells[at].taken > 0 &&
        (quota->cells[at].missing != missing || !proto_span_equal(quota->cells[at].value, value))) {
        at = (at + 1) & (quota->cell_count - 1);
    }
    struct listing_count *cell = &quota->cells[at];
    if (!cell->used || cell->taken == 0) {
        *cell = (struct listing_count){.value = value, .missing = missing, .used = true};
    }
    return &cell->taken;
}
