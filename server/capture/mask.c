/* SPDX-License-Identifier: Apache-2.0 */
#include "server/capture/mask.h"

#include "proto/reader.h"

/* MessagePack's bytes for the values that are masked by hand. */
enum {
    TAG_FALSE = 0xc2,
    TAG_F32 = 0xca,
    TAG_F64 = 0xcb,
    TAG_FIXINT_END = 0x80,
    TAG_NEG_FIX = 0xe0
};

#define DOMAIN_PREFIX "domain:"
#define DOMAIN_PREFIX_BYTES (sizeof DOMAIN_PREFIX - 1)

struct masker {
    const uint8_t *key;
    const struct capture_lookup *lookup;
    const struct proto_op_info *op;
    uint8_t *payload;
    int64_t time_ms;
    struct proto_reader reader;
    struct proto_fault fault;
};

/* Bytes without end from the hash of some others. */
struct stream {
    const uint8_t *key;
    uint8_t seed[16]; /* hash, then a counter */
    uint64_t word;
    unsigned left;
};

static struct stream stream_of(const uint8_t *key, struct proto_span bytes)
{
    struct stream stream = {.key = key};
    uint64_t hash = capture_siphash(key, bytes);
    memcpy(stream.seed, &hash, sizeof hash);
    return stream;
}

static uint8_t stream_next(struct stream *stream)
{
    if (stream->left == 0) {
        uint64_t counter;
        memcpy(&counter, stream->seed + 8, sizeof counter);
        counter++;
        memcpy(stream->seed + 8, &counter, sizeof counter);
        stream->word =
            capture_siphash(stream->key, (struct proto_span){stream->seed, sizeof stream->seed});
        stream->left = 8;
    }
    uint8_t byte = (uint8_t)stream->word;
    stream->word >>= 8;
    stream->left--;
    return byte;
}

static uint8_t *mutable_at(const struct masker *masker, const uint8_t *at)
{
    return masker->payload + (at - masker->reader.start);
}

static void letters_put(const struct masker *masker, struct proto_span text, bool upper)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz234567";
    static const char large[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    struct stream stream = stream_of(masker->key, text);
    uint8_t *at = mutable_at(masker, text.data);
    for (size_t i = 0; i < text.bytes; i++) {
        at[i] = (uint8_t)(upper ? large : small)[stream_next(&stream) & 31];
    }
}

static void lower(uint8_t *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (at[i] >= 'A' && at[i] <= 'Z') {
            at[i] = (uint8_t)(at[i] - 'A' + 'a');
        }
    }
}

static void domain_put(const struct masker *masker, struct proto_span domain, bool upper)
{
    lower(mutable_at(masker, domain.data), domain.bytes);
    letters_put(masker, domain, upper);
}

static void name_put(const struct masker *masker, struct proto_span text, enum capture_name by)
{
    const struct capture_lookup *lookup = masker->lookup;
    bool upper = lookup->is_stored != NULL && !lookup->is_stored(lookup->context, by, text);
    const uint8_t *at = by == CAPTURE_BY_EMAIL ? memrchr(text.data, '@', text.bytes) : NULL;
    size_t before = 0;
    if (at != NULL) {
        before = (size_t)(at - text.data) + 1;
    } else if (by == CAPTURE_BY_KEY && text.bytes > DOMAIN_PREFIX_BYTES &&
               memcmp(text.data, DOMAIN_PREFIX, DOMAIN_PREFIX_BYTES) == 0) {
        before = DOMAIN_PREFIX_BYTES;
    }
    if (before == 0) {
        letters_put(masker, text, upper);
        return;
    }
    struct proto_span rest = {text.data + before, text.bytes - before};
    domain_put(masker, rest, upper);
    if (at != NULL) {
        letters_put(masker, (struct proto_span){text.data, before - 1}, upper);
    }
}

enum capture_name capture_name_of(struct proto_span key)
{
    static const struct {
        const char *key;
        enum capture_name by;
    } names[] = {
        {"id", CAPTURE_BY_ID},
        {"ids", CAPTURE_BY_ID},
        {"positives", CAPTURE_BY_ID},
        {"negatives", CAPTURE_BY_ID},
        {"key", CAPTURE_BY_KEY},
        {"keys", CAPTURE_BY_KEY},
        {"exclude_ids", CAPTURE_BY_ID},
        {"email", CAPTURE_BY_EMAIL},
        {"exclude_keys", CAPTURE_BY_KEY},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (proto_span_is(key, names[i].key)) {
            return names[i].by;
        }
    }
    return CAPTURE_BY_NOTHING;
}

