/* SPDX-License-Identifier: Apache-2.0 */
/* Connects step by step to one host after the other, then asks: the question is sent, and the
 * answer read as it comes, in turns of 50 ms between which goes_on() may end the waiting. */
#include "server/cluster/cluster_link.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT_MS = 3000, ANSWER_MS = 30000, TURN_MS = 50, PARAMETERS_MOST = 8 };

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The first line of what PostgreSQL says. */
static bool refuse(struct proto_fault *fault, enum proto_error code, const char *what,
                   const char *said)
{
    int bytes = (int)strcspn(said, "\n");
    return proto_fault_set(fault, code, "cluster_log", "%s%.*s", what, bytes < 160 ? bytes : 160,
                           said);
}

bool cluster_link_init(struct cluster_link *link, const struct cluster_log_options *options,
                       struct proto_fault *fault)
{
    *link =
        (struct cluster_link){.options = *options, .poked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (options->seen == NULL) {
        link->options.seen = &link->own;
    }
    return link->poked >= 0 || proto_fault_set(fault, PROTO_NO_MEMORY, "cluster_log",
                                               "no descriptor: %s", strerror(errno));
}

void cluster_link_fini(struct cluster_link *link)
{
    cluster_link_close(link);
    if (link->poked >= 0) {
        close(link->poked);
    }
}

void cluster_link_close(struct cluster_link *link)
{
    PQclear(link->result);
    link->result = NULL;
    PQfinish(link->conn);
    link->conn = NULL;
}

static bool goes_on(const struct cluster_link *link)
{
    return link->options.goes_on == NULL || link->options.goes_on(link->options.context);
}

static bool connect_wait(struct cluster_link *link, const struct cluster_host *host,
                         struct proto_fault *fault)
{
    int64_t until_ms = clock_ms() + CONNECT_MS;
    PostgresPollingStatusType wants = PQstatus(link->conn) == CONNECTION_BAD
                                          ? PGRES_POLLING_FAILED /* nothing was even begun */
                                          : PGRES_POLLING_WRITING;
    while (wants != PGRES_POLLING_OK) {
        if (wants == PGRES_POLLING_FAILED) {
            return refuse(fault, PROTO_IO, "", PQerrorMessage(link->conn));
        }
        struct pollfd waits = {.fd = PQsocket(link->conn),
                               .events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int ready = poll(&waits, 1, TURN_MS);
        if (!goes_on(link) || clock_ms() > until_ms) {
            return proto_fault_set(
                fault, PROTO_IO, "cluster_log", "no answer from \"%.100s\" within %d s",
                host->name[0] != '\0' ? host->name : host->address, CONNECT_MS / 1000);
        }
        wants = ready > 0 ? PQconnectPoll(link->conn) : wants;
    }
    return true;
}

/* The primary of the newest timeline: the name of its segment of WAL begins with that. */
static bool primary_check(struct cluster_link *link, struct proto_fault *fault)
{
    PGresult *result = cluster_link_ask(
        link,
        "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_walfile_name(pg_current_wal_lsn()) "
        "END",
        NULL, 0, fault);
    if (result == NULL) {
        return false;
    }
    char text[9] = "";
    (void)snprintf(text, sizeof text, "%.8s", PQgetvalue(result, 0, 0));
    unsigned long timeline = strtoul(text, NULL, 16);
    if (timeline == 0) {
        return proto_fault_set(fault, PROTO_IO, "cluster_log",
                               "the server is a standby, which only reads");
    }
    uint32_t seen = atomic_load(&link->options.seen->timeline);
    while (timeline > seen &&
           !atomic_compare_exchange_weak(&link->options.seen->timeline, &seen, (uint32_t)timeline))
        ;
    return timeline >= seen ||
           proto_fault_set(fault, PROTO_IO, "cluster_log",
                           "the server is of timeline %lu, below %u: a primary that was replaced",
                           timeline, seen);
}

/* Warnings of the server go nowhere: what matters comes as an error. */
static void notice_drop(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* The name of the node, for this session: two processes of one name, on copies of one store
 * perhaps, would overwrite what each other says. */
static bool name_take(struct cluster_link *link, struct proto_fault *fault)
{
    const char *node = link->options.node;
    const struct cluster_parameter name = {node, strlen(node)};
    PGresult *result = cluster_link_ask(
        link, "SELECT pg_try_advisory_lock(1768124516, hashtext($1::text))::text", &name, 1, fault);
    if (result == NULL) {
        return false;
    }
    return strcmp(PQgetvalue(result, 0, 0), "true") == 0 ||
           proto_fault_set(fault, PROTO_LOCKED, "node",
                           "another process follows the shared log as node \"%s\"", node);
}

/* What stands behind dbname overrides what the address says, what stands before it does not. */
static bool host_connect(struct cluster_link *link, const struct cluster_host *host,
                         struct proto_fault *fault)
{
    static const char session[] =
        "SET statement_timeout = '20s'; SET lock_timeout = '10s';"
        "SET idle_in_transaction_session_timeout = '10s'; SET client_connection_check_interval = "
        "'2s'; SET synchronous_commit = on; SET client_min_messages = error;"
        "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = "
        "3";
    static const char *const names[] = {"keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "tcp_user_timeout",
                                        "fallback_application_name",
                                        "dbname",
                                        "host",
                                        "hostaddr",
                                        "port",
                                        NULL};
    const char *const values[] = {
        "5",        "2",           "3",        "10000", "icpd", link->options.where,
        host->name, host->address, host->port, NULL};
    link->conn = PQconnectStartParams(names, values, 1);
    if (link->conn == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a connection");
    }
    (void)PQsetNoticeReceiver(link->conn, notice_drop, NULL);
    if (!connect_wait(link, host, fault) || PQsetnonblocking(link->conn, 1) != 0 ||
        !cluster_link_run(link, session, fault) || !primary_check(link, fault) ||
        (link->options.listens &&
         (!name_take(link, fault) || !cluster_link_run(link, "LISTEN icpd_log", fault)))) {
        cluster_link_close(link);
        return false;
    }
    return true;
}

bool cluster_link_open(struct cluster_link *link, struct proto_fault *fault)
{
    struct cluster_host host;
    struct proto_fault why = {.code = PROTO_OK};
    _Atomic unsigned *place = &link->options.seen->host;
    unsigned tried = 0;
    if (link->conn != NULL) {
        return true;
    }
    unsigned at = atomic_load(place);
    do {
        if (!cluster_host_take(link->options.where, at, &host, fault)) {
            return false;
        }
        if (host_connect(link, &host, &why)) {
            atomic_store(place, at);
            return true;
        }
        if (why.code != PROTO_IO) {
            *fault = why;
            return false;
        }
        proto_fault_set(fault, why.code, why.field, "%s%s%s",
                        tried == 0 ? "the shared log cannot be reached: " : fault->message,
                        tried == 0 ? "" : "; ", why.message);
        at = (at + 1) % host.count;
    } while (++tried < host.count && goes_on(link));
    return false;
}

/* Sends what is left and reads what came, until an answer is whole, or nothing moves for
 * ANSWER_MS: a slow line is none that is cut. */
static bool answer_wait(struct cluster_link *link)
{
    int64_t moved_ms = clock_ms();
    int unsent = 1;
    do {
        unsent = unsent != 0 ? PQflush(link->conn) : 0;
        if (unsent < 0 || PQconsumeInput(link->conn) == 0) {
            return false;
        }
        if (unsent == 0 && PQisBusy(link->conn) == 0) {
            return true;
        }
        struct pollfd waits = {.fd = PQsocket(link->conn),
                               .events = unsent != 0 ? POLLIN | POLLOUT : POLLIN};
        moved_ms = poll(&waits, 1, TURN_MS) > 0 ? clock_ms() : moved_ms;
    } while (goes_on(link) && clock_ms() < moved_ms + ANSWER_MS);
    return false;
}

/* The last result of a question; the connection is then ready for the next. */
static PGresult *answer(struct cluster_link *link, struct proto_fault *fault)
{
    PGresult *last = NULL;
    for (;;) {
        if (!answer_wait(link)) {
            break;
        }
        PGresult *next = PQgetResult(link->conn);
        if (next == NULL && PQstatus(link->conn) == CONNECTION_OK) {
            link->broken = false;
            return last;
        }
        if (next == NULL) {
            break;
        }
        /* The first error counts; the rest of several statements is not done. */
        if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(next);
        } else {
            PQclear(last);
            last = next;
        }
    }
    PQclear(last);
    const char *said = PQerrorMessage(link->conn);
    refuse(fault, PROTO_IO, "the shared log did not answer: ", *said != '\0' ? said : "it is slow");
    cluster_link_close(link);
    return NULL;
}

/* An error that ends the connection too leaves open what was done. */
static PGresult *judge(struct cluster_link *link, PGresult *result, struct proto_fault *fault)
{
    link->result = result;
    ExecStatusType status = result == NULL ? PGRES_FATAL_ERROR : PQresultStatus(result);
    if (result == NULL || status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return result;
    }
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    /* 57P: the server shuts down or was killed; 08: the connection. */
    bool lost = state == NULL || strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0;
    /* 42, 3F: there is no such table, column, function or schema, or no right to it. */
    bool unfit = state != NULL && (strncmp(state, "42", 2) == 0 || strncmp(state, "3F", 2) == 0);
    bool none = unfit && (strcmp(state, "42P01") == 0 || strcmp(state, "42883") == 0 ||
                          strcmp(state, "3F000") == 0);
    bool full = state != NULL && strncmp(state, "53100", 5) == 0;
    refuse(fault,
           unfit  ? PROTO_BAD_CONFIG
           : full ? PROTO_DISK_FULL
                  : PROTO_IO,
           none ? "the database has no log of icpd (icpd --found-log makes it): "
                : "the shared log says: ",
           said == NULL ? "nothing" : said);
    link->broken = lost;
    if (lost) {
        cluster_link_close(link);
    }
    return NULL;
}

PGresult *cluster_link_ask(struct cluster_link *link, const char *sql,
                           const struct cluster_parameter *parameters, int count,
                           struct proto_fault *fault)
{
    const char *values[PARAMETERS_MOST];
    int lengths[PARAMETERS_MOST];
    int formats[PARAMETERS_MOST];
    PQclear(link->result);
    link->result = NULL;
    link->broken = false;
    for (int i = 0; i < count; i++) {
        values[i] = parameters[i].data;
        lengths[i] = (int)parameters[i].bytes;
        formats[i] = 1;
    }
    if (PQsendQueryParams(link->conn, sql, count, NULL, values, lengths, formats, 1) == 0) {
        refuse(fault, PROTO_IO, "the shared log cannot be asked: ", PQerrorMessage(link->conn));
        link->broken = true;
        cluster_link_close(link);
        return NULL;
    }
    link->broken = true; /* until there is an answer */
    return judge(link, answer(link, fault), fault);
}

bool cluster_link_broken(const struct cluster_link *link)
{
    return link->broken;
}

bool cluster_link_run(struct cluster_link *link, const char *sql, struct proto_fault *fault)
{
    PQclear(link->result);
    link->result = NULL;
    link->broken = true;
    if (PQsendQuery(link->conn, sql) == 0) {
        refuse(fault, PROTO_IO, "the shared log cannot be asked: ", PQerrorMessage(link->conn));
        cluster_link_close(link);
        return false;
    }
    return judge(link, answer(link, fault), fault) != NULL;
}

void cluster_link_wait(struct cluster_link *link, int timeout_ms)
{
    struct pollfd waits[2] = {
        {.fd = link->poked, .events = POLLIN},
        {.fd = link->conn == NULL ? -1 : PQsocket(link->conn), .events = POLLIN}};
    uint64_t drained;
    PGnotify *heard = link->conn == NULL ? NULL : PQnotifies(link->conn);
    /* What was heard while something was asked counts as well. */
    (void)poll(waits, 2, heard == NULL ? timeout_ms : 0);
    PQfreemem(heard);
    ssize_t got = read(link->poked, &drained, sizeof drained);
    (void)got; /* nobody poked */
    if (link->conn == NULL || waits[1].revents == 0) {
        return;
    }
    if (PQconsumeInput(link->conn) == 0) {
        cluster_link_close(link);
        return;
    }
    while ((heard = PQnotifies(link->conn)) != NULL) {
        PQfreemem(heard);
    }
}

void cluster_link_poke(struct cluster_link *link)
{
    const uint64_t one = 1;
    ssize_t put = write(link->poked, &one, sizeof one);
    (void)put; /* full: it is poked already */
}
