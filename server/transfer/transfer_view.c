/* SPDX-License-Identifier: Apache-2.0 */
/* First a line that says what this is, then schemas, ICP versions, accounts by slot, lists,
 * switches, identity entries and events by account, each kind in the order of its numbers, then how
 * look-alike vectors are built, and at the end a line with counts and the sum of all bytes before
 * it. What the store cannot read any more becomes a line that says so, and is counted; any other
 * fault ends it. */
#include "server/transfer/transfer_view.h"

#include <stdlib.h>
#include <string.h>

#include "proto/reader.h"
#include "server/feature/schema.h"
#include "server/store/store_document.h"
#include "server/store/vector_blocks.h"
#include "server/transfer/transfer_event.h"
#include "server/transfer/transfer_history.h"
#include "server/transfer/transfer_identity.h"
#include "server/transfer/transfer_similar.h"

enum { TELL_EVERY = 512 };

static const char *const kind_names[] = {
#define X(KIND, name, plural) name,
    TRANSFER_KINDS(X)
#undef X
};

static void member(struct transfer_text *text, const char *before, const char *name)
{
    transfer_text_raw(text, before);
    transfer_text_raw(text, "\"");
    transfer_text_raw(text, name);
    transfer_text_raw(text, "\":");
}

static void member_int(struct transfer_text *text, const char *before, const char *name,
                       int64_t value)
{
    member(text, before, name);
    transfer_text_int(text, value);
}

static void damage_write(struct transfer_writing *writing, const char *what, uint32_t number,
                         const char *why)
{
    struct transfer_text *text = &writing->text;
    member(text, "{", "damaged");
    transfer_text_string(text, proto_span_text(what));
    member_int(text, ",", "number", number);
    member(text, ",", "why");
    transfer_text_string(text, proto_span_text(why));
    transfer_text_raw(text, "}\n");
    writing->exported->damaged++;
}

/* Of a list that has slots in place of ids: whether the accounts can be read that it still names.
 */
static bool slots_check(const struct transfer_writing *writing, const struct store_change *change,
                        struct proto_fault *fault)
{
    struct proto_span bytes;
    for (size_t at = 0; change->ids.bytes == 0 && at + 4 <= change->slots.bytes; at += 4) {
        uint32_t slot;
        memcpy(&slot, change->slots.data + at, sizeof slot);
        if (!store_record(writing->view, slot, &bytes, fault) && fault->code != PROTO_NOT_FOUND) {
            return false;
        }
    }
    fault->code = PROTO_OK;
    return true;
}

/* The ids of a list, or, where it has none, of the accounts that its slots still name. */
static void ids_write(struct transfer_writing *writing, const struct store_change *change)
{
    struct transfer_text *text = &writing->text;
    struct proto_span id;
    struct proto_span bytes;
    struct feature_record record;
    struct proto_fault fault = {.code = PROTO_OK};
    const char *before = "[";
    size_t at = 0;
    for (; store_ids_next(change->ids, &at, &id); before = ",") {
        transfer_text_raw(text, before);
        transfer_text_string(text, id);
    }
    for (at = 0; change->ids.bytes == 0 && at + 4 <= change->slots.bytes; at += 4) {
        uint32_t slot;
        memcpy(&slot, change->slots.data + at, sizeof slot);
        if (store_record(writing->view, slot, &bytes, &fault) &&
            feature_record_open(bytes, false, &record, &fault)) {
            transfer_text_raw(text, before);
            transfer_text_string(text, record.id);
            before = ",";
        }
    }
    transfer_text_raw(text, before[0] == '[' ? "[]" : "]");
}

static void document_write(struct transfer_writing *writing, enum transfer_kind kind,
                           uint32_t number, const struct store_change *change)
{
    struct transfer_text *text = &writing->text;
    member_int(text, "{", kind_names[kind], number);
    if (kind == TRANSFER_SWITCH) {
        member_int(text, ",", "icp", change->version);
    }
    member_int(text, ",", "time_ms", change->time_ms);
    member(text, ",", kind == TRANSFER_SWITCH ? "reason" : "text");
    transfer_text_string(text, change->text);
    if (kind == TRANSFER_LIST) {
        member(text, ",", "ids");
        ids_write(writing, change);
    }
    transfer_text_raw(text, "}\n");
}

