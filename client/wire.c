/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline under a public name, for a transport of the caller's own. */
#include "client/client.h"
#include "client/icp_async.h"

struct icp_wire {
    struct icp_allocator allocator;
    struct client_pipeline pipeline;
};

struct icp_wire *icp_wire_create(const struct icp_options *options, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct icp_options read;
    struct icp_wire *wire = NULL;
    if (client_options_read(options, &read, &found)) {
        wire = client_memory_grow(&read.allocator, NULL, sizeof *wire);
        if (wire == NULL) {
            proto_fault_set(&found, PROTO_NO_MEMORY, "", "no memory for the client");
        }
    }
    if (wire == NULL) {
        client_fault_export(&found, fault);
        return NULL;
    }
    *wire = (struct icp_wire){.allocator = read.allocator};
    client_pipeline_init(&wire->pipeline, read.in_flight_max, read.buffer_bytes_max,
                         !read.no_checksum);
    wire->pipeline.allocator = &wire->allocator;
    return wire;
}

void icp_wire_destroy(struct icp_wire *wire)
{
    if (wire == NULL) {
        return;
    }
    client_pipeline_fini(&wire->pipeline);
    client_memory_free(wire);
}

uint32_t icp_wire_request(struct icp_wire *wire, enum icp_op op, const struct icp_payload *payload,
                          struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct client_request request;
    uint32_t id = 0;
    if (client_request_fill(op, payload, &request, &found)) {
        request.operation = NULL; /* the payload has its own, or none */
        id = client_pipeline_request(&wire->pipeline, &request, &found);
    }
    if (id == 0) {
        client_fault_export(&found, fault);
    }
    return id;
}

void icp_wire_forget(struct icp_wire *wire, uint32_t id)
{
    client_pipeline_forget(&wire->pipeline, id);
}

const void *icp_wire_output(const struct icp_wire *wire, size_t *bytes)
{
    struct proto_span output = client_pipeline_output(&wire->pipeline);
    *bytes = output.bytes;
    return output.data;
}

void icp_wire_sent(struct icp_wire *wire, size_t bytes)
{
    client_pipeline_sent(&wire->pipeline, bytes);
}

bool icp_wire_feed(struct icp_wire *wire, const void *data, size_t bytes, struct icp_fault *fault)
{
    const uint8_t *at = data;
    while (bytes > 0) {
        size_t room_bytes = 0;
        uint8_t *room = client_pipeline_room(&wire->pipeline, &room_bytes);
        if (room_bytes == 0) {
            struct proto_fault found = wire->pipeline.loss;
            if (!wire->pipeline.lost) {
                proto_fault_set(&found, PROTO_LIMIT, "",
                                "%zu bytes of replies wait to be taken; take some first",
                                wire->pipeline.input_bytes);
            }
            client_fault_export(&found, fault);
            return false;
        }
        size_t part = bytes < room_bytes ? bytes : room_bytes;
        memcpy(room, at, part);
        client_pipeline_received(&wire->pipeline, part);
        at += part;
        bytes -= part;
    }
    return true;
}

void icp_wire_end(struct icp_wire *wire)
{
    client_pipeline_lose(&wire->pipeline, PROTO_CLOSED, "the server closed the connection");
}

bool icp_wire_next(struct icp_wire *wire, struct icp_reply *reply)
{
    struct client_reply next;
    if (!client_pipeline_next(&wire->pipeline, &next)) {
        next = (struct client_reply){.fault = wire->pipeline.loss};
        if (!wire->pipeline.lost ||
            (next.id = client_pipeline_abandon(&wire->pipeline, &next.op)) == 0) {
            return false;
        }
    }
    (void)client_reply_fill(&wire->allocator, reply, &next);
    return true;
}
