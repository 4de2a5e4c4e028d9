/* SPDX-License-Identifier: Apache-2.0 */
/* Which reads name the sequence of a write (`min_seq`), and which go as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/client.h"
#include "client/icp_pool.h"
#include "tests/unit/client/fake_server.h"

enum { SEQ = 900, READS_MAX = 8 };

/* What the reads of a test named, in their order. */
static int64_t named[READS_MAX];
static atomic_size_t reads;

static void hello_fill(struct proto_writer *writer, uint64_t log)
{
    static const char *const texts[] = {"server", "fake/1", "role", "admin"};
    static const char *const numbers[] = {"protocol", "schema", "icp"};
    proto_write_map(writer, 8);
    for (size_t i = 0; i < 4; i++) {
        proto_write_text(writer, texts[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        proto_write_text(writer, numbers[i]);
        proto_write_uint(writer, 1);
    }
    proto_write_text(writer, "limits");
    proto_write_map(writer, 0);
    proto_write_text(writer, "log");
    proto_write_uint(writer, log);
    proto_write_text(writer, "operations");
    proto_write_bool(writer, true);
}

static void fill_log_5(struct proto_writer *writer)
{
    hello_fill(writer, 5);
}

static void fill_log_6(struct proto_writer *writer)
{
    hello_fill(writer, 6);
}

static void fill_patched(struct proto_writer *writer)
{
    proto_write_map(writer, 3);
    proto_write_text(writer, "count");
    proto_write_uint(writer, 1);
    proto_write_text(writer, "created");
    proto_write_uint(writer, 0);
    proto_write_text(writer, "seq");
    proto_write_uint(writer, SEQ);
}

/* Answers writes and reads, as many as come, up to `most`. */
static bool serve(int fd, void (*hello)(struct proto_writer *writer), size_t most)
{
    struct fake_request request;
    if (!fake_read(fd, &request) || request.header.code != PROTO_OP_HELLO ||
        !fake_reply(fd, request.header.request_id, PROTO_OK, 0, hello)) {
        return false;
    }
    for (size_t i = 0; i < most && fake_read(fd, &request); i++) {
        bool is_write = request.header.code == PROTO_OP_ACCOUNT_PATCH;
        const struct icp_reply seen = {.payload = request.payload.data,
                                       .payload_bytes = request.payload.bytes};
        int64_t min_seq = icp_reply_int(&seen, "min_seq", 0);
        if (is_write ? min_seq != 0 : atomic_load(&reads) == READS_MAX) {
            return false;
        }
        if (!is_write) {
            named[atomic_fetch_add(&reads, 1)] = min_seq;
        }
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0,
                        is_write ? fill_patched : fake_fill_count)) {
            return false;
        }
    }
    return true;
}

static bool serve_one(int fd)
{
    return serve(fd, fill_log_5, 1);
}

static bool serve_two(int fd)
{
    return serve(fd, fill_log_5, 2);
}

static bool serve_all(int fd)
{
    return serve(fd, fill_log_5, SIZE_MAX);
}

static bool serve_another_log(int fd)
{
    return serve(fd, fill_log_6, SIZE_MAX);
}

static bool serve_behind(int fd)
{
    struct fake_request request;
    struct proto_fault fault = {0};
    struct proto_writer writer;
    bool sent = fake_read(fd, &request) &&
                fake_reply(fd, request.header.request_id, PROTO_OK, 0, fill_log_5) &&
                fake_read(fd, &request);
    proto_fault_set(&fault, PROTO_BEHIND, "min_seq", "not here");
    proto_writer_init(&writer);
    proto_write_fault(&writer, &fault, PROTO_FLAG_REPLY, request.header.request_id);
    sent = sent && fake_send(fd, writer.data, writer.bytes) && fake_until_closed(fd);
    proto_writer_fini(&writer);
    return sent;
}

static struct icp_payload *patch_make(void)
{
    struct icp_payload *payload = icp_payload_create();
    icp_payload_list_begin(payload, "accounts");
    icp_payload_map_begin(payload, NULL);
    icp_payload_text(payload, "id", "a1");
    icp_payload_map_end(payload);
    icp_payload_list_end(payload);
    return payload;
}

static void write_one(struct icp_client *client)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = patch_make();
    assert_true(icp_call(client, ICP_OP_ACCOUNT_PATCH, payload, &reply));
    icp_payload_destroy(payload);
    icp_reply_fini(&reply);
}

static void read_one(struct icp_client *client, int64_t min_seq)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    icp_payload_text(payload, "filter", "a = 1");
    if (min_seq != 0) {
        icp_payload_int(payload, "min_seq", min_seq);
    }
    assert_true(icp_call(client, ICP_OP_COUNT, payload, &reply));
    icp_payload_destroy(payload);
    icp_reply_fini(&reply);
}

