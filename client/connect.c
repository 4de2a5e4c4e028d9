/* SPDX-License-Identifier: Apache-2.0 */
/* Making a client, and unmaking it. Options are copied, whatever size they have; the core is told
 * of them; and unless the caller wants that later, one round of attempts shows whether somebody
 * answers. */
#include <netdb.h>
#include <stddef.h>

#include "client/client.h"

#define CONNECT_TIMEOUT_MS 5000
#define CALL_TIMEOUT_MS 30000
#define HEDGE_PERCENT 5
#define STRING_OF(number) #number
#define STRING(number) STRING_OF(number)
#define VERSION_TEXT                                                                               \
    STRING(ICP_VERSION_MAJOR) "." STRING(ICP_VERSION_MINOR) "." STRING(ICP_VERSION_PATCH)

const char *icp_version(void)
{
    return VERSION_TEXT;
}

unsigned icp_version_number(void)
{
    return ICP_VERSION_NUMBER;
}

/* Bytes of the struct in version 0.1, which a size of 0 means: this never changes again. */
#define OPTIONS_BYTES_FIRST (offsetof(struct icp_options, log_context) + sizeof(void *))

bool client_struct_read(void *to, size_t to_bytes, const void *from, size_t from_bytes,
                        size_t first_bytes)
{
    const uint8_t *at = from;
    size_t bytes = from_bytes != 0 ? from_bytes : first_bytes;
    for (size_t i = to_bytes; i < bytes; i++) {
        if (at[i] != 0) {
            return false;
        }
    }
    memset(to, 0, to_bytes);
    memcpy(to, from, bytes < to_bytes ? bytes : to_bytes);
    return true;
}

bool client_options_read(const struct icp_options *from, struct icp_options *to,
                         struct proto_fault *fault)
{
    static const struct icp_options defaults = {0};
    if (from == NULL) {
        from = &defaults;
    }
    if (client_struct_read(to, sizeof *to, from, from->size, OPTIONS_BYTES_FIRST)) {
        return true;
    }
    return proto_fault_set(fault, PROTO_USAGE, "options",
                           "the options use what libicp " VERSION_TEXT
                           " does not know; the program was built for a newer one");
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static bool settings_read(struct client_settings *settings, const struct icp_options *options,
                          client_resolve *resolve, struct proto_fault *fault)
{
    const struct icp_allocator *allocator = &options->allocator;
    *settings = (struct client_settings){
        .allocator = *allocator,
        .connect_timeout_ms = or_default(options->connect_timeout_ms, CONNECT_TIMEOUT_MS),
        .call_timeout_ms = or_default(options->call_timeout_ms, CALL_TIMEOUT_MS),
        .is_patient = !options->no_retry,
        .checksum = !options->no_checksum,
        .carries_token = !options->no_min_seq,
        .in_flight_max = options->in_flight_max,
        .buffer_bytes_max =
            options->buffer_bytes_max != 0 ? options->buffer_bytes_max : CLIENT_BUFFER_BYTES_MAX,
        .hedge_ms = options->hedge_ms,
        .hedge_percent_max = or_default(options->hedge_percent_max, HEDGE_PERCENT),
        .on_log = options->on_log,
        .log_context = options->log_context,
        .resolve = resolve != NULL ? resolve : getaddrinfo,
    };
    if (settings->hedge_percent_max > 100) {
        return proto_fault_set(fault, PROTO_USAGE, "options.hedge_percent_max",
                               "%u percent of the calls cannot be hedged; 100 is the most",
                               settings->hedge_percent_max);
    }
    settings->name = client_memory_text(allocator, options->name != NULL ? options->name
                                                                         : "libicp " VERSION_TEXT);
    settings->token = options->token != NULL ? client_memory_text(allocator, options->token) : NULL;
    if (settings->name == NULL || (options->token != NULL && settings->token == NULL)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the client");
    }
    return true;
}

bool client_core_open(struct client_core *core, const char *uri, const struct icp_options *options,
                      client_resolve *resolve, struct proto_fault *fault)
{
    struct client_uri uris[CLIENT_HOSTS_MAX];
    struct client_settings settings = {0};
    *core = (struct client_core){.epoll_fd = -1, .greeting.server = {.server = "", .role = ""}};
    if (!client_uri_parse(uri, uris, &core->host_count, fault)) {
        return false;
    }
    for (size_t i = 0; i < core->host_count; i++) {
        core->hosts[i].uri = uris[i];
    }
    bool is_read = settings_read(&settings, options, resolve, fault);
    if (is_read && core->hosts[0].uri.is_secure) {
        settings.trust =
            client_trust_create(options->tls_ca, options->tls_certificate, options->tls_key, fault);
        is_read = settings.trust != NULL;
    }
    core->settings = settings;
    return is_read && client_core_init(core, &settings, fault);
}

void client_core_close(struct client_core *core)
{
    client_core_fini(core);
    client_memory_free(core->settings.name);
    client_memory_free(core->settings.token);
    client_trust_destroy(core->settings.trust);
}

struct icp_client *client_create(const char *uri, const struct icp_options *options,
                                 client_resolve *resolve, struct proto_fault *fault)
{
    struct icp_client *client = client_memory_grow(&options->allocator, NULL, sizeof *client);
    if (client == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the client");
        return NULL;
    }
    *client = (struct icp_client){.options = *options};
    if (client_core_open(&client->core, uri, options, resolve, fault)) {
        return client;
    }
    icp_close(client);
    return NULL;
}

struct icp_client *icp_connect(const char *uri, const struct icp_options *options,
                               struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct icp_options read;
    struct icp_client *client = client_options_read(options, &read, &found)
                                    ? client_create(uri, &read, NULL, &found)
                                    : NULL;
    if (client != NULL && (read.connect_later || client_ready_until(client, INT64_MAX, &found))) {
        return client;
    }
    icp_close(client);
    client_fault_export(&found, fault);
    return NULL;
}

bool icp_reconnect(struct icp_client *client, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    client->core.now_ms = client_now_ms();
    client_core_fork_check(&client->core);
    client_core_drop(&client->core, "the connection was opened anew");
    if (client_ready_until(client, INT64_MAX, &found)) {
        return true;
    }
    client_fault_export(&found, fault);
    return false;
}

void icp_close(struct icp_client *client)
{
    if (client == NULL) {
        return;
    }
    client_core_close(&client->core);
    client_kept_clear(client);
    icp_payload_destroy(client->query);
    client_memory_free(client);
}

const struct icp_server *icp_server_info(const struct icp_client *client)
{
    const struct client_link *link = client->core.links[CLIENT_MAIN];
    return client_link_ready(link) ? &link->greeting.server : &client->core.greeting.server;
}

bool icp_is_connected(const struct icp_client *client)
{
    return client_link_ready(client->core.links[CLIENT_MAIN]);
}
