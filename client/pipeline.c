/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline.h"

#include <assert.h>
#include <stdio.h>

/* One read takes at least this much: many small replies, or a good part of a large one. */
#define ROOM_BYTES_MIN ((size_t)64 << 10)
#define PENDING_CAPACITY_MIN 64
/* What a server says of the connection as a whole is one fault. */
#define NOTICE_BYTES_MAX 4096

void client_pipeline_init(struct client_pipeline *pipeline, size_t in_flight_max,
                          size_t buffer_bytes_max, bool checksum)
{
    *pipeline = (struct client_pipeline){
        .buffer_bytes_max = buffer_bytes_max != 0 ? buffer_bytes_max : CLIENT_BUFFER_BYTES_MAX,
        .in_flight_max = in_flight_max != 0 ? in_flight_max : CLIENT_IN_FLIGHT_MAX,
        .own_ids = 1,
        .id_oldest = 1,
        .checksum = checksum,
    };
    pipeline->ids = &pipeline->own_ids;
    proto_writer_init(&pipeline->output);
}

void client_pipeline_fini(struct client_pipeline *pipeline)
{
    client_writer_fini(&pipeline->output);
    client_memory_free(pipeline->input);
    client_memory_free(pipeline->pending);
    *pipeline = (struct client_pipeline){0};
}

void client_pipeline_restart(struct client_pipeline *pipeline)
{
    proto_writer_reset(&pipeline->output);
    pipeline->output_sent = 0;
    pipeline->input_at = pipeline->input_bytes = 0;
    for (size_t i = 0; i < pipeline->pending_capacity; i++) {
        pipeline->pending[i].id = 0;
    }
    pipeline->pending_count = pipeline->forgotten_count = pipeline->owned_count = 0;
    pipeline->large_count = 0;
    pipeline->id_oldest = *pipeline->ids;
    pipeline->lost = false;
}

/* Pending requests: linear probing. */

/* Ids are consecutive: times an odd number they stay apart, and stand far from each other instead
 * of in one long run that each removal would have to walk. The number is 2^32 / golden ratio
 * (Knuth, The Art of Computer Programming 3, 6.4). */
static size_t pending_home(const struct client_pipeline *pipeline, uint32_t id)
{
    return (size_t)(id * UINT32_C(0x9E3779B1)) & (pipeline->pending_capacity - 1);
}

static size_t pending_place(const struct client_pipeline *pipeline, uint32_t id)
{
    size_t mask = pipeline->pending_capacity - 1;
    size_t place = pending_home(pipeline, id);
    while (pipeline->pending[place].id != 0 && pipeline->pending[place].id != id) {
        place = (place + 1) & mask;
    }
    return place;
}

static bool pending_grow(struct client_pipeline *pipeline)
{
    size_t capacity = pipeline->pending_capacity;
    if (pipeline->pending_count * 2 < capacity) {
        return true;
    }
    struct client_pending *old = pipeline->pending;
    size_t grown = capacity == 0 ? PENDING_CAPACITY_MIN : capacity * 2;
    struct client_pending *pending =
        client_memory_grow(pipeline->allocator, NULL, grown * sizeof *pending);
    if (pending == NULL) {
        return false;
    }
    memset(pending, 0, grown * sizeof *pending);
    pipeline->pending = pending;
    pipeline->pending_capacity = grown;
    for (size_t i = 0; i < capacity; i++) {
        if (old[i].id != 0) {
            pending[pending_place(pipeline, old[i].id)] = old[i];
        }
    }
    client_memory_free(old);
    return true;
}

/* Empties a place and moves back what had been pushed past it, so that no probe ends too early. */
static void pending_remove(struct client_pipeline *pipeline, size_t place)
{
    size_t mask = pipeline->pending_capacity - 1;
    const struct client_pending *gone = &pipeline->pending[place];
    pipeline->forgotten_count -= gone->forgotten;
    pipeline->owned_count -= !gone->forgotten && gone->owner != NULL;
    pipeline->large_count -= gone->is_large;
    pipeline->pending_count--;
    for (size_t next = (place + 1) & mask; pipeline->pending[next].id != 0;
         next = (next + 1) & mask) {
        size_t home = pending_home(pipeline, pipeline->pending[next].id);
        if (((next - home) & mask) >= ((next - place) & mask)) {
            pipeline->pending[place] = pipeline->pending[next];
            place = next;
        }
    }
    pipeline->pending[place].id = 0;
}

const struct client_pending *client_pipeline_find(const struct client_pipeline *pipeline,
                                                  uint32_t id)
{
    if (id == 0 || pipeline->pending_capacity == 0) {
        return NULL;
    }
    const struct client_pending *found = &pipeline->pending[pending_place(pipeline, id)];
    return found->id == id && !found->forgotten ? found : NULL;
}

