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
    for (size_t i = 0; i < STORE_STAMP_SEGMENTS; i++)
        free(atomic_load(&stamps->segments[i]));
}

bool store_stamp_set(struct store_stamps *stamps, uint32_t block, uint64_t txn,
                     struct proto_fault *fault)
{
    uint32_t place = block / STORE_STAMP_SEGMENT;
    _Atomic uint64_t *segment =
        atomic_load_explicit(&stamps->segments[place], memory_order_relaxed);
    if (segment == NULL) {
        segment = calloc(STORE_STAMP_SEGMENT, sizeof *segment);
        if (segment == NULL)
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for stamps of rows");
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
    if (got == DISK_GOT_FAULT)
        return NULL;
    if (got == DISK_GOT_ONE && value.bytes == store_block_bytes(txn->state.row_bytes) &&
        block_header_right(value.data, &txn->state, block))
        return value.data;
    proto_fault_set(fault, PROTO_CORRUPT, "row", "block %u of rows is missing or damaged", block);
    return NULL;
}

void store_row_writer_fini(struct store_row_writer *writer)
{
    free(writer->values);
    free(writer->codes);
    free(writer->block);
    writer->values = NULL;
    writer->codes = NULL;
    writer->block = NULL;
    writer->value_room = writer->code_room = writer->block_room = 0;
}

static size_t code_bytes(const struct store_encoder *encoder)
{
    return encoder->encode_bytes > encoder->code_bytes ? encoder->encode_bytes
                                                       : encoder->code_bytes;
}

bool store_row_writer_fit(struct store_row_writer *writer, struct proto_fault *fault)
{
    size_t bytes = store_block_bytes(store_row_bytes(writer->encoder->code_bytes));
    if (writer->encoder->code_bytes > PROTO_COLUMNS_MAX)
        return proto_fault_set(fault, PROTO_LIMIT, "", "%zu columns; rows hold at most %d",
                               writer->encoder->code_bytes, PROTO_COLUMNS_MAX);
    size_t slots = writer->encoder->value_slots;
    size_t codes = code_bytes(writer->encoder);
    if (codes > writer->code_room) {
        free(writer->codes);
        writer->codes = malloc(codes);
        writer->code_room = writer->codes == NULL ? 0 : codes;
    }
    if (bytes > writer->block_room) {
        free(writer->block);
        writer->block = malloc(bytes);
        writer->block_room = writer->block == NULL ? 0 : bytes;
    }
    if (slots > writer->value_room) {
        free(writer->values);
        writer->values = calloc(slots, sizeof *writer->values);
        writer->value_room = writer->values == NULL ? 0 : slots;
    }
    if (writer->block_room >= bytes && writer->value_room >= slots && writer->code_room >= codes)
        return true;
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to encode rows");
}

/* A new block starts out as zeros: rows that were never written, which no reader is led to. */
static bool block_load(struct store_row_writer *writer, uint32_t number, struct proto_fault *fault)
{
    struct disk_txn *txn = writer->txn;
    size_t bytes = store_block_bytes(txn->state.row_bytes);
    struct proto_span value = {0};
    enum disk_got got = disk_txn_get(
        txn, DISK_TABLE_ROW, store_row_key(txn->state.rows_generation, number), &value, fault);
    if (got == DISK_GOT_FAULT)
        return false;
    if (got == DISK_GOT_ONE) {
        if (value.bytes != bytes || !block_header_right(value.data, &txn->state, number))
            return proto_fault_set(fault, PROTO_CORRUPT, "row", "block %u of rows is damaged",
                                   number);
        memcpy(writer->block, value.data, bytes);
        disk_sum_change(&txn->state, DISK_TABLE_ROW, true, disk_get_u64(value.data), false, 0);
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
    if (!writer->loaded)
        return true;
    writer->loaded = false;
    struct disk_txn *txn = writer->txn;
    size_t bytes = store_block_bytes(txn->state.row_bytes);
    uint64_t key = store_row_key(txn->state.rows_generation, writer->number);
    uint64_t check = disk_check(DISK_TABLE_ROW, key, writer->block + 8, bytes - 8);
    disk_set_u64(writer->block + BLOCK_CHECK, check);
    if (!store_stamp_set(writer->stamps, writer->number, disk_txn_number(txn), fault))
        return false;
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_ROW, key, bytes, DISK_PUT_ANY, fault);
    if (at == NULL)
        return false;
    memcpy(at, writer->block, bytes);
    disk_sum_change(&txn->state, DISK_TABLE_ROW, false, 0, true, check);
    return true;
}

bool store_row_set(struct store_row_writer *writer, uint32_t slot, struct proto_span record,
                   struct proto_fault *fault)
{
    size_t row_bytes = writer->txn->state.row_bytes;
    uint32_t number = slot / STORE_BLOCK_ROWS;
    struct feature_record parts;
    if (record.bytes > 0 && !feature_record_open(record, false, &parts, fault))
        return false;
    if (!writer->loaded || writer->number != number) {
        if (!store_row_flush(writer, fault) || !block_load(writer, number, fault))
            return false;
    }
    uint32_t place = slot % STORE_BLOCK_ROWS;
    uint8_t *row = writer->block + STORE_BLOCK_HEADER_BYTES + place * row_bytes;
    memset(row, 0, row_bytes);
    uint16_t flags = STORE_ROW_WRITTEN;
    if (record.bytes > 0) {
        flags |= STORE_ROW_LIVING;
        disk_set_u64(row, store_hash_text(writer->hasher, STORE_KIND_ID, parts.id));
        memset(writer->codes, 0, writer->code_room);
        feature_record_values(&parts, writer->values, writer->encoder->value_slots);
        writer->encoder->encode(writer->encoder->context, writer->values,
                                writer->encoder->value_slots, writer->codes);
        memcpy(row + STORE_ROW_HEADER_BYTES, writer->codes, writer->encoder->code_bytes);
    }
    disk_set_u16(row + 12, flags);
    disk_set_u32(row + 8, store_row_check(row, row_bytes, slot, writer->txn->state.rows_digest));
    if (disk_get_u32(writer->block + BLOCK_ROWS) <= place)
        disk_set_u32(writer->block + BLOCK_ROWS, place + 1);
    return true;
}
