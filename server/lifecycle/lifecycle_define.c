/* SPDX-License-Identifier: Apache-2.0 */
/* The document is read, held against what is in force under its name, numbered and stored. Another
 * put that came in between takes the number: then all of it is looked at once more. What cannot be
 * read, is of another metric or was made from an older version is refused, and nothing is stored.
 */
#include "server/lifecycle/lifecycle_define.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/reader.h"
#include "server/engine/ingest.h"
#include "server/engine/worker.h"
#include "server/feature/json_place.h"

/* Puts of others that may come in between before it is given up. */
enum { TRIES = 16 };

static bool refuse(const struct lifecycle_define *request, struct proto_fault *fault)
{
    (void)feature_json_fault_place(request->text, fault);
    return proto_fault_within(fault, "definition");
}

static bool draft_read(const struct lifecycle_define *request, struct measure_definition *draft,
                       struct proto_fault *fault)
{
    if (!measure_definition_draft(request->text, draft, fault)) {
        return proto_fault_within(fault, "definition");
    }
    if (!measure_name_check(draft->name, fault)) {
        return refuse(request, fault);
    }
    if (request->note.bytes >= sizeof draft->note) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "note", "a note has at most %zu bytes",
                               sizeof draft->note - 1);
    }
    if (request->note.bytes > 0) {
        memset(draft->note, 0, sizeof draft->note);
        memcpy(draft->note, request->note.data, request->note.bytes);
    }
    struct proto_span author = proto_span_text(request->operation.author);
    memset(draft->author, 0, sizeof draft->author);
    if (author.bytes < sizeof draft->author && proto_utf8_valid(author)) {
        memcpy(draft->author, author.data, author.bytes);
    }
    return true;
}

/* Gives the draft its version, and says whether it is that of the one in force. */
static bool version_give(const struct engine_definitions *set,
                         const struct lifecycle_define *request, struct measure_definition *draft,
                         struct lifecycle_defined *defined, struct proto_fault *fault)
{
    const struct engine_definition *newest =
        engine_definitions_newest(set, proto_span_text(draft->name));
    bool in_force = newest != NULL && engine_definitions_in_force(set, newest);
    uint32_t next = engine_definitions_next(set, proto_span_text(draft->name));
    uint32_t told = draft->version;
    defined->before = in_force ? newest->definition.version : 0;
    if (newest != NULL && newest->definition.metric != draft->metric) {
        (void)proto_fault_set(fault, PROTO_BAD_DOCUMENT, "metric",
                              "'%s' is a definition of %s, and all its versions are: put one of %s "
                              "under another name",
                              draft->name, measure_metric_info(newest->definition.metric)->name,
                              measure_metric_info(draft->metric)->name);
        return refuse(request, fault);
    }
    if (told != 0 && told != next && (newest == NULL || told != newest->definition.version)) {
        (void)proto_fault_set(fault, PROTO_CONFLICT, "version",
                              "it says version %" PRIu32 ", and the newest of '%s' is %" PRIu32
                              ": leave version out, or say the one that it was made from",
                              told, draft->name, newest != NULL ? newest->definition.version : 0);
        return refuse(request, fault);
    }
    draft->version = next;
    defined->unchanged = false;
    if (in_force) {
        defined->was = newest->definition.rules;
        defined->was_engagement = newest->definition.engagement;
        defined->unchanged = measure_definition_same(&newest->definition, draft);
    }
    if (defined->unchanged) {
        *draft = newest->definition;
    }
    return true;
}

static bool text_make(struct lifecycle_defined *defined, struct proto_fault *fault)
{
    free(defined->text);
    defined->text = measure_definition_print(&defined->definition);
    return defined->text != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a definition");
}

static bool definition_store(struct engine_worker *worker, const struct lifecycle_define *request,
                             struct lifecycle_defined *defined, struct proto_fault *fault)
{
    const struct engine_definitions *set = worker->state->definitions;
    const struct store_document document = {.kind = STORE_DOCUMENT_METRIC,
                                            .number = (uint32_t)(set != NULL ? set->count : 0) + 1,
                                            .text = proto_span_text(defined->text)};
    struct store_result result;
    if (!engine_document_store(worker->engine, &document, &request->operation, &result, fault)) {
        return false;
    }
    defined->seq = result.seq;
    return true;
}

