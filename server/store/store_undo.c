/* SPDX-License-Identifier: Apache-2.0 */
/* The history is walked from the newest change to the oldest: as long as a field's changes, and the
 * values that they left, are the import's (or of one that was taken back, or of a taking back), the
 * value before them is what it becomes again, unless somebody told a newer one meanwhile that came
 * late. Then each field of what was told is judged, then keys, and at last whether anything is
 * left.
 */
#include "server/store/store_undo.h"

#include <assert.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/store/store.h"

/* What the history says of a field. */
struct field {
    struct store_past first; /* the oldest of the changes that are looked through */
    bool any;                /* there is one */
    bool own;                /* one of them is the import's */
    bool ended;              /* somebody else's change or telling lies before them */
    bool late;               /* the import told one that never was the value */
    struct store_past other; /* somebody else's that came late meanwhile, the newest */
    bool other_any;
    bool touched; /* there was any change, but for those of imports that were taken back before */
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

uint64_t store_undo_stamp(struct proto_span id, struct proto_span source, int64_t time_ms)
{
    uint8_t text[2 * UINT8_MAX + 2 * sizeof(uint64_t)]; /* both lengths are a byte on disk */
    size_t bytes = 2 * sizeof(uint64_t);
    source = source.bytes > 0 ? source : proto_span_text(unknown_source);
    assert(id.bytes <= UINT8_MAX && source.bytes <= UINT8_MAX);
    disk_set_u64(text, (uint64_t)time_ms);
    disk_set_u64(text + sizeof(uint64_t), id.bytes);
    memcpy(text + bytes, id.data, id.bytes);
    bytes += id.bytes;
    memcpy(text + bytes, source.data, source.bytes);
    return XXH3_64bits(text, bytes + source.bytes) & (STORE_UNDO_STAMP - 1);
}

static enum store_whose teller(const struct work *work, struct proto_span source, int64_t time_ms)
{
    return work->ask->teller(work->ask->context, store_undo_stamp(work->now.id, source, time_ms));
}

static enum store_whose teller_now(const struct work *work, size_t i)
{
    const struct feature_value *value = &work->values[i];
    return teller(work, work->sources[value->source], value->time_ms);
}

/* Whether what the field was after the change that the walk is at would not be without the imports.
 * That there was no value says nothing of who took it. */
static bool is_void(const struct work *work, size_t i)
{
    const struct field *field = &work->fields[i];
    if (!field->any) {
        return !work->values[i].present || is_ours(teller_now(work, i));
    }
    return !store_past_has_value(&field->first) ||
           is_ours(teller(work, field->first.source, field->first.time_ms));
}

static void late_take(struct field *field, const struct store_past *past, enum store_whose whose)
{
    field->late |= whose == STORE_WHOSE_IMPORT;
    if (whose == STORE_WHOSE_OTHER && !field->ended &&
        (!field->other_any || past->time_ms > field->other.time_ms)) {
        field->other = *past;
        field->other_any = true;
    }
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
        late_take(field, past, whose);
        return;
    }
    if (!field->touched && whose != STORE_WHOSE_GONE) {
        field->touched = true;
        field->newest = whose;
    }
    field->ended = field->ended || !is_ours(whose) || !is_void(work, past->field);
    if (!field->ended) {
        field->any = true;
        field->own |= whose == STORE_WHOSE_IMPORT;
        field->first = *past;
    }
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

/* Whether the value is what was told. */
static bool is_told(const struct work *work, size_t i)
{
    const struct feature_value *now = &work->values[i];
    const struct feature_value *told = &work->said[i];
    return told->present && now->present && now->type == told->type &&
           proto_span_equal(packed_of(now), packed_of(told));
}

/* Whether the import brought the value to the account, whoever told it again. */
static bool is_brought(const struct work *work, size_t i)
{
    const struct field *field = &work->fields[i];
    uint64_t begun = work->ask->begun;
    return field->own || (!field->ended && begun != 0 &&
                          work->ask->whose(work->ask->context, begun) == STORE_WHOSE_IMPORT);
}

/* Whether the value stands as it was told, down to when it was true and who said it; or was told
 * again since by those alone who were taken back. */
static bool stands(const struct work *work, size_t i)
{
    const struct feature_value *now = &work->values[i];
    const struct feature_value *told = &work->said[i];
    if (!is_told(work, i)) {
        return false;
    }
    return (now->time_ms == told->time_ms &&
            proto_span_equal(work->sources[now->source],
                             work->told.source_count == 0
                                 ? proto_span_text(unknown_source)
                                 : feature_record_source(&work->told, told->source))) ||
           (is_brought(work, i) && teller_now(work, i) == STORE_WHOSE_GONE);
}

static bool value_same(const struct feature_value *a, const struct feature_value *b)
{
    return a->present && b->present && a->type == b->type && a->time_ms == b->time_ms &&
           a->source == b->source && proto_span_equal(packed_of(a), packed_of(b));
}

static void value_back(struct work *work, size_t i)
{
    const struct field *field = &work->fields[i];
    struct feature_value before = {.present = false};
    bool gone = work->ask->history->gone;
    bool none = !field->ended && begun_by_import(work) && !gone && is_void(work, i);
    bool had = !none && field->any && store_past_has_value(&field->first);
    uint8_t place = 0;
    if (!none && !field->any) {
        work->undone->again++;
        return;
    }
    bool later = field->other_any && (!had || field->other.time_ms >= field->first.time_ms);
    const struct store_past *past = later ? &field->other : &field->first;
    bool lost = had && !later && !field->ended && gone && is_void(work, i);
    if (lost || ((had || later) && (past->unkept || !store_past_value(past, &before) ||
                                    !source_place(work, past->source, &place)))) {
        work->undone->not_kept++;
        return;
    }
    before.source = place;
    if (value_same(&before, &work->values[i])) {
        work->undone->again++;
        return;
    }
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
    } else if (!told && field->own && !work->values[i].present &&
               store_past_has_value(&field->first)) {
        value_back(work, i); /* it was taken away */
    }
}

