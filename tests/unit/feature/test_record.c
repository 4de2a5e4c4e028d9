/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <stdio.h>
#include <xxhash.h>

#include "server/feature/record.h"

#define SLOTS 6

static const uint8_t stack[] = "\x03\x00"
                               "CRM\x06\x00Stripe";

/* An account with one value of each type; the arrays belong to the caller's frame. */
struct account {
    struct feature_record record;
    struct proto_span keys[2];
    struct proto_span sources[2];
    struct feature_value values[SLOTS];
    float vector[3];
};

static void account_init(struct account *account)
{
    *account = (struct account){
        .keys = {proto_span_text("domain:acme.com"), proto_span_text("crm:0015")},
        .sources = {proto_span_text("crm"), proto_span_text("import")},
        .vector = {1, -2, 0.5f},
    };
    account->values[0] = (struct feature_value){
        .present = true, .type = FEATURE_NUMBER, .source = 1, .time_ms = -5, .number = 0.1};
    account->values[1] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text("Retail")};
    account->values[2] = (struct feature_value){
        .present = true, .type = FEATURE_TAGS, .tags = {stack, sizeof stack - 1}};
    account->values[4] =
        (struct feature_value){.present = true, .type = FEATURE_FLAG, .flag = true};
    account->values[5] = (struct feature_value){
        .present = true, .type = FEATURE_VECTOR, .vector = {(uint8_t *)account->vector, 12}};
    account->record = (struct feature_record){
        .id = proto_span_text("acct-1"),
        .created_s = 1700000000,
        .changed_s = 1700000001,
        .keys = account->keys,
        .key_count = 2,
        .sources = account->sources,
        .source_count = 2,
        .values = account->values,
        .value_slots = SLOTS,
    };
}

static size_t account_encode(uint8_t *out, size_t out_bytes)
{
    struct account account;
    struct proto_fault fault = {0};
    account_init(&account);
    size_t bytes = feature_record_encode(&account.record, out, out_bytes, &fault);
    if (bytes == 0) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    return bytes;
}

static void encode_and_open_agree(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct feature_record view;
    struct proto_fault fault = {0};
    struct feature_value values[SLOTS + 1];
    struct proto_span key;
    size_t at = 0;
    size_t count = account_encode(bytes, sizeof bytes);
    if (!feature_record_open((struct proto_span){bytes, count}, true, &view, &fault)) {
        fail_msg("%s", fault.message);
    }
    assert_true(proto_span_is(view.id, "acct-1"));
    assert_int_equal(view.created_s, 1700000000);
    assert_int_equal(view.changed_s, 1700000001);
    assert_true(feature_record_key_next(&view, &at, &key) && proto_span_is(key, "domain:acme.com"));
    assert_true(feature_record_key_next(&view, &at, &key) && proto_span_is(key, "crm:0015"));
    assert_false(feature_record_key_next(&view, &at, &key));
    assert_true(proto_span_is(feature_record_source(&view, 1), "import"));
    assert_int_equal(feature_record_source(&view, 2).bytes, 0);
    feature_record_values(&view, values, SLOTS + 1);
    assert_true(values[0].present && values[0].number == 0.1);
    assert_int_equal(values[0].source, 1);
    assert_int_equal(values[0].time_ms, -5);
    assert_true(proto_span_is(values[1].text, "Retail"));
    assert_int_equal(feature_tags_count(values[2].tags), 2);
    assert_false(values[3].present);
    assert_true(values[4].present && values[4].flag);
    assert_int_equal(values[5].vector.bytes, 12);
    assert_false(values[6].present);
    assert_true(feature_record_value(&view, 1, &values[6]) &&
                proto_span_is(values[6].text, "Retail"));
    assert_false(feature_record_value(&view, 3, &values[6]));
    assert_false(feature_record_value(&view, 6, &values[6]));
}

static void values_beyond_the_slots_are_passed_over(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct feature_record view;
    struct proto_fault fault = {0};
    struct feature_value values[2];
    size_t count = account_encode(bytes, sizeof bytes);
    assert_true(feature_record_open((struct proto_span){bytes, count}, false, &view, &fault));
    feature_record_values(&view, values, 2);
    assert_true(values[0].present && values[1].present);
}