static bool documents_write(struct transfer_writing *writing, enum transfer_kind kind,
                            enum store_document_kind stored)
{
    for (uint32_t number = 1;; number++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct store_change change;
        if (store_document_get(writing->view, stored, number, &change, &fault)) {
            if (!proto_utf8_valid(change.text)) {
                damage_write(writing, kind_names[kind], number, "its text is no UTF-8");
                continue;
            }
            if (slots_check(writing, &change, &fault)) {
                document_write(writing, kind, number, &change);
                writing->exported->counts[kind]++;
                continue;
            }
        }
        if (fault.code == PROTO_NOT_FOUND) {
            return true;
        }
        if (fault.code != PROTO_CORRUPT) {
            *writing->fault = fault;
            return false;
        }
        damage_write(writing, kind_names[kind], number, fault.message);
    }
}

static void value_write(struct transfer_text *text, const struct feature_value *value)
{
    struct proto_span tag;
    size_t at = 0;
    const char *before = "";
    switch (value->type) {
    case FEATURE_NUMBER:
    case FEATURE_DATE:
        transfer_text_number(text, value->number);
        return;
    case FEATURE_FLAG:
        transfer_text_raw(text, value->flag ? "true" : "false");
        return;
    case FEATURE_CATEGORY:
        transfer_text_string(text, value->text);
        return;
    case FEATURE_TAGS:
        transfer_text_raw(text, "[");
        for (; feature_tags_next(value->tags, &at, &tag); before = ",") {
            transfer_text_raw(text, before);
            transfer_text_string(text, tag);
        }
        break;
    case FEATURE_VECTOR:
        transfer_text_raw(text, "[");
        for (; at + sizeof(float) <= value->vector.bytes; at += sizeof(float)) {
            float number;
            memcpy(&number, value->vector.data + at, sizeof number);
            transfer_text_raw(text, at == 0 ? "" : ",");
            transfer_text_float(text, number);
        }
        break;
    }
    transfer_text_raw(text, "]");
}

/* A field by its name in the newest schema; one that this has not, or whose name begins with '#',
 * by '#' and its id. */
static void field_write(struct transfer_text *text, const struct feature_schema *schema,
                        uint16_t id)
{
    char name[16];
    const struct feature_field *field = schema == NULL ? NULL : feature_schema_by_id(schema, id);
    snprintf(name, sizeof name, "#%u", id);
    transfer_text_string(text, field == NULL || field->name[0] == '#'
                                   ? proto_span_text(name)
                                   : proto_span_text(field->name));
}

static void account_write(struct transfer_text *text, const struct feature_schema *schema,
                          const struct feature_record *record, const struct feature_value *values)
{
    struct proto_span key;
    size_t at = 0;
    const char *before = "[";
    member(text, "{", kind_names[TRANSFER_ACCOUNT]);
    transfer_text_string(text, record->id);
    member_int(text, ",", "created_s", record->created_s);
    member_int(text, ",", "changed_s", record->changed_s);
    member(text, ",", "keys");
    for (; feature_record_key_next(record, &at, &key); before = ",") {
        transfer_text_raw(text, before);
        transfer_text_string(text, key);
    }
    transfer_text_raw(text, before[0] == '[' ? "[]" : "]");
    member(text, ",", "values");
    before = "{";
    for (unsigned id = 0; id < FEATURE_IDS_MAX; id++) {
        if (!values[id].present) {
            continue;
        }
        struct proto_span source = feature_record_source(record, values[id].source);
        transfer_text_raw(text, before);
        before = ",";
        field_write(text, schema, (uint16_t)id);
        member(text, ":{", "value");
        value_write(text, &values[id]);
        if (source.bytes > 0) {
            member(text, ",", "source");
            transfer_text_string(text, source);
        }
        member_int(text, ",", "time_ms", values[id].time_ms);
        transfer_text_raw(text, "}");
    }
    transfer_text_raw(text, before[0] == '{' ? "{}" : "}");
}

/* What the account was before, to the end of its line. One that was never changed says nothing, as
 * one that cannot be read, of which the next line tells. */
static bool history_write(struct transfer_writing *writing, uint32_t slot,
                          const struct feature_record *record)
{
    struct transfer_text *text = &writing->text;
    struct store_history history;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t begun;
    bool good = store_history(writing->view, slot, &history, &begun, &fault);
    if (good && (history.count > 0 || history.gone || record->changed_s > record->created_s)) {
        member(text, ",", "history");
        good = transfer_history_write(text, &history) ||
               proto_fault_set(&fault, PROTO_NO_MEMORY, "", "no memory for a history");
    }
    transfer_text_raw(text, "}\n");
    if (!good && fault.code == PROTO_CORRUPT) {
        damage_write(writing, kind_names[TRANSFER_ACCOUNT], slot, fault.message);
    } else if (!good) {
        *writing->fault = fault;
    }
    store_history_fini(&history);
    return good || fault.code == PROTO_CORRUPT;
}

