/* SPDX-License-Identifier: Apache-2.0 */
/* What a form sends: "name=value&name=value", in the query of an address or as a body.
 *
 * Shapes: taken apart where it stands, so that names and values are texts with a zero behind each;
 * '+' is a blank, %41 a byte. Ownership: fields point into the text. Errors: what is not well
 * formed is refused with a word why, and never read as something shorter: a percent sign without
 * two digits, a zero byte (it would end a text early), more fields than there is room for.
 * Threads: pure. Cost: one pass. Source: url.spec.whatwg.org, application/x-www-form-urlencoded. */
#ifndef HTTP_HTTP_FORM_H
#define HTTP_HTTP_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* The largest form of the console asks for fewer. */
#define HTTP_FIELDS_MAX 160

struct http_field {
    const char *name, *value;
};

struct http_form {
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t count;
};

/* Adds the fields of a text of `bytes`, which has room for a zero behind it. NULL: all of them were
 * taken; else why not. */
const char *http_form_read(struct http_form *form, char *text, size_t bytes);
/* The first of that name; NULL: there is none. */
const char *http_form_find(const struct http_form *form, const char *name);

#endif
