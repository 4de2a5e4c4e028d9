/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/reader.h"
#include "proto/writer.h"
#include "server/capture/mask.h"

static const uint8_t key[CAPTURE_KEY_BYTES] = "sixteen bytes of";
#define TIME_MS INT64_C(1700000000000)

static bool is_field(void *context, struct proto_span name)
{
    (void)context;
    return proto_span_is(name, "employees") || proto_span_is(name, "customer") ||
           proto_span_is(name, "tags");
}

static bool is_stored(void *context, enum capture_name by, struct proto_span text)
{
    (void)context;
    return by == CAPTURE_BY_ID ? proto_span_is(text, "known-7") : true;
}

static const struct capture_lookup lookup = {.is_field = is_field, .is_stored = is_stored};

static bool mask(uint8_t op, struct proto_writer *payload)
{
    assert_true(proto_writer_ok(payload));
    return capture_mask(key, &lookup, proto_op_find(op), payload->data, payload->bytes, TIME_MS);
}

static bool holds(const struct proto_writer *payload, const char *text)
{
    return memmem(payload->data, payload->bytes, text, strlen(text)) != NULL;
}

/* The encoded value of a key of the request. */
static struct proto_span member(struct proto_span map, const char *name)
{
    struct proto_reader reader;
    struct proto_fault fault = {0};
    struct proto_span found = {0};
    proto_reader_init(&reader, map, &fault);
    size_t pairs = proto_read_map(&reader);
    for (size_t i = 0; i < pairs; i++) {
        struct proto_span at = proto_read_key(&reader);
        struct proto_span value = proto_read_any(&reader);
        if (proto_span_is(at, name)) {
            found = value;
        }
    }
    assert_true(proto_reader_end(&reader));
    return found;
}

static struct proto_span text_of(struct proto_span value)
{
    struct proto_reader reader;
    struct proto_fault fault = {0};
    proto_reader_init(&reader, value, &fault);
    struct proto_span text = proto_read_str(&reader);
    assert_true(proto_reader_ok(&reader));
    return text;
}

static void lead_write(struct proto_writer *out, const char *email)
{
    proto_writer_init(out);
    proto_write_map(out, 3);
    proto_write_text(out, "email");
    proto_write_text(out, email);
    proto_write_text(out, "reasons");
    proto_write_uint(out, 3);
    proto_write_text(out, "values");
    proto_write_map(out, 5);
    proto_write_text(out, "employees");
    proto_write_uint(out, 1234);
    proto_write_text(out, "customer");
    proto_write_bool(out, true);
    proto_write_text(out, "tags");
    proto_write_array(out, 2);
    proto_write_text(out, "secret-tag");
    proto_write_nil(out);
    proto_write_text(out, "jane@private.example"); /* a key that no schema declares */
    proto_write_f64(out, -98765.25);
    proto_write_text(out, "vector");
    proto_write_bin(out, (struct proto_span){(const uint8_t *)"\xff\xff\xff\xff\1\2\3\4", 8});
}

static void nothing_of_a_lead_can_be_read_and_its_form_stays(void **state)
{
    (void)state;
    struct proto_writer before;
    struct proto_writer after;
    lead_write(&before, "ann.lee@acme.example");
    lead_write(&after, "ann.lee@acme.example");
    assert_true(mask(PROTO_OP_SCORE, &after));
    static const char *const secrets[] = {"ann",     "lee",      "acme",
                                          "example", "secret",   "jane",
                                          "private", "\x04\xd2", "\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        assert_true(holds(&before, secrets[i])); /* control: the search finds what is there */
        assert_false(holds(&after, secrets[i]));
    }
    static const char *const kept[] = {"email", "reasons", "values", "employees", "customer"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        assert_true(holds(&after, kept[i]));
    }
    struct proto_reader reader;
    struct proto_fault fault = {0};
    proto_reader_init(&reader, proto_writer_span(&after), &fault);
    (void)proto_read_any(&reader);
    assert_true(proto_reader_end(&reader)); /* well-formed, numbers finite, texts UTF-8 */
    struct proto_span reasons = member(proto_writer_span(&after), "reasons");
    assert_true(reasons.bytes == 1 && reasons.data[0] == 3); /* a parameter, no account's value */
    assert_int_equal(text_of(member(proto_writer_span(&after), "email")).data[7], '@');
    proto_writer_fini(&before);
    proto_writer_fini(&after);
}

