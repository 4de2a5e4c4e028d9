/* SPDX-License-Identifier: Apache-2.0 */
/* libpq takes the address apart; of its lists one place is picked. */
#include "server/cluster/cluster_host.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

bool cluster_host_check(const char *where, struct proto_fault *fault)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(where, &why);
    if (options == NULL) {
        /* What it says may quote a part of the address, and with it a password. */
        PQfreemem(why);
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "cluster_log",
                               "is no address of PostgreSQL: postgresql://HOST,HOST/DATABASE");
    }
    bool good = true;
    for (const PQconninfoOption *option = options; good && option->keyword != NULL; option++) {
        /* libpq marks what is not to be shown. */
        good =
            option->dispchar[0] != '*' || option->val == NULL || option->val[0] == '\0' ||
            proto_fault_set(fault, PROTO_BAD_CONFIG, "cluster_log",
                            "has a password in it (%s), which others could read: that of the "
                            "database belongs into the file that PGPASSFILE names, or ~/.pgpass; "
                            "a key file needs none where nobody else may read it",
                            option->keyword);
    }
    PQconninfoFree(options);
    return good;
}

/* The `place`-th of a list with commas between, or the only one; empty where there is none. */
static void list_take(const char *list, unsigned place, char out[CLUSTER_HOST_BYTES])
{
    const char *at = list == NULL ? "" : list;
    for (const char *next; place > 0 && (next = strchr(at, ',')) != NULL; place--) {
        at = next + 1;
    }
    int bytes = (int)strcspn(at, ",");
    (void)snprintf(out, CLUSTER_HOST_BYTES, "%.*s", bytes, at);
}

static unsigned list_count(const char *list)
{
    unsigned count = 1;
    for (const char *at = list; at != NULL && (at = strchr(at, ',')) != NULL; at++) {
        count++;
    }
    return count;
}

bool cluster_host_take(const char *where, unsigned place, struct cluster_host *host,
                       struct proto_fault *fault)
{
    PQconninfoOption *options = PQconninfoParse(where, NULL);
    if (options == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a connection");
    }
    *host = (struct cluster_host){.count = 1};
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        char *to = strcmp(option->keyword, "host") == 0       ? host->name
                   : strcmp(option->keyword, "hostaddr") == 0 ? host->address
                   : strcmp(option->keyword, "port") == 0     ? host->port
                                                              : NULL;
        if (to == NULL || option->val == NULL) {
            continue;
        }
        list_take(option->val, place, to);
        unsigned count = to == host->port ? 1 : list_count(option->val);
        host->count = count > host->count ? count : host->count;
    }
    PQconninfoFree(options);
    return true;
}