static void encode_tells_the_need_and_writes_nothing(void **state)
{
    (void)state;
    uint8_t bytes[512];
    memset(bytes, 0xAA, sizeof bytes);
    size_t need = account_encode(bytes, 0);
    assert_int_equal(account_encode(bytes, need - 1), need);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], 0xAA);
    }
    assert_int_equal(account_encode(bytes, need), need);
    assert_int_equal(bytes[need], 0xAA);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct feature_record view;
    struct proto_fault fault = {0};
    size_t count = account_encode(bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * count; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (feature_record_open((struct proto_span){bytes, count}, true, &view, &fault)) {
            fail_msg("bit %zu passed", bit);
        }
        assert_int_equal(fault.code, PROTO_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_true(feature_record_open((struct proto_span){bytes, count}, true, &view, &fault));
}

/* Puts a matching checksum and length, so that the structure is what must be refused. */
static void seal(uint8_t *bytes, size_t count)
{
    uint32_t length = (uint32_t)count;
    memcpy(bytes + 4, &length, 4);
    uint64_t sum = XXH3_64bits(bytes + 16, count - 16);
    memcpy(bytes + 8, &sum, 8);
}

static void sealed_nonsense_is_refused_by_structure(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t byte;
        const char *message;
    } changes[] = {
        {24, 0, "empty"},     {25, 255, "id is cut off"}, {26, 255, "cut off"},
        {27, 255, "cut off"}, {28, 1, "left behind"},     {28, 6, "cut off"},
        {30, 1, "reserved"},  {32, 0xFF, "id is empty"},  {38, 0, "not an account record"},
        {38, 255, "cut off"},
    };
    uint8_t bytes[512];
    struct feature_record view;
    struct proto_fault fault = {0};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        size_t count = account_encode(bytes, sizeof bytes);
        bytes[changes[i].at] = changes[i].byte;
        seal(bytes, count);
        if (feature_record_open((struct proto_span){bytes, count}, true, &view, &fault) ||
            strstr(fault.message, changes[i].message) == NULL) {
            fail_msg("change %zu: %s", i, fault.message);
        }
    }
}

static void bytes_cut_or_changed_anywhere_never_lead_outside(void **state)
{
    (void)state;
    uint64_t seed = 42;
    uint8_t whole[512];
    struct proto_fault fault = {0};
    struct feature_value values[SLOTS];
    size_t count = account_encode(whole, sizeof whole);
    for (int round = 0; round < 20000; round++) {
        size_t cut = 17 + fixture_random(&seed) % (count - 16);
        struct feature_record view;
        struct proto_span key;
        size_t at = 0;
        /* On the heap to its last byte, so that a sanitizer sees one byte too far. */
        uint8_t *bytes = malloc(cut);
        assert_non_null(bytes);
        memcpy(bytes, whole, cut);
        for (int change = 0; change < 3; change++) {
            bytes[16 + fixture_random(&seed) % (cut - 16)] = (uint8_t)fixture_random(&seed);
        }
        seal(bytes, cut);
        bool check = round % 2 == 0;
        if (feature_record_open((struct proto_span){bytes, cut}, check, &view, &fault)) {
            while (feature_record_key_next(&view, &at, &key)) {
                assert_true(key.data + key.bytes <= bytes + cut);
            }
            (void)feature_record_source(&view, 255);
            feature_record_values(&view, values, SLOTS);
        }
        free(bytes);
    }
}

static bool encode_refuses(const struct feature_record *record, enum proto_error code,
                           const char *field)
{
    static uint8_t out[PROTO_RECORD_BYTES_MAX];
    struct proto_fault fault = {0};
    size_t bytes = feature_record_encode(record, out, sizeof out, &fault);
    if (bytes != 0 || fault.code != code || strcmp(fault.field, field) != 0) {
        print_message("%zu bytes, %d, \"%s\": %s\n", bytes, fault.code, fault.field, fault.message);
    }
    return bytes == 0 && fault.code == code && strcmp(fault.field, field) == 0;
}

