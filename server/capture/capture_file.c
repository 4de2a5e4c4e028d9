/* SPDX-License-Identifier: Apache-2.0 */
#include "server/capture/capture_file.h"

#include <endian.h>
#include <xxhash.h>

static const char magic[8] = "ICPCAP01";

enum { FILE_VERSION = 1, BLOCK_RECORDS = 1, BLOCK_LAST = 2, LEFT_OUT = 1 };

static void put16(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, sizeof value);
}

static void put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void put64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint16_t get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return le16toh(value);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static void raw(struct proto_writer *out, const uint8_t *data, size_t bytes)
{
    proto_write_raw(out, (struct proto_span){data, bytes});
}

void capture_write_header(struct proto_writer *out, int64_t started_ms)
{
    uint8_t header[CAPTURE_HEADER_BYTES] = {0};
    memcpy(header, magic, sizeof magic);
    put32(header + 8, FILE_VERSION);
    put64(header + 16, (uint64_t)started_ms);
    put64(header + 56, XXH3_64bits(header, 56));
    raw(out, header, sizeof header);
}

void capture_write_record(struct proto_writer *out, const struct capture_record *record)
{
    uint8_t header[CAPTURE_RECORD_HEADER_BYTES] = {0};
    put64(header, record->at_ns);
    put32(header + 8, record->connection);
    put32(header + 12, record->payload_bytes);
    header[16] = record->opcode;
    header[17] = record->left_out ? LEFT_OUT : 0;
    put16(header + 18, record->flags);
    raw(out, header, sizeof header);
    if (!record->left_out && record->payload_bytes > 0) {
        raw(out, record->payload, record->payload_bytes);
    }
}

static uint64_t block_hash(const uint8_t *header, struct proto_span body)
{
    return XXH3_64bits_withSeed(body.data, body.bytes, XXH3_64bits(header, 24));
}

static void block_header(struct proto_writer *out, uint32_t kind, struct proto_span body,
                         uint32_t records, uint64_t number)
{
    uint8_t header[CAPTURE_BLOCK_HEADER_BYTES];
    put32(header, kind);
    put32(header + 4, records);
    put64(header + 8, body.bytes);
    put64(header + 16, number);
    put64(header + 24, block_hash(header, body));
    raw(out, header, sizeof header);
}

void capture_write_block(struct proto_writer *out, struct proto_span body, uint32_t records,
                         uint64_t number)
{
    block_header(out, BLOCK_RECORDS, body, records, number);
}

void capture_write_last(struct proto_writer *out, const struct capture_totals *totals,
                        uint64_t number)
{
    uint8_t body[CAPTURE_LAST_BYTES];
    put64(body, totals->records);
    put64(body + 8, totals->left_out);
    put64(body + 16, totals->lost);
    put64(body + 24, totals->duration_ns);
    block_header(out, BLOCK_LAST, (struct proto_span){body, sizeof body}, 0, number);
    raw(out, body, sizeof body);
}

bool capture_reader_init(struct capture_reader *reader, struct proto_span file,
                         struct proto_fault *fault)
{
    *reader = (struct capture_reader){.file = file};
    if (file.bytes < CAPTURE_HEADER_BYTES || memcmp(file.data, magic, sizeof magic) != 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "",
                               "this is no capture: it does not begin "
                               "with ICPCAP01");
    }
    if (get64(file.data + 56) != XXH3_64bits(file.data, 56)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "the header does not match its checksum");
    }
    if (get32(file.data + 8) != FILE_VERSION) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "version %u is not known, %u is",
                               get32(file.data + 8), (unsigned)FILE_VERSION);
    }
    reader->started_ms = (int64_t)get64(file.data + 16);
    reader->at = CAPTURE_HEADER_BYTES;
    return true;
}

static bool cut_off(const struct capture_reader *reader, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "",
                           "block %llu at byte %zu is cut off: the capture was not ended, or the "
                           "file is not whole",
                           (unsigned long long)reader->block_number, reader->at);
}

