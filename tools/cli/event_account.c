/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are open are asked for in flight after flight; who is not found as an id is asked for
 * as a key where the name has the form of one. Then, for a dry run, timelines are read page by page
 * and kept as hashes. Any answer of the server but "not found" ends the import. */
#include "tools/cli/event_account.h"

#include <stdlib.h>
#include <time.h>

#include "proto/table.h"
#include "tools/cli/told_event.h"

/* A quarter of those that may wait on the lane of timelines, which is everybody's. */
#define TIMELINES_IN_FLIGHT 16
#define BUSY_RETRIES 8

int event_accounts_open(struct event_accounts *accounts, const struct cli *cli,
                        struct icp_client *client, bool told)
{
    *accounts = (struct event_accounts){.cli = cli, .client = client, .told = told};
    text_count_init(&accounts->names, UINT32_MAX);
    accounts->request = icp_payload_create();
    return accounts->request != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory");
}

void event_accounts_close(struct event_accounts *accounts)
{
    for (size_t i = 0; i < accounts->names.count && i < accounts->room; i++) {
        free(accounts->states[i].id);
    }
    free(accounts->states);
    free(accounts->seen);
    text_count_fini(&accounts->names);
    icp_payload_destroy(accounts->request);
    icp_reply_fini(&accounts->reply);
}

size_t event_accounts_name(struct event_accounts *accounts, struct proto_span name, size_t line)
{
    const struct text_entry *entry = NULL;
    if (accounts->names.count == accounts->room) {
        size_t room = accounts->room * 2 + 256;
        struct event_account *states = realloc(accounts->states, room * sizeof *states);
        if (states == NULL) {
            return SIZE_MAX;
        }
        memset(states + accounts->room, 0, (room - accounts->room) * sizeof *states);
        accounts->states = states;
        accounts->room = room;
    }
    if (!text_count_add(&accounts->names, name, line, &entry) || entry == NULL) {
        return SIZE_MAX;
    }
    return (size_t)(entry - accounts->names.entries);
}

static int name_send(struct event_accounts *accounts, size_t name, bool as_key, uint32_t *request)
{
    struct proto_span text = accounts->names.entries[name].text;
    struct icp_fault fault;
    icp_payload_reset(accounts->request);
    icp_payload_text_n(accounts->request, as_key ? "key" : "id",
                       (struct icp_text){(const char *)text.data, text.bytes});
    *request = icp_send(accounts->client, ICP_OP_ACCOUNT_GET, accounts->request, &fault);
    return *request != 0 ? EX_OK : cli_icp_fault(accounts->cli, &fault);
}

static int name_answer(struct event_accounts *accounts, size_t name, bool as_key, uint32_t request)
{
    struct event_account *state = &accounts->states[name];
    if (icp_receive(accounts->client, request, 0, &accounts->reply)) {
        struct icp_text id = icp_reply_text(&accounts->reply, "id");
        state->owner = as_key ? OWNER_KEY : OWNER_ID;
        state->id = strndup(id.data, id.bytes);
        return state->id != NULL ? EX_OK : cli_fail(accounts->cli, EX_OSERR, "no memory");
    }
    enum icp_error error = accounts->reply.fault.code;
    if (error != ICP_NOT_FOUND && error != ICP_BAD_FIELD) {
        return cli_icp_fault(accounts->cli, &accounts->reply.fault);
    }
    struct proto_span text = accounts->names.entries[name].text;
    bool may_be_key = !as_key && memchr(text.data, ':', text.bytes) != NULL;
    state->owner = may_be_key ? OWNER_OPEN : OWNER_NOBODY;
    return EX_OK;
}

/* One flight: names from `from` on that are open. */
static int flight_ask(struct event_accounts *accounts, bool as_key, size_t *from)
{
    size_t names[ACCOUNTS_IN_FLIGHT];
    uint32_t requests[ACCOUNTS_IN_FLIGHT];
    size_t count = 0;
    int status = EX_OK;
    for (; *from < accounts->names.count && count < ACCOUNTS_IN_FLIGHT && status == EX_OK;
         (*from)++) {
        if (accounts->states[*from].owner == OWNER_OPEN) {
            names[count] = *from;
            status = name_send(accounts, *from, as_key, &requests[count]);
            count += status == EX_OK;
        }
    }
    for (size_t i = 0; i < count && status == EX_OK; i++) {
        status = name_answer(accounts, names[i], as_key, requests[i]);
    }
    return status;
}

static int names_ask(struct event_accounts *accounts, bool as_key, size_t from)
{
    int status = EX_OK;
    while (from < accounts->names.count && status == EX_OK) {
        status = flight_ask(accounts, as_key, &from);
    }
    return status;
}

/* Where an event is kept or would be. */
static struct event_seen *seen_place(const struct event_accounts *accounts, uint64_t key)
{
    size_t at = (size_t)key & (accounts->seen_room - 1);
    while (accounts->seen[at].key != 0 && accounts->seen[at].key != key) {
        at = (at + 1) & (accounts->seen_room - 1);
    }
    return &accounts->seen[at];
}

