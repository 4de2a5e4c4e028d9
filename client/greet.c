/* SPDX-License-Identifier: Apache-2.0 */
/* Hello says who calls and with which token; its reply says what the server is and can do. A server
 * that does not know operation ids leaves `operations` out, and then no write is repeated. */
#include "client/greet.h"

#include "client/client.h"

uint32_t client_greet_send(struct client_link *link, struct proto_fault *fault)
{
    const struct client_settings *settings = link->settings;
    struct icp_payload *payload = icp_payload_create_with(&settings->allocator);
    struct client_request hello = {.op = PROTO_OP_HELLO, .owner = link};
    uint32_t id = 0;
    if (payload == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the greeting");
        return 0;
    }
    icp_payload_text(payload, "client", settings->name);
    if (settings->token != NULL) {
        icp_payload_text(payload, "token", settings->token);
    }
    if (client_payload_finish(payload, &hello.pairs, &hello.body, fault)) {
        id = client_link_request(link, &hello, link->started_ms, fault);
    }
    icp_payload_destroy(payload);
    return id;
}

static const char *text_keep(struct client_greeting *greeting, size_t *at, struct icp_text text)
{
    size_t left = sizeof greeting->texts - *at - 1;
    size_t bytes = text.bytes < left / 2 ? text.bytes : left / 2;
    char *kept = greeting->texts + *at;
    memcpy(kept, text.data, bytes);
    kept[bytes] = '\0';
    *at += bytes + 1;
    return kept;
}

void client_greet_take(struct client_link *link, const struct client_reply *reply, int64_t now_ms)
{
    link->hello_id = 0;
    if (reply->fault.code != PROTO_OK) {
        client_link_lose(link, reply->fault.code, reply->fault.message);
        return;
    }
    const struct icp_reply said = {.payload = reply->payload.data,
                                   .payload_bytes = reply->payload.bytes};
    struct client_greeting *greeting = &link->greeting;
    size_t at = 0;
    greeting->server = (struct icp_server){
        .server = text_keep(greeting, &at, icp_reply_text(&said, "server")),
        .role = text_keep(greeting, &at, icp_reply_text(&said, "role")),
        .protocol = (uint64_t)icp_reply_int(&said, "protocol", 0),
        .schema = (uint64_t)icp_reply_int(&said, "schema", 0),
        .icp = (uint64_t)icp_reply_int(&said, "icp", 0),
    };
    greeting->log = (uint64_t)icp_reply_int(&said, "log", 0);
    greeting->has_operations = icp_reply_flag(&said, "operations", false);
    link->state = CLIENT_READY;
    link->heard_ms = now_ms;
}