/* What the history says of a key. */
struct key {
    bool own;                    /* the import added it or took it away, and nobody since */
    bool had;                    /* own: it would be there without that */
    enum store_past_kind newest; /* of nobody that was taken back; MARK: there is none */
};

static struct key key_look(const struct work *work, struct proto_span key)
{
    const struct store_history *history = work->ask->history;
    struct key found = {.newest = STORE_PAST_MARK};
    for (size_t i = history->count; i > 0 && found.newest == STORE_PAST_MARK; i--) {
        enum store_whose whose = work->ask->whose(work->ask->context, history->list[i - 1].seq);
        struct store_past past;
        for (size_t at = 0; store_past_next(history->list[i - 1].entries, &at, &past);) {
            if (!store_past_is_key(&past) || !proto_span_equal(past.bytes, key)) {
                continue;
            }
            if (!is_ours(whose)) {
                found.newest = past.kind;
            } else {
                found.own |= whose == STORE_WHOSE_IMPORT;
                found.had = past.kind == STORE_PAST_KEY_TAKEN;
            }
        }
    }
    return found;
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
            if (past.kind != STORE_PAST_KEY_TAKEN || whose != STORE_WHOSE_IMPORT ||
                keys_has(work, past.bytes)) {
                continue;
            }
            struct key key = key_look(work, past.bytes);
            if (!key.own || !key.had) {
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
    struct proto_span text;
    *others = 0;
    for (size_t at = 0; feature_record_key_next(&work->now, &at, &text);) {
        struct key key = key_look(work, text);
        if (key.own && !key.had) {
            work->undone->keys++;
            continue;
        }
        *others += key.newest == STORE_PAST_KEY_ADDED;
        work->keys[work->key_count++] = text;
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
