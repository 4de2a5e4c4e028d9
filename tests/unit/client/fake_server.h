/* SPDX-License-Identifier: Apache-2.0 */
/* A server in a thread that says exactly what a test tells it to: frames whole or cut, late, out of
 * order or garbage. One script per connection, in the order in which they come; a connection beyond
 * the last script is closed at once. Threads: each script runs in a thread of its own; it must not
 * use cmocka's asserts, it returns false instead, and fake_stop tells. */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <pthread.h>

#include "proto/request.h"
#include "proto/writer.h"

struct fake_request {
    struct proto_header header;
    struct proto_span payload;
    uint8_t bytes[32768];
};

/* Serves one connection; false: the client did not do what the script expects. */
typedef bool (*fake_script)(int fd);

#define FAKE_CONNECTIONS_MAX 32

struct fake_server;
struct fake_connection {
    struct fake_server *server;
    fake_script script;
    int fd;
    pthread_t thread;
};

struct fake_server {
    int listener;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows up to `failed` */
    struct fake_connection connections[FAKE_CONNECTIONS_MAX];
    char uri[160];
    char folder[64]; /* of a Unix socket; empty for TCP */
    const fake_script *scripts;
    size_t script_count;
    size_t served;
    bool failed;
};

/* Listens on a free port of 127.0.0.1, or on a Unix socket in a new folder. */
void fake_start(struct fake_server *server, bool is_unix, const fake_script *scripts, size_t count);
/* The same on a port of 127.0.0.1 that was free a moment ago. */
void fake_start_at(struct fake_server *server, unsigned port, const fake_script *scripts,
                   size_t count);
/* Ends the threads once their clients have; true if every script that ran was content and all of
 * them ran. */
bool fake_stop(struct fake_server *server);
/* The same with connections open: they end in the middle of whatever they are at. */
bool fake_stop_now(struct fake_server *server);

bool fake_read(int fd, struct fake_request *request);
bool fake_send(int fd, const void *data, size_t bytes);
/* A reply whose payload is what `fill` writes (NULL: an empty map). */
bool fake_reply(int fd, uint32_t id, uint8_t status, uint16_t flags,
                void (*fill)(struct proto_writer *writer));
/* The same as bytes, for scripts that cut them up. */
void fake_frame(struct proto_writer *writer, uint32_t id, uint8_t status, uint16_t flags,
                void (*fill)(struct proto_writer *writer));
/* Reads a hello and answers it. */
bool fake_greet(int fd);
void fake_fill_hello(struct proto_writer *writer);
void fake_fill_ping(struct proto_writer *writer);             /* time 1234 */
void fake_fill_count(struct proto_writer *writer);            /* count 7 of 9 */
void fake_fill_hello_operations(struct proto_writer *writer); /* knows operation ids */
bool fake_until_closed(int fd);
void fake_sleep_ms(long ms);

#endif
