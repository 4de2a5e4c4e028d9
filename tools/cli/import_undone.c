/* SPDX-License-Identifier: Apache-2.0 */
/* One request for the list of imports, and a line for each that is called alike, told events and
 * was taken back. It is a hint beside an import that has succeeded: a list that cannot be had is no
 * failure. */
#include "tools/cli/import_undone.h"

#include "tools/cli/member.h"

bool import_undone_tell(const struct cli *cli, const struct icp_value *import)
{
    struct icp_value events;
    struct icp_text id = member_text(import, "id");
    struct icp_text state = member_text(import, "state");
    bool part = member_text_is(state, "partly undone");
    if ((!part && !member_text_is(state, "undone")) || !icp_value_get(import, "events", &events) ||
        events.integer <= 0) {
        return false;
    }
    cli_say(cli,
            "import %.*s was%s taken back: its events stay so, and count as told already; tell "
            "them under another --source, or with other ids",
            (int)id.bytes, id.data, part ? " partly" : "");
    return true;
}

void import_undone_ask(const struct cli *cli, struct icp_client *client, const char *name)
{
    struct icp_reply reply = {0};
    struct icp_value list = {0};
    struct icp_value import;
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return;
    }
    icp_payload_uint(payload, "limit", PROTO_IMPORTS_MAX);
    if (icp_call(client, ICP_OP_IMPORT_LIST, payload, &reply)) {
        (void)icp_reply_get(&reply, "imports", &list);
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &import)) {
            if (member_text_is(member_text(&import, "name"), name)) {
                (void)import_undone_tell(cli, &import);
            }
        }
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
}