/* What the same operation stored before. */
static bool defined_before(struct engine_worker *worker, const struct engine_written *written,
                           struct lifecycle_defined *defined, struct proto_fault *fault)
{
    if (!engine_worker_refresh(worker, fault)) {
        return false;
    }
    const struct engine_definitions *set = worker->state->definitions;
    const struct engine_definition *there =
        set != NULL && written->version >= 1 && written->version <= set->count
            ? set->items[written->version - 1]
            : NULL;
    if (there == NULL) {
        return proto_fault_set(fault, PROTO_CORRUPT, "operation",
                               "the definition that the operation stored cannot be read");
    }
    defined->definition = there->definition;
    defined->seq = written->seq;
    defined->repeated = true;
    return text_make(defined, fault);
}

/* Whether another put took the number since the worker looked. */
static bool overtaken(struct engine_worker *worker, const struct proto_fault *fault)
{
    const struct engine_definitions *set = worker->state->definitions;
    size_t before = set != NULL ? set->count : 0;
    struct proto_fault why = {.code = PROTO_OK};
    if (fault->code != PROTO_CONFLICT || !engine_worker_refresh(worker, &why)) {
        return false;
    }
    set = worker->state->definitions;
    return (set != NULL ? set->count : 0) > before;
}

bool lifecycle_define(struct engine_worker *worker, const struct lifecycle_define *request,
                      struct lifecycle_defined *defined, struct proto_fault *fault)
{
    struct engine_written before = {.repeated = false};
    struct measure_definition read;
    *defined = (struct lifecycle_defined){.before = 0};
    if (!request->dry_run &&
        !engine_operation_find(worker->engine, &request->operation, &before, fault)) {
        return false;
    }
    if (before.repeated) {
        return defined_before(worker, &before, defined, fault);
    }
    if (!draft_read(request, &read, fault)) {
        return false;
    }
    for (int i = 0; i < TRIES; i++) {
        defined->definition = read;
        if (!version_give(worker->state->definitions, request, &defined->definition, defined,
                          fault) ||
            !text_make(defined, fault)) {
            return false;
        }
        if (defined->unchanged || request->dry_run) {
            return true;
        }
        if (definition_store(worker, request, defined, fault)) {
            return true;
        }
        if (!overtaken(worker, fault)) {
            return false;
        }
        *fault = (struct proto_fault){.code = PROTO_OK};
    }
    return proto_fault_set(fault, PROTO_BUSY, "definition",
                           "others put definitions without end: try again");
}

bool lifecycle_definition(const struct engine_state *state, struct proto_span reference,
                          struct measure_definition *definition, struct proto_fault *fault)
{
    struct measure_reference wanted;
    if (!measure_reference_read(reference, &wanted, fault)) {
        return false;
    }
    if (proto_span_is(wanted.name, MEASURE_USUAL_NAME)) {
        *definition = (struct measure_definition){.metric = MEASURE_METRICS,
                                                  .version = MEASURE_USUAL_VERSION,
                                                  .name = MEASURE_USUAL_NAME};
        measure_rules_default(&definition->rules);
        measure_engagement_default(&definition->engagement);
        return wanted.version <= MEASURE_USUAL_VERSION ||
               proto_fault_set(fault, PROTO_NOT_FOUND, "", "there is version %d of '%s' alone",
                               MEASURE_USUAL_VERSION, MEASURE_USUAL_NAME);
    }
    const struct engine_definition *found =
        engine_definitions_find(state->definitions, &wanted, fault);
    if (found == NULL) {
        return false;
    }
    *definition = found->definition;
    return true;
}

void lifecycle_rule_print(const struct measure_rules *rules, enum measure_rule rule,
                          char text[LIFECYCLE_RULE_BYTES])
{
    if (rule != MEASURE_RULE_RATES) {
        (void)snprintf(text, LIFECYCLE_RULE_BYTES, "%s",
                       measure_choice_info((enum measure_choice)rules->choice[rule])->word);
        return;
    }
    int used = snprintf(text, LIFECYCLE_RULE_BYTES, "%s",
                        rules->base[0] != '\0' ? rules->base : "no currency");
    for (uint32_t i = 0; i < rules->rate_count && used < LIFECYCLE_RULE_BYTES; i++) {
        const struct measure_rate *rate = &rules->rates[i];
        used += snprintf(text + used, (size_t)(LIFECYCLE_RULE_BYTES - used), ", %s=%lld.%06lld",
                         rate->currency, (long long)(rate->millionths / MEASURE_RATE_ONE),
                         (long long)(rate->millionths % MEASURE_RATE_ONE));
    }
}
