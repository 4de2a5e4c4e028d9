/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/table.h"
#include "server/identity/grammar.h"

static void an_id_has_1_to_255_bytes(void **state)
{
    (void)state;
    char text[PROTO_ID_BYTES_MAX + 2];
    struct proto_fault fault = {0};
    memset(text, 'a', sizeof text);
    struct proto_span id = {(const uint8_t *)text, PROTO_ID_BYTES_MAX};
    assert_true(identity_id_check(id, "id", &fault));
    id.bytes = 1;
    assert_true(identity_id_check(id, "id", &fault));
    assert_int_equal(fault.code, PROTO_OK);
    id.bytes = 0;
    assert_false(identity_id_check(id, "id", &fault));
    assert_string_equal(fault.message, "0 bytes, from 1 to 255 are allowed");
    id.bytes = PROTO_ID_BYTES_MAX + 1;
    assert_false(identity_id_check(id, "ids", &fault));
    assert_string_equal(fault.field, "ids");
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
}

static void an_id_holds_no_control_characters(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    for (unsigned byte = 1; byte < 256; byte++) {
        uint8_t text[3] = {'a', 'b', (uint8_t)byte};
        bool control = byte < 0x20 || byte == 0x7f;
        assert_int_equal(identity_id_check((struct proto_span){text, 3}, "id", &fault), !control);
    }
    uint8_t zero[1] = {0};
    assert_false(identity_id_check((struct proto_span){zero, 1}, "id", &fault));
    assert_string_equal(fault.message, "control character 0x00 at byte 0");
}

static bool normal_is(const char *key, const char *expected)
{
    uint8_t room[PROTO_ID_BYTES_MAX];
    struct proto_span normal = {0};
    struct proto_fault fault = {0};
    return identity_key_normal(proto_span_text(key), room, &normal, "keys", &fault) &&
           proto_span_equal(normal, proto_span_text(expected));
}

static void a_key_keeps_its_case_but_for_a_domain(void **state)
{
    (void)state;
    assert_true(normal_is("crm:0015-AbC", "crm:0015-AbC"));
    assert_true(normal_is("domain:Acme.COM", "domain:acme.com"));
    assert_true(normal_is("domain:acme.com", "domain:acme.com"));
    assert_true(normal_is("domains:Acme.COM", "domains:Acme.COM"));
    assert_true(normal_is("a:b:C", "a:b:C"));
    /* Letters beyond ASCII are left as they are: what folds them is identity/domain.h. */
    assert_true(normal_is("domain:M\xC3\x9CNCHEN.DE", "domain:m\xC3\x9Cnchen.de"));
}

static void a_key_that_is_none_says_what_one_looks_like(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "acme.com", ":x", "crm:", "Crm:1", "1crm:1", "c m:1", "a123456789012345678901234567890x:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t room[PROTO_ID_BYTES_MAX];
        struct proto_span normal;
        struct proto_fault fault = {0};
        assert_false(identity_key_normal(proto_span_text(bad[i]), room, &normal, "keys", &fault));
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_string_equal(fault.field, "keys");
        assert_non_null(strstr(fault.message, "namespace:value"));
    }
}

static void a_key_is_looked_up_as_it_would_be_stored(void **state)
{
    (void)state;
    uint8_t room[PROTO_ID_BYTES_MAX];
    uint8_t longer[PROTO_ID_BYTES_MAX + 1];
    struct proto_span wanted = identity_key_wanted(proto_span_text("domain:ACME.com"), room);
    assert_true(proto_span_equal(wanted, proto_span_text("domain:acme.com")));
    wanted = identity_key_wanted(proto_span_text("no key"), room);
    assert_true(proto_span_equal(wanted, proto_span_text("no key")));
    assert_int_equal(identity_key_wanted((struct proto_span){0}, room).bytes, 0);
    /* One that is too long to be stored is not copied either. */
    memset(longer, 'A', sizeof longer);
    memcpy(longer, "domain:", 7);
    wanted = identity_key_wanted((struct proto_span){longer, sizeof longer}, room);
    assert_ptr_equal(wanted.data, longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_has_1_to_255_bytes),
        cmocka_unit_test(an_id_holds_no_control_characters),
        cmocka_unit_test(a_key_keeps_its_case_but_for_a_domain),
        cmocka_unit_test(a_key_that_is_none_says_what_one_looks_like),
        cmocka_unit_test(a_key_is_looked_up_as_it_would_be_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
