/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers send to icp-router: heads of requests, leads, files of rules. The first byte says
 * which. */
#include <string.h>

#include "client/router/router_choose.h"
#include "client/router/router_lead.h"
#include "client/router/router_request.h"
#include "tests/fuzz/fuzz.h"

static void request_read(const char *text, size_t bytes)
{
    struct router_request request;
    int status = router_request_read(text, bytes, &request);
    if (status == 200) {
        FUZZ_HOLDS(request.head_bytes <= bytes && request.body_bytes <= ROUTER_LEAD_BYTES_MAX);
        FUZZ_HOLDS(strlen(request.target) < sizeof request.target);
    }
}

static void lead_read(const char *text, size_t bytes)
{
    struct router_lead lead;
    struct router_fault fault;
    if (router_lead_read(text, bytes, &lead, &fault)) {
        FUZZ_HOLDS(lead.id != NULL && lead.id[0] != '\0');
        FUZZ_HOLDS(router_lead_value(&lead, "country") != NULL);
        router_lead_fini(&lead);
    } else {
        FUZZ_HOLDS(fault.message[0] != '\0');
    }
}

static void rules_read(const char *text, size_t bytes)
{
    struct router_fault fault;
    struct router_rules *rules = router_rules_read(text, bytes, &fault);
    struct router_state *state = rules == NULL ? NULL : router_state_create(rules, NULL);
    struct router_choice choice;
    const struct router_asked asked = {.account = "acme",
                                       .key = "",
                                       .domain = "acme.com",
                                       .owner = "",
                                       .territory = "DE",
                                       .segment = "Bank",
                                       .grade = 'A',
                                       .fit = 80};
    FUZZ_HOLDS((rules == NULL) == (fault.message[0] != '\0'));
    for (int i = 0; state != NULL && i < 8; i++) {
        router_choose(state, &asked, true, &choice);
        FUZZ_HOLDS(choice.person <= rules->person_count && choice.rule <= rules->rule_count);
    }
    router_state_destroy(state);
    router_rules_destroy(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *text = (const char *)data + 1;
    if (bytes < 2) {
        return 0;
    }
    switch (data[0] % 3) {
    case 0:
        request_read(text, bytes - 1);
        break;
    case 1:
        lead_read(text, bytes - 1);
        break;
    default:
        rules_read(text, bytes - 1);
    }
    return 0;
}
