/* SPDX-License-Identifier: Apache-2.0 */
/* The filter is read and written out, held against what is in force, its evidence taken, and all of
 * it stored as the only document of its batch. Another put that came in between takes the number:
 * then versions are looked at once more, and the evidence stays. */
#include "server/dispute/segment_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine/ingest.h"
#include "server/feature/json_text.h"
#include "server/feature/span_text.h"

/* Puts of others that may come in between before it is given up. */
enum { TRIES = 16 };

static json_t *json_sure(json_t *json, bool ok, struct proto_fault *fault)
{
    if (ok) {
        return json;
    }
    json_decref(json);
    (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a segment");
    return NULL;
}

static void outcomes_add(json_t *map, const struct dispute_evidence *evidence, bool *ok)
{
    feature_json_put_count(map, "icp", evidence->icp, ok);
    feature_json_put(map, "outcome", feature_json_string(evidence->label.outcome_text), ok);
    feature_json_put_count(map, "accounts", evidence->in.accounts, ok);
    feature_json_put_count(map, "outcomes", evidence->in.outcomes, ok);
    feature_json_put(map, "rate_low", json_real(evidence->low), ok);
    feature_json_put(map, "rate_high", json_real(evidence->high), ok);
    feature_json_put_count(map, "others", evidence->out.accounts, ok);
    feature_json_put_count(map, "others_outcomes", evidence->out.outcomes, ok);
    feature_json_put_count(map, "held", evidence->held.accounts, ok);
    feature_json_put_count(map, "held_outcomes", evidence->held.outcomes, ok);
    feature_json_put(map, "held_low", json_real(evidence->held_low), ok);
    feature_json_put(map, "held_high", json_real(evidence->held_high), ok);
    feature_json_put(map, "chance", json_real(evidence->chance), ok);
}

json_t *dispute_evidence_json(const struct dispute_evidence *evidence, struct proto_fault *fault)
{
    bool ok = true;
    json_t *map = json_object();
    feature_json_put_count(map, "seq", evidence->seq, &ok);
    feature_json_put_count(map, "base", evidence->base, &ok);
    feature_json_put_count(map, "size", evidence->size, &ok);
    if (evidence->known) {
        outcomes_add(map, evidence, &ok);
    }
    return json_sure(map, ok, fault);
}

json_t *dispute_segment_json(const struct engine_segments *set,
                             const struct engine_segment *segment, struct proto_fault *fault)
{
    /* Copied whole: a set is shared by threads, and counts of references in JSON are not. */
    json_t *map = json_deep_copy(segment->json);
    bool ok = map != NULL;
    feature_json_put_count(map, "number", segment->number, &ok);
    feature_json_put(map, "time", json_integer((json_int_t)segment->time_ms), &ok);
    feature_json_put(map, "in_force", json_boolean(engine_segments_in_force(set, segment)), &ok);
    return json_sure(map, ok, fault);
}

const struct engine_segment *dispute_segment_refer(const struct engine_segments *set,
                                                   struct proto_span reference,
                                                   struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    double version = 0;
    size_t at = reference.bytes;
    while (at > 0 && reference.data[at - 1] >= '0' && reference.data[at - 1] <= '9') {
        at--;
    }
    bool numbered = at > 1 && at < reference.bytes && reference.data[at - 1] == '@' &&
                    feature_number_read(
                        (struct proto_span){reference.data + at, reference.bytes - at}, &version);
    if (!numbered) {
        return engine_segments_find(set, reference, fault);
    }
    struct proto_span name = {reference.data, at - 1};
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        const struct engine_segment *segment = set->items[i];
        if (segment != NULL && !segment->gone && (double)segment->version == version &&
            proto_span_equal(segment->name, name)) {
            return segment;
        }
    }
    const struct engine_segment *newest = engine_segments_newest(set, name);
    (void)feature_text_show(name, shown, sizeof shown);
    if (newest != NULL) {
        (void)proto_fault_set(fault, PROTO_NOT_FOUND, "name",
                              "there is no version %.0f of '%s'; the newest is %" PRIu32, version,
                              shown, newest->version);
        return NULL;
    }
    return engine_segments_find(set, name, fault);
}

