/* SPDX-License-Identifier: Apache-2.0 */
/* Input: what a form sends, as it is. What is taken apart lies within it, one text behind another;
 * each value comes back the same when it is written as a query again; and none of them becomes
 * markup where it is shown. */
#include <string.h>

#include "server/draw/draw_shown.h"
#include "server/http/http_form.h"
#include "tests/fuzz/fuzz.h"

static char *written(void (*write)(FILE *out, const char *text, size_t bytes), const char *text,
                     size_t *bytes)
{
    char *out_text = NULL;
    FILE *out = open_memstream(&out_text, bytes);
    FUZZ_HOLDS(out != NULL);
    write(out, text, strlen(text));
    FUZZ_HOLDS(fclose(out) == 0);
    return out_text;
}

static void check_again(const char *value)
{
    struct http_form form = {.count = 0};
    size_t bytes;
    char *query = written(draw_query, value, &bytes);
    if (bytes > 0) {
        FUZZ_HOLDS(http_form_read(&form, query, bytes) == NULL);
        FUZZ_HOLDS(form.count == 1 && strcmp(form.fields[0].name, value) == 0);
    }
    free(query);
}

/* The only markup that may stand in what is shown is the one for what is hidden. */
static void check_shown(const char *value)
{
    static const char open[] = "<span class=\"ctl\">\\";
    static const char end[] = "</span>";
    size_t bytes;
    char *shown = written(draw_shown, value, &bytes);
    for (const char *at = strchr(shown, '<'); at != NULL; at = strchr(at, '<')) {
        FUZZ_HOLDS(strncmp(at, open, sizeof open - 1) == 0);
        at += sizeof open - 1;
        at += strspn(at, "xu{}0123456789abcdef");
        FUZZ_HOLDS(strncmp(at, end, sizeof end - 1) == 0);
        at += sizeof end - 1;
    }
    for (size_t i = 0; i < bytes; i++) {
        FUZZ_HOLDS((unsigned char)shown[i] >= ' ' && shown[i] != 0x7f);
    }
    free(shown);
    char *attribute = written(draw_attribute, value, &bytes);
    FUZZ_HOLDS(strpbrk(attribute, "<>\"'\n\r\t") == NULL);
    free(attribute);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct http_form form = {.count = 0};
    char *text = malloc(bytes + 1);
    FUZZ_HOLDS(text != NULL);
    if (bytes > 0) {
        memcpy(text, data, bytes);
    }
    text[bytes] = '\0';
    if (http_form_read(&form, text, bytes) == NULL) {
        for (size_t i = 0; i < form.count; i++) {
            const struct http_field *field = &form.fields[i];
            FUZZ_HOLDS(field->name >= text && field->name + strlen(field->name) <= text + bytes);
            check_again(field->value);
            check_shown(field->value);
        }
    }
    free(text);
    return 0;
}
