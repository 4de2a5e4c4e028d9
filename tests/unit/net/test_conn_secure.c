/* SPDX-License-Identifier: Apache-2.0 */
/* Connections behind TLS, against OpenSSL's own client over a socket. */
#include "server/net/net_worker.h"
#include "tests/unit/net/net_fixture.h"

#include <openssl/ssl.h>

#include "tests/unit/tls/tls_certificate.h"

struct own {
    char directory[64], certificate[96], key[96];
    struct tls_context *context;
};

static struct tls_context *context_make(const struct own *own)
{
    struct proto_fault fault;
    const struct tls_options options = {own->certificate, own->key, "", ""};
    tls_certificate_make(own->certificate, own->key);
    struct tls_context *context = tls_context_create(&options, &fault);
    assert_non_null(context);
    return context;
}

static int setup(void **state)
{
    static struct own own;
    own = (struct own){.directory = "/tmp/icp-net-tls-XXXXXX"};
    assert_non_null(mkdtemp(own.directory));
    snprintf(own.certificate, sizeof own.certificate, "%s/certificate", own.directory);
    snprintf(own.key, sizeof own.key, "%s/key", own.directory);
    own.context = context_make(&own);
    *state = &own;
    return 0;
}

static int teardown(void **state)
{
    struct own *own = *state;
    tls_context_drop(own->context);
    unlink(own->certificate);
    unlink(own->key);
    rmdir(own->directory);
    return 0;
}

static struct net_options options_of(const struct own *own)
{
    struct net_options options = net_test_options(1);
    options.tls = own->context;
    options.tls_port = 0;
    return options;
}

struct peer {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
};

static int socket_open(const struct net_echo *echo)
{
    int fd = net_peer_tcp(net_server_tls_port(echo->server));
    assert_true(fd >= 0);
    return fd;
}

static struct peer peer_open(const struct net_echo *echo)
{
    struct peer peer = {.fd = socket_open(echo), .context = SSL_CTX_new(TLS_client_method())};
    peer.ssl = SSL_new(peer.context);
    SSL_set_fd(peer.ssl, peer.fd);
    assert_int_equal(SSL_connect(peer.ssl), 1);
    return peer;
}

static void peer_close(struct peer *peer)
{
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->context);
    close(peer->fd);
}

static void send_frame(struct peer *peer, uint8_t code, uint32_t id, size_t bytes)
{
    uint8_t *payload = net_test_alloc(bytes + 1);
    uint8_t *frame = net_test_alloc(bytes + PROTO_HEADER_BYTES);
    size_t used = net_peer_frame(frame, code, id, (struct proto_span){payload, bytes});
    assert_int_equal(SSL_write(peer->ssl, frame, (int)used), (int)used);
    free(payload);
    free(frame);
}

static void read_exactly(struct peer *peer, uint8_t *to, size_t bytes)
{
    while (bytes > 0) {
        int count = SSL_read(peer->ssl, to, (int)bytes);
        assert_true(count > 0);
        to += count;
        bytes -= (size_t)count;
    }
}

static void must_get(struct peer *peer, uint32_t id, size_t bytes)
{
    uint8_t head[PROTO_HEADER_BYTES];
    struct proto_header header;
    read_exactly(peer, head, sizeof head);
    proto_header_decode(head, &header);
    assert_int_equal(header.request_id, id);
    assert_int_equal(header.code, PROTO_OK);
    assert_int_equal(header.payload_bytes, bytes);
    uint8_t *payload = net_test_alloc(bytes + 1);
    read_exactly(peer, payload, bytes);
    free(payload);
}

/* A client's hello; every server takes it once more. */
static size_t hello_make(uint8_t *to, size_t room)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_set_connect_state(ssl);
    assert_int_equal(SSL_do_handshake(ssl), -1);
    int bytes = BIO_read(out, to, (int)room);
    assert_true(bytes > 0);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return (size_t)bytes;
}

/* One more than may be: the first is closed, the second is not, and whoever shakes hands to the end
 * is served. */
