/* SPDX-License-Identifier: Apache-2.0 */
/* Makes icp_typed.h from the tables of operations, fields and shapes: for each operation a struct
 * of its request, a struct of its reply and a function that asks; for each shape with named members
 * a struct and a function that reads one. All of it stands on icp.h, so that no table can change
 * the library's binary interface.
 *
 * Usage: typed_make OUT. Runs during the build; exits 1 with a message. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/shape.h"

/* C name of a table's name: "icp-put" and "stored value" with underscores. */
static const char *c_name(const char *name, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s", name);
    for (char *at = out; *at != '\0'; at++) {
        if (*at == '-' || *at == ' ') {
            *at = '_';
        }
    }
    return out;
}

static bool is_scalar(enum proto_type type)
{
    return type == PROTO_UINT || type == PROTO_INT || type == PROTO_NUMBER || type == PROTO_FLAG;
}

/* JSON travels as text. */
static bool is_text(enum proto_type type)
{
    return type == PROTO_TEXT || type == PROTO_JSON;
}

static const char *scalar_of(enum proto_type type)
{
    switch (type) {
    case PROTO_UINT:
        return "uint64_t";
    case PROTO_INT:
        return "int64_t";
    case PROTO_NUMBER:
        return "double";
    case PROTO_FLAG:
        return "bool";
    default:
        fprintf(stderr, "typed_make: no C type for a type of the tables\n");
        exit(1);
    }
}

static bool has_member(const struct proto_field_info *field)
{
    return field->name[0] != '<'; /* a name in angle brackets stands for any */
}

static void comment_print(FILE *out, const struct proto_field_info *field, const char *note)
{
    fprintf(out, "    /* %s%s. */\n", field->help, note);
}

/* Requests. */

static void request_member(FILE *out, const struct proto_field_info *field)
{
    const char *name = field->name;
    bool is_optional = field->presence == PROTO_OPTIONAL;
    comment_print(out, field, is_optional && !is_scalar(field->type) ? "; NULL: left out" : "");
    if (is_scalar(field->type) && is_optional) {
        fprintf(out, "    bool has_%s;\n", name);
    }
    switch (field->type) {
    case PROTO_TEXT:
    case PROTO_JSON:
        fprintf(out, "    const char *%s;\n", name);
        break;
    case PROTO_BYTES:
        fprintf(out, "    const void *%s;\n    size_t %s_bytes;\n", name, name);
        break;
    case PROTO_TEXTS:
        fprintf(out, "    const char *const *%s;\n    size_t %s_count;\n", name, name);
        break;
    case PROTO_LIST:
        fprintf(out, "    const struct icp_payload *const *%s; /* a map each */\n", name);
        fprintf(out, "    size_t %s_count;\n", name);
        break;
    case PROTO_MAP:
    case PROTO_ANY:
        fprintf(out, "    const struct icp_payload *%s;\n", name);
        break;
    case PROTO_UINT:
    case PROTO_INT:
    case PROTO_NUMBER:
    case PROTO_FLAG:
        fprintf(out, "    %s %s;\n", scalar_of(field->type), name);
        break;
    }
}

static void list_write(FILE *out, const char *name, const char *add)
{
    fprintf(out, "        icp_payload_list_begin(payload, \"%s\");\n", name);
    fprintf(out, "        for (size_t i = 0; i < request->%s_count; i++)\n", name);
    fprintf(out, "            %s(payload, NULL, request->%s[i]);\n", add, name);
    fprintf(out, "        icp_payload_list_end(payload);\n");
}

static void request_write(FILE *out, const struct proto_field_info *field)
{
    static const char *const adders[] = {[PROTO_UINT] = "uint",
                                         [PROTO_INT] = "int",
                                         [PROTO_NUMBER] = "number",
                                         [PROTO_FLAG] = "flag"};
    const char *name = field->name;
    if (is_scalar(field->type)) {
        if (field->presence == PROTO_OPTIONAL) {
            fprintf(out, "    if (request->has_%s)\n    ", name);
        }
        fprintf(out, "    icp_payload_%s(payload, \"%s\", request->%s);\n", adders[field->type],
                name, name);
        return;
    }
    fprintf(out, "    if (request->%s != NULL) {\n", name);
    if (is_text(field->type)) {
        fprintf(out, "        icp_payload_text(payload, \"%s\", request->%s);\n", name, name);
    } else if (field->type == PROTO_BYTES) {
        fprintf(out,
                "        icp_payload_bytes(payload, \"%s\", request->%s, request->%s_bytes);\n",
                name, name, name);
    } else if (field->type == PROTO_TEXTS) {
        list_write(out, name, "icp_payload_text");
    } else if (field->type == PROTO_LIST) {
        list_write(out, name, "icp_payload_map");
    } else {
        fprintf(out, "        icp_payload_map(payload, \"%s\", request->%s);\n", name, name);
    }
    fprintf(out, "    }\n");
}