static void equal_values_stay_equal_within_a_key_alone(void **state)
{
    (void)state;
    struct proto_writer all[3];
    static const uint8_t other[CAPTURE_KEY_BYTES] = "another key";
    lead_write(&all[0], "ann.lee@acme.example");
    lead_write(&all[1], "bob.ray@ACME.example");
    lead_write(&all[2], "ann.lee@acme.example");
    assert_true(mask(PROTO_OP_SCORE, &all[0]) && mask(PROTO_OP_SCORE, &all[1]));
    assert_true(capture_mask(other, &lookup, proto_op_find(PROTO_OP_SCORE), all[2].data,
                             all[2].bytes, TIME_MS));
    struct proto_span email[3];
    for (unsigned i = 0; i < 3; i++) {
        email[i] = text_of(member(proto_writer_span(&all[i]), "email"));
    }
    /* Another person of one domain: the domain's hash is the same, without regard to case. */
    assert_memory_not_equal(email[0].data, email[1].data, 7);
    assert_memory_equal(email[0].data + 8, email[1].data + 8, 12);
    assert_memory_not_equal(email[0].data + 8, email[2].data + 8, 12);
    struct proto_span values[2] = {member(proto_writer_span(&all[0]), "values"),
                                   member(proto_writer_span(&all[1]), "values")};
    assert_true(proto_span_equal(values[0], values[1]));
    for (unsigned i = 0; i < 3; i++) {
        proto_writer_fini(&all[i]);
    }
}

static struct proto_span one_text(struct proto_writer *out, const char *name, const char *text)
{
    proto_writer_init(out);
    proto_write_map(out, 1);
    proto_write_text(out, name);
    proto_write_text(out, text);
    assert_true(mask(PROTO_OP_SCORE, out));
    return text_of(member(proto_writer_span(out), name));
}

static void names_say_whether_an_account_was_stored_and_of_which_domain(void **state)
{
    (void)state;
    struct proto_writer out[4];
    struct proto_span known = one_text(&out[0], "id", "known-7");
    struct proto_span unknown = one_text(&out[1], "id", "nobody1");
    struct proto_span domain = one_text(&out[2], "key", "domain:acme.example");
    struct proto_span email = one_text(&out[3], "email", "x@acme.example");
    for (size_t i = 0; i < 7; i++) {
        assert_false(known.data[i] >= 'A' && known.data[i] <= 'Z');
        assert_false(unknown.data[i] >= 'a' && unknown.data[i] <= 'z');
    }
    assert_memory_equal(domain.data, "domain:", 7);
    assert_memory_equal(domain.data + 7, email.data + 2, 12);
    for (unsigned i = 0; i < 4; i++) {
        proto_writer_fini(&out[i]);
    }
}

static bool masked_text(uint8_t op, const char *name, const char *text)
{
    struct proto_writer out;
    proto_writer_init(&out);
    proto_write_map(&out, 1);
    proto_write_text(&out, name);
    proto_write_text(&out, text);
    bool ok = mask(op, &out);
    proto_writer_fini(&out);
    return ok;
}

