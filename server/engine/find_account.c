/* SPDX-License-Identifier: Apache-2.0 */
/* An id and a key are looked up as they are; an address by the domain that it gives, the most
 * specific name first. A text that names nobody is no fault. */
#include "server/engine/find_account.h"

#include <stdio.h>

#include "server/engine/worker.h"
#include "server/identity/grammar.h"

/* Looks for the key NAMESPACE:HOST. */
static uint32_t find_host(struct engine_worker *worker, const char *name_space, const char *host,
                          struct proto_fault *fault)
{
    char key[300];
    int bytes = snprintf(key, sizeof key, "%s:%s", name_space, host);
    if (bytes < 0 || (size_t)bytes >= sizeof key) {
        return STORE_NO_SLOT;
    }
    return store_find_key(worker->view, (struct proto_span){(const uint8_t *)key, (size_t)bytes},
                          fault);
}

uint32_t engine_find_domain(struct engine_worker *worker, const struct identity_domain *domain,
                            struct proto_fault *fault)
{
    uint32_t slot = STORE_NO_SLOT;
    for (const char *host = identity_domain_above(domain, NULL);
         host != NULL && slot == STORE_NO_SLOT && fault->code == PROTO_OK;
         host = identity_domain_above(domain, host)) {
        slot = find_host(worker, "domain", host, fault);
    }
    if (slot == STORE_NO_SLOT && fault->code == PROTO_OK) {
        slot = find_host(worker, IDENTITY_ABOVE_NAMESPACE, domain->registrable, fault);
    }
    return slot;
}

static uint32_t find_email(struct engine_worker *worker, struct proto_span email,
                           struct proto_fault *fault)
{
    struct identity_domain domain;
    if (identity_domain_from_email(email, &domain) != IDENTITY_DOMAIN_COMPANY) {
        return STORE_NO_SLOT;
    }
    return engine_find_domain(worker, &domain, fault);
}

uint32_t engine_find(struct engine_worker *worker, const struct engine_name *name,
                     struct proto_fault *fault)
{
    if (name->id.bytes > 0) {
        return store_find_id(worker->view, name->id, fault);
    }
    if (name->key.bytes > 0) {
        uint8_t room[PROTO_ID_BYTES_MAX];
        return store_find_key(worker->view, identity_key_wanted(name->key, room), fault);
    }
    if (name->email.bytes > 0) {
        return find_email(worker, name->email, fault);
    }
    return STORE_NO_SLOT;
}
