/* SPDX-License-Identifier: Apache-2.0 */
/* The file is read whole and read as the server will read it; one that is missing, too long or no
 * policy ends here. */
#include "tools/cli/policy_file.h"

#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/measure/policy.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/measure_cells.h"

int policy_file_read(const struct cli *cli, const char *path, char **text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    *text = NULL;
    uint8_t *data = csv_file_read(path, PROTO_POLICY_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        return cli_file_fault(cli, &fault);
    }
    struct measure_policy *policy = measure_policy_read((struct proto_span){data, bytes}, &fault);
    if (policy == NULL) {
        free(data);
        return cli_fail(cli, fault.code == PROTO_NO_MEMORY ? EX_OSERR : EX_DATAERR, "%s: %s%s%s%s",
                        path, fault.message, fault.field[0] != '\0' ? " (" : "", fault.field,
                        fault.field[0] != '\0' ? ")" : "");
    }
    measure_policy_destroy(policy);
    *text = strndup((const char *)data, bytes);
    free(data);
    return *text != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory for the policy");
}

void policy_reply_tell(const struct cli *cli, const struct icp_reply *reply)
{
    char at[FEATURE_DATE_TEXT_BYTES] = "";
    struct icp_value notes = {.count = 0};
    struct icp_value note;
    (void)feature_date_print(icp_reply_int(reply, "at", 0), at);
    cli_say(cli,
            "looked at on %s, sequence %lld: %lld cases, %lld open, %lld positive, %lld negative; "
            "%lld of %lld accounts have no case",
            at, (long long)icp_reply_int(reply, "seq", 0),
            (long long)icp_reply_int(reply, "cases", 0), (long long)icp_reply_int(reply, "open", 0),
            (long long)icp_reply_int(reply, "positives", 0),
            (long long)icp_reply_int(reply, "negatives", 0),
            (long long)icp_reply_int(reply, "without", 0),
            (long long)icp_reply_int(reply, "accounts", 0));
    (void)icp_reply_get(reply, "notes", &notes);
    struct icp_walk walk = icp_walk_over(&notes);
    while (icp_next(&walk, NULL, &note)) {
        cli_say(cli, "%.*s", (int)note.text.bytes, note.text.data);
    }
}

int policy_ground_tell(const struct cli *cli, struct icp_client *client, const char *text)
{
    int64_t at_ms = INT64_MIN;
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_text(payload, "policy", text);
    icp_payload_uint(payload, "limit", 0);
    if (measure_option_day(cli, "at", false, &at_ms) && at_ms != INT64_MIN) {
        icp_payload_int(payload, "at", at_ms);
    }
    int status = cli_call(cli, client, ICP_OP_LABEL, payload, &reply);
    if (status == EX_OK) {
        policy_reply_tell(cli, &reply);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}
