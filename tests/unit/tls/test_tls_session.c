/* SPDX-License-Identifier: Apache-2.0 */
/* A session and a client of OpenSSL's own pass bytes to each other in memory: whole, one at a time,
 * changed on the way, in large pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/tls/tls.h"
#include "tests/unit/tls/tls_certificate.h"

struct fixture {
    char directory[64], certificate[96], key[96];
    struct tls_context *context;
    struct tls_session *session;
    SSL_CTX *peer_context;
    SSL *peer;
    BIO *to_peer, *from_peer;
    uint8_t buffer[65536];
    size_t step;  /* bytes passed to the session at a time */
    size_t spoil; /* the byte of all that is passed which is changed; 0: none */
    size_t passed;
};

static void peer_make(struct fixture *fixture)
{
    fixture->peer_context = SSL_CTX_new(TLS_client_method());
    fixture->peer = SSL_new(fixture->peer_context);
    fixture->to_peer = BIO_new(BIO_s_mem());
    fixture->from_peer = BIO_new(BIO_s_mem());
    SSL_set_bio(fixture->peer, fixture->to_peer, fixture->from_peer);
    SSL_set_connect_state(fixture->peer);
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct proto_fault fault;
    fixture = (struct fixture){.directory = "/tmp/icp-tls-XXXXXX", .step = SIZE_MAX};
    assert_non_null(mkdtemp(fixture.directory));
    snprintf(fixture.certificate, sizeof fixture.certificate, "%s/certificate", fixture.directory);
    snprintf(fixture.key, sizeof fixture.key, "%s/key", fixture.directory);
    tls_certificate_make(fixture.certificate, fixture.key);
    const struct tls_options options = {fixture.certificate, fixture.key, "", ""};
    fixture.context = tls_context_create(&options, &fault);
    assert_non_null(fixture.context);
    fixture.session = tls_session_create(fixture.context);
    assert_non_null(fixture.session);
    peer_make(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    tls_context_drop(fixture->context); /* the session holds it */
    tls_session_destroy(fixture->session);
    SSL_free(fixture->peer);
    SSL_CTX_free(fixture->peer_context);
    unlink(fixture->certificate);
    unlink(fixture->key);
    rmdir(fixture->directory);
    return 0;
}

static void session_to_peer(struct fixture *fixture)
{
    struct proto_span out = tls_session_out(fixture->session);
    if (out.bytes > 0) {
        assert_int_equal(BIO_write(fixture->to_peer, out.data, (int)out.bytes), (int)out.bytes);
    }
    tls_session_sent(fixture->session);
}

/* A piece of what the peer has for the session; false if there is none. The bytes are gone after
 * the call, as those of a read buffer are. */
static bool peer_to_session(struct fixture *fixture)
{
    uint8_t *bytes = fixture->buffer;
    size_t room = fixture->step < sizeof fixture->buffer ? fixture->step : sizeof fixture->buffer;
    int count = BIO_read(fixture->from_peer, bytes, (int)room);
    if (count <= 0) {
        return false;
    }
    if (fixture->spoil > fixture->passed && fixture->spoil <= fixture->passed + (size_t)count) {
        bytes[fixture->spoil - fixture->passed - 1] ^= 1;
    }
    fixture->passed += (size_t)count;
    assert_true(tls_session_feed(fixture->session, (struct proto_span){bytes, (size_t)count}));
    return true;
}

/* The buffer is used again: what was borrowed and not held would be read as this. */
static void after_feed(struct fixture *fixture)
{
    assert_true(tls_session_hold(fixture->session));
    memset(fixture->buffer, 0xee, sizeof fixture->buffer);
}

static enum tls_shaken shake(struct fixture *fixture, struct proto_fault *fault)
{
    enum tls_shaken shaken = TLS_SHAKES;
    for (int i = 0; i < 100000 && shaken == TLS_SHAKES; i++) {
        SSL_do_handshake(fixture->peer);
        if (peer_to_session(fixture)) {
            shaken = tls_session_shake(fixture->session, fault);
            after_feed(fixture);
            session_to_peer(fixture);
        }
    }
    return shaken;
}

static void must_shake(struct fixture *fixture)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_int_equal(shake(fixture, &fault), TLS_SHAKEN);
    assert_int_equal(SSL_do_handshake(fixture->peer), 1);
}

/* All plain bytes that the peer's arrive as; what is left over a small room is held. */
static size_t read_all(struct fixture *fixture, uint8_t *to, size_t room, size_t at_once)
{
    struct proto_fault fault;
    size_t bytes = 0;
    while (peer_to_session(fixture) || tls_session_waits(fixture->session)) {
        ssize_t count = tls_session_read(fixture->session, to + bytes,
                                         at_once < room - bytes ? at_once : room - bytes, &fault);
        assert_true(count >= 0);
        bytes += (size_t)count;
        after_feed(fixture);
    }
    return bytes;
}

static void both_ways(void **state, size_t step)
{
    struct fixture *fixture = *state;
    uint8_t got[64];
    fixture->step = step;
    must_shake(fixture);
    assert_int_equal(SSL_write(fixture->peer, "asked", 5), 5);
    assert_int_equal(read_all(fixture, got, sizeof got, 2), 5);
    assert_memory_equal(got, "asked", 5);
    assert_true(tls_session_write(fixture->session, proto_span_text("answered")));
    session_to_peer(fixture);
    assert_int_equal(SSL_read(fixture->peer, got, sizeof got), 8);
    assert_memory_equal(got, "answered", 8);
}

static void bytes_pass_both_ways(void **state)
{
    both_ways(state, SIZE_MAX);
}

static void bytes_pass_one_at_a_time(void **state)
{
    both_ways(state, 1);
}

