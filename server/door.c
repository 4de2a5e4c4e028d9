/* SPDX-License-Identifier: Apache-2.0 */
/* The door is opened by the configuration; a file of tokens is read then and at each reload. Guests
 * are counted by address, but for those of this machine where they are exempt. */
#include "server/door.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static bool addresses_open(struct door *door, struct proto_fault *fault)
{
    struct auth_addresses_options options = {
        .connections_max = (uint32_t)door->config->address_connections_max,
        .wrong_max = (uint32_t)door->config->address_wrong_max,
        .requests = {door->config->address_requests_max, door->config->address_requests_max},
        .places = door->config->connections_max,
    };
    if (getrandom(&options.seed, sizeof options.seed, 0) != (ssize_t)sizeof options.seed) {
        return proto_fault_set(fault, PROTO_IO, "", "this machine gives no random bytes: %s",
                               strerror(errno));
    }
    door->addresses = auth_addresses_create(&options, fault);
    return door->addresses != NULL;
}

bool door_open(struct door *door, const struct base_config *config, struct base_log *log,
               struct proto_fault *fault)
{
    *door = (struct door){
        .config = config,
        .log = log,
        .tokens = {config->read_token, config->write_token, config->admin_token},
    };
    if (config->tokens_file[0] != '\0' &&
        (door->book = auth_book_create(config->tokens_file, fault)) == NULL) {
        return false;
    }
    return addresses_open(door, fault);
}

void door_close(struct door *door)
{
    auth_book_destroy(door->book);
    auth_addresses_destroy(door->addresses);
    *door = (struct door){0};
}

bool door_is_open(const struct door *door)
{
    return auth_is_open(&door->tokens) && door->book == NULL;
}

bool door_enter(struct door *door, const struct sockaddr *from, uint64_t now_ns, uint32_t *guest,
                struct proto_fault *fault)
{
    struct auth_source source;
    bool exempts = strcmp(door->config->address_exempt, "loopback") == 0;
    *guest = 0;
    if (!auth_source_of(from, &source) || (exempts && auth_source_is_loopback(&source)) ||
        auth_guest_enter(door->addresses, &source, now_ns, guest)) {
        return true;
    }
    return proto_fault_set(fault, PROTO_BUSY, "",
                           "this address has %llu connections open, the most it may "
                           "(address_connections_max); close one or try again later",
                           (unsigned long long)door->config->address_connections_max);
}

void door_leave(struct door *door, uint32_t guest)
{
    auth_guest_leave(door->addresses, guest);
}

static void log_end(void *context, const char *name)
{
    struct door *door = context;
    base_log(door->log, BASE_LOG_WARN, "main", "a token holds no longer",
             BASE_FIELDS(base_field_text("token", name)));
}

bool door_reload(struct door *door, struct proto_fault *fault)
{
    struct auth_change change = {.on_end = log_end, .context = door};
    if (door->book == NULL) {
        return true;
    }
    if (!auth_book_reload(door->book, &change, fault)) {
        return false;
    }
    base_log(door->log, BASE_LOG_INFO, "main", "tokens read anew",
             BASE_FIELDS(base_field_uint("kept", change.kept),
                         base_field_uint("added", change.added),
                         base_field_uint("ended", change.ended)));
    return true;
}
