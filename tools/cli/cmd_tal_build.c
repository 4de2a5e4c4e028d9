/* SPDX-License-Identifier: Apache-2.0 */
/* icp tal build. */
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/label.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/tal_parts.h"

/* What was read, kept for the caret of a fault. */
struct tal_build {
    const struct cli *cli;
    struct icp_payload *payload;
    struct tal_parts owners;
    struct tal_parts segments;
};

/* FIELD=N */
static int quota_write(const struct tal_build *build)
{
    const char *text = cli_text(build->cli, CLI_TAL_BUILD_QUOTA);
    if (text == NULL) {
        return EX_OK;
    }
    const char *equals = strrchr(text, '=');
    size_t digits = equals != NULL ? strspn(equals + 1, "0123456789") : 0;
    if (equals == NULL || equals == text || digits == 0 || digits > 9 ||
        equals[1 + digits] != '\0') {
        return cli_fail(build->cli, EX_USAGE, "--quota: '%s' is not FIELD=N", text);
    }
    icp_payload_text_n(build->payload, "quota_field",
                       (struct icp_text){text, (size_t)(equals - text)});
    icp_payload_uint(build->payload, "quota", strtoull(equals + 1, NULL, 10));
    return EX_OK;
}

/* "10%" or 0.1 */
static int hold_out_write(const struct tal_build *build)
{
    const char *text = cli_text(build->cli, CLI_TAL_BUILD_HOLD_OUT);
    double share = 0;
    if (text == NULL) {
        return EX_OK;
    }
    struct proto_span span = proto_span_text(text);
    bool percent = span.bytes > 1 && span.data[span.bytes - 1] == '%';
    span.bytes -= percent;
    if (!feature_number_read(span, &share)) {
        return cli_fail(build->cli, EX_USAGE, "--hold-out: '%s' is no share such as 10%% or 0.1",
                        text);
    }
    share = percent ? share / 100 : share;
    if (!(share >= 0 && share <= 0.5)) {
        return cli_fail(build->cli, EX_USAGE,
                        "--hold-out: '%s' is more than half of the list, or less than nothing",
                        text);
    }
    icp_payload_number(build->payload, "hold_out", share);
    return EX_OK;
}

static int drawn_write(const struct tal_build *build)
{
    const struct cli *cli = build->cli;
    uint64_t sample = 0;
    uint64_t last = 0;
    if (!cli_number(cli, CLI_TAL_BUILD_SAMPLE, 0, PROTO_TAL_ENTRIES_MAX, 0, &sample) ||
        !cli_number(cli, CLI_TAL_BUILD_LAST_ICP, 1, UINT32_MAX, 0, &last)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_TAL_BUILD_SAMPLE)) {
        icp_payload_uint(build->payload, "sample", sample);
    }
    if (cli_has(cli, CLI_TAL_BUILD_SEED)) {
        icp_payload_text(build->payload, "seed", cli_text(cli, CLI_TAL_BUILD_SEED));
    }
    if (last > 0) {
        icp_payload_uint(build->payload, "last_icp", last);
    }
    return hold_out_write(build);
}

static int files_write(struct tal_build *build)
{
    const struct cli *cli = build->cli;
    int status = EX_OK;
    if (cli_has(cli, CLI_TAL_BUILD_OWNERS)) {
        status =
            tal_parts_read(cli, cli_text(cli, CLI_TAL_BUILD_OWNERS), "capacity", &build->owners);
    }
    if (status == EX_OK && cli_has(cli, CLI_TAL_BUILD_SEGMENTS)) {
        status =
            tal_parts_read(cli, cli_text(cli, CLI_TAL_BUILD_SEGMENTS), "quota", &build->segments);
    }
    if (status == EX_OK && cli_has(cli, CLI_TAL_BUILD_EXCLUDE_FILE)) {
        status = tal_exclude_write(cli, cli_text(cli, CLI_TAL_BUILD_EXCLUDE_FILE), build->payload);
    }
    if (status != EX_OK) {
        return status;
    }
    tal_parts_write(&build->owners, "owners", "capacity", build->payload);
    tal_parts_write(&build->segments, "segments", "quota", build->payload);
    return EX_OK;
}