/* The filter as it is kept, and parsed. The text is the caller's. */
static bool filter_read(const struct engine_worker *worker, const struct dispute_segment_put *put,
                        struct filter **filter, char **text, struct proto_fault *fault)
{
    const struct engine_state *state = engine_worker_state(worker);
    if (state->schema == NULL) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    if (put->filter.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "filter",
                               "a segment has a filter, such as \"country\" = 'DE'");
    }
    *filter = engine_filter_parse(state, FILTER_OF_VALUES, put->filter, fault);
    if (*filter == NULL) {
        return false;
    }
    *text = filter_print(*filter);
    if (*text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a segment");
    }
    return strlen(*text) <= PROTO_FILTER_BYTES_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "filter",
                           "with the segments that it names written out it has %zu bytes, at most "
                           "%d are allowed",
                           strlen(*text), PROTO_FILTER_BYTES_MAX);
}

static json_t *record_make(const struct dispute_segment_put *put, const char *filter,
                           const struct dispute_evidence *evidence, struct proto_fault *fault)
{
    bool ok = true;
    json_t *record = json_object();
    feature_json_put(record, "name", feature_json_string(put->name), &ok);
    feature_json_put(record, "version", json_integer(1), &ok);
    feature_json_put(record, "filter", json_string(filter), &ok);
    if (put->drop) {
        feature_json_put(record, "dropped", json_true(), &ok);
    }
    feature_json_put(record, "by", json_string(put->operation.author), &ok);
    feature_json_put(record, "note", feature_json_string(put->note), &ok);
    if (evidence != NULL) {
        json_t *map = dispute_evidence_json(evidence, fault);
        feature_json_put(record, "evidence", map, &ok);
    }
    return json_sure(record, ok, fault);
}

/* Whether there is room for one more name, and a name to drop. */
static bool name_fits(const struct engine_segments *set, const struct dispute_segment_put *put,
                      const struct engine_segment *now, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    if (put->drop) {
        /* One that nobody is sure of can be dropped too. */
        return now != NULL || engine_segments_find(set, put->name, &why) != NULL ||
               why.code == PROTO_CORRUPT ||
               proto_fault_set(fault, why.code, "name", "%s", why.message);
    }
    size_t others = set != NULL ? set->force_count : 0;
    return now != NULL || others < PROTO_SEGMENTS_KEPT_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "name",
                           "%zu segments are in force, at most %d are allowed: drop one", others,
                           PROTO_SEGMENTS_KEPT_MAX);
}

static bool stored_read(struct engine_worker *worker, uint64_t number,
                        struct dispute_segment_kept *kept, struct proto_fault *fault)
{
    if (!engine_worker_refresh(worker, fault)) {
        return false;
    }
    const struct engine_segments *set = engine_worker_state(worker)->segments;
    const struct engine_segment *segment =
        set != NULL && number >= 1 && number <= set->count ? set->items[number - 1] : NULL;
    if (segment == NULL || segment->gone) {
        return proto_fault_set(fault, PROTO_CORRUPT, "operation",
                               "the segment that was stored cannot be read");
    }
    json_t *json = dispute_segment_json(set, segment, fault);
    json_decref(kept->json);
    kept->json = json;
    return json != NULL;
}

/* Of a try that was overtaken. */
static void reply_empty(json_t *record)
{
    static const char *const names[] = {"number", "time", "in_force"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)json_object_del(record, names[i]);
    }
}

static bool reply_room(json_t *record, uint32_t number, struct proto_fault *fault)
{
    bool ok = true;
    feature_json_put_count(record, "number", number, &ok);
    feature_json_put(record, "time", json_integer(0), &ok);
    feature_json_put(record, "in_force", json_false(), &ok);
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a segment");
}

/* Nothing is allocated here. Without a new view the time is that of now, which it nearly is. */
static void reply_fill(struct engine_worker *worker, uint64_t number, json_t *record)
{
    struct proto_fault unused = {.code = PROTO_OK};
    const struct engine_segments *set =
        engine_worker_refresh(worker, &unused) ? engine_worker_state(worker)->segments : NULL;
    const struct engine_segment *segment =
        set != NULL && number >= 1 && number <= set->count ? set->items[number - 1] : NULL;
    int64_t time_ms = segment != NULL ? segment->time_ms : engine_now_ms(worker->engine);
    bool in_force = segment != NULL ? engine_segments_in_force(set, segment)
                                    : json_object_get(record, "dropped") == NULL;
    json_integer_set(json_object_get(record, "number"), (json_int_t)number);
    json_integer_set(json_object_get(record, "time"), (json_int_t)time_ms);
    json_object_set_new(record, "in_force", json_boolean(in_force));
}

