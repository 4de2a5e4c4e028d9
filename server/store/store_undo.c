/* SPDX-License-Identifier: Apache-2.0 */
/* The history is walked from the newest change to the oldest: as long as a field's changes are the
 * import's (or of a taking back of it), the value before them is what it becomes again. Then each
 * field of what was told is judged, then keys, and at last whether anything is left. */
#include "server/store/store_undo.h"

#include <stdlib.h>

/* What the history says of a field. */
struct field {
    struct store_past first; /* the oldest of the import's changes, with nobody's behind it */
    bool any;                /* there is one */
    bool ended;              /* somebody else's change lies before them */
    bool late;               /* the import told one that never was the value */
    bool touched;            /* there was any change */
    enum store_whose newest;
};

struct work {
    const struct store_undo *ask;
    struct feature_record now, told;
    struct feature_value *values; /* of now, then what becomes of it */
    struct feature_value *said;   /* of told */
    struct field *fields;
    size_t slots;
    bool *handled;
    struct proto_span sources[PROTO_SOURCES_MAX];
    size_t source_count;
    struct proto_span keys[PROTO_KEYS_MAX];
    size_t key_count;
    struct store_undone *undone;
};

static const char unknown_source[] = "unknown"; /* as server/store/patch.c calls it */

enum { VALUE_HEADER_BYTES = 16, VALUE_LENGTH_AT = 12 }; /* server/feature/record.h */

static size_t slots_of(const struct feature_record *record)
{
    struct proto_span run = record->value_bytes;
    size_t slots = 0;
    for (size_t at = 0; run.bytes - at >= VALUE_HEADER_BYTES;) {
        size_t bytes = disk_get_u32(run.data + at + VALUE_LENGTH_AT);
        slots = (size_t)disk_get_u16(run.data + at) + 1;
        if (bytes > run.bytes - at - VALUE_HEADER_BYTES) {
            break;
        }
        at += VALUE_HEADER_BYTES + bytes;
    }
    return slots;
}

static size_t slots_of_history(const struct store_history *history)
{
    size_t slots = 0;
    for (size_t i = 0; i < history->count; i++) {
        struct store_past past;
        for (size_t at = 0; store_past_next(history->list[i].entries, &at, &past);) {
            slots = past.field + 1U > slots ? past.field + 1U : slots;
        }
    }
    return slots;
}

static bool is_ours(enum store_whose whose)
{
    return whose != STORE_WHOSE_OTHER;
}

static bool begun_by_import(const struct work *work)
{
    return work->ask->begun != 0 && is_ours(work->ask->whose(work->ask->context, work->ask->begun));
}

static void change_take(struct work *work, const struct store_past *past, enum store_whose whose)
{
    if (past->kind == STORE_PAST_MARK) { /* nothing before it is known */
        for (size_t i = 0; i < work->slots; i++) {
            work->fields[i].ended = true;
        }
        return;
    }
    if (store_past_is_key(past)) {
        return;
    }
    struct field *field = &work->fields[past->field];
    if (past->kind == STORE_PAST_LATE) {
        field->late |= whose == STORE_WHOSE_IMPORT;
        return;
    }
    if (!field->touched) {
        field->touched = true;
        field->newest = whose;
    }
    if (!field->ended && is_ours(whose)) {
        field->any = true;
        field->first = *past;
    }
    field->ended |= !is_ours(whose);
}

static void history_walk(struct work *work)
{
    const struct store_history *history = work->ask->history;
    for (size_t i = history->count; i > 0; i--) {
        const struct store_past_group *group = &history->list[i - 1];
        enum store_whose whose = work->ask->whose(work->ask->context, group->seq);
        struct store_past past;
        for (size_t at = 0; store_past_next(group->entries, &at, &past);) {
            change_take(work, &past, whose);
        }
    }
}

/* The place of a source in what becomes of the account; false: there are too many. */
static bool source_place(struct work *work, struct proto_span name, uint8_t *place)
{
    size_t at = 0;
    name = name.bytes > 0 ? name : proto_span_text(unknown_source);
    while (at < work->source_count && !proto_span_equal(work->sources[at], name)) {
        at++;
    }
    if (at == PROTO_SOURCES_MAX) {
        return false;
    }
    work->sources[at] = name;
    work->source_count = at == work->source_count ? at + 1 : work->source_count;
    *place = (uint8_t)at;
    return true;
}

