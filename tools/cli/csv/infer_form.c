/* SPDX-License-Identifier: Apache-2.0 */
/* Each form is a short walk over the text; what has more or less than it is something else. */
#include "tools/cli/csv/infer_form.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "server/feature/date_text.h"

static bool all_digits(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return bytes > 0;
}

/* 1 to 12 for the first three letters of a month in English or German; 0 for none. */
static int month_at(const char *text)
{
    return strlen(text) < 3 ? 0 : feature_month_of((struct proto_span){(const uint8_t *)text, 3});
}

bool infer_is_code(struct proto_span text)
{
    size_t digits = 0;
    size_t signs = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (isdigit(text.data[i])) {
            digits++;
        } else if (memchr("-+() /.", text.data[i], 7) != NULL) {
            signs++;
        } else {
            return false;
        }
    }
    bool phone = digits >= 7 && digits <= 15 && text.data[0] == '+';
    bool plus_four = text.bytes == 10 && digits == 9 && text.data[5] == '-';
    return phone || plus_four || (digits >= 7 && signs >= 2 && text.data[0] == '(');
}

bool infer_is_range(struct proto_span text)
{
    size_t numbers = 0;
    bool inside = false;
    for (size_t i = 0; i < text.bytes; i++) {
        bool part = isdigit(text.data[i]) || (inside && text.data[i] == ',');
        numbers += part && !inside;
        inside = part;
        bool between = text.data[i] == '-' || text.data[i] == ' ' || text.data[i] == '+' ||
                       text.data[i] >= 0x80; /* the long dash */
        if (!part && !between) {
            return false;
        }
    }
    return numbers == 2 || (numbers == 1 && text.bytes > 1 && text.data[text.bytes - 1] == '+');
}

bool infer_is_spoilt_range(struct proto_span text)
{
    char copy[12];
    if (text.bytes < 5 || text.bytes > 6) {
        return false;
    }
    memcpy(copy, text.data, text.bytes);
    copy[text.bytes] = '\0';
    bool month_first = month_at(copy) > 0 && copy[3] == '-' && all_digits(copy + 4, text.bytes - 4);
    const char *dash = strchr(copy, '-');
    bool day_first = dash != NULL && all_digits(copy, (size_t)(dash - copy)) &&
                     strlen(dash + 1) == 3 && month_at(dash + 1) > 0;
    return month_first || day_first;
}

bool infer_is_short_code(struct proto_span text, size_t letters_max)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z') {
            return false;
        }
    }
    return text.bytes >= 2 && text.bytes <= letters_max;
}

bool infer_name_has_word(const char *name, const char *word)
{
    size_t bytes = strlen(word);
    for (const char *at = name; (at = strcasestr(at, word)) != NULL; at++) {
        /* "paid" holds "id" but is no identifier; "leadId" and "lead_id" are. */
        bool starts = at == name || !isalpha((unsigned char)at[-1]) ||
                      (islower((unsigned char)at[-1]) && isupper((unsigned char)at[0]));
        bool ends = !isalpha((unsigned char)at[bytes]);
        if (starts && ends) {
            return true;
        }
    }
    return false;
}

static bool name_has_any(const char *name, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (infer_name_has_word(name, *words)) {
            return true;
        }
    }
    return false;
}

bool infer_name_is_code(const char *name)
{
    static const char *const words[] = {
        "zip", "zipcode",   "postcode", "postal", "plz",  "naics", "sic",  "nace", "phone",
        "tel", "telephone", "mobile",   "fax",    "iban", "vat",   "duns", NULL};
    return name_has_any(name, words);
}

bool infer_name_is_id(const char *name)
{
    static const char *const words[] = {"id",   "number", "no",  "nr",     "code",   "key", "uuid",
                                        "guid", "cik",    "ref", "symbol", "ticker", "isin"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (infer_name_has_word(name, words[i])) {
            return true;
        }
    }
    return false;
}

size_t infer_name_rank(const char *name)
{
    static const char *const names[] = {"accountname",
                                        "companyname",
                                        "organizationname",
                                        "organisationname",
                                        "businessname",
                                        "legalname",
                                        "displayname",
                                        "customername",
                                        "clientname",
                                        "firmname",
                                        "company",
                                        "organization",
                                        "organisation",
                                        "name",
                                        "account",
                                        "firm",
                                        "business",
                                        "customer",
                                        "client"};
    char plain[32];
    size_t bytes = 0;
    for (; *name != '\0'; name++) {
        if (*name == ' ' || *name == '_' || *name == '-' || *name == '.') {
            continue;
        }
        if (bytes + 1 == sizeof plain) {
            return SIZE_MAX;
        }
        plain[bytes++] = (char)tolower((unsigned char)*name);
    }
    plain[bytes] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(plain, names[i]) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool infer_name_is_region(const char *name)
{
    static const char *const words[] = {"region",    "market",  "area", "geo", "territory",
                                        "continent", "country", "land", NULL};
    return name_has_any(name, words);
}
