/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what one wrote. Happy path: a write's reply has its sequence; reads over the connection
 * that brought it see it without being told. Another path: a read goes over another connection,
 * perhaps to another host, and names the sequence until one reply has shown that the host has it.
 * Hosts whose sequences are of another log are left out: there is nothing to compare. */
#include "client/client.h"

void client_token_raise(struct client_token *token, struct client_token other)
{
    if (other.seq != 0 && (token->log != other.log || other.seq > token->seq)) {
        *token = other;
    }
}

void client_token_note(struct client_core *core, struct client_link *link,
                       const struct client_reply *reply)
{
    if (reply->fault.code != PROTO_OK) {
        return;
    }
    uint64_t seen = reply->seq > reply->min_seq ? reply->seq : reply->min_seq;
    link->seen_seq = seen > link->seen_seq ? seen : link->seen_seq;
    if (link->greeting.log != 0) {
        client_token_raise(&core->token, (struct client_token){link->greeting.log, reply->seq});
    }
}

uint64_t client_token_wanted(const struct client_core *core, const struct client_link *link,
                             const struct client_request *request)
{
    const struct proto_op_info *info = proto_op_find(request->op);
    bool is_read = info->role == PROTO_ROLE_SCORE || info->role == PROTO_ROLE_READ;
    bool is_known = core->token.seq != 0 && core->token.log == link->greeting.log;
    return core->settings.carries_token && is_read && is_known && !request->has_min_seq &&
                   link->seen_seq < core->token.seq
               ? core->token.seq
               : 0;
}

struct icp_token icp_token_get(const struct icp_client *client)
{
    return (struct icp_token){client->core.token.log, client->core.token.seq};
}

void icp_token_set(struct icp_client *client, struct icp_token token)
{
    client->core.token = (struct client_token){token.log, token.seq};
}