static bool is_among(const struct proto_field_info *fields, size_t count, struct proto_span name)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name_bytes == name.bytes &&
            memcmp(fields[i].name, name.data, name.bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* Keys that say nothing of an account: those of requests and of the accounts and leads in them,
 * and fields of the schema. */
static bool key_stays(const struct masker *masker, struct proto_span name)
{
    const struct capture_lookup *lookup = masker->lookup;
    const struct proto_op_info *score = proto_op_find(PROTO_OP_SCORE);
    const struct proto_op_info *put = proto_op_find(PROTO_OP_ACCOUNT_PUT);
    const struct proto_op_info *get = proto_op_find(PROTO_OP_ACCOUNT_GET);
    return is_among(masker->op->request, masker->op->request_count, name) ||
           is_among(score->request, score->request_count, name) ||
           is_among(put->request, put->request_count, name) ||
           is_among(get->reply, get->reply_count, name) || proto_span_is(name, "deadline_ms") ||
           (lookup->is_field != NULL && lookup->is_field(lookup->context, name));
}

/* A number between 0 and 1 in place of one at `at`, of 4 or 8 bytes, most significant first. */
static void fraction_put(uint8_t *at, size_t bytes, uint64_t hash)
{
    double wide = (double)(hash >> 11) * 0x1p-53;
    float narrow = (float)(hash >> 40) * 0x1p-24F;
    uint64_t bits = 0;
    uint32_t bits_narrow = 0;
    memcpy(&bits, &wide, sizeof bits);
    memcpy(&bits_narrow, &narrow, sizeof bits_narrow);
    if (bytes == 4) {
        bits = bits_narrow;
    }
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(bits >> (8 * (bytes - 1 - i)));
    }
}

/* An integer or float, head and all. */
static void number_put(const struct masker *masker, struct proto_span value)
{
    uint8_t *at = mutable_at(masker, value.data);
    uint64_t hash = capture_siphash(masker->key, value);
    if (value.bytes == 1) {
        uint8_t mask = at[0] < TAG_FIXINT_END ? 0x7f : 0x1f;
        at[0] = (uint8_t)((at[0] & ~mask) | (hash & mask));
        return;
    }
    if (at[0] == TAG_F32 || at[0] == TAG_F64) {
        fraction_put(at + 1, value.bytes - 1, hash);
        return;
    }
    for (size_t i = 1; i < value.bytes; i++, hash >>= 8) {
        at[i] = (uint8_t)hash;
    }
    at[1] &= 0x7f; /* neither negative nor beyond 2^63 */
}

/* Eight bytes hold any time; one that was sent in fewer is no time of our days and is masked. */
static void time_put(const struct masker *masker, struct proto_span value)
{
    uint8_t *at = mutable_at(masker, value.data);
    if (value.bytes != 9 || at[0] == TAG_F64) {
        number_put(masker, value);
        return;
    }
    for (size_t i = 0; i < 8; i++) {
        at[1 + i] = (uint8_t)((uint64_t)masker->time_ms >> (8 * (7 - i)));
    }
}

/* A vector of f32 must stay one of finite numbers. */
static void binary_put(const struct masker *masker, struct proto_span bytes)
{
    struct stream stream = stream_of(masker->key, bytes);
    uint8_t *at = mutable_at(masker, bytes.data);
    for (size_t i = 0; i < bytes.bytes; i++) {
        at[i] = stream_next(&stream);
    }
    for (size_t i = 0; i + 4 <= bytes.bytes; i += 4) {
        uint8_t four[4];
        fraction_put(four, 4,
                     (uint64_t)at[i] << 56 | (uint64_t)at[i + 1] << 48 | (uint64_t)at[i + 2] << 40);
        for (size_t j = 0; j < 4; j++) {
            at[i + j] = four[3 - j];
        }
    }
}

struct place {
    struct proto_span key; /* of the nearest map */
    enum capture_name by;
};

static void value_mask(struct masker *masker, struct place place);

static void flag_put(struct masker *masker, struct place place)
{
    uint8_t *at = mutable_at(masker, masker->reader.at);
    (void)proto_read_bool(&masker->reader);
    /* One bit is little to hide: where it stands goes into the hash, so that a flag of one field
     * says nothing of another's. */
    uint8_t seed[PROTO_FIELD_NAME_BYTES_MAX + 1] = {*at};
    size_t bytes = place.key.bytes < sizeof seed - 1 ? place.key.bytes : sizeof seed - 1;
    if (bytes > 0) {
        memcpy(seed + 1, place.key.data, bytes);
    }
    *at = (uint8_t)(TAG_FALSE |
                    (capture_siphash(masker->key, (struct proto_span){seed, 1 + bytes}) & 1));
}

