/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the store as JSON. jansson escapes every text; what is not UTF-8 is not stored. */
#include "server/rpc/card_json.h"

#include <math.h>

#include "server/feature/date_text.h"
#include "server/feature/json_text.h"

json_t *rpc_card_text(struct proto_span text)
{
    size_t bytes = text.bytes < CARD_TEXT_BYTES ? text.bytes : CARD_TEXT_BYTES;
    while (bytes < text.bytes && bytes > 0 && (text.data[bytes] & 0xC0) == 0x80) {
        bytes--;
    }
    return bytes < text.bytes ? json_sprintf("%.*s…", (int)bytes, (const char *)text.data)
                              : json_stringn(bytes > 0 ? (const char *)text.data : "", bytes);
}

json_t *rpc_card_time(int64_t ms)
{
    char text[FEATURE_DATE_TEXT_BYTES];
    (void)feature_date_print(ms, text);
    return json_string(text);
}

json_t *rpc_card_keys(const struct feature_record *record)
{
    json_t *keys = json_array();
    struct proto_span key;
    size_t at = 0;
    while (keys != NULL && json_array_size(keys) < CARD_KEYS_MAX &&
           feature_record_key_next(record, &at, &key)) {
        feature_json_append(&keys, rpc_card_text(key));
    }
    return keys;
}

static json_t *tags_json(struct proto_span tags)
{
    json_t *list = json_array();
    struct proto_span tag;
    size_t at = 0;
    while (list != NULL && json_array_size(list) < CARD_KEYS_MAX &&
           feature_tags_next(tags, &at, &tag)) {
        feature_json_append(&list, rpc_card_text(tag));
    }
    return list;
}

static json_t *value_json(const struct feature_value *value)
{
    switch (value->type) {
    case FEATURE_NUMBER:
        return json_real(value->number);
    case FEATURE_CATEGORY:
        return rpc_card_text(value->text);
    case FEATURE_TAGS:
        return tags_json(value->tags);
    case FEATURE_FLAG:
        return json_boolean(value->flag);
    case FEATURE_DATE:
        return rpc_card_time((int64_t)value->number);
    case FEATURE_VECTOR:
        return json_sprintf("a vector of %zu numbers", value->vector.bytes / sizeof(float));
    }
    return NULL;
}

json_t *rpc_card_values(const struct feature_schema *schema, const struct feature_record *record,
                        int64_t now_ms)
{
    json_t *values = json_object();
    for (size_t i = 0; values != NULL && schema != NULL && i < schema->field_count &&
                       json_object_size(values) < CARD_VALUES_MAX;
         i++) {
        const struct feature_field *field = &schema->fields[i];
        struct feature_value value;
        if (!feature_record_value(record, field->id, &value)) {
            continue;
        }
        bool stale = field->stale_after_ms > 0 && now_ms - value.time_ms > field->stale_after_ms;
        json_t *one = json_pack("{s:o, s:o, s:o, s:s}", "value", value_json(&value), "source",
                                rpc_card_text(feature_record_source(record, value.source)), "time",
                                rpc_card_time(value.time_ms), "state", stale ? "stale" : "fresh");
        if (json_object_set_new(values, field->name, one) != 0) {
            json_decref(values);
            values = NULL;
        }
    }
    return values;
}

json_t *rpc_card_texts(const struct proto_span *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < count && i < CARD_VALUES_MAX; i++) {
        feature_json_append(&list, rpc_card_text(texts[i]));
    }
    return list;
}

json_t *rpc_card_reasons(const struct engine_answer *answer)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < answer->reason_count; i++) {
        const struct engine_reason *reason = &answer->reasons[i];
        json_t *one =
            json_pack("{s:s, s:f, s:s, s:s}", "says", reason->contribution > 0 ? "for" : "against",
                      "points", round((double)reason->contribution / 1e4), "field", reason->field,
                      "value", reason->value);
        if (one != NULL && reason->field_b != NULL &&
            (json_object_set_new(one, "second", json_string(reason->field_b)) != 0 ||
             json_object_set_new(one, "second_value", json_string(reason->value_b)) != 0)) {
            json_decref(one);
            one = NULL;
        }
        feature_json_append(&list, one);
    }
    return list;
}

