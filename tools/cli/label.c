/* SPDX-License-Identifier: Apache-2.0 */
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