/* Numbers and stores the record; *overtaken where another came first. */
static bool record_store(struct engine_worker *worker, const struct dispute_segment_put *put,
                         struct dispute_segment_kept *kept, bool *overtaken,
                         struct proto_fault *fault)
{
    const struct engine_segments *set = engine_worker_state(worker)->segments;
    size_t before = set != NULL ? set->count : 0;
    struct proto_fault why = {.code = PROTO_OK};
    struct store_result result = {0};
    bool ok = true;
    reply_empty(kept->json);
    feature_json_put_count(kept->json, "version", engine_segments_next(set, put->name), &ok);
    char *text = ok ? json_dumps(kept->json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a segment");
    }
    const struct store_document document = {.kind = STORE_DOCUMENT_SEGMENT,
                                            .number = (uint32_t)before + 1,
                                            .text = proto_span_text(text)};
    /* What the reply says beside the text has its room before anything is stored: a segment that is
     * stored must not be refused for want of it. */
    bool good = put->dry_run || reply_room(kept->json, (uint32_t)before + 1, fault);
    good = good && (put->dry_run || engine_document_store(worker->engine, &document,
                                                          &put->operation, &result, fault));
    free(text);
    if (good && put->dry_run) {
        return true;
    }
    if (!good) {
        *overtaken = fault->code == PROTO_CONFLICT && engine_worker_refresh(worker, &why) &&
                     engine_worker_state(worker)->segments != NULL &&
                     engine_worker_state(worker)->segments->count > before;
        return false;
    }
    kept->seq = result.seq;
    kept->repeated = result.repeated;
    if (result.repeated) {
        return stored_read(worker, result.version, kept, fault);
    }
    reply_fill(worker, result.version, kept->json);
    return true;
}

static bool put_run(struct engine_worker *worker, const struct dispute_segment_put *put,
                    const char *filter, struct dispute_segment_kept *kept,
                    struct proto_fault *fault)
{
    for (int i = 0; i < TRIES; i++) {
        const struct engine_segments *set = engine_worker_state(worker)->segments;
        struct proto_fault why = {.code = PROTO_OK};
        const struct engine_segment *now = engine_segments_find(set, put->name, &why);
        bool overtaken = false;
        kept->before = now != NULL ? now->version : 0;
        if (!name_fits(set, put, now, fault)) {
            return false;
        }
        if (!put->drop && now != NULL && proto_span_is(now->filter, filter)) {
            kept->unchanged = true;
            json_decref(kept->json);
            kept->json = dispute_segment_json(set, now, fault);
            return kept->json != NULL;
        }
        if (record_store(worker, put, kept, &overtaken, fault)) {
            return true;
        }
        if (!overtaken) {
            return false;
        }
        *fault = (struct proto_fault){.code = PROTO_OK};
    }
    return proto_fault_set(fault, PROTO_BUSY, "name", "others put segments without end: try again");
}

/* The record of what is put, with its evidence. */
static bool record_prepare(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job, const struct dispute_segment_put *put,
                           const struct filter *filter, const char *text,
                           struct dispute_segment_kept *kept, struct proto_fault *fault)
{
    const struct dispute_evidence_ask ask = {
        .filter = filter, .icp = put->icp, .outcome = put->outcome};
    struct dispute_evidence evidence;
    if (put->drop) {
        kept->json = record_make(put, "", NULL, fault);
        return kept->json != NULL;
    }
    if (!dispute_evidence_make(dispute, worker, job, &ask, &evidence, fault)) {
        return false;
    }
    kept->json = record_make(put, text, &evidence, fault);
    dispute_evidence_fini(&evidence);
    return kept->json != NULL;
}

bool dispute_segment_put(struct dispute *dispute, struct engine_worker *worker,
                         const struct engine_job *job, const struct dispute_segment_put *put,
                         struct dispute_segment_kept *kept, struct proto_fault *fault)
{
    struct engine_written before = {.repeated = false};
    struct filter *filter = NULL;
    char *text = NULL;
    *kept = (struct dispute_segment_kept){.before = 0};
    if (!put->dry_run && !engine_operation_find(worker->engine, &put->operation, &before, fault)) {
        return false;
    }
    if (before.repeated) {
        kept->repeated = true;
        kept->seq = before.seq;
        return stored_read(worker, before.version, kept, fault);
    }
    bool good = engine_segment_name_check(put->name, fault) &&
                dispute_text_kept(put->note, "note", fault) &&
                (put->drop || filter_read(worker, put, &filter, &text, fault)) &&
                record_prepare(dispute, worker, job, put, filter, text, kept, fault) &&
                put_run(worker, put, put->drop ? "" : text, kept, fault);
    filter_destroy(filter);
    free(text);
    if (!good) {
        json_decref(kept->json);
        kept->json = NULL;
    }
    return good;
}
