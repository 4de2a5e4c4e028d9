/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#define REQUESTS 3000
#define CLIENTS 6

struct client {
    const struct net_echo *echo;
    bool ok;
};

static void *client_send(void *argument)
{
    int fd = *(int *)argument;
    uintptr_t ok = 1;
    for (uint32_t id = 0; id < REQUESTS; id++) {
        ok &= net_peer_request(fd, id % 3 == 0 ? 2 : NET_ECHO_LATER, id, proto_span_text("p"));
    }
    return (void *)ok;
}

/* Every request gets one reply, in any order. */
static void *client_run(void *argument)
{
    struct client *client = argument;
    int fd = net_peer_tcp(net_server_port(client->echo->server));
    bool *seen = calloc(REQUESTS, sizeof *seen);
    pthread_t sender;
    client->ok = fd >= 0 && seen != NULL && pthread_create(&sender, NULL, client_send, &fd) == 0;
    if (!client->ok) {
        free(seen);
        return NULL;
    }
    for (unsigned i = 0; i < REQUESTS && client->ok; i++) {
        struct proto_header header = {0};
        client->ok = net_peer_reply(fd, &header, NULL) && header.request_id < REQUESTS &&
                     !seen[header.request_id];
        if (client->ok) {
            seen[header.request_id] = true;
        }
    }
    void *sent = NULL;
    pthread_join(sender, &sent);
    client->ok = client->ok && sent != NULL;
    close(fd);
    free(seen);
    return NULL;
}

static void posts_of_another_thread_reach_every_client_once(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    net_test_start(&echo, &options);
    struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){&echo, false};
        assert_int_equal(pthread_create(&threads[i], NULL, client_run, &clients[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(clients[i].ok);
    }
    struct net_counters counters = net_test_counters(&echo);
    assert_int_equal(counters.posts, CLIENTS * REQUESTS * 2 / 3);
    assert_int_equal(counters.posts_dropped, 0);
    assert_int_equal(counters.requests_pending, 0);
    print_message("%llu posts left with %llu writes\n", (unsigned long long)counters.posts,
                  (unsigned long long)counters.writes);
    net_echo_stop(&echo, 1000);
}

/* Two requests, in one read or two, of which the first holds the second. */
static void a_connection_that_is_held_is_served_when_it_is_released(void **state)
{
    (void)state;
    for (unsigned apart = 0; apart < 2; apart++) {
        static struct net_echo echo;
        struct net_options options = net_test_options(1);
        net_test_start(&echo, &options);
        int fd = net_test_connect(&echo);
        uint8_t bytes[2 * (PROTO_HEADER_BYTES + 4)];
        size_t first = net_peer_frame(bytes, NET_ECHO_BARRIER, 1, proto_span_text("held"));
        size_t both = first + net_peer_frame(bytes + first, 2, 2, proto_span_text("wait"));
        assert_true(net_peer_send(fd, bytes, apart ? first : both));
        net_wait_for(net_test_counters(&echo).requests_pending == 1);
        if (apart) {
            assert_true(net_peer_send(fd, bytes + first, both - first));
        }
        /* Others are served meanwhile, a few turns of the loop long. */
        int other = net_test_connect(&echo);
        for (uint32_t id = 0; id < 20; id++) {
            assert_true(net_peer_request(other, 2, id, proto_span_text("free")));
            net_test_expect(other, PROTO_OK, id);
        }
        assert_int_equal(net_test_counters(&echo).frames_in, 21);
        net_echo_release(&echo);
        /* The release is posted before the reply: the second request may be answered first. */
        uint32_t replied = 0;
        for (int i = 0; i < 2; i++) {
            struct proto_header header;
            assert_true(net_peer_reply(fd, &header, NULL));
            assert_int_equal(header.code, PROTO_OK);
            replied |= UINT32_C(1) << header.request_id;
        }
        assert_int_equal(replied, 1u << 1 | 1u << 2);
        close(other);
        close(fd);
        net_echo_stop(&echo, 1000);
    }
}

static void posts_to_a_connection_that_is_gone_are_dropped(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    struct linger reset = {1, 0};
    int fd = net_test_connect(&echo);
    for (uint32_t id = 0; id < 10; id++) {
        assert_true(net_peer_request(fd, NET_ECHO_HOLD, id, proto_span_text("gone")));
    }
    net_wait_for(net_test_counters(&echo).requests_pending == 10);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    net_wait_for(net_test_counters(&echo).connections_open == 0);
    assert_int_equal(net_test_counters(&echo).requests_pending, 0);
    int other = net_test_connect(&echo); /* takes the same slot, and none of its replies */
    net_echo_release(&echo);
    net_wait_for(net_test_counters(&echo).posts_dropped == 10);
    net_test_ping(other, 1);
    net_wait_for(net_test_counters(&echo).bytes_out > 0); /* counted after it was sent */
    assert_int_equal(net_test_counters(&echo).bytes_out, PROTO_HEADER_BYTES + 4);
    close(other);
    net_echo_stop(&echo, 1000);
}

static void progress_is_posted_before_the_reply_that_ends_the_request(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.pending_max = 1;
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    for (uint32_t id = 1; id <= 2; id++) {
        assert_true(net_peer_request(fd, NET_ECHO_PROGRESS, id, proto_span_text("p")));
    }
    for (uint32_t i = 0; i < 8; i++) {
        struct proto_header header;
        assert_true(net_peer_reply(fd, &header, NULL));
        assert_int_equal(header.request_id, i / 4 + 1);
        assert_int_equal((header.flags & PROTO_FLAG_MORE) != 0, i % 4 < 3);
    }
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void post_of_no_bytes_ends_a_request(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.pending_max = 1;
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    for (uint32_t id = 1; id <= 5; id++) {
        assert_true(net_peer_request(fd, NET_ECHO_SILENT_LATER, id, proto_span_text("")));
    }
    net_test_ping(fd, 6); /* it would wait for ever if one of them were still pending */
    assert_int_equal(net_test_counters(&echo).posts, 5);
    close(fd);
    net_echo_stop(&echo, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_another_thread_reach_every_client_once),
        cmocka_unit_test(a_connection_that_is_held_is_served_when_it_is_released),
        cmocka_unit_test(posts_to_a_connection_that_is_gone_are_dropped),
        cmocka_unit_test(progress_is_posted_before_the_reply_that_ends_the_request),
        cmocka_unit_test(post_of_no_bytes_ends_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