/* Replies and shapes: members that are read by name. */

static void reply_member(FILE *out, const struct proto_field_info *field)
{
    comment_print(out, field,
                  field->presence == PROTO_OPTIONAL ? "; left out where it does not apply" : "");
    if (field->presence == PROTO_OPTIONAL) {
        fprintf(out, "    bool has_%s;\n", field->name);
    }
    if (is_scalar(field->type)) {
        fprintf(out, "    %s %s;\n", scalar_of(field->type), field->name);
    } else if (is_text(field->type) || field->type == PROTO_BYTES) {
        fprintf(out, "    struct icp_text %s;\n", field->name);
    } else {
        fprintf(out, "    struct icp_value %s; /* icp_walk_over it */\n", field->name);
    }
}

static void member_read(FILE *out, const struct proto_field_info *field)
{
    const char *taken = "value";
    if (field->type == PROTO_UINT) {
        taken = "(uint64_t)value.integer";
    } else if (field->type == PROTO_INT) {
        taken = "value.integer";
    } else if (field->type == PROTO_NUMBER) {
        taken = "value.number";
    } else if (field->type == PROTO_FLAG) {
        taken = "value.flag";
    } else if (is_text(field->type) || field->type == PROTO_BYTES) {
        taken = "value.text";
    }
    fprintf(out, "    if (icp_value_get(map, \"%s\", &value)) {\n", field->name);
    if (field->presence == PROTO_OPTIONAL) {
        fprintf(out, "        out->has_%s = true;\n", field->name);
    }
    fprintf(out, "        out->%s = %s;\n    }\n", field->name, taken);
}

static void reader_print(FILE *out, const char *name, const struct proto_field_info *fields,
                         size_t count)
{
    fprintf(out,
            "static inline void icp_%s_read(const struct icp_value *map, struct icp_%s *out)\n",
            name, name);
    fprintf(out, "{\n    struct icp_value value;\n    (void)map;\n    (void)value;\n");
    fprintf(out, "    memset(out, 0, sizeof *out);\n");
    for (size_t i = 0; i < count; i++) {
        if (has_member(&fields[i])) {
            member_read(out, &fields[i]);
        }
    }
    fprintf(out, "}\n\n");
}

static void struct_print(FILE *out, const char *name, const struct proto_field_info *fields,
                         size_t count, void (*member)(FILE *, const struct proto_field_info *))
{
    size_t members = 0;
    fprintf(out, "struct icp_%s {\n", name);
    for (size_t i = 0; i < count; i++) {
        if (!has_member(&fields[i])) {
            continue;
        }
        member(out, &fields[i]);
        members++;
    }
    if (members == 0) { /* C has no empty structs */
        fprintf(out, "    char nothing;\n");
    }
    fprintf(out, "};\n");
}

static void shape_print(FILE *out, const struct proto_shape_info *shape)
{
    char name[64];
    char full[80];
    size_t named = 0;
    for (size_t i = 0; i < shape->member_count; i++) {
        named += has_member(&shape->members[i]);
    }
    if (named == 0) {
        return;
    }
    snprintf(full, sizeof full, "shape_%s", c_name(shape->name, name, sizeof name));
    fprintf(out, "/* %s; of a list or map of a reply. */\n", shape->help);
    struct_print(out, full, shape->members, shape->member_count, reply_member);
    reader_print(out, full, shape->members, shape->member_count);
}

