/* SPDX-License-Identifier: Apache-2.0 */
/* The version is opened and what its outcomes are of: a policy or a label, its own unless another
 * is asked for. Their cases become rows, and those figures and words. */
#include "server/drift/drift.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/drift/drift_row.h"
#include "server/engine/learn_names.h"
#include "server/engine/worker.h"
#include "server/feature/date_text.h"
#include "server/math/special.h"

/* What is asked for, opened. */
struct asking {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct drift_request *request;
    struct measure_policy *own; /* the version's policy, if it is that */
    const struct measure_policy *policy;
    int32_t stage_field_id; /* that the policy names; -1: none */
    struct filter *label, *where;
    struct drift_cases cases;
    struct drift_rows rows;
};

void drift_fini(struct drift_result *result)
{
    learn_document_release(result->document);
    free(result->columns);
    free(result->label);
    *result = (struct drift_result){.icp = 0};
}

static void asking_close(struct asking *asking)
{
    measure_policy_destroy(asking->own);
    filter_destroy(asking->label);
    filter_destroy(asking->where);
    drift_cases_fini(&asking->cases);
    drift_rows_fini(&asking->rows);
}

static bool label_open(struct asking *asking, struct proto_span text, struct proto_fault *fault)
{
    asking->label = filter_parse(asking->worker->state->schema, text, fault, NULL);
    if (asking->label == NULL) {
        (void)snprintf(fault->field, sizeof fault->field, "label");
    }
    return asking->label != NULL;
}

static bool where_open(struct asking *asking, const json_t *label, struct proto_fault *fault)
{
    const char *where = json_string_value(json_object_get(label, "where"));
    if (where == NULL || where[0] == '\0') {
        return true;
    }
    asking->where =
        filter_parse(asking->worker->state->schema, proto_span_text(where), fault, NULL);
    if (asking->where == NULL) {
        (void)snprintf(fault->field, sizeof fault->field, "where");
    }
    return asking->where != NULL;
}

static bool own_open(struct asking *asking, const json_t *label, struct proto_fault *fault)
{
    const json_t *document = json_object_get(json_object_get(label, "policy"), "document");
    if (document == NULL) {
        const char *text = json_string_value(json_object_get(label, "expression"));
        return label_open(asking, proto_span_text(text != NULL ? text : ""), fault);
    }
    char *text = json_dumps(document, JSON_COMPACT);
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the policy");
    }
    asking->own = measure_policy_read(proto_span_text(text), fault);
    asking->policy = asking->own;
    free(text);
    return asking->own != NULL || proto_fault_within(fault, "policy");
}

static bool label_copy(const struct asking *asking, const json_t *label,
                       struct drift_result *result, struct proto_fault *fault)
{
    const char *own = json_string_value(json_object_get(label, "expression"));
    struct proto_span text = asking->policy                     ? asking->policy->name
                             : asking->request->label.bytes > 0 ? asking->request->label
                                                                : proto_span_text(own ? own : "");
    result->label = strndup(text.bytes > 0 ? (const char *)text.data : "", text.bytes);
    return result->label != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the label");
}

static bool outcomes_open(struct asking *asking, struct drift_result *result,
                          struct proto_fault *fault)
{
    const json_t *label = json_object_get(result->document->json, "label");
    bool good = where_open(asking, label, fault);
    asking->policy = asking->request->policy;
    if (good && asking->request->label.bytes > 0) {
        good = label_open(asking, asking->request->label, fault);
    } else if (good && asking->policy == NULL) {
        good = own_open(asking, label, fault);
    }
    const struct proto_span stage =
        asking->policy ? asking->policy->stage_field : (struct proto_span){NULL, 0};
    return good &&
           engine_names_stage(asking->worker->state->schema, stage, &asking->stage_field_id,
                              fault) &&
           label_copy(asking, label, result, fault);
}

struct switches {
    uint32_t icp;
    int64_t time_ms;
    bool met;
};

static void switch_look(void *context, const struct engine_switch *change)
{
    struct switches *switches = context;
    if (change->version == switches->icp) {
        switches->met = true;
        switches->time_ms = change->time_ms;
    }
}

/* Since it was made active last; since it was learned, if it never was. */
static bool since_find(struct asking *asking, struct drift_result *result,
                       struct proto_fault *fault)
{
    struct switches switches = {.icp = result->icp};
    bool whole_day = false;
    result->since_ms = asking->request->since_ms;
    if (result->since_ms != DRIFT_ACTIVATION) {
        return true;
    }
    if (!engine_switches(asking->worker, switch_look, &switches, fault)) {
        return false;
    }
    result->since_ms = switches.time_ms;
    if (!switches.met) {
        const char *created = json_string_value(json_object_get(result->document->json, "created"));
        if (created == NULL ||
            !feature_date_read(proto_span_text(created), &result->since_ms, &whole_day)) {
            return proto_fault_set(fault, PROTO_MISSING_FIELD, "since",
                                   "version %u was never active: say since when", result->icp);
        }
    }
    return true;
}

static double number_of(const json_t *object, const char *name)
{
    const json_t *number = json_object_get(object, name);
    return json_is_number(number) ? json_number_value(number) : MATH_NAN;
}

static void then_read(struct drift_result *result)
{
    const json_t *json = result->document->json;
    const json_t *held = json_object_get(json_object_get(json, "evidence"), "holdout");
    result->then = (struct drift_then){
        .base_rate = number_of(json_object_get(json, "label"), "base_rate"),
        .auc = number_of(held, "auc"),
        .auc_low = number_of(held, "auc_low"),
        .auc_high = number_of(held, "auc_high"),
        .skill = number_of(held, "brier_reference") - number_of(held, "brier"),
        .lift = number_of(held, "lift_top_decile"),
    };
}

static bool cases_find(struct asking *asking, struct drift_result *result,
                       struct proto_fault *fault)
{
    if (asking->policy) {
        return drift_cases_of_policy(asking->worker, asking->job, asking->policy, result->since_ms,
                                     asking->request->at_ms, &asking->cases, fault);
    }
    return drift_cases_of_label(asking->worker, asking->job, asking->label, result->since_ms,
                                &asking->cases, fault);
}

static bool version_open(struct asking *asking, struct drift_result *result,
                         struct proto_fault *fault)
{
    const struct engine_state *state = engine_worker_state(asking->worker);
    struct learn_document *document = engine_state_document(state, asking->request->icp, fault);
    if (!document) {
        return false;
    }
    result->document = learn_document_retain(document);
    result->icp = document->version;
    result->seq = engine_worker_seq(asking->worker);
    then_read(result);
    return true;
}

bool drift_measure(struct engine_worker *worker, const struct engine_job *job,
                   const struct drift_request *request, struct drift_result *result,
                   struct proto_fault *fault)
{
    struct asking asking = {.worker = worker, .job = job, .request = request};
    *result = (struct drift_result){.icp = 0};
    bool good = version_open(&asking, result, fault) && outcomes_open(&asking, result, fault) &&
                since_find(&asking, result, fault) && cases_find(&asking, result, fault);
    const struct drift_reading reading = {.document = result->document,
                                          .where = asking.where,
                                          .policy = asking.policy,
                                          .cases = &asking.cases,
                                          .stage_field_id = asking.stage_field_id};
    good = good && drift_rows_read(worker, job, &reading, &asking.rows, fault);
    result->at_ms = asking.cases.at_ms;
    good = good && drift_skill_measure(&asking.rows, result, fault) &&
           drift_columns_measure(&asking.rows, result, fault);
    if (good) {
        drift_words_make(result);
    }
    asking_close(&asking);
    return good;
}