static void handshakes_that_never_end_are_few(void **state)
{
    enum { FEW = NET_HALVES_LEAST + 1 };
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    uint8_t hello[4096];
    uint8_t reply[16];
    int halves[FEW];
    size_t bytes = hello_make(hello, sizeof hello);
    options.bytes_max = (size_t)NET_HALVES_LEAST * TLS_SHAKING_BYTES; /* a quarter is fewer */
    net_test_start(&echo, &options);
    for (size_t i = 0; i < FEW; i++) {
        halves[i] = socket_open(&echo);
        assert_int_equal(send(halves[i], hello, bytes, MSG_NOSIGNAL), bytes);
        assert_true(recv(halves[i], reply, sizeof reply, MSG_WAITALL) > 0);
    }
    while (recv(halves[0], reply, sizeof reply, 0) > 0) {
    }
    struct peer peer = peer_open(&echo);
    send_frame(&peer, 1, 7, 10);
    must_get(&peer, 7, 10);
    peer_close(&peer);
    /* The peer was half done for a while, too. */
    assert_int_equal(net_test_counters(&echo).closed_stranger, 2);
    for (size_t i = 0; i < FEW; i++) {
        close(halves[i]);
    }
    net_echo_stop(&echo, 1000);
}

static void requests_of_every_size_are_answered(void **state)
{
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    net_test_start(&echo, &options);
    struct peer peer = peer_open(&echo);
    const size_t sizes[] = {0, 1, 511, 513, 16384, 70000, 3 << 20};
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        send_frame(&peer, i % 2 == 0 ? 1 : NET_ECHO_LATER, i, sizes[i]);
        must_get(&peer, i, sizes[i]);
    }
    assert_int_equal(net_test_counters(&echo).tls_handshakes, 1);
    peer_close(&peer);
    net_wait_for(net_test_counters(&echo).closed_peer == 1);
    net_echo_stop(&echo, 1000);
}

/* It is not read while it owes, and what had come by then is read afterwards. */
static void what_lies_unread_while_replies_are_owed_is_read_later(void **state)
{
    enum { FRAMES = 3000 };
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    options.pending_max = 2;
    net_test_start(&echo, &options);
    struct peer peer = peer_open(&echo);
    for (uint32_t i = 0; i < FRAMES; i++) {
        send_frame(&peer, i % 3 == 0 ? NET_ECHO_LATER : i % 3 == 1 ? NET_ECHO_STOP : 1, i, 40);
    }
    bool seen[FRAMES] = {false};
    for (uint32_t i = 0; i < FRAMES; i++) {
        uint8_t reply[PROTO_HEADER_BYTES + 40];
        struct proto_header header;
        read_exactly(&peer, reply, sizeof reply);
        proto_header_decode(reply, &header);
        assert_true(header.request_id < FRAMES && !seen[header.request_id]);
        seen[header.request_id] = true;
    }
    peer_close(&peer);
    net_echo_stop(&echo, 1000);
}

static _Atomic uint64_t clock_ns;

static uint64_t clock_of_test(void *context)
{
    (void)context;
    return atomic_load(&clock_ns);
}

static void a_handshake_that_stalls_is_closed_in_time(void **state)
{
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    atomic_store(&clock_ns, 1);
    options.now_ns = clock_of_test;
    options.first_byte_ms = options.idle_ms = 0;
    options.frame_ms = 5000;
    net_test_start(&echo, &options);
    struct peer peer = peer_open(&echo);
    int fd = socket_open(&echo);
    assert_true(net_peer_send(fd, "\x16\x03\x01\x01", 4)); /* of a ClientHello */
    net_wait_for(net_test_counters(&echo).tls_waiting == 0 &&
                 net_test_counters(&echo).connections_open == 2);
    net_test_sleep_ms(50);
    atomic_fetch_add(&clock_ns, UINT64_C(5001000000));
    net_wait_for(net_test_counters(&echo).closed_frame == 1);
    send_frame(&peer, 1, 1, 10);
    must_get(&peer, 1, 10);
    close(fd);
    peer_close(&peer);
    net_echo_stop(&echo, 1000);
}

static void who_finds_no_room_is_closed_without_a_word(void **state)
{
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    options.connections_max = 1;
    net_test_start(&echo, &options);
    struct peer peer = peer_open(&echo);
    int fd = socket_open(&echo);
    assert_true(net_peer_closed(fd));
    assert_int_equal(net_test_counters(&echo).connections_refused, 1);
    close(fd);
    peer_close(&peer);
    net_echo_stop(&echo, 1000);
}