static struct proto_span packed_of(const struct feature_value *value)
{
    if (feature_type_is_number(value->type)) {
        return (struct proto_span){(const uint8_t *)&value->number, sizeof value->number};
    }
    if (value->type == FEATURE_FLAG) {
        return (struct proto_span){(const uint8_t *)&value->flag, sizeof value->flag};
    }
    return value->text;
}

/* Whether the value stands as it was told, down to when it was true and who said it. */
static bool stands(const struct work *work, size_t i)
{
    const struct feature_value *now = &work->values[i];
    const struct feature_value *told = &work->said[i];
    return now->present && now->type == told->type && now->time_ms == told->time_ms &&
           proto_span_equal(packed_of(now), packed_of(told)) &&
           proto_span_equal(work->sources[now->source],
                            work->told.source_count == 0
                                ? proto_span_text(unknown_source)
                                : feature_record_source(&work->told, told->source));
}

static void value_back(struct work *work, size_t i)
{
    const struct field *field = &work->fields[i];
    struct feature_value before = {.present = false};
    bool none = !field->ended && begun_by_import(work) && !work->ask->history->gone;
    bool had = !none && field->any && store_past_has_value(&field->first);
    uint8_t place = 0;
    if (!none && !field->any) {
        work->undone->again++;
        return;
    }
    if (had && (field->first.unkept || !store_past_value(&field->first, &before) ||
                !source_place(work, field->first.source, &place))) {
        work->undone->not_kept++;
        return;
    }
    before.source = place;
    work->values[i] = before;
    work->undone->values++;
}

/* A field that the batch told, or took away. */
static void field_judge(struct work *work, size_t i)
{
    const struct field *field = &work->fields[i];
    struct store_undone *undone = work->undone;
    bool told = work->said[i].present;
    if (told && stands(work, i)) {
        work->handled[i] = true;
        if (!field->any && !field->ended && work->ask->history->gone) {
            undone->not_kept++;
        } else {
            value_back(work, i);
        }
    } else if (told && field->late) {
        undone->late++;
    } else if (told && (!field->touched || field->newest == STORE_WHOSE_OTHER)) {
        undone->changed++;
    } else if (told && field->newest == STORE_WHOSE_IMPORT && !work->ask->forecast) {
        undone->changed++; /* the same again, by somebody else: that leaves no change */
    } else if (!told && field->any && field->newest == STORE_WHOSE_IMPORT &&
               !work->values[i].present && store_past_has_value(&field->first)) {
        value_back(work, i); /* it was taken away */
    }
}

/* The newest entry of a key; OTHER where there is none. */
static enum store_whose key_newest(const struct work *work, struct proto_span key,
                                   enum store_past_kind *kind)
{
    const struct store_history *history = work->ask->history;
    *kind = STORE_PAST_MARK;
    for (size_t i = history->count; i > 0; i--) {
        struct store_past past;
        for (size_t at = 0; store_past_next(history->list[i - 1].entries, &at, &past);) {
            if (store_past_is_key(&past) && proto_span_equal(past.bytes, key)) {
                *kind = past.kind;
                return work->ask->whose(work->ask->context, history->list[i - 1].seq);
            }
        }
    }
    return STORE_WHOSE_OTHER;
}

static bool keys_has(const struct work *work, struct proto_span key)
{
    for (size_t i = 0; i < work->key_count; i++) {
        if (proto_span_equal(work->keys[i], key)) {
            return true;
        }
    }
    return false;
}

/* Keys that the import took away, where nobody has them. */
static void keys_return(struct work *work)
{
    const struct store_history *history = work->ask->history;
    for (size_t i = history->count; i > 0; i--) {
        struct store_past past;
        enum store_whose whose = work->ask->whose(work->ask->context, history->list[i - 1].seq);
        for (size_t at = 0; store_past_next(history->list[i - 1].entries, &at, &past);) {
            enum store_past_kind kind;
            if (past.kind != STORE_PAST_KEY_TAKEN || whose != STORE_WHOSE_IMPORT ||
                keys_has(work, past.bytes) ||
                key_newest(work, past.bytes, &kind) != STORE_WHOSE_IMPORT ||
                kind != STORE_PAST_KEY_TAKEN) {
                continue;
            }
            if (work->key_count < PROTO_KEYS_MAX &&
                work->ask->key_free(work->ask->context, past.bytes)) {
                work->keys[work->key_count++] = past.bytes;
                work->undone->keys++;
            } else {
                work->undone->keys_lost++;
            }
        }
    }
}

