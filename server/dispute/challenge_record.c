/* SPDX-License-Identifier: Apache-2.0 */
/* Made whole or not at all; stored as the only document of its batch, with who asked for it. What
 * is read back is checked against the shape that it has on the wire. */
#include "server/dispute/challenge_record.h"

#include <stdlib.h>

#include "server/engine/ingest.h"
#include "server/feature/json_shape.h"
#include "server/feature/json_text.h"

static json_t *span_json(struct proto_span text)
{
    return json_stringn(text.bytes > 0 ? (const char *)text.data : "", text.bytes);
}

static void add(json_t *record, const char *name, json_t *value, bool *ok)
{
    *ok = json_object_set_new(record, name, value) == 0 && *ok;
}

static void add_count(json_t *record, const char *name, uint64_t value, bool *ok)
{
    add(record, name, json_integer((json_int_t)value), ok);
}

static void claim_add(json_t *record, const struct dispute_claim *claim, bool *ok)
{
    if (claim->condition.bytes > 0) {
        add(record, "condition", span_json(claim->condition), ok);
    } else if (claim->field.bytes > 0) {
        add(record, "field", span_json(claim->field), ok);
    }
    add(record, "claim", json_string(dispute_claimed_word(claim->claimed)), ok);
    add(record, "slice", span_json(claim->slice), ok);
    add(record, "period", span_json(claim->period), ok);
    add(record, "outcome", span_json(claim->outcome), ok);
    add(record, "margin", json_real(claim->margin), ok);
}

static void side_add(json_t *record, const struct dispute_side *side, double low, double high,
                     bool *ok)
{
    add_count(record, "accounts", side->accounts, ok);
    add_count(record, "outcomes", side->outcomes, ok);
    add(record, "expected", json_real(side->expected), ok);
    add(record, "rate_low", json_real(low), ok);
    add(record, "rate_high", json_real(high), ok);
}

static void gap_add(json_t *record, const struct dispute_gap *gap, bool *ok)
{
    add(record, "gap", json_real(gap->gap), ok);
    add(record, "gap_low", json_real(gap->low), ok);
    add(record, "gap_high", json_real(gap->high), ok);
}

static json_t *bins_make(const struct dispute_finding *finding, bool *ok)
{
    json_t *bins = json_array();
    for (size_t i = 0; i < finding->part_count && *ok; i++) {
        const struct dispute_part *part = &finding->parts[i];
        json_t *bin = json_object();
        add(bin, "bin", json_string(part->bin), ok);
        add(bin, "verdict", json_string(dispute_verdict_word(part->gap.verdict)), ok);
        side_add(bin, &part->side, part->low, part->high, ok);
        gap_add(bin, &part->gap, ok);
        *ok = json_array_append_new(bins, bin) == 0 && *ok;
    }
    return bins;
}

static void finding_add(json_t *record, const struct dispute_claim *claim,
                        const struct dispute_finding *finding, bool *ok)
{
    add(record, "verdict", json_string(dispute_verdict_word(finding->verdict)), ok);
    add_count(record, "needed", finding->needed, ok);
    side_add(record, &finding->sides[0], finding->low, finding->high, ok);
    gap_add(record, &finding->gap, ok);
    if (claim->condition.bytes > 0) {
        add_count(record, "others", finding->sides[1].accounts, ok);
        add_count(record, "others_outcomes", finding->sides[1].outcomes, ok);
        add(record, "others_expected", json_real(finding->sides[1].expected), ok);
    } else if (claim->field.bytes > 0) {
        add(record, "bins", bins_make(finding, ok), ok);
    }
    if (finding->ranked) {
        add(record, "auc", json_real(finding->auc), ok);
        add(record, "auc_low", json_real(finding->auc_low), ok);
        add(record, "auc_high", json_real(finding->auc_high), ok);
    }
    add_count(record, "blanks", finding->blanks, ok);
}

json_t *dispute_record_make(const struct dispute_claim *claim,
                            const struct dispute_finding *finding, const char *by,
                            struct proto_span note, uint64_t seq, struct proto_fault *fault)
{
    bool ok = true;
    char digest[17];
    json_t *record = json_object();
    (void)snprintf(digest, sizeof digest, "%016llx", (unsigned long long)finding->icp_digest);
    add(record, "by", json_string(by), &ok);
    add_count(record, "icp", finding->icp, &ok);
    add(record, "icp_digest", json_string(digest), &ok);
    add_count(record, "seq", seq, &ok);
    claim_add(record, claim, &ok);
    add(record, "note", span_json(note), &ok);
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
    add_count(record, "number", number, &ok);
    add(record, "time", json_integer((json_int_t)change.time_ms), &ok);
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
