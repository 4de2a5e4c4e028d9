/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/row.h"

#include <stdlib.h>

#include "server/store/store_account.h"

/* Offsets of the block header. */
enum block_offset {
    BLOCK_CHECK = 0,
    BLOCK_DIGEST = 8,
    BLOCK_GENERATION = 16,
    BLOCK_NUMBER = 20,
    BLOCK_ROW_BYTES = 24,
    BLOCK_ROWS = 28,
    BLOCK_RESERVED = 32,
};

void store_stamps_fini(struct store_stamps *stamps)
{
    for (size_t i = 0; i < STORE_STAMP_SEGMENTS; i++) {
        free(atomic_load(&stamps->segments[i]));
    }
}

bool store_stamp_set(struct store_stamps *stamps, uint32_t block, uint64_t txn,
                     struct proto_fault *fault)
{
    uint32_t place = block / STORE_STAMP_SEGMENT;
    _Atomic uint64_t *segment =
        atomic_load_explicit(&stamps->segments[place], memory_order_relaxed);
    if (segment == NULL) {
        segment = calloc(STORE_STAMP_SEGMENT, sizeof *segment);
        if (segment == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for stamps of rows");
        }
        atomic_store_explicit(&stamps->segments[place], segment, memory_order_release);
    }
    atomic_store_explicit(&segment[block % STORE_STAMP_SEGMENT], txn, memory_order_release);
    return true;
}

static bool block_header_right(const uint8_t *at, const struct disk_state *state, uint32_t block)
{
    return disk_get_u64(at + BLOCK_DIGEST) == state->rows_digest &&
           disk_get_u32(at + BLOCK_GENERATION) == state->rows_generation &&
           disk_get_u32(at + BLOCK_NUMBER) == block &&
           disk_get_u32(at + BLOCK_ROW_BYTES) == state->row_bytes;
}

const uint8_t *store_block_get(const struct disk_txn *txn, uint32_t block,
                               struct proto_fault *fault)
{
    struct proto_span value = {0};
    enum disk_got got = disk_txn_get(
        txn, DISK_TABLE_ROW, store_row_key(txn->state.rows_generation, block), &value, fault);
    if (got == DISK_GOT_FAULT) {
        return NULL;
    }
    if (got == DISK_GOT_ONE && value.bytes == store_block_bytes(txn->state.row_bytes) &&
        block_header_right(value.data, &txn->state, block)) {
        return value.data;
    }
    proto_fault_set(fault, PROTO_CORRUPT, "row", "block %u of rows is missing or damaged", block);
    return NULL;
}

void store_row_maker_fini(struct store_row_maker *maker)
{
    free(maker->values);
    free(maker->codes);
    *maker = (struct store_row_maker){.hasher = maker->hasher};
}

void store_row_writer_fini(struct store_row_writer *writer)
{
    free(writer->block);
    writer->block = NULL;
    writer->block_room = 0;
}

static size_t codes_written(const struct store_encoder *encoder)
{
    return encoder->encode_bytes > encoder->code_bytes ? encoder->encode_bytes
                                                       : encoder->code_bytes;
}

bool store_row_maker_set(struct store_row_maker *maker, const struct store_encoder *encoder,
                         struct proto_fault *fault)
{
    maker->encoder = NULL;
    if (encoder == NULL) {
        return true;
    }
    if (encoder->code_bytes > PROTO_COLUMNS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "%zu columns; rows hold at most %d",
                               encoder->code_bytes, PROTO_COLUMNS_MAX);
    }
    size_t slots = encoder->value_slots;
    size_t codes = codes_written(encoder);
    if (codes > maker->code_room) {
        free(maker->codes);
        maker->codes = malloc(codes);
        maker->code_room = maker->codes == NULL ? 0 : codes;
    }
    if (slots > maker->value_room) {
        free(maker->values);
        maker->values = calloc(slots, sizeof *maker->values);
        maker->value_room = maker->values == NULL ? 0 : slots;
    }
    if (maker->value_room < slots || maker->code_room < codes) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to encode rows");
    }
    maker->encoder = encoder;
    return true;
}