/* *others: keys that somebody else added. */
static void keys_judge(struct work *work, size_t *others)
{
    struct proto_span key;
    *others = 0;
    for (size_t at = 0; feature_record_key_next(&work->now, &at, &key);) {
        enum store_past_kind kind;
        enum store_whose whose = key_newest(work, key, &kind);
        if (kind == STORE_PAST_KEY_ADDED && whose == STORE_WHOSE_IMPORT) {
            work->undone->keys++;
            continue;
        }
        *others += kind == STORE_PAST_KEY_ADDED;
        work->keys[work->key_count++] = key;
    }
    keys_return(work);
}

/* Values that are left; in a forecast without those that other batches of the import told. */
static size_t values_left(const struct work *work)
{
    size_t left = 0;
    bool begun = begun_by_import(work);
    for (size_t i = 0; i < work->slots; i++) {
        const struct field *field = &work->fields[i];
        bool goes = work->ask->forecast && !work->handled[i] && !work->said[i].present &&
                    (field->touched ? is_ours(field->newest) : begun);
        left += work->values[i].present && !goes;
    }
    return left;
}

static bool record_make(struct work *work, struct proto_fault *fault)
{
    const struct feature_record record = {.id = work->now.id,
                                          .created_s = work->now.created_s,
                                          .keys = work->keys,
                                          .key_count = work->key_count,
                                          .sources = work->sources,
                                          .source_count = work->source_count,
                                          .values = work->values,
                                          .value_slots = work->slots};
    uint8_t nothing[1];
    size_t bytes = feature_record_encode(&record, nothing, 0, fault);
    if (bytes == 0) {
        return false;
    }
    work->undone->record = malloc(bytes);
    if (work->undone->record == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for an account");
    }
    work->undone->bytes = feature_record_encode(&record, work->undone->record, bytes, fault);
    return true;
}

static bool values_open(struct work *work)
{
    feature_record_values(&work->now, work->values, work->slots);
    feature_record_values(&work->told, work->said, work->slots);
    for (size_t i = 0; i < work->slots; i++) {
        struct feature_value *value = &work->values[i];
        if (value->present &&
            !source_place(work, feature_record_source(&work->now, value->source), &value->source)) {
            return false;
        }
    }
    return true;
}

static bool judge(struct work *work, struct proto_fault *fault)
{
    struct store_undone *undone = work->undone;
    size_t others = 0;
    if (!values_open(work)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "an account with too many sources");
    }
    history_walk(work);
    for (size_t i = 0; i < work->slots; i++) {
        field_judge(work, i);
    }
    keys_judge(work, &others);
    if (begun_by_import(work)) {
        bool empty = others == 0 && values_left(work) == 0;
        undone->remove = empty && !work->ask->events;
        undone->stays = !undone->remove && (!work->ask->forecast || work->ask->events || !empty);
    }
    bool changes = undone->values > 0 || undone->keys > 0;
    return undone->remove || !changes || record_make(work, fault);
}

bool store_undo(const struct store_undo *ask, struct store_undone *undone,
                struct proto_fault *fault)
{
    struct work work = {.ask = ask, .undone = undone};
    *undone = (struct store_undone){.remove = false};
    if (!feature_record_open(ask->now, false, &work.now, fault) ||
        !feature_record_open(ask->told, false, &work.told, fault)) {
        return false;
    }
    size_t slots[] = {slots_of(&work.now), slots_of(&work.told), slots_of_history(ask->history)};
    for (size_t i = 0; i < 3; i++) {
        work.slots = slots[i] > work.slots ? slots[i] : work.slots;
    }
    work.values = calloc(work.slots + 1, sizeof *work.values);
    work.said = calloc(work.slots + 1, sizeof *work.said);
    work.fields = calloc(work.slots + 1, sizeof *work.fields);
    work.handled = calloc(work.slots + 1, sizeof *work.handled);
    bool room =
        work.values != NULL && work.said != NULL && work.fields != NULL && work.handled != NULL;
    bool good = room ? judge(&work, fault)
                     : proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for an account");
    free(work.values);
    free(work.said);
    free(work.fields);
    free(work.handled);
    return good;
}