/* The record of a slot as it was put. What is worked out of several follows from the entries: it is
 * not found. */
static bool record_read(struct transfer_writing *writing, uint32_t slot, bool check,
                        struct feature_record *record, struct proto_fault *fault)
{
    struct store_source source;
    if (!store_source(writing->view, slot, &source, fault)) {
        return false;
    }
    return source.count > 0 ? proto_fault_set(fault, PROTO_NOT_FOUND, "", "slot %u is a fold", slot)
                            : feature_record_open(source.record, check, record, fault);
}

static bool account_take(struct transfer_writing *writing, const struct feature_schema *schema,
                         struct feature_value *values, uint32_t slot)
{
    struct feature_record record = {.changed_s = 0};
    struct proto_fault fault = {.code = PROTO_OK};
    if (record_read(writing, slot, true, &record, &fault)) {
        feature_record_values(&record, values, FEATURE_IDS_MAX);
        account_write(&writing->text, schema, &record, values);
        writing->exported->counts[TRANSFER_ACCOUNT]++;
        return history_write(writing, slot, &record);
    }
    if (fault.code == PROTO_CORRUPT) {
        damage_write(writing, kind_names[TRANSFER_ACCOUNT], slot, fault.message);
        return true;
    }
    if (fault.code != PROTO_NOT_FOUND) {
        *writing->fault = fault;
    }
    return fault.code == PROTO_NOT_FOUND; /* deleted */
}

static bool accounts_write(struct transfer_writing *writing, const struct feature_schema *schema)
{
    uint32_t slots = store_view_slots(writing->view);
    struct feature_value *values = calloc(FEATURE_IDS_MAX, sizeof *values);
    bool good = true;
    if (values == NULL) {
        return proto_fault_set(writing->fault, PROTO_NO_MEMORY, "",
                               "no memory for the values of an account");
    }
    for (uint32_t slot = 0; good && slot < slots; slot++) {
        good = account_take(writing, schema, values, slot) &&
               (slot % TELL_EVERY != 0 ||
                writing->goes_on(writing->context, (double)slot / (double)slots));
    }
    free(values);
    return good;
}

struct telling {
    struct transfer_writing *writing;
    struct proto_span account;
};

static bool event_write(void *context, const struct event *event)
{
    const struct telling *telling = context;
    transfer_event_write(&telling->writing->text, telling->account, event);
    telling->writing->exported->counts[TRANSFER_EVENT]++;
    return true;
}

static bool count_event(void *context, const struct event *event)
{
    (void)event;
    ++*(uint64_t *)context;
    return true;
}

/* Of an account that is there: read once before anything is written, for half a timeline must not
 * pass for one. */
static bool timeline_write(struct transfer_writing *writing, uint32_t slot)
{
    struct feature_record record;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t events = 0;
    if (!record_read(writing, slot, false, &record, &fault)) {
        return true; /* deleted, or told of among the accounts */
    }
    if (!store_timeline(writing->view, slot, count_event, &events, &fault)) {
        if (fault.code != PROTO_CORRUPT) {
            *writing->fault = fault;
            return false;
        }
        damage_write(writing, kind_names[TRANSFER_EVENT], slot, fault.message);
        return true;
    }
    struct telling telling = {writing, record.id};
    return events == 0 ||
           store_timeline(writing->view, slot, event_write, &telling, writing->fault);
}

static bool events_write(struct transfer_writing *writing)
{
    uint32_t slots = store_view_slots(writing->view);
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (!timeline_write(writing, slot) ||
            (slot % TELL_EVERY == 0 && !writing->goes_on(writing->context, 1))) {
            return false;
        }
    }
    return true;
}

