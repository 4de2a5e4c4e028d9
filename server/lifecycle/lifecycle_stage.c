/* SPDX-License-Identifier: Apache-2.0 */
/* The profile is found, then each listed account with something open is read once more: its
 * journeys for their stages, its values for the score. A version that cannot be opened is passed
 * over where none was asked for by number; an account that cannot be read ends it. */
#include "server/lifecycle/lifecycle_stage.h"

#include "server/engine/version.h"
#include "server/engine/walk.h"
#include "server/feature/json_text.h"

/* The profile by stage. */
struct profile {
    const struct learn_document *document; /* NULL: there is none */
    uint16_t field_id;
    size_t column; /* of the stage; column_count: it was not learned from */
};

/* One listed account under way. */
struct staging {
    struct lifecycle_standing *standing;
    struct lifecycle_listed *listed;
    struct lifecycle_collect collect;
    struct measure_journey_reader reader;
    struct profile profile;
    size_t place;
    int64_t entered_ms; /* of the stage that is told; INT64_MIN: none is */
};

/* "deal_stage" of a version that was learned of cases by stage; else "". */
static const char *stage_field(const json_t *head)
{
    const json_t *policy = json_object_get(json_object_get(head, "label"), "policy");
    const json_t *document = json_object_get(policy, "document");
    const char *by = json_string_value(json_object_get(document, "case"));
    const char *name = json_string_value(json_object_get(document, "stage_field"));
    return by != NULL && strcmp(by, "stage") == 0 && name != NULL ? name : "";
}

static bool profile_open(struct staging *staging, uint32_t version, const char *name,
                         struct proto_fault *fault)
{
    const struct engine_state *state = staging->standing->worker->state;
    struct profile *profile = &staging->profile;
    const struct feature_field *field = feature_schema_find(state->schema, proto_span_text(name));
    if (field == NULL || field->type != FEATURE_CATEGORY) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.stages",
                               "version %u has stages in '%s', which is no category of the schema",
                               version, name);
    }
    const struct learn_document *document = engine_state_document(state, version, fault);
    if (document == NULL) {
        return false;
    }
    size_t column = 0;
    while (column < document->codebook->column_count &&
           document->codebook->columns[column].field_id != field->id) {
        column++;
    }
    *profile = (struct profile){.document = document, .field_id = field->id, .column = column};
    return true;
}

static bool asked_open(struct staging *staging, uint32_t version, struct proto_fault *fault)
{
    struct engine_worker *worker = staging->standing->worker;
    if (version > worker->state->document_count) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "parameters.stages",
                               "there is no version %u", version);
    }
    const json_t *head = engine_version_head(worker, version, fault);
    if (head == NULL) {
        return false;
    }
    const char *name = stage_field(head);
    return name[0] != '\0' ? profile_open(staging, version, name, fault)
                           : proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.stages",
                                             "version %u was not learned of cases by stage "
                                             "(\"case\": \"stage\" of a policy)",
                                             version);
}

/* The newest that is one, if any. */
static bool profile_find(struct staging *staging, struct proto_fault *fault)
{
    struct engine_worker *worker = staging->standing->worker;
    uint32_t newest = (uint32_t)worker->state->document_count;
    uint32_t last = newest > LIFECYCLE_STAGE_VERSIONS ? newest - LIFECYCLE_STAGE_VERSIONS : 0;
    uint32_t asked = staging->standing->options.stages;
    if (asked > 0) {
        return asked_open(staging, asked, fault);
    }
    for (uint32_t v = newest; v > last && staging->profile.document == NULL; v--) {
        struct proto_fault local = {.code = PROTO_OK};
        const json_t *head = engine_version_head(worker, v, &local);
        const char *name = stage_field(head);
        bool good = head != NULL && (name[0] == '\0' || profile_open(staging, v, name, &local));
        if (!good && engine_version_passes(local.code)) {
            *fault = local;
            return false;
        }
    }
    return true;
}

/* Rows that were learned from with the code of the stage, and those of them that were won. None of
 * a stage that shares its bin: what came of other rare stages says nothing of it. */