/* The name as it stands in ICP_OP_. */
static const char *upper_name(const char *name, char *out, size_t out_bytes)
{
    (void)c_name(name, out, out_bytes);
    for (char *at = out; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    return out;
}

static void request_print(FILE *out, const struct proto_op_info *op, const char *name)
{
    char full[80];
    snprintf(full, sizeof full, "%s_request", name);
    fprintf(out, "/* %s. */\n", op->help);
    struct_print(out, full, op->request, op->request_count, request_member);
    fprintf(out, "static inline void icp_%s_write(const struct icp_%s *request,\n", full, full);
    fprintf(out, "                                struct icp_payload *payload)\n{\n");
    fprintf(out, "    (void)request;\n    (void)payload;\n");
    for (size_t i = 0; i < op->request_count; i++) {
        request_write(out, &op->request[i]);
    }
    fprintf(out, "}\n\n");
}

static void call_print(FILE *out, const struct proto_op_info *op, const char *name)
{
    char upper[64];
    fprintf(out, "static inline bool icp_do_%s(struct icp_client *client,\n", name);
    fprintf(out, "                             const struct icp_%s_request *request,\n", name);
    fprintf(out, "                             uint32_t timeout_ms, struct icp_%s_reply *out,\n",
            name);
    fprintf(out, "                             struct icp_reply *reply)\n{\n");
    fprintf(out, "    struct icp_payload *payload = icp_payload_create();\n");
    fprintf(out, "    struct icp_value map;\n    bool succeeded;\n");
    fprintf(out, "    if (payload != NULL)\n");
    fprintf(out, "        icp_%s_request_write(request, payload);\n", name);
    fprintf(out, "    succeeded = icp_typed_call(client, ICP_OP_%s, payload, timeout_ms,\n",
            upper_name(op->name, upper, sizeof upper));
    fprintf(out, "                               reply, &map);\n");
    fprintf(out, "    icp_%s_reply_read(&map, out);\n    return succeeded;\n}\n\n", name);
}

static void op_print(FILE *out, const struct proto_op_info *op)
{
    char name[64];
    char full[80];
    (void)c_name(op->name, name, sizeof name);
    request_print(out, op, name);
    snprintf(full, sizeof full, "%s_reply", name);
    struct_print(out, full, op->reply, op->reply_count, reply_member);
    reader_print(out, full, op->reply, op->reply_count);
    call_print(out, op, name);
}

static const char prelude[] =
    "/* SPDX-License-Identifier: Apache-2.0 */\n"
    "/* One struct for each request and reply of icpd and one function for each operation, made "
    "from\n"
    " * the tables of the protocol; a header alone, on icp.h.\n"
    " *\n"
    " *     struct icp_count_request request = {.filter = \"country = 'DE'\"};\n"
    " *     struct icp_count_reply count;\n"
    " *     struct icp_reply reply = {0};\n"
    " *     if (icp_do_count(client, &request, 0, &count, &reply))\n"
    " *         printf(\"%llu of %llu\\n\", (unsigned long long)count.count, ...);\n"
    " *     icp_reply_fini(&reply);\n"
    " *\n"
    " * Members are named as in docs/reference/operations.md. What may be left out has a has_ "
    "flag, or\n"
    " * is NULL. Texts and values of a reply point into *reply and die with its next use; lists "
    "and\n"
    " * maps are walked with icp_walk_over, and icp_shape_*_read reads their elements. A failure\n"
    " * leaves the reply struct empty, and reply->fault says why. timeout_ms 0: the client's. */\n"
    "#ifndef ICP_TYPED_H\n#define ICP_TYPED_H\n\n#include \"icp.h\"\n\n"
    "static inline bool icp_typed_call(struct icp_client *client, enum icp_op op,\n"
    "                                  struct icp_payload *payload, uint32_t timeout_ms,\n"
    "                                  struct icp_reply *reply, struct icp_value *map)\n"
    "{\n"
    "    bool succeeded = false;\n"
    "    memset(map, 0, sizeof *map);\n"
    "    if (payload == NULL) {\n"
    "        memset(&reply->fault, 0, sizeof reply->fault);\n"
    "        reply->fault.code = ICP_NO_MEMORY;\n"
    "        reply->fault.retryable = true;\n"
    "        return false;\n"
    "    }\n"
    "    succeeded = icp_call_within(client, op, payload, timeout_ms, reply);\n"
    "    icp_payload_destroy(payload);\n"
    "    if (succeeded)\n"
    "        *map = icp_reply_value(reply);\n"
    "    return succeeded;\n"
    "}\n\n";

int main(int count, char **arguments)
{
    FILE *out = count == 2 ? fopen(arguments[1], "w") : NULL;
    if (out == NULL) {
        fprintf(stderr, "typed_make: usage: typed_make OUT\n");
        return 1;
    }
    size_t op_count = 0;
    const struct proto_op_info *ops = proto_ops(&op_count);
    fputs(prelude, out);
    for (int shape = PROTO_SHAPE_NONE + 1; shape < PROTO_SHAPE_COUNT; shape++) {
        shape_print(out, proto_shape_info((enum proto_shape)shape));
    }
    for (size_t i = 0; i < op_count; i++) {
        op_print(out, &ops[i]);
    }
    fputs("#endif\n", out);
    return fclose(out) == 0 ? 0 : 1;
}
