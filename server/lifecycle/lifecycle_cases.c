/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts are labelled; what is settled on one of the two sides becomes rows, what is told of
 * the rest a JSON object. No rows are no evidence. */
#include "server/lifecycle/lifecycle_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/date_text.h"
#include "server/feature/json_text.h"

#define NAME_PREFIX "policy: "

struct source {
    struct measure_policy *policy;
    int64_t at_ms;
    char name[sizeof NAME_PREFIX + PROTO_ICP_NAME_BYTES_MAX];
};

static void source_destroy(void *context)
{
    struct source *source = context;
    measure_policy_destroy(source->policy);
    free(source);
}

static char *told_print(const struct source *source, const struct lifecycle_label *label)
{
    char at[FEATURE_DATE_TEXT_BYTES];
    const struct measure_policy *policy = source->policy;
    json_t *archetypes = json_object();
    (void)feature_date_print(label->at_ms, at);
    for (size_t i = 0; i <= policy->archetype_count; i++) {
        struct proto_span name = measure_policy_archetype(policy, i);
        if (json_object_set_new(archetypes, (const char *)name.data,
                                json_integer((json_int_t)label->of[i])) != 0) {
            json_decref(archetypes);
            return NULL;
        }
    }
    json_t *told =
        json_pack("{s:O, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "document", policy->root,
                  "at", at, "seq", (json_int_t)label->seq, "accounts", (json_int_t)label->accounts,
                  "without", (json_int_t)label->without, "cases", (json_int_t)label->count, "open",
                  (json_int_t)label->open, "positives", (json_int_t)label->positives, "negatives",
                  (json_int_t)label->negatives, "archetypes", archetypes);
    if (told != NULL && policy->by_stage &&
        json_object_set_new(told, "ended", json_integer((json_int_t)label->ended)) != 0) {
        json_decref(told);
        return NULL;
    }
    char *text = told != NULL ? json_dumps(told, JSON_COMPACT) : NULL;
    json_decref(told);
    return text;
}

static void rows_fill(const struct measure_policy *policy, const struct lifecycle_label *label,
                      struct engine_cases *cases)
{
    for (size_t i = 0; i < label->count; i++) {
        const struct lifecycle_case *one = &label->cases[i];
        bool positive = (policy->positive >> one->archetype & 1) != 0;
        bool negative = (policy->negative >> one->archetype & 1) != 0;
        if (!lifecycle_case_open(label, one) && (positive || negative)) {
            cases->rows[cases->count++] = (struct engine_case){.slot = one->slot,
                                                               .positive = positive,
                                                               .moment_ms = one->moment_ms,
                                                               .stage = one->stage};
        }
    }
}

static bool stages_copy(const struct lifecycle_label *label, struct engine_cases *cases)
{
    cases->stages = calloc((size_t)label->stages.count + 1, sizeof *cases->stages);
    while (cases->stages != NULL && cases->stage_count < label->stages.count) {
        char *text = strdup(label->stages.texts[cases->stage_count]);
        if (text == NULL) {
            return false;
        }
        cases->stages[cases->stage_count++] = text;
    }
    return cases->stages != NULL;
}

static bool cases_make(const struct source *source, const struct lifecycle_label *label,
                       struct engine_cases *cases, struct proto_fault *fault)
{
    uint64_t rows = label->positives + label->negatives;
    if (label->positives == 0 || label->negatives == 0) {
        return proto_fault_set(
            fault, PROTO_NO_EVIDENCE, "policy",
            "of %zu cases %llu are positive, %llu negative and %llu open: nothing is to be told "
            "from each other",
            label->count, (unsigned long long)label->positives,
            (unsigned long long)label->negatives, (unsigned long long)label->open);
    }
    cases->rows = calloc((size_t)rows, sizeof *cases->rows);
    cases->told = told_print(source, label);
    if (cases->rows == NULL || cases->told == NULL || !stages_copy(label, cases)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %llu cases",
                               (unsigned long long)rows);
    }
    rows_fill(source->policy, label, cases);
    return true;
}

static bool source_read(void *context, struct engine_worker *worker, const struct engine_job *job,
                        struct engine_cases *cases, struct proto_fault *fault)
{
    const struct source *source = context;
    const struct lifecycle_label_request request = {
        .policy = source->policy, .at_ms = source->at_ms, .as_of = {UINT64_MAX, INT64_MAX}};
    struct lifecycle_label label;
    bool good = lifecycle_label(worker, job, &request, &label, fault) &&
                cases_make(source, &label, cases, fault);
    lifecycle_label_fini(&label);
    return good;
}

bool lifecycle_case_source(struct measure_policy *policy, int64_t at_ms,
                           struct engine_case_source *source, struct proto_fault *fault)
{
    struct source *kept = calloc(1, sizeof *kept);
    if (kept == NULL) {
        measure_policy_destroy(policy);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the policy");
    }
    kept->policy = policy;
    kept->at_ms = at_ms;
    (void)snprintf(kept->name, sizeof kept->name, NAME_PREFIX "%.*s", (int)policy->name.bytes,
                   (const char *)policy->name.data);
    *source = (struct engine_case_source){.read = source_read,
                                          .destroy = source_destroy,
                                          .context = kept,
                                          .name = proto_span_text(kept->name),
                                          .timeless = policy->timeless,
                                          .timeless_count = policy->timeless_count,
                                          .stage_field = policy->stage_field};
    return true;
}