static void scalar_mask(struct masker *masker, enum proto_kind kind, struct place place)
{
    struct proto_reader *reader = &masker->reader;
    const uint8_t *before = reader->at;
    if (kind == PROTO_KIND_STR) {
        struct proto_span text = proto_read_str(reader);
        if (text.bytes > 0 && place.by != CAPTURE_BY_NOTHING) {
            name_put(masker, text, place.by);
        } else {
            letters_put(masker, text, false);
        }
    } else if (kind == PROTO_KIND_BIN) {
        binary_put(masker, proto_read_bin(reader));
    } else if (kind == PROTO_KIND_BOOL) {
        flag_put(masker, place);
    } else {
        (void)proto_read_any(reader); /* a number or nil */
        struct proto_span value = {before, (size_t)(reader->at - before)};
        if (kind == PROTO_KIND_INT && proto_span_is(place.key, "time")) {
            time_put(masker, value);
        } else if (kind == PROTO_KIND_INT || kind == PROTO_KIND_FLOAT) {
            number_put(masker, value);
        }
    }
}

/* Reads one key of a map, and masks it unless it may stay. */
static struct proto_span key_mask(struct masker *masker)
{
    struct proto_span name = proto_read_key(&masker->reader);
    if (!key_stays(masker, name)) {
        letters_put(masker, name, false);
    }
    return name;
}

static void map_mask(struct masker *masker)
{
    size_t pairs = proto_read_map(&masker->reader);
    for (size_t i = 0; i < pairs && proto_reader_ok(&masker->reader); i++) {
        struct place place = {.key = key_mask(masker)};
        place.by = capture_name_of(place.key);
        value_mask(masker, place);
    }
    proto_reader_leave(&masker->reader);
}

/* The depth was checked: at most PROTO_DEPTH_MAX calls within each other. */
static void value_mask(struct masker *masker, struct place place) // NOLINT(misc-no-recursion)
{
    enum proto_kind kind = proto_reader_peek(&masker->reader);
    if (kind == PROTO_KIND_MAP) {
        map_mask(masker);
    } else if (kind == PROTO_KIND_ARRAY) {
        size_t count = proto_read_array(&masker->reader);
        for (size_t i = 0; i < count && proto_reader_ok(&masker->reader); i++) {
            value_mask(masker, place);
        }
        proto_reader_leave(&masker->reader);
    } else {
        scalar_mask(masker, kind, place);
    }
}

static const struct proto_field_info *field_find(const struct proto_op_info *op,
                                                 struct proto_span name)
{
    for (size_t i = 0; i < op->request_count; i++) {
        if (op->request[i].name_bytes == name.bytes &&
            memcmp(op->request[i].name, name.data, name.bytes) == 0) {
            return &op->request[i];
        }
    }
    return NULL;
}

static bool is_parameter(const struct proto_field_info *field, struct proto_span name,
                         enum proto_kind kind)
{
    bool declared = field != NULL ? field->type == PROTO_UINT || field->type == PROTO_INT ||
                                        field->type == PROTO_NUMBER || field->type == PROTO_FLAG
                                  : proto_span_is(name, "deadline_ms");
    return declared &&
           (kind == PROTO_KIND_INT || kind == PROTO_KIND_FLOAT || kind == PROTO_KIND_BOOL);
}

/* One pair of the request itself; false if the request must be left out. */
static bool pair_mask(struct masker *masker)
{
    struct place place = {.key = key_mask(masker)};
    const struct proto_field_info *field = field_find(masker->op, place.key);
    enum proto_kind kind = proto_reader_peek(&masker->reader);
    place.by = capture_name_of(place.key);
    if (is_parameter(field, place.key, kind)) {
        (void)proto_read_any(&masker->reader);
        return true;
    }
    if (field != NULL && field->type == PROTO_TEXT && place.by == CAPTURE_BY_NOTHING &&
        !proto_span_is(place.key, "source")) {
        return false;
    }
    value_mask(masker, place);
    return true;
}

bool capture_mask(const uint8_t key[CAPTURE_KEY_BYTES], const struct capture_lookup *lookup,
                  const struct proto_op_info *op, uint8_t *payload, size_t bytes, int64_t time_ms)
{
    struct masker masker = {
        .key = key, .lookup = lookup, .op = op, .payload = payload, .time_ms = time_ms};
    if (op == NULL || op->role == PROTO_ROLE_ADMIN) {
        return false;
    }
    if (bytes == 0) {
        return true;
    }
    /* Checked whole first, so that masking itself meets nothing that it does not expect. */
    proto_reader_init(&masker.reader, (struct proto_span){payload, bytes}, &masker.fault);
    if (proto_reader_peek(&masker.reader) != PROTO_KIND_MAP) {
        return false;
    }
    (void)proto_read_any(&masker.reader);
    if (!proto_reader_end(&masker.reader)) {
        return false;
    }
    proto_reader_init(&masker.reader, (struct proto_span){payload, bytes}, &masker.fault);
    size_t pairs = proto_read_map(&masker.reader);
    for (size_t i = 0; i < pairs; i++) {
        if (!pair_mask(&masker)) {
            return false;
        }
    }
    return proto_reader_ok(&masker.reader);
}
