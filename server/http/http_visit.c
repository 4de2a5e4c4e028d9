/* SPDX-License-Identifier: Apache-2.0 */
/* A visit begins with the address that was asked for, takes what its headers say and the body of a
 * form, is served into memory, and goes out whole. Without memory for a reply the connection is
 * closed, which is all that is left. */
#include "server/http/http_visit.h"

#include <stdlib.h>
#include <string.h>

static const char text_type[] = "text/plain; charset=utf-8";

struct http_visit *http_visit_create(const char *uri)
{
    struct http_visit *visit = calloc(1, sizeof *visit);
    const char *query = strchr(uri, '?');
    if (visit == NULL) {
        return NULL;
    }
    visit->query = strdup(query != NULL ? query + 1 : "");
    if (visit->query == NULL) {
        free(visit);
        return NULL;
    }
    return visit;
}

void http_visit_destroy(struct http_visit *visit)
{
    if (visit == NULL) {
        return;
    }
    /* A token may stand in what was sent. */
    if (visit->sent != NULL) {
        explicit_bzero(visit->sent, HTTP_FORM_BYTES_MAX + 1);
    }
    free(visit->sent);
    free(visit->texts);
    free(visit->query);
    free(visit->body);
    free(visit);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static struct proto_span bearer_token(struct MHD_Connection *connection)
{
    static const char scheme[] = "Bearer ";
    const char *value = header(connection, MHD_HTTP_HEADER_AUTHORIZATION);
    if (value == NULL || strncasecmp(value, scheme, sizeof scheme - 1) != 0) {
        return (struct proto_span){0};
    }
    value += sizeof scheme - 1;
    while (*value == ' ') {
        value++;
    }
    return proto_span_text(value);
}

const char *http_visit_look(struct http_visit *visit, struct MHD_Connection *connection)
{
    struct http_exchange *exchange = &visit->exchange;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const char *cookies = header(connection, MHD_HTTP_HEADER_COOKIE);
    visit->connection = connection;
    exchange->from = info != NULL ? info->client_addr : NULL;
    exchange->token = bearer_token(connection);
    /* Copied: a visit that is served aside must not look into the connection's memory. */
    if (cookies != NULL) {
        visit->texts = strdup(cookies);
        exchange->cookies = visit->texts;
    }
    return http_form_read(&exchange->form, visit->query, strlen(visit->query));
}

bool http_visit_feed(struct http_visit *visit, const char *bytes, size_t count)
{
    if (visit->sent == NULL && (visit->sent = calloc(1, HTTP_FORM_BYTES_MAX + 1)) == NULL) {
        return false;
    }
    if (count > HTTP_FORM_BYTES_MAX - visit->sent_bytes) {
        visit->too_large = true;
        return true;
    }
    memcpy(visit->sent + visit->sent_bytes, bytes, count);
    visit->sent_bytes += count;
    return true;
}

const char *http_visit_fed(struct http_visit *visit)
{
    return visit->sent == NULL
               ? NULL
               : http_form_read(&visit->exchange.form, visit->sent, visit->sent_bytes);
}

void http_visit_serve(struct http_visit *visit)
{
    struct http_exchange *exchange = &visit->exchange;
    exchange->type = visit->route->type;
    exchange->out = open_memstream(&visit->body, &visit->body_bytes);
    if (exchange->out == NULL) {
        visit->body = NULL;
        return;
    }
    visit->status = visit->route->answer(visit->context, exchange);
    bool whole = ferror(exchange->out) == 0;
    if (fclose(exchange->out) != 0 || !whole) {
        free(visit->body);
        visit->body = NULL;
    }
    exchange->out = NULL;
}

void http_visit_refuse(struct http_visit *visit, unsigned status, const char *text)
{
    visit->exchange.type = text_type;
    visit->status = status;
    visit->body = strdup(text);
    visit->body_bytes = strlen(text);
}

static bool headers_add(struct MHD_Response *response)
{
    /* Nothing is fetched but the style sheet of the pages, nothing runs, and no other site may
     * frame a page, read it or be told of it. Pages of ours are told where they were asked from:
     * without it a browser says `Origin: null` of a form of theirs. */
    static const char *const headers[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "same-origin"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; "
                                    "base-uri 'none'; frame-ancestors 'none'"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"X-Frame-Options", "DENY"},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        good = good && MHD_add_response_header(response, headers[i][0], headers[i][1]) == MHD_YES;
    }
    return good;
}

static bool header_add(struct MHD_Response *response, const char *name, const char *value)
{
    return value[0] == '\0' || MHD_add_response_header(response, name, value) == MHD_YES;
}

/* Takes the body. `more` is a header of this reply alone; its value may be empty: none. */
static enum MHD_Result queue(struct MHD_Connection *connection, unsigned status, const char *type,
                             char *body, size_t bytes, const char *const more[][2], size_t count)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(body);
        return MHD_NO;
    }
    bool good = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
                headers_add(response);
    for (size_t i = 0; i < count; i++) {
        good = good && header_add(response, more[i][0], more[i][1]);
    }
    enum MHD_Result result = good ? MHD_queue_response(connection, status, response) : MHD_NO;
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result http_visit_reply(struct http_visit *visit)
{
    const struct http_exchange *exchange = &visit->exchange;
    char refresh[16] = "";
    if (visit->body == NULL) {
        return http_refuse(visit->connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                           "no memory for this page\n");
    }
    if (exchange->refresh_s > 0) {
        snprintf(refresh, sizeof refresh, "%u", exchange->refresh_s);
    }
    const char *const more[][2] = {{"Location", exchange->location},
                                   {"Set-Cookie", exchange->cookie},
                                   {"Refresh", refresh},
                                   {"WWW-Authenticate", visit->status == MHD_HTTP_UNAUTHORIZED
                                                            ? "Bearer realm=\"icpd\""
                                                            : ""}};
    char *body = visit->body;
    visit->body = NULL;
    return queue(visit->connection, visit->status, exchange->type, body, visit->body_bytes, more,
                 sizeof more / sizeof *more);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text,
                              const char *name, const char *value)
{
    const char *const more[][2] = {{name, value}};
    char *body = strdup(text);
    return body == NULL ? MHD_NO
                        : queue(connection, status, text_type, body, strlen(body), more, 1);
}

enum MHD_Result http_refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return refuse(connection, status, text, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                  status == MHD_HTTP_UNAUTHORIZED ? "Bearer realm=\"icpd\"" : "");
}

enum MHD_Result http_refuse_method(struct MHD_Connection *connection, bool posts)
{
    return posts ? refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD and POST alone\n",
                          MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST")
                 : refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD alone\n",
                          MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
}
