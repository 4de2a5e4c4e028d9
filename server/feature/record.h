/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of one account: id, keys, sources, values with source and time. A flat run of
 * bytes, read in place from the memory map. All little-endian, no alignment needed.
 *
 *    0  u32  magic and layout version "ICA1"
 *    4  u32  bytes of the whole record
 *    8  u64  XXH3-64 of everything after this field
 *   16  u32  created, seconds since 1970       20  u32  changed, seconds since 1970
 *   24  u16  id bytes   26 u8 keys   27 u8 sources   28 u16 values   30 u16 reserved (0)
 *   32  id text; then per key u8 bytes + text; then per source u8 bytes + text; then per value,
 *       in order of field id: u16 field id, u8 type, u8 source, i64 time ms, u32 bytes, then the
 *       value: number f64, flag u8, category text, tags packed list, vector f32s.
 *
 * Without any source, values have source 0.
 * Ownership: a view borrows the bytes. Threads: pure. Cost: encoding and checking some 20 ns a
 * value. Errors: PROTO_CORRUPT if bytes are not a record. Reading never leaves the bytes, checked
 * or not. */
#ifndef FEATURE_RECORD_H
#define FEATURE_RECORD_H

#include "server/feature/value.h"

/* What a record says, taken apart; also what one is built from. */
struct feature_record {
    struct proto_span id;
    int64_t created_s;
    int64_t changed_s;
    const struct proto_span *keys; /* when building; NULL in a view: use feature_record_key_next */
    size_t key_count;
    const struct proto_span *sources;
    size_t source_count;
    const struct feature_value *values; /* when building: by field id, value_slots entries */
    size_t value_slots;
    struct proto_span key_bytes; /* in a view: the encoded runs */
    struct proto_span source_bytes;
    struct proto_span value_bytes;
};

/* Opens a view: checks magic, length, structure and checksum (check == true) or only magic and
 * length (hot path, when the block was checked before). */
bool feature_record_open(struct proto_span bytes, bool check, struct feature_record *record,
                         struct proto_fault *fault);
bool feature_record_key_next(const struct feature_record *record, size_t *at,
                             struct proto_span *key);
struct proto_span feature_record_source(const struct feature_record *record, uint8_t index);
/* Fills values[0 … slots) by field id; ids of slots or more are passed over, absent ones get
 * present == false. Cost: one pass over the values. */
void feature_record_values(const struct feature_record *record, struct feature_value *values,
                           size_t slots);
/* The value of one field; false if it has none. Cost: a pass up to it. */
bool feature_record_value(const struct feature_record *record, uint16_t field_id,
                          struct feature_value *value);

/* Encodes; returns the bytes needed or written. With out_bytes too small nothing is written and the
 * need is returned. 0 with *fault on a limit (id, keys, sources, PROTO_RECORD_BYTES_MAX) or a
 * value that feature_value_valid refuses. */
size_t feature_record_encode(const struct feature_record *record, uint8_t *out, size_t out_bytes,
                             struct proto_fault *fault);

#endif
