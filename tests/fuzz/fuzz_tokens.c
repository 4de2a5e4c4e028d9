/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a file of named tokens. What is refused must be refused by file, line and column; what is
 * taken must be within its bounds, and print to lines that read back the same. */
#include <stdlib.h>
#include <string.h>

#include "server/auth/token_file.h"
#include "tests/fuzz/fuzz.h"

static void check_rate(const struct auth_rate *rate)
{
    FUZZ_HOLDS(rate->per_s <= AUTH_RATE_MAX && rate->burst <= AUTH_RATE_MAX);
    FUZZ_HOLDS((rate->per_s == 0) == (rate->burst == 0));
}

static void check_token(const struct auth_token *token)
{
    FUZZ_HOLDS(auth_name_is_good(proto_span_text(token->name)));
    FUZZ_HOLDS(token->role > PROTO_ROLE_NONE && token->role <= PROTO_ROLE_ADMIN);
    FUZZ_HOLDS(token->connections <= AUTH_CONNECTIONS_MAX);
    check_rate(&token->requests);
    check_rate(&token->bytes);
}

static char *print(const struct auth_list *list, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    FUZZ_HOLDS(out != NULL);
    for (size_t i = 0; i < list->count; i++) {
        auth_token_print(&list->tokens[i], out);
    }
    FUZZ_HOLDS(fclose(out) == 0);
    return text;
}

/* "FILE:LINE:COLUMN: ", the line one of the file's and both from 1. */
static void check_place(const char *message, const uint8_t *data, size_t bytes)
{
    unsigned long line = 0;
    unsigned long column = 0;
    unsigned long lines = 1;
    for (size_t i = 0; i < bytes; i++) {
        lines += data[i] == '\n';
    }
    FUZZ_HOLDS(sscanf(message, "tokens:%lu:%lu: ", &line, &column) == 2);
    FUZZ_HOLDS(line >= 1 && line <= lines && column >= 1 && column <= AUTH_LINE_BYTES_MAX + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct auth_list list;
    struct auth_list again;
    struct proto_fault fault = {0};
    if (!auth_list_parse((struct proto_span){data, bytes}, "tokens", &list, &fault)) {
        FUZZ_HOLDS(fault.code == PROTO_BAD_CONFIG && list.tokens == NULL);
        check_place(fault.message, data, bytes);
        return 0;
    }
    for (size_t i = 0; i < list.count; i++) {
        check_token(&list.tokens[i]);
    }
    size_t printed_bytes = 0;
    size_t second_bytes = 0;
    char *printed = print(&list, &printed_bytes);
    FUZZ_HOLDS(auth_list_parse((struct proto_span){(const uint8_t *)printed, printed_bytes},
                               "again", &again, &fault));
    char *second = print(&again, &second_bytes);
    FUZZ_HOLDS(printed_bytes == second_bytes && memcmp(printed, second, printed_bytes) == 0);
    free(printed);
    free(second);
    auth_list_fini(&list);
    auth_list_fini(&again);
    return 0;
}