static bool identities_write(struct transfer_writing *writing)
{
    uint32_t last = store_view_entries(writing->view);
    for (uint32_t number = 1; number <= last; number++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct store_identity_entry identity;
        bool good = store_identity_entry(writing->view, number, &identity, &fault);
        if (good && identity.entry.act != IDENTITY_NO_ACT) {
            bool gone = !identity.counts && identity.entry.act != IDENTITY_UNDO;
            transfer_identity_write(&writing->text, number, identity.time_ms, &identity.entry,
                                    gone);
            writing->exported->counts[TRANSFER_IDENTITY]++;
        } else if (good || fault.code == PROTO_CORRUPT) {
            damage_write(writing, kind_names[TRANSFER_IDENTITY], number,
                         good ? "it was damaged and given up" : fault.message);
        } else {
            *writing->fault = fault;
            return false;
        }
        if (number % TELL_EVERY == 0 && !writing->goes_on(writing->context, 1)) {
            return false;
        }
    }
    return true;
}

/* Of the newest schema, whose fields have names; NULL in *schema: there is none that can be read.
 */
static bool schema_open(struct transfer_writing *writing, struct feature_schema **schema)
{
    struct store_change change;
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t last = 0;
    *schema = NULL;
    do {
        fault.code = PROTO_OK;
        last++;
    } while (store_document_get(writing->view, STORE_DOCUMENT_SCHEMA, last, &change, &fault) ||
             fault.code == PROTO_CORRUPT);
    if (last == 1 ||
        !store_document_get(writing->view, STORE_DOCUMENT_SCHEMA, last - 1, &change, &fault)) {
        return true;
    }
    *schema = feature_schema_parse(change.text, last - 1, NULL, &fault);
    if (*schema == NULL && fault.code == PROTO_NO_MEMORY) {
        *writing->fault = fault;
        return false;
    }
    return true;
}

static bool similar_write(struct transfer_writing *writing, const struct feature_schema *schema)
{
    struct store_vectors_head head;
    struct proto_fault fault = {.code = PROTO_OK};
    bool good = store_vectors_head(writing->view, &head, &fault);
    if (!good && fault.code != PROTO_CORRUPT) {
        *writing->fault = fault;
        return false;
    }
    if (!good ||
        (head.generation != 0 && !transfer_similar_write(&writing->text, head.text, schema))) {
        damage_write(writing, "similar", 0, good ? "it is no JSON" : fault.message);
    }
    return true;
}

static void end_write(struct transfer_writing *writing)
{
    struct transfer_text *text = &writing->text;
    char sum[MATH_SHA256_HEX_BYTES];
    struct math_sha256 upto = text->sha;
    static const char *const plurals[] = {
#define X(KIND, name, plural) plural,
        TRANSFER_KINDS(X)
#undef X
    };
    math_sha256_hex(&upto, sum);
    transfer_text_raw(text, "{\"end\":\"export\"");
    for (unsigned kind = 0; kind < TRANSFER_KIND_COUNT; kind++) {
        member_int(text, ",", plurals[kind], (int64_t)writing->exported->counts[kind]);
    }
    member_int(text, ",", "damaged", (int64_t)writing->exported->damaged);
    member(text, ",", "sha256");
    transfer_text_string(text, proto_span_text(sum));
    transfer_text_raw(text, "}\n");
}

bool transfer_view_write(struct transfer_writing *writing)
{
    struct feature_schema *schema;
    math_sha256_begin(&writing->text.sha);
    transfer_text_raw(&writing->text, "{\"icpd\":\"export\",\"format\":1}\n");
    if (!schema_open(writing, &schema)) {
        return false;
    }
    bool good = documents_write(writing, TRANSFER_SCHEMA, STORE_DOCUMENT_SCHEMA) &&
                documents_write(writing, TRANSFER_ICP, STORE_DOCUMENT_ICP) &&
                accounts_write(writing, schema) &&
                documents_write(writing, TRANSFER_LIST, STORE_DOCUMENT_TAL) &&
                documents_write(writing, TRANSFER_SWITCH, STORE_DOCUMENT_SWITCH) &&
                documents_write(writing, TRANSFER_CHALLENGE, STORE_DOCUMENT_CHALLENGE) &&
                identities_write(writing) &&
                documents_write(writing, TRANSFER_TERM, STORE_DOCUMENT_TERM) &&
                documents_write(writing, TRANSFER_METRIC, STORE_DOCUMENT_METRIC) &&
                documents_write(writing, TRANSFER_SEGMENT, STORE_DOCUMENT_SEGMENT) &&
                events_write(writing) && similar_write(writing, schema);
    feature_schema_release(schema);
    if (good) {
        end_write(writing);
    }
    return good;
}