static void start(struct fake_server *server, const fake_script *scripts, size_t count)
{
    atomic_store(&reads, 0);
    fake_start(server, true, scripts, count);
}

static struct icp_client *connect_to(const struct fake_server *server, bool no_min_seq)
{
    const struct icp_options options = {ICP_OPTIONS, .no_min_seq = no_min_seq};
    struct icp_fault fault;
    struct icp_client *client = icp_connect(server->uri, &options, &fault);
    assert_non_null(client);
    return client;
}

static void end(struct icp_client *client, struct fake_server *server, size_t count)
{
    icp_close(client);
    assert_true(fake_stop(server));
    assert_int_equal(reads, count);
}

static void read_over_another_connection_names_the_write(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_two, serve_all};
    struct fake_server server;
    start(&server, scripts, 2);
    struct icp_client *client = connect_to(&server, false);
    write_one(client);
    read_one(client, 0); /* over the connection of the write: nothing to say */
    read_one(client, 0);
    read_one(client, 0); /* that one has shown that it has it */
    end(client, &server, 3);
    const int64_t wanted[] = {0, SEQ, 0};
    assert_memory_equal(named, wanted, sizeof wanted);
}

static void sequence_that_the_payload_names_stays(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_one, serve_all};
    struct fake_server server;
    start(&server, scripts, 2);
    struct icp_client *client = connect_to(&server, false);
    write_one(client);
    read_one(client, 17);
    end(client, &server, 1);
    assert_int_equal(named[0], 17);
}

static void option_and_another_log_keep_reads_as_they_are(void **state)
{
    (void)state;
    static const fake_script option[] = {serve_one, serve_all};
    static const fake_script other[] = {serve_one, serve_another_log};
    for (int i = 0; i < 2; i++) {
        struct fake_server server;
        start(&server, i == 0 ? option : other, 2);
        struct icp_client *client = connect_to(&server, i == 0);
        write_one(client);
        read_one(client, 0);
        end(client, &server, 1);
        assert_int_equal(named[0], 0);
    }
}

static void token_goes_to_another_client(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_all, serve_all};
    struct fake_server server;
    start(&server, scripts, 2);
    struct icp_client *one = connect_to(&server, false);
    struct icp_client *two = connect_to(&server, false);
    write_one(one);
    struct icp_token token = icp_token_get(one);
    assert_int_equal(token.log, 5);
    assert_int_equal(token.seq, SEQ);
    icp_token_set(two, token);
    read_one(two, 0);
    icp_close(one);
    end(two, &server, 1);
    assert_int_equal(named[0], SEQ);
}

static void pool_reads_what_any_of_its_clients_wrote(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_all, serve_all};
    const struct icp_pool_options two = {ICP_POOL_OPTIONS, .connections_max = 2};
    struct fake_server server;
    struct icp_fault fault;
    start(&server, scripts, 2);
    struct icp_pool *pool = icp_pool_create(server.uri, NULL, &two, &fault);
    assert_non_null(pool);
    struct icp_client *one = icp_pool_lend(pool, 0, &fault);
    struct icp_client *other = icp_pool_lend(pool, 0, &fault);
    write_one(one);
    icp_pool_give_back(pool, other);
    icp_pool_give_back(pool, one);
    one = icp_pool_lend(pool, 0, &fault);
    other = icp_pool_lend(pool, 0, &fault);
    read_one(one, 0);
    read_one(other, 0);
    icp_pool_give_back(pool, one);
    icp_pool_give_back(pool, other);
    icp_pool_destroy(pool);
    assert_true(fake_stop(&server));
    assert_int_equal(named[0] + named[1], SEQ); /* one of them wrote it, the other one waits */
}

static void host_that_is_behind_is_left_for_another(void **state)
{
    (void)state;
    static const fake_script one[] = {serve_behind};
    static const fake_script two[] = {serve_all};
    struct fake_server first;
    struct fake_server second;
    struct icp_fault fault;
    char uri[512];
    atomic_store(&reads, 0);
    fake_start(&first, false, one, 1);
    fake_start(&second, false, two, 1);
    snprintf(uri, sizeof uri, "%s,%s", first.uri, second.uri + strlen("icp://"));
    struct icp_client *client = icp_connect(uri, NULL, &fault);
    assert_non_null(client);
    icp_token_set(client, (struct icp_token){5, SEQ});
    read_one(client, 0);
    icp_close(client);
    assert_true(fake_stop(&first));
    assert_true(fake_stop(&second));
    assert_int_equal(named[0], SEQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_over_another_connection_names_the_write),
        cmocka_unit_test(sequence_that_the_payload_names_stays),
        cmocka_unit_test(option_and_another_log_keep_reads_as_they_are),
        cmocka_unit_test(token_goes_to_another_client),
        cmocka_unit_test(pool_reads_what_any_of_its_clients_wrote),
        cmocka_unit_test(host_that_is_behind_is_left_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