bool store_row_make(struct store_row_maker *maker, uint32_t slot, struct proto_span record,
                    uint8_t *row, struct proto_fault *fault)
{
    const struct store_encoder *encoder = maker->encoder;
    size_t row_bytes = store_row_bytes(encoder->code_bytes);
    struct feature_record parts;
    uint16_t flags = STORE_ROW_WRITTEN;
    if (record.bytes > 0 && !feature_record_open(record, false, &parts, fault)) {
        return false;
    }
    memset(row, 0, row_bytes);
    if (record.bytes > 0) {
        flags |= STORE_ROW_LIVING;
        disk_set_u64(row, store_hash_text(maker->hasher, STORE_KIND_ID, parts.id));
        memset(maker->codes, 0, maker->code_room);
        feature_record_values(&parts, maker->values, encoder->value_slots);
        encoder->encode(encoder->context, maker->values, encoder->value_slots, maker->codes);
        memcpy(row + STORE_ROW_HEADER_BYTES, maker->codes, encoder->code_bytes);
    }
    disk_set_u16(row + 12, flags);
    disk_set_u32(row + 8, store_row_check(row, row_bytes, slot, encoder->digest));
    return true;
}

static bool block_reserve(struct store_row_writer *writer, size_t bytes, struct proto_fault *fault)
{
    if (bytes <= writer->block_room) {
        return true;
    }
    free(writer->block);
    writer->block = malloc(bytes);
    writer->block_room = writer->block == NULL ? 0 : bytes;
    return writer->block != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a block of rows");
}

/* A new block starts out as zeros: rows that were never written, which no reader is led to. */
static bool block_load(struct store_row_writer *writer, uint32_t number, bool anew,
                       struct proto_fault *fault)
{
    struct disk_txn *txn = writer->txn;
    size_t bytes = store_block_bytes(txn->state.row_bytes);
    struct proto_span value = {0};
    enum disk_got got = disk_txn_get(
        txn, DISK_TABLE_ROW, store_row_key(txn->state.rows_generation, number), &value, fault);
    /* One that is written whole does not need what is there. */
    bool lost = got == DISK_GOT_FAULT && !(anew && fault->code == PROTO_CORRUPT);
    if (lost || !block_reserve(writer, bytes, fault)) {
        return false;
    }
    if (got == DISK_GOT_ONE && value.bytes >= sizeof(uint64_t)) {
        disk_sum_change(&txn->state, DISK_TABLE_ROW, true, disk_get_u64(value.data), false, 0);
    }
    if (got == DISK_GOT_ONE && !anew) {
        if (value.bytes != bytes || !block_header_right(value.data, &txn->state, number)) {
            return proto_fault_set(fault, PROTO_CORRUPT, "row", "block %u of rows is damaged",
                                   number);
        }
        memcpy(writer->block, value.data, bytes);
    } else {
        memset(writer->block, 0, bytes);
        disk_set_u64(writer->block + BLOCK_DIGEST, txn->state.rows_digest);
        disk_set_u32(writer->block + BLOCK_GENERATION, txn->state.rows_generation);
        disk_set_u32(writer->block + BLOCK_NUMBER, number);
        disk_set_u32(writer->block + BLOCK_ROW_BYTES, txn->state.row_bytes);
    }
    writer->number = number;
    writer->loaded = true;
    return true;
}

bool store_row_flush(struct store_row_writer *writer, struct proto_fault *fault)
{
    if (!writer->loaded) {
        return true;
    }
    writer->loaded = false;
    struct disk_txn *txn = writer->txn;
    size_t bytes = store_block_bytes(txn->state.row_bytes);
    uint64_t key = store_row_key(txn->state.rows_generation, writer->number);
    uint64_t check = disk_check(DISK_TABLE_ROW, key, writer->block + 8, bytes - 8);
    disk_set_u64(writer->block + BLOCK_CHECK, check);
    if (!store_stamp_set(writer->stamps, writer->number, disk_txn_number(txn), fault)) {
        return false;
    }
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_ROW, key, bytes, DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    memcpy(at, writer->block, bytes);
    disk_sum_change(&txn->state, DISK_TABLE_ROW, false, 0, true, check);
    return true;
}

void store_row_writer_begin(struct store_row_writer *writer, struct disk_txn *txn)
{
    writer->txn = txn;
    writer->loaded = false;
}

uint8_t *store_row_place(struct store_row_writer *writer, uint32_t slot, bool anew,
                         struct proto_fault *fault)
{
    uint32_t number = slot / STORE_BLOCK_ROWS;
    if (!writer->loaded || writer->number != number) {
        if (!store_row_flush(writer, fault) || !block_load(writer, number, anew, fault)) {
            return NULL;
        }
    }
    uint32_t place = slot % STORE_BLOCK_ROWS;
    if (disk_get_u32(writer->block + BLOCK_ROWS) <= place) {
        disk_set_u32(writer->block + BLOCK_ROWS, place + 1);
    }
    return writer->block + STORE_BLOCK_HEADER_BYTES + place * writer->txn->state.row_bytes;
}