static int request_fill(struct tal_build *build)
{
    const struct cli *cli = build->cli;
    struct icp_payload *payload = build->payload;
    uint64_t k = 0;
    uint64_t version = 0;
    if (!cli_number(cli, CLI_TAL_BUILD_K, 1, PROTO_TAL_ENTRIES_MAX, 0, &k) ||
        !cli_number(cli, CLI_TAL_BUILD_ICP, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    icp_payload_text(payload, "name", cli->arguments[0]);
    if (cli_has(cli, CLI_TAL_BUILD_FILTER)) {
        icp_payload_text(payload, "filter", cli_text(cli, CLI_TAL_BUILD_FILTER));
    }
    if (cli_has(cli, CLI_TAL_BUILD_NOTE)) {
        icp_payload_text(payload, "note", cli_text(cli, CLI_TAL_BUILD_NOTE));
    }
    if (k > 0) {
        icp_payload_uint(payload, "k", k);
    }
    if (version > 0) {
        icp_payload_uint(payload, "icp", version);
    }
    int status = quota_write(build);
    status = status == EX_OK ? drawn_write(build) : status;
    return status == EX_OK ? files_write(build) : status;
}

/* The caret under the expression that the fault is about. */
static void caret_show(const struct tal_build *build, const struct icp_fault *fault)
{
    size_t index = 0;
    const char *text = NULL;
    if (strcmp(fault->field, "filter") == 0) {
        text = cli_text(build->cli, CLI_TAL_BUILD_FILTER);
    } else if (sscanf(fault->field, "owners[%zu]", &index) == 1 && index < build->owners.count) {
        text = build->owners.parts[index].filter;
    } else if (sscanf(fault->field, "segments[%zu]", &index) == 1 &&
               index < build->segments.count) {
        text = build->segments.parts[index].filter;
    }
    if (text != NULL) {
        label_caret_fault(text, fault);
    }
}

static void built_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text name = icp_reply_text(reply, "name");
    struct icp_text digest = icp_reply_text(reply, "digest");
    long long unassigned = icp_reply_int(reply, "unassigned", 0);
    char numbers[3][OUT_NUMBER_BYTES];
    cli_print(cli, "%.*s: %s accounts of %s that match, %s excluded\n", (int)name.bytes, name.data,
              out_count((uint64_t)icp_reply_int(reply, "count", 0), numbers[0]),
              out_count((uint64_t)icp_reply_int(reply, "matched", 0), numbers[1]),
              out_count((uint64_t)icp_reply_int(reply, "excluded", 0), numbers[2]));
    if (unassigned > 0) {
        cli_print(cli, "%lld have no owner; 'icp tal show' tells why\n", unassigned);
    }
    long long held_out = (long long)icp_reply_int(reply, "held_out", 0);
    struct icp_text seed = icp_reply_text(reply, "seed");
    cli_print(cli, "beside it %lld that just missed it and a sample of %lld, for the verdict\n",
              (long long)icp_reply_int(reply, "just_missed", 0),
              (long long)icp_reply_int(reply, "sample", 0));
    if (held_out > 0) {
        cli_print(cli,
                  "%lld of its accounts are held out and not to be worked; seed %.*s draws them "
                  "again\n",
                  held_out, (int)seed.bytes, seed.data);
    }
    cli_print(cli, "built by version %lld, frozen with digest %.*s\n",
              (long long)icp_reply_int(reply, "icp", 0), (int)digest.bytes, digest.data);
}

static int build_call(struct tal_build *build)
{
    int status = EX_OK;
    struct icp_reply reply = {0};
    struct icp_client *client = cli_connect(build->cli, &status);
    if (client == NULL) {
        return status;
    }
    status = cli_call(build->cli, client, ICP_OP_TAL_BUILD, build->payload, &reply);
    if (status != EX_OK) {
        caret_show(build, &reply.fault);
    } else if (build->cli->style.form == OUT_JSON) {
        status = cli_json_reply(build->cli, &reply);
    } else {
        built_print(build->cli, &reply);
    }
    icp_reply_fini(&reply);
    icp_close(client);
    return status;
}

int cmd_tal_build(struct cli *cli)
{
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    struct tal_build *build = calloc(1, sizeof *build);
    if (build == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    build->cli = cli;
    build->payload = icp_payload_create();
    int status =
        build->payload == NULL ? cli_fail(cli, EX_OSERR, "no memory") : request_fill(build);
    if (status == EX_OK) {
        status = build_call(build);
    }
    tal_parts_fini(&build->owners);
    tal_parts_fini(&build->segments);
    icp_payload_destroy(build->payload);
    free(build);
    return status;
}