static void what_is_no_tls_is_told_so_and_closed(void **state)
{
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    net_test_start(&echo, &options);
    int fd = socket_open(&echo);
    uint8_t alert[7];
    assert_true(net_peer_send(fd, "\x16\x03\x01\x00\x09no hello!", 14));
    assert_true(net_peer_read(fd, alert, sizeof alert));
    assert_int_equal(alert[0], 21); /* RFC 8446 5.1: a record of type alert */
    assert_true(net_peer_closed(fd));
    assert_int_equal(net_test_counters(&echo).tls_failed, 1);
    close(fd);
    net_echo_stop(&echo, 1000);
}

/* What is held for somebody who sends half a hello is his connection and what he sent; for one who
 * is connected, the state of a session too, until he leaves. */
static void what_sessions_hold_is_counted(void **state)
{
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    net_test_start(&echo, &options);
    int fd = socket_open(&echo);
    uint8_t half[2000] = {22, 3, 1, 0x1f, 0xff};
    assert_true(net_peer_send(fd, half, sizeof half));
    net_wait_for(net_test_counters(&echo).bytes_held >= sizeof half);
    assert_true(net_test_counters(&echo).bytes_held < 6000);
    assert_int_equal(net_test_counters(&echo).tls_waiting, 0);
    struct peer peer = peer_open(&echo);
    send_frame(&peer, 1, 1, 10);
    must_get(&peer, 1, 10);
    net_wait_for(net_test_counters(&echo).bytes_held > TLS_SHAKEN_BYTES);
    assert_true(net_test_counters(&echo).bytes_held < TLS_SHAKEN_BYTES + 16384);
    peer_close(&peer);
    close(fd);
    net_wait_for(net_test_counters(&echo).bytes_held == 0);
    net_echo_stop(&echo, 1000);
}

static X509 *shown(const struct peer *peer)
{
    return SSL_get1_peer_certificate(peer->ssl);
}

static void a_new_context_is_for_new_connections(void **state)
{
    static struct net_echo echo;
    struct net_options options = options_of(*state);
    net_test_start(&echo, &options);
    struct peer before = peer_open(&echo);
    struct tls_context *fresh = context_make(*state);
    net_server_tls_set(echo.server, fresh);
    tls_context_drop(fresh);
    struct peer after = peer_open(&echo);
    X509 *one = shown(&before);
    X509 *other = shown(&after);
    assert_int_not_equal(X509_cmp(one, other), 0);
    X509_free(one);
    X509_free(other);
    send_frame(&before, 1, 1, 10);
    must_get(&before, 1, 10);
    peer_close(&before);
    peer_close(&after);
    net_echo_stop(&echo, 1000);
}

/* Threads of the pool may be at it when the server ends; their sessions go with their work. */
static void the_end_comes_amid_handshakes(void **state)
{
    enum { PEERS = 40 };
    int fds[PEERS];
    for (int round = 0; round < 5; round++) {
        static struct net_echo echo;
        struct net_options options = options_of(*state);
        net_test_start(&echo, &options);
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        for (int i = 0; i < PEERS; i++) {
            SSL *ssl = SSL_new(context);
            BIO *go = BIO_new(BIO_s_mem());
            uint8_t hello[1024];
            SSL_set_bio(ssl, BIO_new(BIO_s_mem()), go);
            assert_int_equal(SSL_connect(ssl), -1);
            int bytes = BIO_read(go, hello, sizeof hello);
            fds[i] = socket_open(&echo);
            assert_true(net_peer_send(fds[i], hello, (size_t)bytes));
            SSL_free(ssl);
            if (i % 3 == 0) {
                close(fds[i]);
                fds[i] = -1;
            }
        }
        net_echo_stop(&echo, round % 2 == 0 ? 0 : 1000);
        for (int i = 0; i < PEERS; i++) {
            if (fds[i] >= 0) {
                close(fds[i]);
            }
        }
        SSL_CTX_free(context);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(requests_of_every_size_are_answered),
        T(what_lies_unread_while_replies_are_owed_is_read_later),
        T(handshakes_that_never_end_are_few),
        T(a_handshake_that_stalls_is_closed_in_time),
        T(who_finds_no_room_is_closed_without_a_word),
        T(what_is_no_tls_is_told_so_and_closed),
        T(what_sessions_hold_is_counted),
        T(a_new_context_is_for_new_connections),
        T(the_end_comes_amid_handshakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