/* The last block: what it says must be what was read, and nothing may follow. */
static bool last_read(struct capture_reader *reader, struct proto_span body,
                      struct proto_fault *fault)
{
    struct capture_totals *totals = &reader->totals;
    if (body.bytes != CAPTURE_LAST_BYTES) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "the last block has %zu bytes",
                               body.bytes);
    }
    *totals = (struct capture_totals){get64(body.data), get64(body.data + 8), get64(body.data + 16),
                                      get64(body.data + 24)};
    if (totals->records != reader->records || totals->left_out != reader->left_out) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "%llu records are there, %llu should be",
                               (unsigned long long)reader->records,
                               (unsigned long long)totals->records);
    }
    if (body.data + body.bytes != reader->file.data + reader->file.bytes) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "bytes follow the last block");
    }
    reader->ended = true;
    return true;
}

/* Begins the block at reader->at. */
static bool block_begin(struct capture_reader *reader, struct proto_fault *fault)
{
    const uint8_t *header = reader->file.data + reader->at;
    size_t left = reader->file.bytes - reader->at;
    if (left < CAPTURE_BLOCK_HEADER_BYTES) {
        return cut_off(reader, fault);
    }
    uint64_t bytes = get64(header + 8);
    if (bytes > CAPTURE_BLOCK_BYTES_MAX || bytes > left - CAPTURE_BLOCK_HEADER_BYTES) {
        return cut_off(reader, fault);
    }
    struct proto_span body = {header + CAPTURE_BLOCK_HEADER_BYTES, (size_t)bytes};
    if (get64(header + 24) != block_hash(header, body) ||
        get64(header + 16) != reader->block_number) {
        return proto_fault_set(fault, PROTO_CORRUPT, "",
                               "block %llu at byte %zu does not match its checksum",
                               (unsigned long long)reader->block_number, reader->at);
    }
    reader->at += CAPTURE_BLOCK_HEADER_BYTES;
    reader->block_end = reader->at + body.bytes;
    reader->block_left = get32(header + 4);
    reader->block_number++;
    if (get32(header) == BLOCK_LAST) {
        return last_read(reader, body, fault);
    }
    return get32(header) == BLOCK_RECORDS ||
           proto_fault_set(fault, PROTO_CORRUPT, "", "block %llu is of no kind that is known",
                           (unsigned long long)reader->block_number - 1);
}

/* A block whose checksum holds was written so: what does not fit is a fault of the writer. */
static bool record_read(struct capture_reader *reader, struct capture_record *record)
{
    const uint8_t *at = reader->file.data + reader->at;
    size_t left = reader->block_end - reader->at;
    if (left < CAPTURE_RECORD_HEADER_BYTES) {
        return false;
    }
    *record = (struct capture_record){
        .at_ns = get64(at),
        .connection = get32(at + 8),
        .payload_bytes = get32(at + 12),
        .opcode = at[16],
        .left_out = at[17] == LEFT_OUT,
        .flags = get16(at + 18),
    };
    if (at[17] > LEFT_OUT || get32(at + 20) != 0) {
        return false;
    }
    size_t stored = record->left_out ? 0 : record->payload_bytes;
    if (stored > left - CAPTURE_RECORD_HEADER_BYTES) {
        return false;
    }
    record->payload = record->left_out ? NULL : at + CAPTURE_RECORD_HEADER_BYTES;
    reader->at += CAPTURE_RECORD_HEADER_BYTES + stored;
    reader->block_left--;
    reader->records++;
    reader->left_out += record->left_out;
    return true;
}

bool capture_reader_next(struct capture_reader *reader, struct capture_record *record,
                         struct proto_fault *fault)
{
    while (!reader->ended && reader->block_left == 0) {
        if (reader->block_end != 0 && reader->at != reader->block_end) {
            return proto_fault_set(fault, PROTO_CORRUPT, "",
                                   "block %llu holds more than its "
                                   "records",
                                   (unsigned long long)reader->block_number - 1);
        }
        if (!block_begin(reader, fault)) {
            return false;
        }
    }
    if (reader->ended) {
        return false;
    }
    return record_read(reader, record) ||
           proto_fault_set(fault, PROTO_CORRUPT, "", "a record of block %llu is malformed",
                           (unsigned long long)reader->block_number - 1);
}
