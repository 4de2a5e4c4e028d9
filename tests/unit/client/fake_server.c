/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/fake_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void *connection_run(void *context)
{
    struct fake_connection *connection = context;
    struct fake_server *server = connection->server;
    bool content = connection->script(connection->fd);
    pthread_mutex_lock(&server->lock);
    server->failed |= !content;
    close(connection->fd);
    connection->fd = -1;
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void *fake_run(void *context)
{
    struct fake_server *server = context;
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        if (server->served == server->script_count) {
            close(fd);
            continue;
        }
        assert(server->served < FAKE_CONNECTIONS_MAX);
        struct fake_connection *connection = &server->connections[server->served];
        *connection = (struct fake_connection){
            .server = server, .script = server->scripts[server->served], .fd = fd};
        int started = pthread_create(&connection->thread, NULL, connection_run, connection);
        assert(started == 0);
        server->served++;
    }
}

static void listen_tcp(struct fake_server *server, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int bound = bind(server->listener, (struct sockaddr *)&address, bytes);
    int named = getsockname(server->listener, (struct sockaddr *)&address, &bytes);
    assert(bound == 0 && named == 0);
    snprintf(server->uri, sizeof server->uri, "icp://127.0.0.1:%u", ntohs(address.sin_port));
}

static void listen_unix(struct fake_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(server->folder, sizeof server->folder, "/tmp/icp-fake-XXXXXX");
    char *made = mkdtemp(server->folder);
    assert(made != NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", server->folder);
    server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int bound = bind(server->listener, (struct sockaddr *)&address, sizeof address);
    assert(bound == 0);
    snprintf(server->uri, sizeof server->uri, "icp+unix:%s", address.sun_path);
}

static void serve(struct fake_server *server)
{
    pthread_mutex_init(&server->lock, NULL);
    int listening = listen(server->listener, 8);
    int started = pthread_create(&server->thread, NULL, fake_run, server);
    assert(listening == 0 && started == 0);
}

void fake_start(struct fake_server *server, bool is_unix, const fake_script *scripts, size_t count)
{
    *server = (struct fake_server){.scripts = scripts, .script_count = count};
    if (is_unix) {
        listen_unix(server);
    } else {
        listen_tcp(server, 0);
    }
    serve(server);
}

void fake_start_at(struct fake_server *server, unsigned port, const fake_script *scripts,
                   size_t count)
{
    *server = (struct fake_server){.scripts = scripts, .script_count = count};
    listen_tcp(server, port);
    serve(server);
}

static void listener_end(struct fake_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    if (server->folder[0] != '\0') {
        char path[80];
        snprintf(path, sizeof path, "%s/s", server->folder);
        unlink(path);
        rmdir(server->folder);
    }
}

static void connections_end(struct fake_server *server)
{
    for (size_t i = 0; i < server->served; i++) {
        pthread_join(server->connections[i].thread, NULL);
    }
    pthread_mutex_destroy(&server->lock);
}

bool fake_stop(struct fake_server *server)
{
    listener_end(server);
    connections_end(server);
    return !server->failed && server->served == server->script_count;
}

bool fake_stop_now(struct fake_server *server)
{
    listener_end(server);
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->served; i++) {
        if (server->connections[i].fd >= 0) {
            shutdown(server->connections[i].fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->lock);
    connections_end(server);
    return server->served == server->script_count;
}

static bool read_exactly(int fd, uint8_t *out, size_t bytes)
{
    while (bytes > 0) {
        ssize_t got = recv(fd, out, bytes, 0);
        if (got <= 0) {
            return false;
        }
        out += got;
        bytes -= (size_t)got;
    }
    return true;
}

bool fake_read(int fd, struct fake_request *request)
{
    uint8_t head[PROTO_HEADER_BYTES];
    if (!read_exactly(fd, head, sizeof head)) {
        return false;
    }
    proto_header_decode(head, &request->header);
    if (request->header.payload_bytes > sizeof request->bytes) {
        return false;
    }
    request->payload = (struct proto_span){request->bytes, request->header.payload_bytes};
    return read_exactly(fd, request->bytes, request->header.payload_bytes);
}

bool fake_send(int fd, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    while (bytes > 0) {
        ssize_t sent = send(fd, at, bytes, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        bytes -= (size_t)sent;
    }
    return true;
}

void fake_frame(struct proto_writer *writer, uint32_t id, uint8_t status, uint16_t flags,
                void (*fill)(struct proto_writer *writer))
{
    proto_writer_frame_begin(writer);
    if (fill != NULL) {
        fill(writer);
    } else {
        proto_write_map(writer, 0);
    }
    proto_writer_frame_end(writer, status, flags | PROTO_FLAG_REPLY, id);
}

bool fake_reply(int fd, uint32_t id, uint8_t status, uint16_t flags,
                void (*fill)(struct proto_writer *writer))
{
    struct proto_writer writer;
    proto_writer_init(&writer);
    fake_frame(&writer, id, status, flags, fill);
    bool sent = proto_writer_ok(&writer) && fake_send(fd, writer.data, writer.bytes);
    proto_writer_fini(&writer);
    return sent;
}

static void hello_fields(struct proto_writer *writer)
{
    proto_write_text(writer, "server");
    proto_write_text(writer, "fake 1");
    proto_write_text(writer, "protocol");
    proto_write_uint(writer, PROTO_VERSION);
    proto_write_text(writer, "role");
    proto_write_text(writer, "admin");
    proto_write_text(writer, "limits");
    proto_write_map(writer, 0);
    proto_write_text(writer, "schema");
    proto_write_uint(writer, 2);
    proto_write_text(writer, "icp");
    proto_write_uint(writer, 7);
}

void fake_fill_hello(struct proto_writer *writer)
{
    proto_write_map(writer, 6);
    hello_fields(writer);
}

void fake_fill_hello_operations(struct proto_writer *writer)
{
    proto_write_map(writer, 7);
    hello_fields(writer);
    proto_write_text(writer, "operations");
    proto_write_bool(writer, true);
}

void fake_fill_count(struct proto_writer *writer)
{
    proto_write_map(writer, 3);
    proto_write_text(writer, "count");
    proto_write_uint(writer, 7);
    proto_write_text(writer, "of");
    proto_write_uint(writer, 9);
    proto_write_text(writer, "seq");
    proto_write_uint(writer, 1);
}

void fake_fill_ping(struct proto_writer *writer)
{
    proto_write_map(writer, 1);
    proto_write_text(writer, "time");
    proto_write_uint(writer, 1234);
}

bool fake_greet(int fd)
{
    struct fake_request request;
    return fake_read(fd, &request) && request.header.code == PROTO_OP_HELLO &&
           fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_hello);
}

bool fake_until_closed(int fd)
{
    uint8_t byte;
    while (recv(fd, &byte, 1, 0) > 0)
        ;
    return true;
}

void fake_sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}
