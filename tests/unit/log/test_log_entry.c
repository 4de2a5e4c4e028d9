/* SPDX-License-Identifier: Apache-2.0 */
#include "server/log/log_entry.h"

#include "tests/unit/log/log_fixture.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t seed = 0x1122334455667788;

/* An entry as it lies in a file; returns its bytes. */
static uint64_t entry_make(uint8_t *out, uint64_t sequence, const void *payload, size_t bytes)
{
    struct log_head head = {.sequence = sequence, .chain = 5, .time_ms = -3, .commands = 2};
    log_head_seal(&head, seed, (struct proto_span){payload, bytes});
    memset(out, 0, (size_t)log_entry_bytes(bytes));
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, payload, bytes);
    return log_entry_bytes(bytes);
}

static void an_entry_is_known_again_whatever_its_length(void **state)
{
    (void)state;
    uint8_t *payload = malloc(5000);
    uint8_t *bytes = malloc(6000);
    assert_true(payload != NULL && bytes != NULL);
    memset(payload, 0xA5, 5000);
    for (size_t length = 0; length <= 5000; length = length < 20 ? length + 1 : length * 3 / 2) {
        struct log_head head;
        uint64_t made = entry_make(bytes, 9, payload, length);
        assert_int_equal(made % 8, 0);
        assert_int_equal(log_head_claims(bytes, seed), made);
        assert_int_equal(log_head_check(bytes, made, seed, &head), LOG_KIND_ENTRY);
        assert_int_equal(head.sequence, 9);
        assert_int_equal(head.chain, 5);
        assert_int_equal(head.time_ms, -3);
        assert_int_equal(head.payload_bytes, length);
    }
    free(payload);
    free(bytes);
}

static bool passes(const uint8_t *bytes, uint64_t made, uint64_t with)
{
    struct log_head head;
    return log_head_claims(bytes, with) == made &&
           log_head_check(bytes, made, with, &head) != LOG_KIND_BAD;
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t bytes[128];
    uint64_t made = entry_make(bytes, 3, "payload", 7);
    assert_true(passes(bytes, made, seed));
    for (unsigned bit = 0; bit < made * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(passes(bytes, made, seed));
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void an_entry_of_another_seed_does_not_pass(void **state)
{
    (void)state;
    uint8_t bytes[128];
    uint64_t made = entry_make(bytes, 3, "payload", 7);
    assert_false(passes(bytes, made, seed + 1));
    assert_int_equal(log_head_claims(bytes, seed + 1), 0);
}

static void a_length_above_the_limit_is_none(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct log_head head = {.sequence = 1};
    /* The seal is right; the limit alone refuses it. The span is never read behind its check. */
    entry_make(bytes, 1, "", 0);
    memcpy(&head, bytes, sizeof head);
    head.payload_bytes = (uint32_t)LOG_PAYLOAD_BYTES_MAX + 1;
    memcpy(bytes, &head, sizeof head);
    assert_int_equal(log_head_claims(bytes, seed), 0);
}

static void an_end_mark_says_what_it_ends(void **state)
{
    (void)state;
    struct log_head mark;
    struct log_head read;
    log_end_seal(&mark, seed, 12, 99);
    const uint8_t *bytes = (const uint8_t *)&mark;
    assert_int_equal(log_head_claims(bytes, seed), LOG_HEAD_BYTES);
    assert_int_equal(log_head_check(bytes, LOG_HEAD_BYTES, seed, &read), LOG_KIND_END);
    assert_int_equal(read.sequence, 12);
    assert_int_equal(read.chain, 99);
}

static void a_page_is_checked_to_its_last_byte(void **state)
{
    (void)state;
    struct log_page page = {.seed = seed, .identity = 7, .first = 1};
    log_page_seal(&page);
    assert_true(log_page_good(&page, 7));
    assert_true(log_page_good(&page, 0));
    assert_false(log_page_good(&page, 8));
    uint8_t *bytes = (uint8_t *)&page;
    for (size_t at = 0; at < sizeof page; at++) {
        bytes[at] ^= 1;
        assert_false(log_page_good(&page, 7));
        bytes[at] ^= 1;
    }
    /* Reserved bytes are zero even where the check was made over them. */
    page.reserved[100] = 1;
    log_page_seal(&page);
    assert_false(log_page_good(&page, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_known_again_whatever_its_length),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(an_entry_of_another_seed_does_not_pass),
        cmocka_unit_test(a_length_above_the_limit_is_none),
        cmocka_unit_test(an_end_mark_says_what_it_ends),
        cmocka_unit_test(a_page_is_checked_to_its_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
