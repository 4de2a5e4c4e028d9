/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of vectors-make and vectors-replay: test vectors as JSON, and the check of one of them
 * against proto/. The file's form is described in docs/protocol.md.
 * JSON stands for MessagePack as it is, but for {"$bin": "hex"}, which is binary data, and
 * {"$int": "digits"}, which is an integer that a double does not hold.
 * Ownership: json_t as in jansson: returned references are the caller's unless said otherwise. */
#ifndef VECTORS_H
#define VECTORS_H

#include <jansson.h>

#include "proto/request.h"
#include "proto/writer.h"

/* No vector is longer: most are some dozens of bytes. */
#define VECTOR_BYTES_MAX 4096

/* JSON to MessagePack and back. json_of: NULL if the bytes are not one value that the reader takes.
 */
void vector_pack(struct proto_writer *writer, const json_t *value);
json_t *vector_json_of(struct proto_span encoded);
/* Numbers are compared by value, whether integer or real. */
bool vector_json_same(const json_t *a, const json_t *b);

/* Bytes of a hex text, at most `capacity`; false if it is none. */
bool vector_hex_decode(const char *hex, uint8_t *out, size_t capacity, size_t *bytes);
/* A new string of JSON. */
json_t *vector_hex_encode(struct proto_span bytes);

/* What a frame is found to be. */
struct vector_verdict {
    bool good;
    bool closes; /* framing is lost */
    struct proto_header header;
    const struct proto_op_info *op;
    struct proto_span payload;
    struct proto_fault fault; /* unless good */
};

/* Decodes a frame as the receiving end does. `op` is what a reply answers, and is not looked at in
 * a request. */
void vector_judge(struct proto_span frame, bool is_reply, const struct proto_op_info *op,
                  struct vector_verdict *verdict);

/* Whether a vector (borrowed) says what proto/ finds; else `why` is filled. */
bool vector_check(const json_t *vector, char *why, size_t why_bytes);

/* Adds a vector, made of a frame and of what is wanted of it, to `vectors`, and checks it. Ends the
 * process with a message if proto/ disagrees: the lists or the code are wrong then. */
struct vector_wanted {
    const char *op; /* of a reply; of a request for the reader's sake */
    bool is_reply;
    json_t *payload;   /* borrowed; NULL: the vector is bad */
    const char *error; /* of a bad one: name of the error */
    const char *field;
    const char *layer; /* what refuses it: "frame", "form" or "table" */
    bool closes;
};
void vector_add(json_t *vectors, const char *name, struct proto_span frame,
                const struct vector_wanted *wanted);

/* The same from a payload: makes the frame around it. */
struct vector_frame {
    uint8_t code;
    uint16_t flags;
    uint32_t request_id;
};
void vector_add_payload(json_t *vectors, const char *name, struct vector_frame frame,
                        struct proto_span payload, const struct vector_wanted *wanted);

/* Every vector that follows from the tables, and the reviewed lists. */
void vectors_from_tables(json_t *vectors);
void vectors_from_lists(json_t *vectors);

#endif
