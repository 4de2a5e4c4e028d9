/* SPDX-License-Identifier: Apache-2.0 */
/* A schema that takes whatever version is next: the ids of its fields depend on every version
 * before it, and only the writer knows which was the last. */
#include <inttypes.h>
#include <stdlib.h>

#include "server/feature/schema.h"
#include "server/store/plan.h"

/* The text of a version as this batch or, before it, the table has it. */
static bool text_find(const struct store_plan *plan, uint32_t version, struct proto_span *text,
                      struct proto_fault *fault)
{
    for (size_t i = 0; i < plan->document_count; i++) {
        if (plan->documents[i].kind == STORE_DOCUMENT_SCHEMA &&
            plan->documents[i].number == version) {
            *text = plan->documents[i].sealed.text;
            return true;
        }
    }
    struct store_change change;
    if (!store_document_read(plan->sight, STORE_DOCUMENT_SCHEMA, version, &change, fault)) {
        return false;
    }
    *text = change.text;
    return true;
}

static bool previous_open(const struct store_plan *plan, struct feature_schema **previous,
                          struct proto_fault *fault)
{
    struct proto_span text = {0};
    uint32_t version = plan->next.schema_version;
    *previous = NULL;
    if (version == 0) {
        return true;
    }
    if (!text_find(plan, version, &text, fault)) {
        return false;
    }
    *previous = feature_schema_parse(text, version, NULL, fault);
    if (*previous != NULL) {
        return true;
    }
    return fault->code != PROTO_NO_MEMORY &&
           proto_fault_set(fault, PROTO_CORRUPT, "schema",
                           "version %" PRIu32 " that is stored is no schema", version);
}

bool store_plan_schema(struct store_plan *plan, struct proto_span given,
                       struct proto_span *numbered, struct proto_fault *fault)
{
    struct feature_schema *previous;
    if (!previous_open(plan, &previous, fault)) {
        return false;
    }
    struct feature_schema *schema =
        feature_schema_parse(given, plan->next.schema_version + 1, previous, fault);
    feature_schema_release(previous);
    if (schema == NULL) {
        return false;
    }
    char *text = feature_schema_print(schema);
    feature_schema_release(schema);
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "document", "no memory for the schema");
    }
    *numbered = proto_span_text(text);
    if (numbered->bytes > PROTO_DOCUMENT_BYTES_MAX) {
        size_t bytes = numbered->bytes;
        free(text);
        return proto_fault_set(fault, PROTO_TOO_LARGE, "document",
                               "a schema of %zu bytes with its ids; at most %d", bytes,
                               PROTO_DOCUMENT_BYTES_MAX);
    }
    return store_plan_keep(plan, (uint8_t *)text, fault);
}
