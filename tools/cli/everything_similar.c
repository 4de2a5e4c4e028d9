/* SPDX-License-Identifier: Apache-2.0 */
/* The members of the line become the fields of the same names; their bounds are the server's
 * matter, which refuses the build and not what was imported. */
#include "tools/cli/everything_similar.h"

#include <string.h>

#include <jansson.h>

#include "tools/cli/job_wait.h"

static void member_fill(const char *name, const json_t *value, struct icp_payload *payload)
{
    if (json_is_string(value)) {
        icp_payload_text(payload, name, json_string_value(value));
    } else if (json_is_boolean(value)) {
        icp_payload_flag(payload, name, json_is_true(value));
    } else if (json_is_integer(value)) {
        icp_payload_int(payload, name, json_integer_value(value));
    } else if (json_is_real(value)) {
        icp_payload_number(payload, name, json_real_value(value));
    }
}

bool everything_similar_fill(const char *line, struct icp_payload *payload)
{
    const char *name;
    const char *field;
    json_t *value;
    json_t *weight;
    json_t *json = json_loads(line, 0, NULL);
    bool good = json_is_object(json);
    json_object_foreach(json, name, value)
    {
        if (json_is_object(value)) {
            icp_payload_map_begin(payload, name);
            json_object_foreach(value, field, weight)
            {
                member_fill(field, weight, payload);
            }
            icp_payload_map_end(payload);
        } else if (strcmp(name, "similar") != 0) {
            member_fill(name, value, payload);
        }
    }
    json_decref(json);
    return good;
}

int everything_similar_build(const struct cli *cli, struct icp_client *client, const char *line)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    int status = payload == NULL ? cli_fail(cli, EX_OSERR, "no memory")
                 : everything_similar_fill(line, payload)
                     ? EX_OK
                     : cli_fail(cli, EX_DATAERR, "the line \"similar\" is no object");
    if (status == EX_OK) {
        icp_payload_flag(payload, "progress", true);
        status = job_run(cli, client, ICP_OP_SIMILAR_BUILD, payload, &reply);
    }
    if (status == EX_OK) {
        cli_say(cli, "built %lld vectors of %lld numbers, as before",
                (long long)icp_reply_int(&reply, "vectors", 0),
                (long long)icp_reply_int(&reply, "dims", 0));
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}