void client_pipeline_forget(struct client_pipeline *pipeline, uint32_t id)
{
    if (client_pipeline_find(pipeline, id) == NULL) {
        return;
    }
    struct client_pending *pending = &pipeline->pending[pending_place(pipeline, id)];
    pipeline->owned_count -= pending->owner != NULL;
    pending->forgotten = true;
    pending->owner = NULL;
    pipeline->forgotten_count++;
}

static bool is_waited_for(const struct client_pending *pending)
{
    return pending != NULL && pending->id != 0 && !pending->forgotten && pending->owner == NULL;
}

/* The place of the lowest id without an owner that is waited for; SIZE_MAX if there is none. */
static size_t pending_first(struct client_pipeline *pipeline)
{
    /* Ids are handed out in order, so the next one is usually near. Where a request has been
     * waiting for very many others, the table is the shorter way. */
    for (; *pipeline->ids - pipeline->id_oldest <= pipeline->pending_capacity &&
           pipeline->id_oldest != *pipeline->ids;
         pipeline->id_oldest++) {
        if (is_waited_for(client_pipeline_find(pipeline, pipeline->id_oldest))) {
            return pending_place(pipeline, pipeline->id_oldest);
        }
    }
    size_t first = SIZE_MAX;
    for (size_t i = 0; i < pipeline->pending_capacity; i++) {
        const struct client_pending *pending = &pipeline->pending[i];
        if (is_waited_for(pending) &&
            (first == SIZE_MAX || pending->id < pipeline->pending[first].id)) {
            first = i;
        }
    }
    if (first != SIZE_MAX) {
        pipeline->id_oldest = pipeline->pending[first].id;
    }
    return first;
}

uint32_t client_pipeline_abandon(struct client_pipeline *pipeline, uint8_t *op)
{
    if (client_pipeline_waiting(pipeline) == 0) {
        return 0;
    }
    /* Lowest id first, so that a caller hears of its requests in the order in which it sent them.
     */
    size_t first = pending_first(pipeline);
    if (first == SIZE_MAX) {
        return 0;
    }
    uint32_t id = pipeline->pending[first].id;
    *op = pipeline->pending[first].op;
    pending_remove(pipeline, first);
    return id;
}

/* Out. */

static uint32_t id_take(struct client_pipeline *pipeline)
{
    /* Ids wrap after 2^32 requests; one that is still in flight is passed over, and so is 0. */
    for (;;) {
        uint32_t id = (*pipeline->ids)++;
        if (id != 0 && pipeline->pending[pending_place(pipeline, id)].id == 0) {
            return id;
        }
    }
}

/* Bytes beside the body: the largest map header, and the operation id and the sequence with their
 * keys. */
static size_t extra_bytes(const struct client_request *request)
{
    size_t id_bytes = request->operation != NULL ? strlen(request->operation) : 0;
    return 5 + (request->operation != NULL ? 1 + strlen("operation") + 5 + id_bytes : 0) +
           (request->min_seq != 0 ? 1 + strlen("min_seq") + 9 : 0);
}

static bool request_allowed(struct client_pipeline *pipeline, const struct client_request *request,
                            struct proto_fault *fault)
{
    if (pipeline->lost) {
        *fault = pipeline->loss;
        return false;
    }
    if (pipeline->pending_count >= pipeline->in_flight_max) {
        return proto_fault_set(fault, PROTO_LIMIT, "",
                               "%zu requests are in flight, the most that this client allows; "
                               "receive replies first",
                               pipeline->pending_count);
    }
    if (request->body.bytes > PROTO_FRAME_BYTES_MAX - extra_bytes(request)) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "",
                               "the payload has %zu bytes, a frame holds at most %d",
                               request->body.bytes, (int)PROTO_FRAME_BYTES_MAX);
    }
    return true;
}

static void frame_write(struct client_pipeline *pipeline, const struct client_request *request,
                        uint32_t id)
{
    struct proto_writer *output = &pipeline->output;
    proto_writer_frame_begin(output);
    proto_write_map(output,
                    request->pairs + (request->operation != NULL) + (request->min_seq != 0));
    proto_write_raw(output, request->body);
    if (request->operation != NULL) {
        proto_write_text(output, "operation");
        proto_write_text(output, request->operation);
    }
    if (request->min_seq != 0) {
        proto_write_text(output, "min_seq");
        proto_write_uint(output, request->min_seq);
    }
    proto_writer_frame_end(output, request->op, pipeline->checksum ? PROTO_FLAG_CHECKSUM : 0, id);
}

