/* SPDX-License-Identifier: Apache-2.0 */
/* Members are read by name; one that is not known is refused, lest a slip is taken for nothing
 * said.
 */
#include "client/router/router_lead.h"

#include <ctype.h>
#include <string.h>

#include "client/router/router_words.h"

/* A text member of that name: not there, or sound. */
static bool text_take(const json_t *json, const char *name, size_t bytes_max, const char **text,
                      struct router_fault *fault)
{
    const json_t *value = json_object_get(json, name);
    size_t bytes = json_string_length(value);
    *text = json_string_value(value);
    bool good = value == NULL || (json_is_string(value) && bytes > 0 && bytes <= bytes_max);
    for (size_t i = 0; good && i < bytes; i++) {
        good = (unsigned char)(*text)[i] >= ' ' && (*text)[i] != 0x7f;
    }
    return good || router_refuse(fault, 0, 0, "\"%s\" must be a text of 1 to %zu bytes in one line",
                                 name, bytes_max);
}

static bool members_known(json_t *json, struct router_fault *fault)
{
    static const char *const names[] = {"id", "account", "key", "email", "owner", "values"};
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        size_t i = 0;
        while (i < sizeof names / sizeof *names && strcmp(names[i], name) != 0) {
            i++;
        }
        if (i == sizeof names / sizeof *names) {
            return router_refuse(fault, 0, 0,
                                 "\"%.64s\" is none of id, account, key, email, owner and values: "
                                 "what is known of the lead stands in \"values\"",
                                 name);
        }
    }
    return true;
}

/* Texts, numbers, true and false, lists of texts; null is not known. */
static bool values_check(json_t *values, struct router_fault *fault)
{
    const char *name;
    json_t *value;
    if (values != NULL && !json_is_object(values)) {
        return router_refuse(fault, 0, 0, "\"values\" must be an object");
    }
    json_object_foreach(values, name, value)
    {
        bool good = !json_is_object(value);
        for (size_t i = 0; good && i < json_array_size(value); i++) {
            good = json_is_string(json_array_get(value, i));
        }
        if (!good) {
            return router_refuse(fault, 0, 0,
                                 "\"values.%.64s\" must be a text, a number, true, false or a list "
                                 "of texts",
                                 name);
        }
    }
    return true;
}

static void domain_take(struct router_lead *lead)
{
    const char *at = lead->email == NULL ? NULL : strrchr(lead->email, '@');
    size_t bytes = 0;
    for (; at != NULL && at[1 + bytes] != '\0' && bytes < sizeof lead->domain - 1; bytes++) {
        lead->domain[bytes] = (char)tolower((unsigned char)at[1 + bytes]);
    }
    lead->domain[bytes] = '\0';
}

static bool members_take(struct router_lead *lead, struct router_fault *fault)
{
    const json_t *json = lead->json;
    if (!json_is_object(json)) {
        return router_refuse(fault, 0, 0, "a lead must be an object");
    }
    lead->values = json_object_get(json, "values");
    if (!members_known(lead->json, fault) ||
        !text_take(json, "id", ROUTER_ID_BYTES_MAX, &lead->id, fault) ||
        !text_take(json, "account", 255, &lead->account, fault) ||
        !text_take(json, "key", 255, &lead->key, fault) ||
        !text_take(json, "email", 320, &lead->email, fault) ||
        !text_take(json, "owner", ROUTER_NAME_BYTES_MAX, &lead->owner, fault) ||
        !values_check(json_object_get(lead->json, "values"), fault)) {
        return false;
    }
    domain_take(lead);
    return lead->id != NULL ||
           router_refuse(fault, 0, 0, "\"id\" is missing: a decision is stored once by it");
}

bool router_lead_read(const char *text, size_t bytes, struct router_lead *lead,
                      struct router_fault *fault)
{
    json_error_t error;
    *lead = (struct router_lead){.json = NULL};
    *fault = (struct router_fault){.line = 0};
    if (bytes > ROUTER_LEAD_BYTES_MAX) {
        return router_refuse(fault, 0, 0, "a lead of %zu bytes; at most %d", bytes,
                             ROUTER_LEAD_BYTES_MAX);
    }
    lead->json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (lead->json == NULL) {
        return router_refuse(fault, error.line > 0 ? (size_t)error.line : 1,
                             error.column > 0 ? (size_t)error.column : 1, "no JSON: %.150s",
                             error.text[0] != '\0' ? error.text : "no memory");
    }
    if (!members_take(lead, fault)) {
        router_lead_fini(lead);
        return false;
    }
    return true;
}

void router_lead_fini(struct router_lead *lead)
{
    json_decref(lead->json);
    *lead = (struct router_lead){.json = NULL};
}

const char *router_lead_value(const struct router_lead *lead, const char *member)
{
    const char *text = json_string_value(json_object_get(lead->values, member));
    return text == NULL ? "" : text;
}
