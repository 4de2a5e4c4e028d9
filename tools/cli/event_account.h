/* SPDX-License-Identifier: Apache-2.0 */
/* Whose events a file tells: each name of an account is asked for once, as an id and, if it looks
 * like one and is no id, as a key. For a dry run the events that an account has are read as well,
 * so that it can be said which of the file's are new. Ownership: owns its texts; cli and client are
 * borrowed. Errors: exit statuses, messages printed. Threads: one. Cost: one account-get a name,
 * ACCOUNTS_IN_FLIGHT at a time; with `told` the timeline of each account, and 16 bytes of memory an
 * event. */
#ifndef CLI_EVENT_ACCOUNT_H
#define CLI_EVENT_ACCOUNT_H

#include "server/event/event.h"
#include "tools/cli/cli.h"
#include "tools/cli/csv/text_count.h"

#define ACCOUNTS_IN_FLIGHT 256

enum event_owner { OWNER_OPEN, OWNER_ID, OWNER_KEY, OWNER_NOBODY };

struct event_accounts {
    const struct cli *cli;
    struct icp_client *client;
    bool told;               /* read what is told of them */
    struct text_count names; /* with the line of the first row and the count of rows */
    struct event_account {
        enum event_owner owner;
        char *id; /* primary id, once it is found */
    } * states;   /* by the place of the name */
    size_t room;
    struct event_seen {
        uint64_t key; /* of account, source, id; 0: free */
        uint64_t digest;
    } * seen; /* open addressing */
    size_t seen_count;
    size_t seen_room;
    struct icp_payload *request;
    struct icp_reply reply;
};

int event_accounts_open(struct event_accounts *accounts, const struct cli *cli,
                        struct icp_client *client, bool told);
void event_accounts_close(struct event_accounts *accounts);
/* The place of a name; SIZE_MAX: no memory. */
size_t event_accounts_name(struct event_accounts *accounts, struct proto_span name, size_t line);
/* Asks for every name that is open; `as_key`: names are keys. */
int event_accounts_ask(struct event_accounts *accounts, bool as_key);

enum event_fate { EVENT_IS_NEW, EVENT_IS_TOLD, EVENT_IS_CONTRADICTED, EVENT_NO_MEMORY };
/* Of a dry run: what would become of an event of that account, which then counts as told. */
enum event_fate event_accounts_tell(struct event_accounts *accounts, size_t name,
                                    const struct event *event);

#endif