static void what_cannot_be_masked_is_left_out(void **state)
{
    (void)state;
    uint8_t cut[] = {0x81, 0xa2, 'i', 'd'};
    uint8_t list[] = {0x90};
    assert_false(masked_text(PROTO_OP_HELLO, "token", "secret"));
    assert_false(masked_text(PROTO_OP_FILTER, "filter", "name = 'Acme'"));
    assert_false(masked_text(PROTO_OP_SIMILAR, "filter", "name = 'Acme'"));
    assert_false(masked_text(PROTO_OP_TAL_GET, "name", "2027 Acme and friends"));
    assert_false(masked_text(PROTO_OP_SCHEMA_PUT, "source", "an operation of admins"));
    assert_true(masked_text(PROTO_OP_ACCOUNT_PUT, "source", "crm")); /* control */
    assert_false(capture_mask(key, &lookup, NULL, cut, 0, 0));       /* no such operation */
    assert_false(
        capture_mask(key, &lookup, proto_op_find(PROTO_OP_SCORE), cut, sizeof cut, TIME_MS));
    assert_false(
        capture_mask(key, &lookup, proto_op_find(PROTO_OP_SCORE), list, sizeof list, TIME_MS));
    assert_true(capture_mask(key, &lookup, proto_op_find(PROTO_OP_PING), cut, 0, TIME_MS));
}

static void the_time_of_an_account_becomes_that_of_the_capture(void **state)
{
    (void)state;
    struct proto_writer out;
    proto_writer_init(&out);
    proto_write_map(&out, 1);
    proto_write_text(&out, "accounts");
    proto_write_array(&out, 1);
    proto_write_map(&out, 2);
    proto_write_text(&out, "id");
    proto_write_text(&out, "known-7");
    proto_write_text(&out, "time");
    proto_write_uint(&out, UINT64_C(1612345678901));
    assert_true(mask(PROTO_OP_ACCOUNT_PUT, &out));
    struct proto_span accounts = member(proto_writer_span(&out), "accounts");
    struct proto_span time =
        member((struct proto_span){accounts.data + 1, accounts.bytes - 1}, "time");
    struct proto_reader reader;
    struct proto_fault fault = {0};
    proto_reader_init(&reader, time, &fault);
    assert_true(proto_read_uint(&reader) == TIME_MS);
    proto_writer_fini(&out);
}

/* Values at random: whatever is well-formed before is well-formed after, byte for byte as long,
 * and no text of six letters and more survives. */
static void random_requests_stay_well_formed(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (unsigned round = 0; round < 2000; round++) {
        struct proto_writer out;
        proto_writer_init(&out);
        proto_write_map(&out, 2);
        proto_write_text(&out, "id");
        proto_write_text(&out, "known-7");
        proto_write_text(&out, "values");
        unsigned count = (unsigned)rand_r(&seed) % 20;
        proto_write_map(&out, count);
        for (unsigned i = 0; i < count; i++) {
            char name[24];
            snprintf(name, sizeof name, "unknown-%u", i);
            proto_write_text(&out, name);
            int64_t number = ((int64_t)rand_r(&seed) << 32 | rand_r(&seed)) >> (rand_r(&seed) % 63);
            switch (rand_r(&seed) % 6) {
            case 0:
                proto_write_int(&out, -number);
                break;
            case 1:
                proto_write_uint(&out, (uint64_t)number);
                break;
            case 2:
                proto_write_f32(&out, (float)number);
                break;
            case 3:
                proto_write_f64(&out, -(double)number);
                break;
            case 4:
                proto_write_bool(&out, number & 1);
                break;
            default:
                proto_write_text(&out, "readable");
                break;
            }
        }
        assert_true(mask(PROTO_OP_SCORE, &out));
        assert_false(holds(&out, "unknown") || holds(&out, "readable") || holds(&out, "known-7"));
        struct proto_reader reader;
        struct proto_fault fault = {0};
        proto_reader_init(&reader, proto_writer_span(&out), &fault);
        (void)proto_read_any(&reader);
        assert_true(proto_reader_end(&reader));
        proto_writer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_lead_can_be_read_and_its_form_stays),
        cmocka_unit_test(equal_values_stay_equal_within_a_key_alone),
        cmocka_unit_test(names_say_whether_an_account_was_stored_and_of_which_domain),
        cmocka_unit_test(what_cannot_be_masked_is_left_out),
        cmocka_unit_test(the_time_of_an_account_becomes_that_of_the_capture),
        cmocka_unit_test(random_requests_stay_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