/* Half of the places stay free. */
static bool seen_reserve(struct event_accounts *accounts)
{
    if (accounts->seen_count * 2 < accounts->seen_room) {
        return true;
    }
    struct event_accounts grown = {.seen_room =
                                       accounts->seen_room > 0 ? accounts->seen_room * 2 : 4096};
    grown.seen = calloc(grown.seen_room, sizeof *grown.seen);
    if (grown.seen == NULL) {
        return false;
    }
    for (size_t i = 0; i < accounts->seen_room; i++) {
        if (accounts->seen[i].key != 0) {
            *seen_place(&grown, accounts->seen[i].key) = accounts->seen[i];
        }
    }
    free(accounts->seen);
    accounts->seen = grown.seen;
    accounts->seen_room = grown.seen_room;
    return true;
}

enum event_fate event_accounts_tell(struct event_accounts *accounts, size_t name,
                                    const struct event *event)
{
    uint8_t bytes[EVENT_BYTES_MAX];
    uint64_t known = event_hash(event->source, event->id);
    struct proto_span told = {bytes, event_encode(event, bytes)};
    struct proto_span by = {(const uint8_t *)&known, sizeof known};
    uint64_t key = event_hash(proto_span_text(accounts->states[name].id), by) | 1;
    uint64_t digest = event_hash(proto_span_text(""), told);
    if (!seen_reserve(accounts)) {
        return EVENT_NO_MEMORY;
    }
    struct event_seen *place = seen_place(accounts, key);
    if (place->key == key) {
        return place->digest == digest ? EVENT_IS_TOLD : EVENT_IS_CONTRADICTED;
    }
    *place = (struct event_seen){key, digest};
    accounts->seen_count++;
    return EVENT_IS_NEW;
}

static void page_write(struct event_accounts *accounts, size_t name, uint64_t skip)
{
    icp_payload_reset(accounts->request);
    icp_payload_text(accounts->request, "id", accounts->states[name].id);
    icp_payload_flag(accounts->request, "all", true);
    icp_payload_uint(accounts->request, "skip", skip);
    icp_payload_uint(accounts->request, "limit", PROTO_TIMELINE_EVENTS_MAX);
}

/* Keeps what the reply tells. *next: where the next page begins; 0: there is none. */
static int page_take(struct event_accounts *accounts, size_t name, uint64_t *next)
{
    struct icp_value list = {0};
    struct icp_value map;
    struct event event;
    bool retracted = false;
    (void)icp_reply_get(&accounts->reply, "events", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &map)) {
        if (told_event_read(&map, &event, &retracted) &&
            event_accounts_tell(accounts, name, &event) == EVENT_NO_MEMORY) {
            return cli_fail(accounts->cli, EX_OSERR, "no memory for the events that are told");
        }
    }
    *next = (uint64_t)icp_reply_int(&accounts->reply, "next", 0);
    return EX_OK;
}

/* The rest of a timeline whose first page is in the reply. */
static int pages_take(struct event_accounts *accounts, size_t name)
{
    uint64_t next = 0;
    int status = page_take(accounts, name, &next);
    while (status == EX_OK && next > 0) {
        page_write(accounts, name, next);
        status = cli_call(accounts->cli, accounts->client, ICP_OP_TIMELINE, accounts->request,
                          &accounts->reply);
        if (status == EX_OK) {
            status = page_take(accounts, name, &next);
        }
    }
    return status;
}

/* One whose lane was full waits its turn by itself. */
static int page_again(struct event_accounts *accounts, size_t name)
{
    for (int busy = 1; accounts->reply.fault.code == ICP_BUSY && busy <= BUSY_RETRIES; busy++) {
        long ms = 20L << busy;
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
        page_write(accounts, name, 0);
        if (icp_call(accounts->client, ICP_OP_TIMELINE, accounts->request, &accounts->reply)) {
            return pages_take(accounts, name);
        }
    }
    return cli_icp_fault(accounts->cli, &accounts->reply.fault);
}

/* First pages of as many accounts as are in flight together. Two names may be one account: what is
 * read twice is told already. */
static int flight_read(struct event_accounts *accounts, size_t *from)
{
    size_t names[TIMELINES_IN_FLIGHT];
    uint32_t requests[TIMELINES_IN_FLIGHT];
    struct icp_fault fault;
    size_t count = 0;
    for (; *from < accounts->names.count && count < TIMELINES_IN_FLIGHT; (*from)++) {
        if (accounts->states[*from].owner == OWNER_NOBODY) {
            continue;
        }
        page_write(accounts, *from, 0);
        names[count] = *from;
        requests[count] = icp_send(accounts->client, ICP_OP_TIMELINE, accounts->request, &fault);
        if (requests[count++] == 0) {
            return cli_icp_fault(accounts->cli, &fault);
        }
    }
    int status = EX_OK;
    for (size_t i = 0; i < count && status == EX_OK; i++) {
        status = icp_receive(accounts->client, requests[i], 0, &accounts->reply)
                     ? pages_take(accounts, names[i])
                     : page_again(accounts, names[i]);
    }
    return status;
}

int event_accounts_ask(struct event_accounts *accounts, bool as_key)
{
    size_t from = 0;
    /* Names are asked for in their order, so those that are open stand at the end. */
    for (from = accounts->names.count; from > 0 && accounts->states[from - 1].owner == OWNER_OPEN;
         from--) {
    }
    int status = names_ask(accounts, as_key, from);
    if (status == EX_OK && !as_key) {
        status = names_ask(accounts, true, from);
    }
    while (accounts->told && from < accounts->names.count && status == EX_OK) {
        status = flight_read(accounts, &from);
    }
    return status;
}
