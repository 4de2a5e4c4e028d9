/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/patch.h"

#include <stdlib.h>

enum { VALUE_HEADER_BYTES = 16, VALUE_LENGTH_AT = 12 }; /* server/feature/record.h */

void store_patch_room_fini(struct store_patch_room *room)
{
    free(room->base);
    free(room->over);
    *room = (struct store_patch_room){0};
}

/* Field ids ascend within a record: the last one says how many slots the values need. */
static size_t slots_needed(const struct feature_record *record)
{
    struct proto_span run = record->value_bytes;
    size_t slots = 0;
    for (size_t at = 0; run.bytes - at >= VALUE_HEADER_BYTES;) {
        slots = (size_t)disk_get_u16(run.data + at) + 1;
        size_t bytes = disk_get_u32(run.data + at + VALUE_LENGTH_AT);
        if (bytes > run.bytes - at - VALUE_HEADER_BYTES) {
            break;
        }
        at += VALUE_HEADER_BYTES + bytes;
    }
    return slots;
}

static bool room_reserve(struct store_patch_room *room, size_t slots, struct proto_fault *fault)
{
    if (slots <= room->slots) {
        return true;
    }
    free(room->base);
    free(room->over);
    room->base = calloc(slots, sizeof *room->base);
    room->over = calloc(slots, sizeof *room->over);
    room->slots = slots;
    if (room->base != NULL && room->over != NULL) {
        return true;
    }
    store_patch_room_fini(room);
    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu values", slots);
    return false;
}

/* Gives the source of each present value its place in the joined list. Values of a record that
 * names no sources must not pass as the other record's: they get a source of this name. */
static const char unknown_source[] = "unknown";

static bool sources_join(struct feature_value *values, size_t slots,
                         const struct feature_record *record, struct proto_span *sources,
                         size_t *count, struct proto_fault *fault)
{
    int16_t places[UINT8_MAX + 1];
    memset(places, 0xff, sizeof places);
    for (size_t i = 0; i < slots; i++) {
        if (!values[i].present) {
            continue;
        }
        uint8_t old = values[i].source;
        if (places[old] < 0) {
            struct proto_span name = record->source_count == 0 ? proto_span_text(unknown_source)
                                                               : feature_record_source(record, old);
            size_t place = 0;
            while (place < *count && !proto_span_equal(sources[place], name)) {
                place++;
            }
            if (place == PROTO_SOURCES_MAX) {
                return proto_fault_set(fault, PROTO_LIMIT, "source",
                                       "the account would have more than %d sources",
                                       PROTO_SOURCES_MAX);
            }
            if (place == *count) {
                sources[(*count)++] = name;
            }
            places[old] = (int16_t)place;
        }
        values[i].source = (uint8_t)places[old];
    }
    return true;
}

static bool keys_join(const struct feature_record *base, const struct feature_record *patch,
                      struct proto_span *keys, size_t *count, struct proto_fault *fault)
{
    size_t at = 0;
    struct proto_span key;
    while (feature_record_key_next(base, &at, &key) && *count < PROTO_KEYS_MAX) {
        keys[(*count)++] = key;
    }
    at = 0;
    while (feature_record_key_next(patch, &at, &key)) {
        size_t place = 0;
        while (place < *count && !proto_span_equal(keys[place], key)) {
            place++;
        }
        if (place == PROTO_KEYS_MAX) {
            return proto_fault_set(fault, PROTO_LIMIT, "keys",
                                   "the account would have more than %d keys", PROTO_KEYS_MAX);
        }
        if (place == *count) {
            keys[(*count)++] = key;
        }
    }
    return true;
}

static uint8_t *encode(const struct feature_record *record, size_t *bytes,
                       struct proto_fault *fault)
{
    uint8_t nothing[1];
    *bytes = feature_record_encode(record, nothing, 0, fault);
    if (*bytes == 0) {
        return NULL;
    }
    uint8_t *out = malloc(*bytes);
    if (out == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a record of %zu bytes", *bytes);
    } else {
        feature_record_encode(record, out, *bytes, fault);
    }
    return out;
}

/* Takes out of the patch what is older than what is stored, and of what is stored what the patch
 * replaces or takes away. */
static void values_settle(struct feature_value *base, struct feature_value *over, size_t slots,
                          const struct feature_record *patch, const struct store_command *command)
{
    bool dated = (command->patch & STORE_PATCH_DATED) != 0;
    bool yields = (command->patch & STORE_PATCH_YIELDS) != 0;
    for (size_t i = 0; i < slots; i++) {
        bool both = base[i].present && over[i].present;
        bool later =
            both && dated &&
            (base[i].time_ms > over[i].time_ms || (yields && base[i].time_ms == over[i].time_ms));
        if (later) {
            over[i].present = false;
        } else if (both) {
            base[i].present = false;
        }
    }
    for (size_t i = 0; i + 2 <= command->extra.bytes; i += 2) {
        uint16_t id = disk_get_u16(command->extra.data + i);
        bool newer =
            id < slots && dated && base[id].present && base[id].time_ms / 1000 > patch->changed_s;
        if (id < slots && !newer) {
            base[id].present = over[id].present = false;
        }
    }
}

/* Both sets of sources can be in use at once, so that the joined list is worked out in two steps.
 */
static bool values_lay_over(struct store_patch_room *room, const struct feature_record *base,
                            const struct feature_record *patch, const struct store_command *command,
                            struct feature_record *joined, struct proto_span *sources,
                            struct proto_fault *fault)
{
    size_t slots = joined->value_slots;
    joined->source_count = 0;
    feature_record_values(base, room->base, slots);
    feature_record_values(patch, room->over, slots);
    values_settle(room->base, room->over, slots, patch, command);
    bool named = base->source_count > 0 || patch->source_count > 0;
    if (named && (!sources_join(room->base, slots, base, sources, &joined->source_count, fault) ||
                  !sources_join(room->over, slots, patch, sources, &joined->source_count, fault))) {
        return false;
    }
    for (size_t i = 0; i < slots; i++) {
        if (room->over[i].present) {
            room->base[i] = room->over[i];
        }
    }
    return true;
}

uint8_t *store_patch(struct store_patch_room *room, struct proto_span base,
                     const struct store_command *patch, size_t *bytes, struct proto_fault *fault)
{
    struct feature_record old;
    struct feature_record over;
    if (!feature_record_open(base, true, &old, fault) ||
        !feature_record_open(patch->text, true, &over, fault)) {
        return NULL;
    }
    size_t slots = slots_needed(&old);
    size_t more = slots_needed(&over);
    slots = slots > more ? slots : more;
    struct proto_span keys[PROTO_KEYS_MAX];
    struct proto_span sources[PROTO_SOURCES_MAX];
    struct feature_record joined = {.id = old.id, .created_s = old.created_s, .value_slots = slots};
    if (!room_reserve(room, slots, fault) ||
        !keys_join(&old, &over, keys, &joined.key_count, fault) ||
        !values_lay_over(room, &old, &over, patch, &joined, sources, fault)) {
        return NULL;
    }
    joined.keys = keys;
    joined.sources = sources;
    joined.values = room->base;
    return encode(&joined, bytes, fault);
}
