/* SPDX-License-Identifier: Apache-2.0 */
/* An expression is parsed with the schema at hand; where it fails, it is shown again with a caret
 * under the character at fault, cut to the screen. */
#include "tools/cli/label.h"

/* What is shown of an expression on each side of the caret. */
#define AROUND 60

void label_caret(const char *text, size_t column)
{
    const char *at = text;
    const char *start = text;
    size_t shown = 0; /* characters between start and the caret */
    for (size_t i = 1; i < column && *at != '\0'; i++) {
        do
            at++;
        while (((unsigned char)*at & 0xc0) == 0x80);
        shown++;
    }
    for (; shown > AROUND; shown--) {
        do
            start++;
        while (((unsigned char)*start & 0xc0) == 0x80);
    }
    fprintf(stderr, "  ");
    for (size_t i = 0; start[i] != '\0' && (start + i < at || i < (size_t)(at - start) + AROUND);
         i++)
        fputc(start[i] == '\n' || start[i] == '\t' ? ' ' : start[i], stderr);
    fprintf(stderr, "\n  %*s^\n", (int)shown, "");
}

struct filter *label_parse(const struct cli *cli, const struct feature_schema *schema,
                           const char *option, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t column = 0;
    struct filter *filter = filter_parse(schema, proto_span_text(text), &fault, &column);
    if (filter != NULL)
        return filter;
    cli_say(cli, "--%s: %s", option, fault.message);
    if (column > 0)
        label_caret(text, column);
    return NULL;
}

void label_caret_fault(const char *text, const struct icp_fault *fault)
{
    size_t column = 0;
    if (fault->code == ICP_BAD_FILTER && sscanf(fault->message, "column %zu:", &column) == 1)
        label_caret(text, column);
}

bool name_next(const char **text, char *name, size_t name_bytes)
{
    size_t bytes = 0;
    const char *at = *text;
    while (bytes == 0 && *at != '\0') {
        for (; *at != '\0' && *at != ','; at++) {
            at += *at == '\\' && at[1] == ',';
            if (bytes + 1 < name_bytes && (bytes > 0 || *at != ' '))
                name[bytes++] = *at;
        }
        while (bytes > 0 && name[bytes - 1] == ' ')
            bytes--;
        at += *at == ',';
    }
    name[bytes] = '\0';
    *text = at;
    return bytes > 0;
}

bool names_write(const struct cli *cli, enum cli_option_id option, const char *key,
                 struct icp_payload *payload)
{
    size_t at = 0;
    const char *text;
    char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
    size_t count = 0;
    if (!cli_has(cli, option))
        return true;
    icp_payload_list_begin(payload, key);
    while ((text = cli_each(cli, option, &at)) != NULL) {
        for (; name_next(&text, name, sizeof name); count++)
            icp_payload_text(payload, NULL, name);
    }
    icp_payload_list_end(payload);
    if (count == 0)
        cli_say(cli, "--%s: the list is empty; names stand with a comma between",
                cli_options()[option].name);
    return count > 0;
}