static void large_pieces_pass_in_records(void **state)
{
    enum { BYTES = 3 << 20 };
    struct fixture *fixture = *state;
    uint8_t *sent = malloc(BYTES);
    uint8_t *got = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++) {
        sent[i] = (uint8_t)(i * 31 >> 3);
    }
    must_shake(fixture);
    assert_int_equal(SSL_write(fixture->peer, sent, BYTES), BYTES);
    assert_int_equal(read_all(fixture, got, BYTES, 5000), BYTES);
    assert_memory_equal(got, sent, BYTES);
    assert_true(tls_session_write(fixture->session, (struct proto_span){sent, BYTES}));
    session_to_peer(fixture);
    for (int at = 0; at < BYTES;) {
        int count = SSL_read(fixture->peer, got + at, BYTES - at);
        assert_true(count > 0);
        at += count;
    }
    assert_memory_equal(got, sent, BYTES);
    free(sent);
    free(got);
}

static void nothing_is_written_before_hands_are_shaken(void **state)
{
    struct fixture *fixture = *state;
    assert_false(tls_session_write(fixture->session, proto_span_text("early")));
    tls_session_end(fixture->session);
    assert_int_equal(tls_session_out(fixture->session).bytes, 0);
}

static void the_end_of_a_peer_is_told_apart_from_silence(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    uint8_t byte;
    must_shake(fixture);
    assert_int_equal(tls_session_read(fixture->session, &byte, 1, &fault), 0);
    SSL_shutdown(fixture->peer);
    assert_true(peer_to_session(fixture));
    assert_int_equal(tls_session_read(fixture->session, &byte, 1, &fault), -1);
    tls_session_end(fixture->session);
    assert_true(tls_session_out(fixture->session).bytes > 0);
    session_to_peer(fixture);
    assert_int_equal(SSL_read(fixture->peer, &byte, 1), 0);
    assert_int_equal(SSL_get_shutdown(fixture->peer) & SSL_RECEIVED_SHUTDOWN,
                     SSL_RECEIVED_SHUTDOWN);
}

static void a_changed_byte_ends_the_session_with_a_reason(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t got[64];
    must_shake(fixture);
    assert_int_equal(SSL_write(fixture->peer, "asked", 5), 5);
    fixture->spoil = fixture->passed + 9;
    assert_true(peer_to_session(fixture));
    assert_int_equal(tls_session_read(fixture->session, got, sizeof got, &fault), -2);
    assert_string_not_equal(fault.message, "");
    assert_true(tls_session_out(fixture->session).bytes > 0); /* the alert */
}

static void what_is_no_tls_is_refused_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(tls_session_feed(fixture->session, proto_span_text("GET / HTTP/1.1\r\n\r\n")));
    assert_int_equal(tls_session_shake(fixture->session, &fault), TLS_SHAKE_FAILED);
    assert_int_equal(fault.code, PROTO_BAD_FRAME);
}

/* Header of a handshake record. */
static struct proto_span record_head(uint8_t head[5], size_t payload_bytes)
{
    const uint8_t bytes[5] = {22, 3, 1, (uint8_t)(payload_bytes >> 8), (uint8_t)payload_bytes};
    memcpy(head, bytes, sizeof bytes);
    return (struct proto_span){head, sizeof bytes};
}

static void half_a_hello_is_held_and_costs_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t head[5];
    size_t before = tls_session_bytes(fixture->session);
    assert_true(tls_session_feed(fixture->session, record_head(head, TLS_HELLO_BYTES_MAX)));
    for (unsigned i = 0; i < 500; i++) {
        assert_false(tls_session_waits(fixture->session));
        assert_int_equal(tls_session_shake(fixture->session, &fault), TLS_SHAKES);
        assert_true(tls_session_hold(fixture->session));
        assert_true(tls_session_feed(fixture->session, proto_span_text("x")));
    }
    assert_int_equal(tls_session_bytes(fixture->session), before + sizeof head + 500);
    assert_int_equal(tls_session_out(fixture->session).bytes, 0);
}

static void a_hello_that_will_be_too_large_is_refused_by_its_header(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t head[5];
    assert_true(tls_session_feed(fixture->session, record_head(head, TLS_HELLO_BYTES_MAX + 1)));
    assert_true(tls_session_waits(fixture->session));
    assert_int_equal(tls_session_shake(fixture->session, &fault), TLS_SHAKE_FAILED);
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
}

static void version_1_2_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    SSL_set_max_proto_version(fixture->peer, TLS1_2_VERSION);
    assert_int_equal(shake(fixture, &fault), TLS_SHAKE_FAILED);
}

static void files_that_cannot_be_used_name_their_option(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct tls_options options = {fixture->key, fixture->key, "", ""};
    assert_null(tls_context_create(&options, &fault));
    assert_string_equal(fault.field, "tls_certificate");
    options = (struct tls_options){fixture->certificate, fixture->certificate, "", ""};
    assert_null(tls_context_create(&options, &fault));
    assert_string_equal(fault.field, "tls_key");
    options = (struct tls_options){fixture->certificate, fixture->key, "/nowhere", ""};
    assert_null(tls_context_create(&options, &fault));
    assert_string_equal(fault.field, "tls_client_ca");
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(bytes_pass_both_ways),
        T(bytes_pass_one_at_a_time),
        T(large_pieces_pass_in_records),
        T(nothing_is_written_before_hands_are_shaken),
        T(the_end_of_a_peer_is_told_apart_from_silence),
        T(a_changed_byte_ends_the_session_with_a_reason),
        T(what_is_no_tls_is_refused_at_once),
        T(half_a_hello_is_held_and_costs_nothing_more),
        T(a_hello_that_will_be_too_large_is_refused_by_its_header),
        T(version_1_2_is_refused),
        T(files_that_cannot_be_used_name_their_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