json_t *rpc_card_engagement(const struct lifecycle_engaged *engaged)
{
    const struct measure_engaged *sum = &engaged->sum;
    bool any = sum->last_ms != INT64_MIN;
    return json_pack("{s:f, s:s, s:I, s:o, s:s, s:i}", "score",
                     (double)sum->millionths / (double)MEASURE_WEIGHT_ONE, "band",
                     measure_band_name(engaged->band), "events", (json_int_t)sum->events, "last",
                     any ? rpc_card_time(sum->last_ms) : json_null(), "definition", engaged->name,
                     "version", (int)engaged->version);
}

static json_t *time_or_null(int64_t ms)
{
    return ms == MEASURE_NEVER ? json_null() : rpc_card_time(ms);
}

json_t *rpc_card_lifecycle(const struct lifecycle_account *account)
{
    json_t *open = json_array();
    for (size_t i = 0; open != NULL && i < account->open_listed && i < CARD_OPEN_MAX; i++) {
        const struct lifecycle_open *item = &account->open[i];
        feature_json_append(
            &open, json_pack("{s:o, s:o, s:I, s:s, s:I, s:o, s:o}", "subject",
                             rpc_card_text(item->subject), "plan", rpc_card_text(item->label),
                             "amount", (json_int_t)item->amount, "currency", item->currency,
                             "months", (json_int_t)item->months, "begin",
                             rpc_card_time(item->start_ms), "end", time_or_null(item->end_ms)));
    }
    json_t *nps =
        account->nps_ms == MEASURE_NEVER ? json_null() : json_real((double)account->nps / 1000);
    return json_pack("{s:b, s:I, s:s, s:o, s:I, s:o, s:o, s:I, s:I, s:o, s:I, s:o}", "customer",
                     account->customer, "mrr_minor_units", (json_int_t)account->mrr, "currency",
                     account->currency, "since", time_or_null(account->since_ms), "tenure_days",
                     (json_int_t)account->tenure_days, "first_touch",
                     time_or_null(account->first_touch_ms), "last_touch",
                     time_or_null(account->last_touch_ms), "renewals",
                     (json_int_t)account->renewals, "churned", (json_int_t)account->churned, "nps",
                     nps, "subscriptions", (json_int_t)account->open_count, "open", open);
}

static json_t *event_json(const struct event *event)
{
    json_t *one = json_pack("{s:o, s:s, s:o}", "time", rpc_card_time(event->time_ms), "type",
                            event_type_name(event->type), "source", rpc_card_text(event->source));
    bool good = one != NULL;
    for (int m = 0; m < EVENT_MEMBER_COUNT && good; m++) {
        enum event_member member = (enum event_member)m;
        struct event copy = *event;
        const char *name = event_member_name(member);
        if ((event->has >> m & 1) == 0 || member == EVENT_MEMBER_RETRACTS) {
            continue;
        }
        json_t *value = event_member_is_text(member) ? rpc_card_text(*event_text(&copy, member))
                        : member == EVENT_MEMBER_END ? rpc_card_time(event->end_ms)
                        : member == EVENT_MEMBER_QUANTITY
                            ? json_real((double)event->quantity / 1000)
                            : json_integer(*event_number(&copy, member));
        good = json_object_set_new(one, name, value) == 0;
    }
    if (!good) {
        json_decref(one);
        return NULL;
    }
    return one;
}

json_t *rpc_card_events(const struct engine_timeline *page)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < page->count; i++) {
        feature_json_append(&list, event_json(&page->events[i].event));
    }
    return list;
}

static bool is_on(const struct engine_list *list, uint32_t slot)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->slots[middle] < slot) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->count && list->slots[low] == slot;
}

json_t *rpc_card_lists(const struct engine_state *state, uint32_t slot)
{
    json_t *names = json_array();
    const struct engine_lists *lists = state->lists;
    for (size_t i = 0; names != NULL && lists != NULL && i < lists->count &&
                       json_array_size(names) < CARD_LISTS_MAX;
         i++) {
        if (lists->items[i] != NULL && is_on(lists->items[i], slot)) {
            feature_json_append(&names, json_string(lists->items[i]->name));
        }
    }
    return names;
}

json_t *rpc_card_look_alikes(const struct lookalike_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < result->count; i++) {
        const struct lookalike_hit *hit = &result->hits[i];
        json_t *one =
            json_pack("{s:o, s:f}", "id", rpc_card_text(hit->id), "similarity", hit->similarity);
        if (one != NULL && hit->scored && result->document != NULL) {
            struct engine_answer answer;
            engine_answer_from_raw(result->document, hit->raw, &answer);
            const char grade[2] = {answer.grade, '\0'};
            (void)json_object_set_new(one, "grade", json_string(grade));
        }
        feature_json_append(&list, one);
    }
    return list;
}