uint32_t client_pipeline_request(struct client_pipeline *pipeline,
                                 const struct client_request *request, struct proto_fault *fault)
{
    if (!request_allowed(pipeline, request, fault)) {
        return 0;
    }
    size_t bytes = PROTO_HEADER_BYTES + extra_bytes(request) + request->body.bytes;
    if (pending_grow(pipeline) &&
        client_writer_room(&pipeline->output, pipeline->allocator, bytes)) {
        uint32_t id = id_take(pipeline);
        frame_write(pipeline, request, id);
        assert(proto_writer_ok(&pipeline->output));
        bool is_large = bytes > PROTO_HEADER_BYTES + PROTO_LOOP_BYTES_MAX;
        pipeline->pending[pending_place(pipeline, id)] =
            (struct client_pending){.owner = request->owner,
                                    .id = id,
                                    .op = request->op,
                                    .is_large = is_large,
                                    .min_seq = request->min_seq};
        pipeline->large_count += is_large;
        pipeline->pending_count++;
        pipeline->owned_count += request->owner != NULL;
        return id;
    }
    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a request of %zu bytes",
                    request->body.bytes);
    return 0;
}

struct proto_span client_pipeline_output(const struct client_pipeline *pipeline)
{
    struct proto_span all = proto_writer_span(&pipeline->output);
    if (all.bytes == pipeline->output_sent) {
        return (struct proto_span){0};
    }
    return (struct proto_span){all.data + pipeline->output_sent, all.bytes - pipeline->output_sent};
}

void client_pipeline_sent(struct client_pipeline *pipeline, size_t bytes)
{
    assert(bytes <= pipeline->output.bytes - pipeline->output_sent);
    pipeline->output_sent += bytes;
    if (pipeline->output_sent == pipeline->output.bytes) {
        proto_writer_reset(&pipeline->output);
        pipeline->output_sent = 0;
    }
}

/* In. */

void client_pipeline_lose(struct client_pipeline *pipeline, enum proto_error code,
                          const char *reason)
{
    if (pipeline->lost) {
        return;
    }
    pipeline->lost = true;
    bool is_cut = pipeline->input_bytes > pipeline->input_at && code == PROTO_CLOSED;
    proto_fault_set(&pipeline->loss, code, "", "%s%s", reason,
                    is_cut ? " in the middle of a reply" : "");
}

uint8_t *client_pipeline_room(struct client_pipeline *pipeline, size_t *bytes)
{
    *bytes = 0;
    if (pipeline->input_at > 0) {
        pipeline->input_bytes -= pipeline->input_at;
        if (pipeline->input_bytes > 0) {
            memmove(pipeline->input, pipeline->input + pipeline->input_at, pipeline->input_bytes);
        }
        pipeline->input_at = 0;
    }
    size_t limit = pipeline->buffer_bytes_max + PROTO_HEADER_BYTES + PROTO_FRAME_BYTES_MAX;
    if (pipeline->lost || pipeline->input_bytes >= limit) {
        return NULL;
    }
    if (pipeline->input_capacity - pipeline->input_bytes < ROOM_BYTES_MIN) {
        /* Memory grows with the bytes that have come, never with what a header promises. */
        size_t capacity = pipeline->input_capacity * 2 + ROOM_BYTES_MIN;
        uint8_t *input = client_memory_grow(pipeline->allocator, pipeline->input, capacity);
        if (input == NULL) {
            client_pipeline_lose(pipeline, PROTO_NO_MEMORY, "no memory for the replies");
            return NULL;
        }
        pipeline->input = input;
        pipeline->input_capacity = capacity;
    }
    *bytes = pipeline->input_capacity - pipeline->input_bytes;
    return pipeline->input + pipeline->input_bytes;
}

void client_pipeline_received(struct client_pipeline *pipeline, size_t bytes)
{
    assert(bytes <= pipeline->input_capacity - pipeline->input_bytes);
    pipeline->input_bytes += bytes;
}

/* A status other than ok: its payload says what was wrong. A payload that does not is no reason to
 * lose the connection: the status alone is told. */
static void fault_take(uint8_t status, struct proto_span payload, struct proto_fault *fault)
{
    struct proto_fault ignored = {0};
    if (proto_fault_decode(payload, fault, &ignored) && (unsigned)fault->code == status) {
        return;
    }
    const struct proto_error_info *info = proto_error_find(status);
    proto_fault_set(fault, info->code, "", "%s (status %u, without a readable message)", info->text,
                    (unsigned)status);
}

/* Where a write stands in the log; 0 where its reply says nothing of that. */
static uint64_t seq_of(const struct proto_op_info *info, const struct proto_arg *args)
{
    for (size_t i = 0; i < info->reply_count; i++) {
        if (args[i].present && info->reply[i].type == PROTO_UINT &&
            strcmp(info->reply[i].name, "seq") == 0) {
            return args[i].uint;
        }
    }
    return 0;
}

