/* SPDX-License-Identifier: Apache-2.0 */
/* A file is read whole and read as the server would; a kept one is asked for, and is what the
 * server sends. What is neither ends here. */
#include "tools/cli/metric_find.h"

#include <stdlib.h>

#include "tools/cli/csv/csv_input.h"

bool metric_is_file(const char *text)
{
    size_t bytes = strlen(text);
    return strchr(text, '/') != NULL || (bytes >= 5 && strcmp(text + bytes - 5, ".json") == 0);
}

int metric_file_read(const struct cli *cli, const char *path, bool draft,
                     struct measure_definition *definition)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    uint8_t *text = csv_file_read(path, PROTO_DEFINITION_BYTES_MAX, &bytes, &fault);
    if (text == NULL) {
        return cli_file_fault(cli, &fault);
    }
    struct proto_span span = {text, bytes};
    bool good = draft ? measure_definition_draft(span, definition, &fault)
                      : measure_definition_read(span, definition, &fault);
    free(text);
    return good ? EX_OK
                : cli_fail(cli, fault.code == PROTO_NO_MEMORY ? EX_OSERR : EX_DATAERR, "%s: %s%s%s",
                           path, fault.field, fault.field[0] != '\0' ? ": " : "", fault.message);
}

static int kept_read(const struct cli *cli, const char *text, struct measure_definition *definition)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct cli_request request;
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, "name", text);
    status = cli_request_send(cli, &request, ICP_OP_METRIC_GET);
    if (status == EX_OK) {
        struct icp_text document = icp_reply_text(&request.reply, "definition");
        struct proto_span span = {(const uint8_t *)document.data, document.bytes};
        status = measure_definition_stored(span, definition, &fault)
                     ? EX_OK
                     : cli_fail(cli, EX_PROTOCOL,
                                "the server's definition '%s' cannot be read, icp and icpd are of "
                                "versions that differ: %s",
                                text, fault.message);
    }
    cli_request_close(&request);
    return status;
}

int metric_find(const struct cli *cli, const char *text, struct measure_definition *definition)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_reference reference;
    if (metric_is_file(text)) {
        return metric_file_read(cli, text, false, definition);
    }
    if (!measure_reference_read(proto_span_text(text), &reference, &fault)) {
        return cli_fail(cli, EX_USAGE, "%s; a file is called FILE.json", fault.message);
    }
    if (!proto_span_is(reference.name, MEASURE_USUAL_NAME)) {
        return kept_read(cli, text, definition);
    }
    *definition = (struct measure_definition){
        .metric = MEASURE_METRICS, .version = MEASURE_USUAL_VERSION, .name = MEASURE_USUAL_NAME};
    measure_rules_default(&definition->rules);
    measure_engagement_default(&definition->engagement);
    return reference.version <= MEASURE_USUAL_VERSION
               ? EX_OK
               : cli_fail(cli, EX_DATAERR, "there is version %d of '%s' alone",
                          MEASURE_USUAL_VERSION, MEASURE_USUAL_NAME);
}

const char *metric_reference(const struct measure_definition *definition,
                             char text[MEASURE_REFERENCE_BYTES])
{
    (void)snprintf(text, MEASURE_REFERENCE_BYTES, "%s@%u", definition->name, definition->version);
    return text;
}
