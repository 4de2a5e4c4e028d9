/* SPDX-License-Identifier: Apache-2.0 */
/* A lead as it comes, a JSON object:
 *
 *     {"id":"L-17","email":"ann@acme.com","key":"crm:0015","account":"acme","owner":"bo",
 *      "values":{"industry":"Bank","employees":900,"country":"DE"}}
 *
 * id is needed: it is what makes a decision known once. All others may be left out; of account, key
 * and email the first that there is finds the account. Values go to the score by the names of the
 * schema; the members that rules name (territory, segment) are read from them.
 *
 * Ownership: router_lead_fini; texts point into the lead. Errors: false with *fault: line and
 * column of what is no JSON, else the member. Threads: pure. Cost: some 3 µs. */
#ifndef ROUTER_LEAD_H
#define ROUTER_LEAD_H

#include <jansson.h>

#include "client/router/router_rules.h"

enum { ROUTER_LEAD_BYTES_MAX = 65536, ROUTER_ID_BYTES_MAX = 100 };

struct router_lead {
    json_t *json;
    const char *id, *account, *key, *email, *owner; /* NULL: not there */
    const json_t *values;                           /* NULL: none */
    char domain[256];                               /* of the email address, in lower case */
};

bool router_lead_read(const char *text, size_t bytes, struct router_lead *lead,
                      struct router_fault *fault);
void router_lead_fini(struct router_lead *lead);
/* The text of a value, empty where there is none. */
const char *router_lead_value(const struct router_lead *lead, const char *member);

#endif