static void reply_check(const struct client_pending *pending, uint8_t status,
                        struct client_reply *reply)
{
    const struct proto_op_info *info = proto_op_find(pending->op);
    assert(info != NULL);
    if (status != PROTO_OK) {
        fault_take(status, reply->payload, &reply->fault);
        return;
    }
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_fault fault = {0};
    if (!proto_fields_decode(info->reply, info->reply_count, reply->payload, args, &fault)) {
        proto_fault_set(&reply->fault, PROTO_BAD_REPLY, fault.field,
                        "the server's reply to %s is not valid: %s", info->name, fault.message);
    } else if (info->role >= PROTO_ROLE_WRITE) {
        reply->seq = seq_of(info, args);
    }
}

/* A frame under an id that nobody sent. Under id 0 the server speaks of the connection as a whole,
 * such as that it takes no more of them; anything else means that the peers disagree. */
static void frame_unasked(struct client_pipeline *pipeline, const struct proto_header *header,
                          struct proto_span payload)
{
    struct proto_fault told = {0};
    if (header->code != PROTO_OK) {
        fault_take(header->code, payload, &told);
    }
    if (header->request_id == 0 && told.code != PROTO_OK) {
        client_pipeline_lose(pipeline, told.code, told.message);
        return;
    }
    char reason[sizeof told.message + 64];
    snprintf(reason, sizeof reason, "a reply came for request %u, which was never sent%s%s",
             header->request_id, told.code != PROTO_OK ? ": " : "", told.message);
    client_pipeline_lose(pipeline, PROTO_BAD_REPLY, reason);
}

/* Matches one frame with its request. False: nobody waits for it. */
static bool frame_take(struct client_pipeline *pipeline, const struct proto_header *header,
                       struct client_reply *reply)
{
    size_t place =
        pipeline->pending_capacity == 0 ? 0 : pending_place(pipeline, header->request_id);
    if (header->request_id == 0 || pipeline->pending_capacity == 0 ||
        pipeline->pending[place].id == 0) {
        frame_unasked(pipeline, header, reply->payload);
        return false;
    }
    struct client_pending pending = pipeline->pending[place];
    reply->owner = pending.owner;
    reply->id = pending.id;
    reply->op = pending.op;
    reply->min_seq = pending.min_seq;
    reply->more = (header->flags & PROTO_FLAG_MORE) != 0;
    if (!reply->more) {
        pending_remove(pipeline, place);
    }
    if (pending.forgotten) {
        return false;
    }
    if (reply->fault.code == PROTO_OK) {
        reply_check(&pending, header->code, reply);
    }
    /* A progress frame that is a failure is the last that its asker hears: told once is told. */
    if (reply->more && reply->fault.code != PROTO_OK) {
        reply->more = false;
        client_pipeline_forget(pipeline, pending.id);
    }
    return true;
}

/* A frame of which only the head has come is looked at as well: where garbage promises megabytes,
 * they would be waited for, and every reply after them would be swallowed. */
static void partial_check(struct client_pipeline *pipeline, struct proto_span bytes,
                          const struct proto_header *header)
{
    static const struct proto_span nothing = {0};
    if (bytes.bytes < PROTO_HEADER_BYTES) {
        return;
    }
    bool is_known =
        header->request_id == 0
            ? header->payload_bytes <= NOTICE_BYTES_MAX
            : pipeline->pending_capacity != 0 &&
                  pipeline->pending[pending_place(pipeline, header->request_id)].id != 0;
    if (!is_known) {
        frame_unasked(pipeline, header, nothing);
    }
}

bool client_pipeline_next(struct client_pipeline *pipeline, struct client_reply *reply)
{
    while (!pipeline->lost) {
        if (pipeline->input_bytes == pipeline->input_at) {
            return false;
        }
        struct proto_span bytes = {pipeline->input + pipeline->input_at,
                                   pipeline->input_bytes - pipeline->input_at};
        struct proto_header header;
        size_t used = 0;
        *reply = (struct client_reply){0};
        switch (proto_frame_split(bytes, PROTO_FRAME_BYTES_MAX, true, &header, &reply->payload,
                                  &used, &reply->fault)) {
        case PROTO_FRAME_PARTIAL:
            partial_check(pipeline, bytes, &header);
            return false;
        case PROTO_FRAME_REFUSED: {
            char reason[sizeof reply->fault.message + 64];
            snprintf(reason, sizeof reason, "what came is not a reply of icpd: %s",
                     reply->fault.message);
            client_pipeline_lose(pipeline, PROTO_BAD_REPLY, reason);
            return false;
        }
        case PROTO_FRAME_SPOILT:
            reply->payload = (struct proto_span){0};
            break;
        case PROTO_FRAME_WHOLE:
            break;
        }
        pipeline->input_at += used;
        if (frame_take(pipeline, &header, reply)) {
            return true;
        }
    }
    return false;
}