static void encode_refuses_what_breaks_a_limit(void **state)
{
    (void)state;
    static char text[PROTO_CATEGORY_BYTES_MAX];
    static struct proto_span keys[PROTO_KEYS_MAX + 1];
    static struct feature_value many[300];
    struct account account;
    memset(text, 'x', sizeof text);
    account_init(&account);
    account.record.id = (struct proto_span){0};
    assert_true(encode_refuses(&account.record, PROTO_BAD_FIELD, "id"));
    account.record.id = (struct proto_span){(uint8_t *)text, PROTO_ID_BYTES_MAX + 1};
    assert_true(encode_refuses(&account.record, PROTO_TOO_LARGE, "id"));
    account.record.id = proto_span_text("\xFF");
    assert_true(encode_refuses(&account.record, PROTO_BAD_FIELD, "id"));
    account_init(&account);
    account.keys[1] = (struct proto_span){0};
    assert_true(encode_refuses(&account.record, PROTO_BAD_FIELD, "keys[1]"));
    account.record.keys = keys;
    account.record.key_count = PROTO_KEYS_MAX + 1;
    assert_true(encode_refuses(&account.record, PROTO_TOO_LARGE, "keys"));
    account_init(&account);
    account.sources[0] = (struct proto_span){(uint8_t *)text, PROTO_SOURCE_BYTES_MAX + 1};
    assert_true(encode_refuses(&account.record, PROTO_TOO_LARGE, "sources[0]"));
    account_init(&account);
    account.record.created_s = -1;
    assert_true(encode_refuses(&account.record, PROTO_BAD_FIELD, "time"));
    account_init(&account);
    account.values[0].source = 2;
    assert_true(encode_refuses(&account.record, PROTO_BAD_FIELD, "values"));
    account_init(&account);
    for (size_t i = 0; i < 300; i++) {
        many[i] = (struct feature_value){
            .present = true, .type = FEATURE_CATEGORY, .text = {(uint8_t *)text, sizeof text}};
    }
    account.record.values = many;
    account.record.value_slots = 300;
    assert_true(encode_refuses(&account.record, PROTO_TOO_LARGE, ""));
}

static void values_random(uint64_t *seed, struct feature_value *values, size_t slots)
{
    static const char *const texts[] = {"a", "Retail", "\xC3\xBC", "longer text here"};
    for (size_t i = 0; i < slots; i++) {
        values[i] = (struct feature_value){.present = fixture_random(seed) % 3 > 0,
                                           .time_ms = (int64_t)fixture_random(seed),
                                           .source = (uint8_t)(fixture_random(seed) % 3),
                                           .type = FEATURE_FLAG,
                                           .flag = fixture_random(seed) % 2 == 0};
        if (fixture_random(seed) % 3 == 0) {
            values[i].type = FEATURE_NUMBER;
            values[i].number = (double)(int64_t)fixture_random(seed) / 1024;
        } else if (fixture_random(seed) % 2 == 0) {
            values[i].type = FEATURE_CATEGORY;
            values[i].text = proto_span_text(texts[fixture_random(seed) % 4]);
        }
    }
}

static void any_record_comes_back_as_it_went(void **state)
{
    (void)state;
    static uint8_t bytes[16384];
    static const char *const names[] = {"crm", "web", "people"};
    uint64_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        struct feature_value values[40];
        struct feature_value back[40];
        struct proto_span sources[3];
        struct proto_fault fault = {0};
        struct feature_record view;
        size_t slots = 1 + fixture_random(&seed) % 40;
        for (size_t i = 0; i < 3; i++) {
            sources[i] = proto_span_text(names[i]);
        }
        values_random(&seed, values, slots);
        struct feature_record record = {.id = proto_span_text("x"),
                                        .sources = sources,
                                        .source_count = 3,
                                        .values = values,
                                        .value_slots = slots};
        size_t count = feature_record_encode(&record, bytes, sizeof bytes, &fault);
        assert_true(count > 0 && count <= sizeof bytes);
        assert_true(feature_record_open((struct proto_span){bytes, count}, true, &view, &fault));
        feature_record_values(&view, back, slots);
        for (size_t i = 0; i < slots; i++) {
            assert_int_equal(back[i].present, values[i].present);
            if (!values[i].present) {
                continue;
            }
            assert_int_equal(back[i].type, values[i].type);
            assert_int_equal(back[i].source, values[i].source);
            assert_true(back[i].time_ms == values[i].time_ms);
            assert_true(values[i].type != FEATURE_NUMBER || back[i].number == values[i].number);
            assert_true(values[i].type != FEATURE_FLAG || back[i].flag == values[i].flag);
            assert_true(values[i].type != FEATURE_CATEGORY ||
                        proto_span_equal(back[i].text, values[i].text));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode_and_open_agree),
        cmocka_unit_test(values_beyond_the_slots_are_passed_over),
        cmocka_unit_test(encode_tells_the_need_and_writes_nothing),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(sealed_nonsense_is_refused_by_structure),
        cmocka_unit_test(bytes_cut_or_changed_anywhere_never_lead_outside),
        cmocka_unit_test(encode_refuses_what_breaks_a_limit),
        cmocka_unit_test(any_record_comes_back_as_it_went),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