static struct measure_tally tally_of(const struct profile *profile, const uint8_t *codes)
{
    const struct learn_document *document = profile->document;
    const struct model_scorecard *scorecard = document->scorecard;
    bool alone = profile->column < document->codebook->column_count &&
                 codes[profile->column] >= FEATURE_CATEGORY_FIRST;
    for (size_t t = 0; alone && document->support != NULL && t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        if (term->column_a == profile->column && term->column_b == MODEL_NO_COLUMN &&
            document->support->known[t]) {
            size_t entry = term->table_offset + codes[profile->column];
            return (struct measure_tally){document->support->rows[entry],
                                          document->support->positives[entry]};
        }
    }
    return (struct measure_tally){0, 0};
}

/* Scored as if the account had that stage among its values. */
static bool stage_score(struct staging *staging, struct proto_span stage, double *p,
                        struct measure_tally *seen, struct proto_fault *fault)
{
    const struct profile *profile = &staging->profile;
    struct engine_worker *worker = staging->standing->worker;
    uint32_t slot = staging->standing->accounts[staging->listed->accounts[staging->place]].slot;
    int64_t raw = 0;
    *p = MEASURE_NAN;
    *seen = (struct measure_tally){0, 0};
    if (profile->document == NULL) {
        return true;
    }
    if (!engine_values(worker, slot, NULL, fault)) {
        return false;
    }
    worker->values[profile->field_id] =
        (struct feature_value){.present = true, .type = FEATURE_CATEGORY, .text = stage};
    if (!engine_values_raw(worker, profile->document, &raw, fault)) {
        return false;
    }
    *p = model_p(profile->document->scorecard, raw);
    *seen = tally_of(profile, worker->codes);
    return true;
}

static bool journey_stage(void *context, const struct measure_journey *journey,
                          struct proto_fault *fault)
{
    struct staging *staging = context;
    struct measure_listed *told = &staging->listed->told[staging->place];
    size_t at = journey->end == MEASURE_JOURNEY_OPEN ? journey->step_count : 0;
    struct measure_tally seen;
    double p;
    while (at > 0 && journey->steps[at - 1]->type != EVENT_STAGE) {
        at--;
    }
    if (at == 0) {
        return true;
    }
    const struct event *step = journey->steps[at - 1];
    if (!stage_score(staging, step->kind, &p, &seen, fault)) {
        return false;
    }
    bool later = step->time_ms > staging->entered_ms;
    bool first = staging->entered_ms == INT64_MIN;
    bool better = staging->profile.document != NULL && (p > told->win || (p >= told->win && later));
    if (!first && !(staging->profile.document != NULL ? better : later)) {
        return true;
    }
    staging->entered_ms = step->time_ms;
    told->win = p;
    told->from_stage = seen;
    return lifecycle_listed_stage_keep(staging->listed, staging->place, step->kind, fault);
}

static bool account_stage(struct staging *staging, struct proto_fault *fault)
{
    struct lifecycle_standing *standing = staging->standing;
    const struct measure_standing *account =
        &standing->accounts[staging->listed->accounts[staging->place]];
    staging->entered_ms = INT64_MIN;
    return account->open == 0 ||
           (lifecycle_collect_account(&staging->collect, account->slot, 0, fault) &&
            measure_journeys_read(&staging->reader, staging->collect.events, staging->collect.count,
                                  &standing->journeys, journey_stage, staging, fault));
}

bool lifecycle_listed_stages(struct lifecycle_listed *listed, struct lifecycle_standing *standing,
                             struct proto_fault *fault)
{
    struct staging staging = {.standing = standing, .listed = listed};
    if (standing->worker->state->schema == NULL || !profile_find(&staging, fault)) {
        return standing->worker->state->schema == NULL;
    }
    lifecycle_collect_init(&staging.collect, standing->worker, standing->job,
                           &standing->collect.as_of, MEASURE_JOURNEY_TYPES);
    bool good = true;
    for (; good && staging.place < listed->count; staging.place++) {
        good = account_stage(&staging, fault);
    }
    lifecycle_collect_fini(&staging.collect);
    measure_journey_reader_fini(&staging.reader);
    return good;
}
