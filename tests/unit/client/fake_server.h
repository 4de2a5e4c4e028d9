/* SPDX-License-Identifier: Apache-2.0 */
/* A server in a thread that says exactly what a test tells it to: frames whole or cut, late, out of
 * order or garbage. One script per connection, in order; a connection beyond the last script is
 * closed at once. Threads: scripts run in the server's thread; they must not use cmocka's asserts,
 * they return false instead, and fake_stop tells. */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <pthread.h>

#include "proto/request.h"
#include "proto/writer.h"

struct fake_request {
    struct proto_header header;
    struct proto_span payload;
    uint8_t bytes[4096];
};

/* Serves one connection; false: the client did not do what the script expects. */
typedef bool (*fake_script)(int fd);

struct fake_server {
    int listener;
    pthread_t thread;
    char uri[160];
    char folder[64]; /* of a Unix socket; empty for TCP */
    const fake_script *scripts;
    size_t script_count;
    size_t served;
    bool failed;
};

/* Listens on a free port of 127.0.0.1, or on a Unix socket in a new folder. */
void fake_start(struct fake_server *server, bool is_unix, const fake_script *scripts, size_t count);
/* Ends the thread; true if every script that ran was content and all of them ran. */
bool fake_stop(struct fake_server *server);

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
void fake_fill_ping(struct proto_writer *writer); /* time 1234 */
bool fake_until_closed(int fd);
void fake_sleep_ms(long ms);

#endif
