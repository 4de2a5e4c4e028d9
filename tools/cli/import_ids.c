/* SPDX-License-Identifier: Apache-2.0 */
/* The first ids of digits that nobody has are asked for with zeros in front, without them, and with
 * ".0" behind or without it. Whoever is found so is told with both forms; any fault of the server
 * ends the import as it would a row later. */
#include "tools/cli/import_ids.h"

#include <stdlib.h>

#include "server/feature/span_text.h"

/* Ids of a file that are asked for: a spreadsheet rewrites whole columns. */
#define IDS_ASKED 24
/* Zeros that may have been in front, as many as codes of customers and places have. */
#define ZEROS_MAX 8

struct look {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *request;
    struct icp_reply reply;
    size_t asked;
    size_t found;
    size_t line; /* of the first */
    char ours[PROTO_ID_BYTES_MAX + 1];
    char theirs[PROTO_ID_BYTES_MAX + 1];
};

static size_t digits_of(struct proto_span id)
{
    size_t at = 0;
    while (at < id.bytes && id.data[at] >= '0' && id.data[at] <= '9') {
        at++;
    }
    return at;
}

static bool ends_zero(struct proto_span id)
{
    size_t digits = digits_of(id);
    return digits > 0 && digits + 2 == id.bytes && id.data[digits] == '.' &&
           id.data[digits + 1] == '0';
}

bool id_rewritten(struct proto_span id)
{
    double number = 0;
    size_t digits = digits_of(id);
    bool scientific =
        digits > 0 && digits < id.bytes &&
        (memchr(id.data, 'E', id.bytes) != NULL || memchr(id.data, 'e', id.bytes) != NULL) &&
        feature_number_read(id, &number);
    return scientific || ends_zero(id);
}

static int is_there(struct look *look, const char *id, bool *there)
{
    icp_payload_reset(look->request);
    icp_payload_text(look->request, "id", id);
    *there = icp_call(look->client, ICP_OP_ACCOUNT_GET, look->request, &look->reply);
    enum icp_error error = look->reply.fault.code;
    bool nobody = !*there && (error == ICP_NOT_FOUND || error == ICP_BAD_FIELD);
    return *there || nobody ? EX_OK : cli_icp_fault(look->cli, &look->reply.fault);
}

/* Form `index` of an id of digits, up to ZEROS_MAX with zeros in front; false beyond the last. */
static bool form_make(struct proto_span digits, bool had_end, size_t index,
                      char form[PROTO_ID_BYTES_MAX + 1])
{
    const char *text = (const char *)digits.data;
    size_t zeros = strspn(text, "0") < digits.bytes ? strspn(text, "0") : digits.bytes - 1;
    if (index == 0) {
        snprintf(form, PROTO_ID_BYTES_MAX + 1, "%.*s%s", (int)digits.bytes, text,
                 had_end ? "" : ".0");
    } else if (index == 1) {
        snprintf(form, PROTO_ID_BYTES_MAX + 1, "%.*s", (int)(digits.bytes - zeros), text + zeros);
    } else {
        snprintf(form, PROTO_ID_BYTES_MAX + 1, "%.*s%.*s", (int)(index - 1), "00000000",
                 (int)digits.bytes, text);
    }
    return index < 2 + ZEROS_MAX;
}

static int forms_ask(struct look *look, struct proto_span id, size_t line)
{
    char text[PROTO_ID_BYTES_MAX + 1];
    char form[PROTO_ID_BYTES_MAX + 1];
    struct proto_span digits = {(const uint8_t *)text, digits_of(id)};
    bool there = false;
    snprintf(text, sizeof text, "%.*s", (int)id.bytes, (const char *)id.data);
    int status = is_there(look, text, &there);
    bool other = there;
    for (size_t i = 0; status == EX_OK && !other && form_make(digits, ends_zero(id), i, form);
         i++) {
        status = strcmp(form, text) == 0 ? EX_OK : is_there(look, form, &other);
    }
    if (status == EX_OK && other && !there && look->found++ == 0) {
        look->line = line;
        snprintf(look->ours, sizeof look->ours, "%s", text);
        snprintf(look->theirs, sizeof look->theirs, "%s", form);
    }
    look->asked++;
    return status;
}

int import_ids_look(const struct cli *cli, struct icp_client *client, struct csv_input *input,
                    size_t column)
{
    struct look look = {.cli = cli, .client = client, .request = icp_payload_create()};
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    int status = look.request != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory");
    while (status == EX_OK && look.asked < IDS_ASKED && csv_next(input, &row, &fault)) {
        struct proto_span id =
            row.bad ? (struct proto_span){0} : feature_text_trim(row.cells[column]);
        bool digits = id.bytes > 0 && id.bytes + ZEROS_MAX <= PROTO_ID_BYTES_MAX &&
                      (digits_of(id) == id.bytes || ends_zero(id));
        status = digits ? forms_ask(&look, id, row.line) : EX_OK;
        if (!digits && row.line > IDS_ASKED * IDS_ASKED) {
            break; /* ids of another kind */
        }
    }
    csv_rewind(input);
    if (status == EX_OK && look.found > 0) {
        cli_say(cli,
                "ids look rewritten by a spreadsheet: '%s' on line %zu is new, but '%s' is stored "
                "(%zu of the first %zu ids of digits); export the column as text, or they become "
                "accounts of their own",
                look.ours, look.line, look.theirs, look.found, look.asked);
    }
    icp_reply_fini(&look.reply);
    icp_payload_destroy(look.request);
    return status != EX_OK || fault.code == PROTO_OK ? status : cli_fault(cli, &fault);
}
