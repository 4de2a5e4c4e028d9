/* SPDX-License-Identifier: Apache-2.0 */
/* Made whole or not at all; stored as the only document of its batch, with who asked for it. What
 * is read back is checked against the shape that it has on the wire. */
#include "server/dispute/challenge_record.h"

#include <stdlib.h>

#include "server/engine/ingest.h"
#include "server/feature/json_shape.h"
#include "server/feature/json_text.h"

static void claim_add(json_t *record, const struct dispute_claim *claim, bool *ok)
{
    if (claim->condition.bytes > 0) {
        feature_json_put(record, "condition", feature_json_string(claim->condition), ok);
    } else if (claim->field.bytes > 0) {
        feature_json_put(record, "field", feature_json_string(claim->field), ok);
    }
    feature_json_put(record, "claim", json_string(dispute_claimed_word(claim->claimed)), ok);
    feature_json_put(record, "slice", feature_json_string(claim->slice), ok);
    feature_json_put(record, "period", feature_json_string(claim->period), ok);
    feature_json_put(record, "outcome", feature_json_string(claim->outcome), ok);
    feature_json_put(record, "margin", json_real(claim->margin), ok);
}

static void side_add(json_t *record, const struct dispute_side *side, double low, double high,
                     bool *ok)
{
    feature_json_put_count(record, "accounts", side->accounts, ok);
    feature_json_put_count(record, "outcomes", side->outcomes, ok);
    feature_json_put(record, "expected", json_real(side->expected), ok);
    feature_json_put(record, "rate_low", json_real(low), ok);
    feature_json_put(record, "rate_high", json_real(high), ok);
}

static void gap_add(json_t *record, const struct dispute_gap *gap, bool *ok)
{
    feature_json_put(record, "gap", json_real(gap->gap), ok);
    feature_json_put(record, "gap_low", json_real(gap->low), ok);
    feature_json_put(record, "gap_high", json_real(gap->high), ok);
}

static json_t *bins_make(const struct dispute_finding *finding, bool *ok)
{
    json_t *bins = json_array();
    for (size_t i = 0; i < finding->part_count && *ok; i++) {
        const struct dispute_part *part = &finding->parts[i];
        json_t *bin = json_object();
        feature_json_put(bin, "bin", json_string(part->bin), ok);
        feature_json_put(bin, "verdict", json_string(dispute_verdict_word(part->gap.verdict)), ok);
        side_add(bin, &part->side, part->low, part->high, ok);
        gap_add(bin, &part->gap, ok);
        *ok = json_array_append_new(bins, bin) == 0 && *ok;
    }
    return bins;
}

static void finding_add(json_t *record, const struct dispute_claim *claim,
                        const struct dispute_finding *finding, bool *ok)
{
    feature_json_put(record, "verdict", json_string(dispute_verdict_word(finding->verdict)), ok);
    feature_json_put_count(record, "needed", finding->needed, ok);
    side_add(record, &finding->sides[0], finding->low, finding->high, ok);
    gap_add(record, &finding->gap, ok);
    if (claim->condition.bytes > 0) {
        feature_json_put_count(record, "others", finding->sides[1].accounts, ok);
        feature_json_put_count(record, "others_outcomes", finding->sides[1].outcomes, ok);
        feature_json_put(record, "others_expected", json_real(finding->sides[1].expected), ok);
    } else if (claim->field.bytes > 0) {
        feature_json_put(record, "bins", bins_make(finding, ok), ok);
    }
    if (finding->ranked) {
        feature_json_put(record, "auc", json_real(finding->auc), ok);
        feature_json_put(record, "auc_low", json_real(finding->auc_low), ok);
        feature_json_put(record, "auc_high", json_real(finding->auc_high), ok);
    }
    feature_json_put_count(record, "blanks", finding->blanks, ok);
}

json_t *dispute_record_make(const struct dispute_claim *claim,
                            const struct dispute_finding *finding, const char *by,
                            struct proto_span note, uint64_t seq, struct proto_fault *fault)
{
    bool ok = true;
    char digest[17];
    json_t *record = json_object();
    (void)snprintf(digest, sizeof digest, "%016llx", (unsigned long long)finding->icp_digest);
    feature_json_put(record, "by", json_string(by), &ok);
    feature_json_put_count(record, "icp", finding->icp, &ok);
    feature_json_put(record, "icp_digest", json_string(digest), &ok);
    feature_json_put_count(record, "seq", seq, &ok);
    claim_add(record, claim, &ok);
    feature_json_put(record, "note", feature_json_string(note), &ok);
    finding_add(record, claim, finding, &ok);
    if (!ok) {
        json_decref(record);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the challenge");
        return NULL;
    }
    return record;
}

uint32_t dispute_record_count(const struct engine_worker *worker)
{
    return store_view_documents(worker->view, STORE_DOCUMENT_CHALLENGE);
}

json_t *dispute_record_read(struct engine_worker *worker, uint32_t number,
                            struct proto_fault *fault)
{
    struct store_change change;
    bool ok = true;
    if (!store_document_get(worker->view, STORE_DOCUMENT_CHALLENGE, number, &change, fault)) {
        return NULL;
    }
    json_t *record =
        change.text.bytes > 0 ? feature_json_load(change.text, PROTO_CORRUPT, fault) : NULL;
    if (record == NULL && fault->code == PROTO_NO_MEMORY) {
        return NULL;
    }
    if (record == NULL || !feature_json_is_of_shape(record, PROTO_SHAPE_CHALLENGE)) {
        json_decref(record);
        proto_fault_set(fault, PROTO_CORRUPT, "", "challenge %u is damaged", number);
        return NULL;
    }
    feature_json_put_count(record, "number", number, &ok);
    feature_json_put(record, "time", json_integer((json_int_t)change.time_ms), &ok);
    if (!ok) {
        json_decref(record);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the challenge");
        return NULL;
    }
    return record;
}

bool dispute_record_store(struct engine_worker *worker, json_t **record,
                          const struct engine_operation *operation,
                          struct dispute_recorded *recorded, struct proto_fault *fault)
{
    struct store_result result = {0};
    char *text = json_dumps(*record, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the challenge");
    }
    const struct store_document document = {.kind = STORE_DOCUMENT_CHALLENGE,
                                            .text = proto_span_text(text)};
    bool ok = engine_document_store(worker->engine, &document, operation, &result, fault);
    free(text);
    *recorded = (struct dispute_recorded){
        .number = result.version, .seq = result.seq, .repeated = result.repeated};
    /* What was stored is of this moment: it is read as any other. */
    ok = ok && engine_worker_refresh(worker, fault);
    json_t *kept = ok ? dispute_record_read(worker, result.version, fault) : NULL;
    if (kept != NULL) {
        json_decref(*record);
        *record = kept;
    }
    return kept != NULL;
}

static struct proto_span text_of(const json_t *record, const char *name)
{
    const json_t *text = json_object_get(record, name);
    return json_is_string(text) ? feature_json_span(text) : (struct proto_span){0};
}

void dispute_record_claim(const json_t *record, struct dispute_claim *claim)
{
    *claim = (struct dispute_claim){
        .icp = (uint64_t)json_integer_value(json_object_get(record, "icp")),
        .condition = text_of(record, "condition"),
        .field = text_of(record, "field"),
        .slice = text_of(record, "slice"),
        .period = text_of(record, "period"),
        .outcome = text_of(record, "outcome"),
        .margin = json_number_value(json_object_get(record, "margin")),
    };
    (void)dispute_claimed_read(text_of(record, "claim"), &claim->claimed);
}
